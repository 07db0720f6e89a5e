//! What a service is handed by systemd: a file of variables in `$CREDENTIALS_DIRECTORY`.

use crate::sandbox::Sandbox;

/// A service is given these variables, and works where there is an environment file of its own.
fn given(credential: &str) -> Sandbox {
    let world = Sandbox::bare().file("handed/syncmon.env", credential);
    let folder = world.path("handed").display().to_string();
    world.env("CREDENTIALS_DIRECTORY", &folder)
}

const ELSEWHERE: &str = "postgres://ro:S3cretPw@127.0.0.1:1";

/// The database that a build tries to read.
fn database_of(world: &Sandbox) -> String {
    let ended = world.run(&["build", "--out", "site", "--state-dir", "state"]);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(!ended.stderr.contains("S3cretPw"), "{}", ended.stderr);
    let (_, rest) = ended.stderr.split_once("postgres 127.0.0.1:1/").unwrap();
    rest.split(')').next().unwrap().to_owned()
}

#[test]
fn a_credential_names_the_database_and_gives_way_to_what_is_set() {
    let world = given(&format!("DATABASE_URL='{ELSEWHERE}/handed'\n"))
        .file(".env", &format!("DATABASE_URL='{ELSEWHERE}/lying_there'\n"));
    assert_eq!(database_of(&world), "handed");
    let world = world.with_url(&format!("{ELSEWHERE}/set"));
    assert_eq!(database_of(&world), "set");
}

#[test]
fn credentials_without_ours_change_nothing() {
    let world = given("").file(".env", &format!("DATABASE_URL='{ELSEWHERE}/lying_there'\n"));
    std::fs::remove_file(world.path("handed/syncmon.env")).unwrap();
    assert_eq!(database_of(&world), "lying_there");
    let world = world.env("CREDENTIALS_DIRECTORY", "");
    assert_eq!(database_of(&world), "lying_there");
}

#[test]
fn a_broken_line_of_a_credential_is_named_but_not_repeated() {
    let world = given("SYNCMON_QUIET=1\nDATABASE_URL postgres://ro:S3cretPw@h/db\n");
    let ended = world.run(&["build"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("handed/syncmon.env, line 2 is not of the form NAME='value'"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("S3cretPw"), "{}", ended.stderr);
}

#[test]
fn a_command_that_tells_people_is_not_led_to_the_credentials() {
    let world = given(&format!("DATABASE_URL='{ELSEWHERE}/handed'\n"))
        .file("tell", "#!/bin/sh\n{ cat; env; } > \"$HOME/told\"\n")
        .file("syncmon.toml", "[alerts.command]\nprogram = \"./tell\"\n");
    std::fs::set_permissions(
        world.path("tell"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(database_of(&world), "handed");
    let told = std::fs::read_to_string(world.path("told")).unwrap();
    assert!(told.contains("SYNCMON_ALERT_SUBJECT="), "{told}");
    assert!(!told.contains("CREDENTIALS_DIRECTORY"), "{told}");
    assert!(!told.contains("S3cretPw"), "{told}");
}
