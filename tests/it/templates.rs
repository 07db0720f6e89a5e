//! Templates that are broken or mean harm: nothing is published, in bounded time, and one line says
//! which and why.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::golden;
use crate::sandbox::{NOW, Sandbox};

/// A demo's site, and a folder of templates to lay over it.
fn world() -> Sandbox {
    let world = Sandbox::bare()
        .arg("--demo")
        .file("syncmon.toml", "build_timeout = \"6s\"\n");
    world.build();
    fs::create_dir(world.path("look")).unwrap();
    world.arg("--templates").arg("look")
}

/// Exit code 2, one line, the old site as it was, soon.
#[track_caller]
fn is_refused(world: &Sandbox, title: &str) {
    let before = world.site();
    let begun = Instant::now();
    let ended = world.build_at("2026-11-22T20:10:00Z");
    assert!(begun.elapsed() < Duration::from_secs(20), "{title}");
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (2, ""),
        "{title}: {ended:?}"
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{title}: {}", ended.stderr);
    assert!(ended.stderr.len() < 1500, "{title}: {}", ended.stderr.len());
    assert_eq!(world.site(), before, "{title}");
    golden::section("messages.txt", title, ended.stderr.trim_end());
}

#[test]
fn templates_that_cannot_be_used_are_refused_by_name() {
    let world = world();
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    for (title, text) in [
        ("template: never closed", "one\n{{ frame.title".to_owned()),
        ("template: no such filter", "{{ frame.title | frobnicate }}".to_owned()),
        ("template: no such value", "{{ nothing.of_the_kind }}".to_owned()),
        ("template: includes itself", "{% include \"overview.html\" %}".to_owned()),
        ("template: extends itself", "{% extends \"overview.html\" %}".to_owned()),
        (
            "template: includes another file",
            "{% include \"/etc/passwd\" %}".to_owned(),
        ),
        (
            "template: asks for the environment",
            "{{ get_env(name=\"DATABASE_URL\") }}".to_owned(),
        ),
        ("template: deep parentheses", format!("{{{{ {} }}}}", deep("(", ")"))),
        (
            "template: deep nesting",
            format!("{}x", "{% if 1 %}".repeat(5000)),
        ),
        (
            "template: loops without end",
            "{% for i in range(end=100000) %}{% for j in range(end=100000) %}{% endfor %}{% endfor %}"
                .to_owned(),
        ),
        (
            "template: writes without end",
            format!(
                "{{% for i in range(end=100000) %}}{{% for j in range(end=100000) %}}{}{{% endfor %}}{{% endfor %}}",
                "x".repeat(1000)
            ),
        ),
        ("template: too large", "x".repeat(5 << 20)),
    ] {
        fs::write(world.path("look/overview.html"), text).unwrap();
        is_refused(&world, title);
    }
    fs::write(world.path("look/overview.html"), [0xff, 0xfe]).unwrap();
    is_refused(&world, "template: not UTF-8");
}

#[test]
fn what_is_no_file_is_not_read_as_a_template() {
    let world = world();
    let template = world.path("look/overview.html");
    fs::create_dir(&template).unwrap();
    is_refused(&world, "template: a folder");
    fs::remove_dir(&template).unwrap();
    for target in ["/dev/zero", "overview.html"] {
        symlink(target, &template).unwrap();
        is_refused(&world, &format!("template: a link to {target}"));
        fs::remove_file(&template).unwrap();
    }
    assert!(
        Command::new("mkfifo")
            .arg(&template)
            .status()
            .unwrap()
            .success()
    );
    is_refused(&world, "template: a pipe");
    fs::remove_file(&template).unwrap();
    assert_eq!(world.build_at(NOW).code, 0, "and then all is well again");
}
