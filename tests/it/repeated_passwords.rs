//! A server that demands the password as it is, and repeats it in whatever form it likes.

use std::io::Write;

use crate::golden;
use crate::impostor::{Impostor, error, hear, message};
use crate::outage::{building, only_line, told};
use crate::sandbox::{NOW, Sandbox};
use crate::secrets::{ODD, are_nowhere, forms, ways};

/// Says every form of the password that it was given.
fn parrot() -> Impostor {
    Impostor::new(|client| {
        let _ = client.write_all(&message(b'R', &3_u32.to_be_bytes()));
        let password = hear(client).unwrap_or_default();
        let said = format!("heard {}", forms(&password).join(" , "));
        let fields = [(b'S', "FATAL"), (b'C', "28P01"), (b'M', &said)];
        let _ = client.write_all(&error(&fields.map(|(kind, text)| (kind, text.as_bytes()))));
    })
}

/// Nothing of it is left anywhere but in the files that the user wrote.
#[test]
fn a_password_is_masked_however_it_was_given() {
    let server = parrot();
    let masked = ["[masked]"; 10].join(" , ");
    for (way, world, input) in ways("ro", &format!("{}/app", server.port), ODD) {
        println!("{way}");
        if way == "in the URL" {
            let ended = world.build_at(NOW);
            let text = told(&world, &ended);
            golden::section("messages.txt", "the server repeats the password", &text);
        }
        let ended = world.run(&[&building(NOW)[..], &["-v"]].concat());
        assert_eq!(ended.code, 75, "{way}: {ended:?}");
        let said = format!("heard {masked} (SQLSTATE 28P01)");
        assert!(ended.stderr.contains(&said), "{way}: {}", ended.stderr);
        are_nowhere(&world, &ended, &forms(ODD), &[input]);
    }
}

/// What others wrote into a password file must not hold up a build.
#[test]
fn a_password_file_that_is_none_holds_nothing_up() {
    let server = parrot();
    let url = format!("postgres://ro:known@127.0.0.1:{}/app", server.port);
    let world = Sandbox::bare().with_url(&url);
    let pipe = world.path(".pgpass");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let world = world.env("PGPASSFILE", "/dev/zero");
    let ended = world.build_now();
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(!only_line(&ended).contains("known"), "{ended:?}");
}
