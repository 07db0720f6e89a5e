//! The command line, the environment and the configuration: what is accepted, and what is refused.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::folders::{mode, names};
use crate::golden::{self, Told, cases};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::ended;

/// Nothing but this is said, and no site appears.
#[track_caller]
fn is_refused(world: &Sandbox, arguments: &[&str], parts: &[&str]) -> String {
    let ended = world.run(arguments).exits(2);
    assert_eq!(ended.stdout, "");
    for part in parts {
        ended.has(part);
    }
    assert!(!world.path("public").exists() && !world.path("site").exists());
    ended.stderr
}

/// The same, and it takes one line to say why.
#[track_caller]
fn is_refused_in_a_line(world: &Sandbox, arguments: &[&str], parts: &[&str]) -> String {
    let told = is_refused(world, arguments, parts);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("syncmon: "), "{told}");
    told
}

#[test]
fn help_explains_every_option() {
    // A password that is set must not be printed as a default; and help works where nothing else does.
    let world = Sandbox::bare()
        .env("DATABASE_URL", "postgres://ro:s3cret@localhost/app")
        .file(".env", "this is \"broken")
        .file("syncmon.toml", "so is this");
    golden::file("help.txt", &world.succeeds(&["--help"]).stdout);
    let commands = "build, publish, init-db, run, record, flush, prune, notify, doctor, templates, templates export, \
                    completions, manual";
    for command in commands.split(", ") {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let ended = world.succeeds(&words);
        assert_eq!(ended.stderr, "");
        ended.lacks("s3cret");
        let file = format!("help-{}.txt", command.replace(' ', "-"));
        golden::file(&file, &ended.stdout);
    }
    // Not with exit code 0, which a monitoring system would take for a verdict.
    let ended = world.run(&["check", "--help"]);
    assert_eq!((ended.code, &*ended.stderr), (3, ""));
    golden::file("help-check.txt", &ended.stdout);
    let version = world.succeeds(&["--version"]).stdout;
    assert_eq!(version, format!("syncmon {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let world = Sandbox::bare().env("SYNCMON_OUT", "/s3cret");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.succeeds(&["completions", shell]).stdout;
        for word in ["build", "templates", "metrics-file"] {
            assert!(script.contains(word), "{shell} is not told of {word}");
        }
    }
    let bash = world.succeeds(&["completions", "bash"]).stdout;
    let script = format!(
        "{bash}
        COMP_WORDS=(syncmon build --me) COMP_CWORD=2
        _syncmon syncmon --me build; echo \"${{COMPREPLY[*]}}\""
    );
    let completed = ended(Command::new("bash").args(["-c", &script]));
    assert_eq!(completed.stdout, "--metrics-file\n");

    assert_eq!(world.succeeds(&["manual", "man"]).stdout, "");
    assert_eq!(names(&world.path("man")).len(), 15);
    let page = read(&world, "man/syncmon-build.1");
    page.has("Reads the database once").has("SYNCMON_OUT");
    page.lacks("s3cret");

    let world = world.file("in-the-way", "");
    let ended = world.run(&["manual", "in-the-way"]).exits(1);
    golden::message("manual pages that cannot be written", &ended.stderr);
}

#[test]
fn usage_errors_end_with_2() {
    let world = Sandbox::bare();
    is_refused(&world, &[], &["Usage: syncmon <COMMAND>"]);
    for [arguments, part] in cases(
        "bild | similar subcommand exists: 'build'
         build --demos | '--demos'
         build extra | 'extra'
         build --out | '--out <DIR>'
         init-db --demo | '--demo'
         templates | Usage: syncmon templates <COMMAND>
         templates export | <DIR>
         build --demo --now yesterday | 2026-11-22T20:05:00Z
         build --demo --now 2026-11-22 | 2026-11-22T20:05:00Z
         build --demo --now 2026-11-22T20:05:00 | 2026-11-22T20:05:00Z
         build --demo --now 1969-12-31T23:59:59Z | before 1970
         build --demo --now 9999-01-01T00:00:00Z | after 9998",
    ) {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        is_refused(&world, &arguments, &[part]);
    }
}

#[test]
fn without_a_database_it_says_what_to_set() {
    let example = "syncmon build --demo";
    let parts = ["DATABASE_URL", "postgres://", "sqlite:", example];
    let told = is_refused_in_a_line(&Sandbox::bare(), &["build"], &parts);
    golden::message("no connection string", &told);
    is_refused_in_a_line(&Sandbox::bare(), &["init-db"], &parts);
    let blank = Sandbox::bare().env("DATABASE_URL", "  ");
    is_refused_in_a_line(&blank, &["build"], &parts);
}

#[test]
fn an_address_or_a_key_of_supabase_is_not_a_database() {
    for name in ["URL", "KEY", "SERVICE_KEY", "SERVICE_ROLE_KEY", "ANON_KEY"] {
        let name = format!("SUPABASE_{name}");
        let world = Sandbox::bare().file(".env.local", &format!("{name}='sb_secret_0123456789'"));
        let string = "PostgreSQL connection string";
        let parts = [&*name, string, "Connect", "DATABASE_URL"];
        let told = is_refused_in_a_line(&world, &["build"], &parts);
        told.lacks("0123456789");
        if name == "SUPABASE_URL" {
            golden::message("no connection string: an address of Supabase is set", &told);
        }
    }
}

#[test]
fn what_is_set_wins_over_env_local_and_that_over_env() {
    let world = Sandbox::bare()
        .file(
            ".env",
            "DATABASE_URL='sqlite:env.db'\nSYNCMON_OUT='from-env'\nSYNCMON_STATE_DIR='state'",
        )
        .file(".env.local", "DATABASE_URL='sqlite:local.db'\n");
    world.succeeds(&["init-db"]);
    assert!(world.path("local.db").exists() && !world.path("env.db").exists());
    world.succeeds(&["build"]);
    assert!(world.path("from-env/index.html").exists());
    world.succeeds(&["build", "--out", "here"]);
    assert!(world.path("here/index.html").exists());

    let world = world.env("DATABASE_URL", "sqlite:set.db");
    world.succeeds(&["init-db"]);
    assert!(world.path("set.db").exists() && !world.path("env.db").exists());

    // Single quotes keep a password whole.
    let world = Sandbox::bare().file(".env", "DATABASE_URL='sqlite:p$x#y z.db'");
    world.succeeds(&["init-db"]);
    assert!(world.path("p$x#y z.db").exists());
}

#[test]
fn a_broken_line_is_named_but_not_repeated() {
    for file in [".env.local", ".env"] {
        let world = Sandbox::bare().file(
            file,
            "# comment\nSYNCMON_OUT=site\n\nDATABASE_URL=postgres://ro:s3cret pass'word@localhost/app\n",
        );
        let place = format!("{file}, line 4");
        let told = is_refused_in_a_line(&world, &["build"], &[&place, "single quotes"]);
        told.lacks("s3cret");
        golden::message(&format!("environment: a broken line in {file}"), &told);
    }
}

/// No variable can hold one; between quotes it may lie lines away from the name.
#[test]
fn a_nul_in_an_environment_file_is_named_but_nothing_of_the_file_is_repeated() {
    let world = Sandbox::bare().file(
        ".env",
        "SYNCMON_OUT=site\nDATABASE_URL=\"postgres://ro:s3cret\n\0@localhost/app\"\n",
    );
    let told = is_refused_in_a_line(&world, &["build"], &[".env, line 3", "NUL", "UTF-8"]);
    told.lacks("s3cret");
    golden::message("environment: a NUL in a file", &told);
}

#[test]
fn connection_strings_that_cannot_be_meant_are_refused() {
    for [url, part] in cases(
        "ro:s3cret@db.example.org/app | postgres://USER:PASSWORD@HOST:PORT/DATABASE
         localhost/app | postgres://USER:PASSWORD@HOST:PORT/DATABASE
         mysql://ro:s3cret@localhost/app | postgres://USER:PASSWORD@HOST:PORT/DATABASE
         https://s3cret.supabase.co | postgres://USER:PASSWORD@HOST:PORT/DATABASE
         postgres://ro:s3cret@localhost/app?sslmod=require | Known are sslmode
         postgres://ro:s3cret@localhost/app?pgbouncer=true | (pgbouncer); take it away
         postgres://ro:s3cret@localhost/app?sslmode=full | verify-full
         postgres://ro:s3cret@localhost/app?port=s3cret | not a port number
         postgres://ro:1/s3cret@localhost/app | %2F
         postgres://ro:s3cret@db.example.org/app | sslmode=verify-full
         postgres://ro:s3cret@db.example.org/app?sslmode=require | SYNCMON_INSECURE_TLS=1
         postgres://ro:s3cret@10.0.0.7/app?sslmode=verify-ca | 10.0.0.7 is not local
         sqlite: | sqlite:PATH
         sqlite:a.db?mode=rwc | without parameters",
    ) {
        let world = Sandbox::bare().env("DATABASE_URL", url);
        let told = is_refused_in_a_line(&world, &["build"], &[part, "DATABASE_URL"]);
        assert_eq!(world.run(&["init-db"]).exits(2).stderr, told);
        told.lacks("s3cret");
        golden::message(&format!("connection string: {url}"), &told);
    }
}

#[test]
fn insecure_tls_has_to_be_asked_for_by_name() {
    // The address is set apart for documentation: nobody answers there.
    let url = "postgres://ro@192.0.2.1:9/app?sslmode=require&connect_timeout=1";
    for refused in ["0", "yes", ""] {
        let world = Sandbox::bare()
            .env("DATABASE_URL", url)
            .env("SYNCMON_INSECURE_TLS", refused);
        is_refused_in_a_line(&world, &["build"], &["sslmode=verify-full"]);
    }
    let world = Sandbox::bare().env("DATABASE_URL", url);
    let world = world.env("SYNCMON_INSECURE_TLS", "1");
    world.build_now().exits(75);
}

#[test]
fn quiet_says_nothing_and_verbose_says_what_is_done() {
    let world = Sandbox::sqlite();
    let usual = world.build().stdout;
    let verbose = world.arg("-v").build();
    assert_eq!(verbose.stdout, usual);
    for step in ["reading sqlite", "rendering", "publishing", "done"] {
        verbose.stderr.has(step);
    }
    let demo = Sandbox::bare().arg("--demo").arg("-v").build();
    demo.stderr.has("inventing 90 days");
    Sandbox::sqlite().arg("-q").build().says_nothing();

    // A closer look, where quiet is the rule.
    let closer = Sandbox::sqlite().env("SYNCMON_QUIET", "1").arg("-v");
    closer.build().has("rendering").has(&usual);

    let away = Sandbox::bare().with_url("sqlite:missing.db").arg("-q");
    let away = away.build_at(NOW).exits(75);
    assert_eq!((&*away.stdout, away.stderr.lines().count()), ("", 1));
}

#[test]
fn every_option_can_be_set_by_environment() {
    let world = Sandbox::bare()
        .file("conf/mine.toml", "title = \"Set by a file\"")
        .file("look/overview.html", "{{ frame.title }}, laid over")
        .env("SYNCMON_OUT", "o/ut")
        .env("SYNCMON_CONFIG", "conf/mine.toml")
        .env("SYNCMON_DEMO", "1")
        .env("SYNCMON_NOW", NOW)
        .env("SYNCMON_TEMPLATES", "look")
        .env("SYNCMON_STATE_DIR", "st/ate")
        .env("SYNCMON_QUIET", "true");
    world.succeeds(&["build"]).says_nothing();
    assert_eq!(read(&world, "o/ut/index.html"), "Set by a file, laid over");
    let status: Value = serde_json::from_str(&read(&world, "o/ut/status.json")).unwrap();
    assert_eq!(status["generated_at"], NOW);
    assert_eq!(status["demo"], true);
    assert!(world.path("st/ate/demo.sqlite").exists());

    let world = world.env("SYNCMON_QUIET", "0").env("SYNCMON_VERBOSE", "1");
    world.succeeds(&["build"]).stderr.has("rendering");

    let world = world.env("SYNCMON_VERBOSE", "0").env("SYNCMON_NOW", "soon");
    world.run(&["build"]).exits(2);

    let world = world.env("SYNCMON_NOW", NOW).env("SYNCMON_DEMO", "0");
    world.run(&["build"]).exits(2).has("no database");
}

#[test]
fn the_state_directory_is_where_the_system_wants_it() {
    let keeps_its_state = |world: Sandbox, expected: &str| {
        world.succeeds(&["build"]);
        let directory = world.path(expected);
        let mut kept = names(&directory);
        kept.retain(|name| name.starts_with("snapshot."));
        assert_eq!(kept.len(), 1, "{expected}");
        for file in [directory.clone(), directory.join(&kept[0])] {
            assert_eq!(mode(&file) & 0o77, 0, "{file:?} is open to others");
        }
    };
    let with = |world: Sandbox, variable: &str, folder: &str| {
        let path = world.path(folder).display().to_string();
        world.env(variable, &path)
    };
    keeps_its_state(Sandbox::sqlite(), ".local/state/syncmon");
    let xdg = || with(Sandbox::sqlite(), "XDG_STATE_HOME", "xdg");
    keeps_its_state(xdg(), "xdg/syncmon");
    let systemd = || with(xdg(), "STATE_DIRECTORY", "var:/nowhere/else");
    keeps_its_state(systemd(), "var");
    keeps_its_state(systemd().env("SYNCMON_STATE_DIR", "mine"), "mine");

    let nameless = Sandbox::bare().env("STATE_DIRECTORY", ":");
    let build = ["build", "--demo"];
    is_refused_in_a_line(&nameless, &build, &["STATE_DIRECTORY", "--state-dir"]);
    let homeless = Sandbox::bare().env("HOME", "");
    is_refused_in_a_line(&homeless, &build, &["--state-dir"]);
}

/// Each of them is tried where configurations are read; here both places are in which one may lie.
#[test]
fn configuration_is_refused_with_file_line_key_and_remedy() {
    let text = "title = \"x\"\n[[entities]]\nentity_type = \"a\"\nlate_after = \"13h\"";
    let parts = [", line 4, late_after", "the longer one"];
    let usual = Sandbox::bare().file("syncmon.toml", text);
    let build = ["build", "--demo", "--config", "conf/mine.toml"];
    is_refused_in_a_line(&usual, &build[..2], &["syncmon.toml", parts[0], parts[1]]);
    let named = Sandbox::bare().file("conf/mine.toml", text);
    is_refused_in_a_line(&named, &build, &["conf/mine.toml", parts[0], parts[1]]);
}

#[test]
fn what_is_named_has_to_be_there() {
    for [option, path, words] in cases(
        "--config | mising.toml | check the path
         --config | . | check the path
         --templates | look | look is not a directory",
    ) {
        let arguments = ["build", "--demo", option, path];
        is_refused_in_a_line(&Sandbox::bare(), &arguments, &[path, words]);
    }
}

#[test]
fn configured_entities_replace_the_built_in_ones_and_others_follow() {
    let run = |entity: &str| {
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
             values ('2026-11-22T19:22:00Z', '{entity}', 'incremental_sync', 'completed', 4.5);"
        )
    };
    for world in Sandbox::both() {
        let world = world.sql(&["zebra", "gift_cards", "sales", "apple"].map(run).concat());
        let world = world.file(
            "syncmon.toml",
            "[[entities]]\nentity_type = \"sales\"\nname = \"Shop sales\"\ntable = \"shop.sales\"\n\
             late_after = \"30min\"\n[[entities]]\nentity_type = \"donations\"\n",
        );
        world.build();
        let status = world.status();
        let entities = status["entities"].as_array().unwrap().iter();
        let told = entities.map(|entity| {
            let of = |key: &str| entity[key].as_str().unwrap_or("–");
            ["entity_type", "name", "table", "reason"].map(of).join(" ")
        });
        let expected = [
            "sales Shop sales shop.sales late",
            "donations Donations – never_synced",
            "apple Apple – fresh",
            "gift_cards Gift Cards – fresh",
            "zebra Zebra – fresh",
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_program_needs_nothing_from_its_surroundings() {
    let world = Sandbox::bare();
    let mut build = world.command(&["build", "--demo", "--state-dir", "state"]);
    ended(build.env_clear()).exits(0);
}

fn read(world: &Sandbox, path: &str) -> String {
    fs::read_to_string(world.path(path)).unwrap()
}
