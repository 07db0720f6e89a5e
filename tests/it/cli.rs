//! The command line, the environment and the configuration: what is accepted, and how what is not
//! is refused.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::golden;
use crate::sandbox::{Ended, NOW, SYNCMON, Sandbox};

/// A build of which nothing but the messages matters: no site appears.
#[track_caller]
fn is_refused(world: &Sandbox, arguments: &[&str], parts: &[&str]) {
    let ended = world.run(arguments);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(ended.stdout, "");
    for part in parts {
        assert!(
            ended.stderr.contains(part),
            "no {part:?} in: {}",
            ended.stderr
        );
    }
    assert!(!world.path("public").exists() && !world.path("site").exists());
}

/// The same, and it takes one line to say why.
#[track_caller]
fn is_refused_in_a_line(world: &Sandbox, arguments: &[&str], parts: &[&str]) {
    is_refused(world, arguments, parts);
    let ended = world.run(arguments);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("syncmon: "), "{}", ended.stderr);
}

fn demo() -> Sandbox {
    Sandbox::bare().arg("--demo")
}

#[test]
fn help_explains_every_option() {
    // A password that is set must not be printed as a default.
    let world = Sandbox::bare().env("DATABASE_URL", "postgres://ro:s3cret@localhost/app");
    for (arguments, file) in [
        (vec!["--help"], "help.txt"),
        (vec!["build", "--help"], "help-build.txt"),
        (vec!["publish", "--help"], "help-publish.txt"),
        (vec!["init-db", "--help"], "help-init-db.txt"),
        (vec!["run", "--help"], "help-run.txt"),
        (vec!["record", "--help"], "help-record.txt"),
        (vec!["flush", "--help"], "help-flush.txt"),
        (vec!["prune", "--help"], "help-prune.txt"),
        (vec!["notify", "--help"], "help-notify.txt"),
        (vec!["doctor", "--help"], "help-doctor.txt"),
        (vec!["templates", "--help"], "help-templates.txt"),
        (
            vec!["templates", "export", "--help"],
            "help-templates-export.txt",
        ),
        (vec!["completions", "--help"], "help-completions.txt"),
        (vec!["manual", "--help"], "help-manual.txt"),
    ] {
        let ended = world.succeeds(&arguments);
        assert_eq!(ended.stderr, "");
        assert!(!ended.stdout.contains("s3cret"), "{}", ended.stdout);
        golden::file(file, &ended.stdout);
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
    let completed = std::process::Command::new("bash")
        .args(["-c", &format!("{bash}
            COMP_WORDS=(syncmon build --me) COMP_CWORD=2; _syncmon syncmon --me build; echo \"${{COMPREPLY[*]}}\"")])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&completed.stdout),
        "--metrics-file\n"
    );

    assert_eq!(world.succeeds(&["manual", "man"]).stdout, "");
    let mut pages: Vec<_> = fs::read_dir(world.path("man"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_eq!(pages.len(), 15, "{pages:?}");
    let page = fs::read_to_string(world.path("man/syncmon-build.1")).unwrap();
    assert!(page.contains("Reads the database once"), "{page}");
    assert!(
        page.contains("SYNCMON_OUT") && !page.contains("s3cret"),
        "{page}"
    );

    let ended = world.file("in-the-way", "").run(&["manual", "in-the-way"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    golden::section(
        "messages.txt",
        "manual pages that cannot be written",
        ended.stderr.trim_end(),
    );
}

#[test]
fn help_works_where_nothing_else_does() {
    let world = Sandbox::bare()
        .file(".env", "this is \"broken")
        .file("syncmon.toml", "so is this");
    world.succeeds(&["--help"]);
    world.succeeds(&["build", "--help"]);
}

#[test]
fn usage_errors_end_with_2() {
    let world = Sandbox::bare();
    for (arguments, part) in [
        (vec![], "Usage: syncmon <COMMAND>"),
        (vec!["bild"], "similar subcommand exists: 'build'"),
        (vec!["build", "--demos"], "'--demos'"),
        (vec!["build", "extra"], "'extra'"),
        (vec!["build", "--out"], "'--out <DIR>'"),
        (vec!["init-db", "--demo"], "'--demo'"),
        (vec!["templates"], "Usage: syncmon templates <COMMAND>"),
        (vec!["templates", "export"], "<DIR>"),
        (
            vec!["build", "--demo", "--now", "yesterday"],
            "2026-11-22T20:05:00Z",
        ),
        (
            vec!["build", "--demo", "--now", "2026-11-22"],
            "2026-11-22T20:05:00Z",
        ),
        (
            vec!["build", "--demo", "--now", "2026-11-22T20:05:00"],
            "2026-11-22T20:05:00Z",
        ),
        (
            vec!["build", "--demo", "--now", "1969-12-31T23:59:59Z"],
            "before 1970",
        ),
        (
            vec!["build", "--demo", "--now", "9999-01-01T00:00:00Z"],
            "after 9998",
        ),
    ] {
        is_refused(&world, &arguments, &[part]);
    }
}

#[test]
fn without_a_database_it_says_what_to_set() {
    let parts = [
        "DATABASE_URL",
        "postgres://",
        "sqlite:",
        "syncmon build --demo",
    ];
    is_refused_in_a_line(&Sandbox::bare(), &["build"], &parts);
    is_refused_in_a_line(&Sandbox::bare(), &["init-db"], &parts);
    let told = Sandbox::bare().run(&["build"]).stderr;
    golden::section("messages.txt", "no connection string", told.trim_end());
    let blank = Sandbox::bare().env("DATABASE_URL", "  ");
    is_refused_in_a_line(&blank, &["build"], &parts);
}

#[test]
fn an_address_or_a_key_of_supabase_is_not_a_database() {
    for name in [
        "SUPABASE_URL",
        "SUPABASE_KEY",
        "SUPABASE_SERVICE_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_ANON_KEY",
    ] {
        let world = Sandbox::bare().file(".env.local", &format!("{name}='sb_secret_0123456789'"));
        let parts = [
            name,
            "PostgreSQL connection string",
            "Connect",
            "DATABASE_URL",
        ];
        is_refused_in_a_line(&world, &["build"], &parts);
        let ended = world.run(&["build"]);
        assert!(!ended.stderr.contains("0123456789"), "{}", ended.stderr);
        if name == "SUPABASE_URL" {
            let title = "no connection string: an address of Supabase is set";
            golden::section("messages.txt", title, ended.stderr.trim_end());
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

    let world = world.env("DATABASE_URL", "sqlite:set.db");
    world.succeeds(&["init-db"]);
    assert!(world.path("set.db").exists() && !world.path("env.db").exists());
}

#[test]
fn single_quotes_keep_a_password_whole() {
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
        is_refused_in_a_line(
            &world,
            &["build"],
            &[&format!("{file}, line 4"), "single quotes"],
        );
        let told = world.run(&["build"]).stderr;
        assert!(!told.contains("s3cret"), "{told}");
        let title = format!("environment: a broken line in {file}");
        golden::section("messages.txt", &title, told.trim_end());
    }
}

/// No variable can hold one; between quotes it may lie lines away from the name.
#[test]
fn a_nul_in_an_environment_file_is_named_but_nothing_of_the_file_is_repeated() {
    let world = Sandbox::bare().file(
        ".env",
        "SYNCMON_OUT=site\nDATABASE_URL=\"postgres://ro:s3cret\n\0@localhost/app\"\n",
    );
    is_refused_in_a_line(&world, &["build"], &[".env, line 3", "NUL", "UTF-8"]);
    let told = world.run(&["build"]).stderr;
    assert!(!told.contains("s3cret"), "{told}");
    golden::section(
        "messages.txt",
        "environment: a NUL in a file",
        told.trim_end(),
    );
}

#[test]
fn connection_strings_that_cannot_be_meant_are_refused() {
    for (url, part) in [
        (
            "ro:s3cret@db.example.org/app",
            "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "localhost/app",
            "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "mysql://ro:s3cret@localhost/app",
            "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "https://s3cret.supabase.co",
            "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "postgres://ro:s3cret@localhost/app?sslmod=require",
            "Known are sslmode",
        ),
        (
            "postgres://ro:s3cret@localhost/app?pgbouncer=true",
            "(pgbouncer); take it away",
        ),
        (
            "postgres://ro:s3cret@localhost/app?sslmode=full",
            "verify-full",
        ),
        (
            "postgres://ro:s3cret@localhost/app?port=s3cret",
            "not a port number",
        ),
        ("postgres://ro:1/s3cret@localhost/app", "%2F"),
        (
            "postgres://ro:s3cret@db.example.org/app",
            "sslmode=verify-full",
        ),
        (
            "postgres://ro:s3cret@db.example.org/app?sslmode=require",
            "SYNCMON_INSECURE_TLS=1",
        ),
        (
            "postgres://ro:s3cret@10.0.0.7/app?sslmode=verify-ca",
            "10.0.0.7 is not local",
        ),
        ("sqlite:", "sqlite:PATH"),
        ("sqlite:a.db?mode=rwc", "without parameters"),
    ] {
        for command in ["build", "init-db"] {
            let world = Sandbox::bare().env("DATABASE_URL", url);
            is_refused_in_a_line(&world, &[command], &[part, "DATABASE_URL"]);
            let ended = world.run(&[command]);
            assert!(!ended.stderr.contains("s3cret"), "{url}: {}", ended.stderr);
            let title = format!("connection string: {url}");
            golden::section("messages.txt", &title, ended.stderr.trim_end());
        }
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
    let world = Sandbox::bare()
        .env("DATABASE_URL", url)
        .env("SYNCMON_INSECURE_TLS", "1");
    assert_eq!(world.build_now().code, 75);
}

#[test]
fn quiet_says_nothing_and_verbose_says_what_is_done() {
    let quiet = demo().arg("-q").build();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));

    let verbose = demo().arg("-v").build();
    assert_eq!(verbose.stdout, demo().build().stdout);
    for step in [
        "inventing 90 days",
        "reading sqlite",
        "rendering",
        "publishing",
        "done",
    ] {
        assert!(
            verbose.stderr.contains(step),
            "no {step:?} in: {}",
            verbose.stderr
        );
    }

    // A closer look, where quiet is the rule.
    let closer = demo().env("SYNCMON_QUIET", "1").arg("-v").build();
    assert_eq!(closer.stdout, verbose.stdout);
    assert!(closer.stderr.contains("rendering"), "{}", closer.stderr);

    let away = Sandbox::bare()
        .with_url("sqlite:missing.db")
        .arg("-q")
        .build_at(NOW);
    assert_eq!((away.code, away.stdout.as_str()), (75, ""));
    assert_eq!(away.stderr.lines().count(), 1, "{}", away.stderr);
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
    let ended = world.succeeds(&["build"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert_eq!(read(&world, "o/ut/index.html"), "Set by a file, laid over");
    let status: Value = serde_json::from_str(&read(&world, "o/ut/status.json")).unwrap();
    assert_eq!(status["generated_at"], NOW);
    assert_eq!(status["demo"], true);
    assert!(world.path("st/ate/demo.sqlite").exists());

    let world = world.env("SYNCMON_QUIET", "0").env("SYNCMON_VERBOSE", "1");
    assert!(world.succeeds(&["build"]).stderr.contains("rendering"));

    let world = world.env("SYNCMON_VERBOSE", "0").env("SYNCMON_NOW", "soon");
    let ended = world.run(&["build"]);
    assert_eq!(ended.code, 2, "{ended:?}");

    let world = world.env("SYNCMON_NOW", NOW).env("SYNCMON_DEMO", "0");
    let ended = world.run(&["build"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("no database"), "{}", ended.stderr);
}

#[test]
fn options_may_stand_in_the_env_files_too() {
    let world = Sandbox::bare().file(".env", "SYNCMON_DEMO=1\nSYNCMON_OUT=elsewhere\n");
    world.succeeds(&["build"]);
    assert!(world.path("elsewhere/index.html").exists());
    world.succeeds(&["build", "--out", "here"]);
    assert!(world.path("here/index.html").exists());
}

#[test]
fn the_state_directory_is_where_the_system_wants_it() {
    let built = |world: Sandbox, expected: &str| {
        world.succeeds(&["build", "--demo"]);
        let directory = world.path(expected);
        assert!(directory.join("demo.sqlite").exists(), "{expected}");
        let kept: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("snapshot."))
            .collect();
        assert_eq!(kept.len(), 1);
        for file in [directory.clone(), directory.join(&kept[0])] {
            assert_eq!(
                mode(&file) & 0o77,
                0,
                "{} is open to others",
                file.display()
            );
        }
    };
    built(Sandbox::bare(), ".local/state/syncmon");
    let xdg = |world: Sandbox| {
        let path = world.path("xdg").display().to_string();
        world.env("XDG_STATE_HOME", &path)
    };
    built(xdg(Sandbox::bare()), "xdg/syncmon");
    let systemd = |world: Sandbox| {
        let path = world.path("var").display().to_string();
        world.env("STATE_DIRECTORY", &format!("{path}:/nowhere/else"))
    };
    built(systemd(xdg(Sandbox::bare())), "var");
    built(
        systemd(xdg(Sandbox::bare())).env("SYNCMON_STATE_DIR", "mine"),
        "mine",
    );

    let nameless = Sandbox::bare().env("STATE_DIRECTORY", ":");
    is_refused_in_a_line(
        &nameless,
        &["build", "--demo"],
        &["STATE_DIRECTORY", "--state-dir"],
    );
    let homeless = Sandbox::bare().env("HOME", "");
    is_refused_in_a_line(&homeless, &["build", "--demo"], &["--state-dir"]);
}

#[test]
fn configuration_is_refused_with_file_line_key_and_remedy() {
    for (text, parts) in [
        (
            "\ntitel = \"x\"",
            [", line 2, titel", "correct its spelling"],
        ),
        (
            "time_zone = \"PST8\"",
            [", line 1, time_zone", "\"America/Los_Angeles\""],
        ),
        ("interval = \"soon\"", [", line 1, interval", "\"90min\""]),
        (
            "late_after = \"2h\"\noverdue_after = \"1h\"",
            [", line 2, overdue_after", "the longer one"],
        ),
        (
            "title = \"x\"\n[[entities]]\nname = \"Sales\"",
            [", line 2, [[entities]]", "entity_type"],
        ),
        (
            "[[entities]]\nentity_type = \"a\"\nlate_after = \"13h\"",
            [", line 3, late_after", "the longer one"],
        ),
        ("title = ", [", line 1, title", "correct this line"]),
        ("entities = []", [", line 1, entities", "at least one"]),
    ] {
        let usual = Sandbox::bare().file("syncmon.toml", text);
        is_refused_in_a_line(
            &usual,
            &["build", "--demo"],
            &["syncmon.toml", parts[0], parts[1]],
        );
        let named = Sandbox::bare().file("conf/mine.toml", text);
        let arguments = ["build", "--demo", "--config", "conf/mine.toml"];
        is_refused_in_a_line(&named, &arguments, &["conf/mine.toml", parts[0], parts[1]]);
    }
}

#[test]
fn a_configuration_file_that_is_named_has_to_be_there() {
    let world = Sandbox::bare();
    for path in ["mising.toml", "."] {
        let arguments = ["build", "--demo", "--config", path];
        is_refused_in_a_line(&world, &arguments, &[path, "check the path"]);
    }
}

#[test]
fn a_broken_template_is_named_and_the_old_site_stays() {
    let world = demo();
    world.build();
    let before = world.site();
    let world = world.arg("--templates").arg("look");
    is_not_published(&world.build_at(NOW), &["look is not a directory"]);

    for (content, place) in [
        ("one\n{{ frame.title", "look/overview.html, line 2:"),
        ("one\ntwo\n{% frobnicate %}", "look/overview.html, line 3:"),
        (
            "one\n{{ nothing.of_the_kind }}",
            "look/overview.html, line 2:",
        ),
        (
            "one\n{{ frame.title | frobnicate }}",
            "look/overview.html, line 2:",
        ),
    ] {
        let world = &world;
        fs::create_dir_all(world.path("look")).unwrap();
        fs::write(world.path("look/overview.html"), content).unwrap();
        is_not_published(&world.build_at(NOW), &[place, "nothing was published"]);
    }
    fs::write(world.path("look/overview.html"), [0xff, 0xfe]).unwrap();
    is_not_published(
        &world.build_at(NOW),
        &["look/overview.html", "nothing was published"],
    );
    assert_eq!(world.site(), before);
}

#[track_caller]
fn is_not_published(ended: &Ended, parts: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    for part in parts {
        assert!(
            ended.stderr.contains(part),
            "no {part:?} in: {}",
            ended.stderr
        );
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
        let world = world
            .sql(&["zebra", "gift_cards", "sales", "apple"].map(run).concat())
            .file(
                "syncmon.toml",
                "[[entities]]\nentity_type = \"sales\"\nname = \"Shop sales\"\ntable = \"shop.sales\"\n\
                 late_after = \"30min\"\n[[entities]]\nentity_type = \"donations\"\n",
            );
        world.build();
        let status = world.status();
        let entities: Vec<String> = status["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entity| {
                format!(
                    "{} {} {} {}",
                    entity["entity_type"], entity["name"], entity["table"], entity["reason"]
                )
            })
            .collect();
        assert_eq!(
            entities,
            [
                "\"sales\" \"Shop sales\" \"shop.sales\" \"late\"",
                "\"donations\" \"Donations\" null \"never_synced\"",
                "\"apple\" \"Apple\" null \"fresh\"",
                "\"gift_cards\" \"Gift Cards\" null \"fresh\"",
                "\"zebra\" \"Zebra\" null \"fresh\"",
            ]
        );
    }
}

#[test]
fn the_program_needs_nothing_from_its_surroundings() {
    let directory = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(SYNCMON)
        .args(["build", "--demo", "--state-dir", "state"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn read(world: &Sandbox, path: &str) -> String {
    fs::read_to_string(world.path(path)).unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode()
}
