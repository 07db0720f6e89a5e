//! `.env` and `.env.local`: whatever stands in them is read or refused in one line that repeats
//! none of it.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::campaign::Campaign;
use crate::sandbox::Sandbox;

/// Lines and parts of lines; `S3cretPw` is a password.
const PARTS: &[&[u8]] = &[
    b"DATABASE_URL='postgres://ro:S3cretPw@127.0.0.1:1/app'\n",
    b"DATABASE_URL=postgres://ro:S3cretPw@127.0.0.1:1/app\n",
    b"DATABASE_URL=\"postgres://ro:S3cretPw\n",
    b"DATABASE_URL=ro:S3cretPw@h\n",
    b"DATABASE_URL postgres://ro:S3cretPw@h/db\n",
    b"export PGPASSWORD=S3cretPw\n",
    b"S3cretPw\n",
    b"'S3cretPw\n",
    b"A=$DATABASE_URL ${DATABASE_URL}\n",
    b"SYNCMON_CONFIG=mine.toml\n",
    b"SYNCMON_NOW=soon\n",
    b"SYNCMON_QUIET=1\n",
    b"PASSWORD = S3cretPw # S3cretPw\n",
    b"# comment\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"=",
    b"\0",
    b"\\",
    b"\"",
    b"'",
    b"$",
    b"${",
    b" ",
    b"\n",
    b"\x1b[2J",
    b"\xe2\x80\xae",
];

fn a_file() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        5 => select(PARTS).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..20),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

#[test]
fn any_environment_file_is_read_or_refused_without_its_text() {
    let world = Sandbox::bare();
    let campaign = Campaign::named("configuration", "files, through the program");
    let config = Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let files = (a_file(), prop::option::of(a_file()));
    let check = |(first, second): (Vec<u8>, Option<Vec<u8>>)| {
        fs::write(world.path(".env.local"), first).unwrap();
        match second {
            Some(second) => fs::write(world.path(".env"), second).unwrap(),
            None => drop(fs::remove_file(world.path(".env"))),
        }
        let ended = world.run(&["build", "--out", "site", "--state-dir", "state"]);
        let expected = [0, 2, 75].contains(&ended.code);
        prop_assert!(expected, "{:?}", ended);
        let printed = ended.stdout + &ended.stderr;
        prop_assert!(!printed.contains("S3cretPw"), "{}", printed);
        let unreadable = |c: char| c.is_control() && c != '\n' && c != '\t';
        prop_assert!(!printed.contains(unreadable), "{:?}", printed);
        Ok(())
    };
    for step in campaign.steps(1, 34) {
        step.count("runs", 60);
        let checked = TestRunner::new(config.clone()).run(&files, check);
        checked.unwrap_or_else(|finding| panic!("{finding}"));
    }
    campaign.ends(&format!("{} runs", campaign.tally("runs")));
}
