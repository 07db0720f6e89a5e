//! A server that demands the password as it is, and repeats it in whatever form it likes.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::impostor::{Impostor, error, hear, message};
use crate::outage::only_line;
use crate::sandbox::Sandbox;

/// What needs escaping in URLs, password files, JSON, HTML and SQL.
const ODD: &str = "p@ss:w/o?r#d%2f[]<b>&'\"\\ €+x";

fn percent_encoded(text: &str, stays: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || stays.contains(letter) {
            format!("{encoded}{letter}")
        } else {
            format!("{encoded}%{byte:02X}")
        }
    })
}

/// The forms in which a program could repeat it.
fn forms(password: &str) -> Vec<String> {
    let encoded = percent_encoded(password, "");
    let html = password
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    vec![
        password.to_owned(),
        encoded.clone(),
        encoded.to_lowercase(),
        percent_encoded(password, "-_.~"),
        percent_encoded(password, "-_.~").replace("%20", "+"),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html,
        serde_json::to_string(password)
            .unwrap()
            .trim_matches('"')
            .to_owned(),
        password.replace('\'', "''"),
    ]
}

/// Says every form of the password that it was given.
fn parrot() -> Impostor {
    Impostor::new(|client| {
        let _ = client.write_all(&message(b'R', &3_u32.to_be_bytes()));
        let password = hear(client).unwrap_or_default();
        let said = format!("heard {}", forms(&password).join(" , "));
        let _ = client.write_all(&error(&[
            (b'S', b"FATAL"),
            (b'C', b"28P01"),
            (b'M', said.as_bytes()),
        ]));
    })
}

/// The build fails because of that server, and nothing of the password is left anywhere but in the
/// files that the user wrote.
fn is_masked(way: &str, world: &Sandbox, inputs: &[&str]) {
    let ended = world.run(&["build", "-v", "--out", "site", "--state-dir", "state"]);
    assert_eq!(ended.code, 75, "{way}: {ended:?}");
    let masked = ["[masked]"; 9].join(" , ");
    let line = only_line_of_many(&ended.stderr);
    assert!(
        line.contains(&format!("heard {masked} (SQLSTATE 28P01)")),
        "{way}: {line}"
    );
    for form in forms(ODD) {
        assert!(
            !ended.stdout.contains(&form) && !ended.stderr.contains(&form),
            "{way}"
        );
        for entry in walkdir::WalkDir::new(world.root()) {
            let path = entry.unwrap().into_path();
            if !path.is_file() || inputs.iter().any(|input| world.path(input) == path) {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let found = bytes
                .windows(form.len())
                .any(|part| part == form.as_bytes());
            assert!(!found, "{way}: {form} is in {}", path.display());
        }
    }
}

/// With `-v`, the line about the failure stands among those about what is being done.
fn only_line_of_many(stderr: &str) -> &str {
    stderr
        .lines()
        .find(|line| line.starts_with("syncmon: "))
        .unwrap_or_default()
}

/// The user's own file, as the driver demands it.
fn protected(world: Sandbox, name: &str, content: &str) -> Sandbox {
    let world = world.file(name, content);
    fs::set_permissions(world.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    world
}

#[test]
fn a_password_is_masked_however_it_was_given() {
    let server = parrot();
    let address = format!("127.0.0.1:{}/app", server.port);
    let plain = format!("postgres://ro@{address}");
    let encoded = percent_encoded(ODD, "");
    let in_url = format!("postgres://ro:{encoded}@{address}");
    is_masked("in the URL", &Sandbox::bare().with_url(&in_url), &[]);
    let sparing = percent_encoded(ODD, "&'+");
    let in_url = format!("postgres://ro:{sparing}@{address}");
    is_masked("hardly encoded", &Sandbox::bare().with_url(&in_url), &[]);
    let parameter = format!("{plain}?password={}", encoded.to_lowercase());
    is_masked("as a parameter", &Sandbox::bare().with_url(&parameter), &[]);
    let world = Sandbox::bare().with_url(&plain).env("PGPASSWORD", ODD);
    is_masked("in PGPASSWORD", &world, &[]);

    let line = format!("DATABASE_URL='postgres://ro:{encoded}@{address}'\n");
    let world = Sandbox::bare().file(".env.local", &line);
    is_masked("in .env.local", &world, &[".env.local"]);

    let escaped = ODD.replace('\\', r"\\").replace(':', r"\:");
    for (way, password) in [
        ("escaped", &*escaped),
        ("with its colons", &ODD.replace('\\', r"\\")),
    ] {
        let lines = format!("# ours\nother:1:app:ro:another\n127.0.0.1:*:app:ro:{password}\n");
        let world = protected(Sandbox::bare().with_url(&plain), ".pgpass", &lines);
        is_masked(&format!("in .pgpass, {way}"), &world, &[".pgpass"]);
        let world = protected(Sandbox::bare().with_url(&plain), "passwords", &lines);
        let path = world.path("passwords").display().to_string();
        let world = world.env("PGPASSFILE", &path);
        is_masked(&format!("in PGPASSFILE, {way}"), &world, &["passwords"]);
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
    let ended = world.run(&["build", "--out", "site", "--state-dir", "state"]);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(!only_line(&ended).contains("known"), "{ended:?}");
}
