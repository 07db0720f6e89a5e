//! Templates of one's own: exported, and refused in one line where they are broken or mean harm.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::folders::{self, LATER, names};
use crate::generations::contents;
use crate::golden;
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::shell;

/// A site, and a folder of templates to lay over it.
fn world() -> Sandbox {
    overlaid(folders::world())
}

fn overlaid(world: Sandbox) -> Sandbox {
    world.build();
    fs::create_dir(world.path("look")).unwrap();
    world.arg("--templates").arg("look")
}

#[track_caller]
fn is_refused(world: &Sandbox, title: &str) {
    let title = format!("template: {title}");
    crate::wrapped::is_refused(world, &title, || world.build_at(LATER));
}

/// With this as its overview.
#[track_caller]
fn overview_is_refused(world: &Sandbox, title: &str, text: impl AsRef<[u8]>) {
    fs::write(world.path("look/overview.html"), text).unwrap();
    is_refused(world, title);
}

const ENDLESS: &str = "{% for i in range(end=100000) %}{% for j in range(end=100000) %}";

#[test]
fn templates_that_cannot_be_used_are_refused_by_name() {
    let world = world();
    for line in r#"
never closed: one\n{{ frame.title
empty:
no such filter: {{ frame.title | frobnicate }}
no such value: {{ nothing.of_the_kind }}
a slip of the pen: one\n{{ frame.titel }}
a loop over nothing: {% for run in frame.runs %}{% endfor %}
no such test: {% if summary is defind %}{% endif %}
no such tag: one\ntwo\n{% frobnicate %}
no such component: {% component Row() %}{% endcomponent Row %}\n{{<Roe/>}}
an argument is missing: {{ summary | truncate }}
extends nothing: {% extends "bse.html" %}
includes itself: {% include "overview.html" %}
extends itself: {% extends "overview.html" %}
includes another file: {% include "/etc/passwd" %}
asks for the environment: {{ get_env(name="DATABASE_URL") }}"#
        .trim()
        .lines()
    {
        let (title, text) = line.split_once(':').unwrap();
        overview_is_refused(&world, title, text.trim().replace("\\n", "\n"));
    }
    let [open, close] = ["(", ")"].map(|part| part.repeat(20_000));
    let name = "x".repeat(2 << 20);
    let written = "x".repeat(1000);
    let ends = "{% endfor %}{% endfor %}";
    for (title, text) in [
        ("a name of 2 MB", format!("{{{{ {name} }}}}")),
        ("deep parentheses", format!("{{{{ {open}1{close} }}}}")),
        ("deep nesting", "{% if 1 %}".repeat(5000) + "x"),
        ("loops without end", format!("{ENDLESS}{ends}")),
        ("writes without end", format!("{ENDLESS}{written}{ends}")),
        ("too large", "x".repeat(5 << 20)),
    ] {
        overview_is_refused(&world, title, text);
    }
    overview_is_refused(&world, "not UTF-8", [0xff, 0xfe]);
}

#[test]
fn a_template_that_is_too_slow_for_so_many_entities_is_given_up_in_time() {
    let world = overlaid(Sandbox::sqlite().file("syncmon.toml", "build_timeout = \"6s\"\n"));
    let text = format!(
        "{{% if rows | length > 5 %}}{ENDLESS}{{% endfor %}}{{% endfor %}}{{% endif %}}a page"
    );
    let title = "loops without end where there are many entities";
    overview_is_refused(&world, title, text);
}

/// The database is well; what a template does when it is not is found out all the same.
#[test]
fn a_template_that_fails_only_on_a_bad_day_is_refused_on_a_good_one() {
    let all_well = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         select '2026-11-22T20:00:00Z', value, 'incremental_sync', 'completed', 1
         from json_each('[\"customers\", \"outlets\", \"products\", \"sales\", \"sale_line_items\", \"inventory\"]')",
    );
    let world = overlaid(all_well);
    for (template, condition) in [
        ("overview.html", "frame.banner"),
        ("overview.html", "frame.banner and not frame.read"),
        ("overview.html", "health == \"red\""),
        ("overview.html", "rows[0].notices"),
        ("entity.html", "newest_failure.why"),
        ("why.html", "v.why.cause"),
        ("history.html", "missing"),
        ("history_row.html", "row.run.error"),
        ("entity.html", "state.error"),
        ("entity.html", "not table"),
        ("entity.html", "runs | length > 4"),
    ] {
        let text = format!("a page{{% if {condition} %}}\n{{{{ nothing }}}}{{% endif %}}");
        fs::write(world.path("look").join(template), text).unwrap();
        let before = world.site();
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 2, "{condition}: {ended:?}");
        let told = format!("syncmon: look/{template}, line 2: Variable `nothing` is not defined");
        assert!(ended.stderr.starts_with(&told), "{condition}: {ended:?}");
        assert!(world.site() == before, "{condition}: the site has changed");
        fs::remove_file(world.path("look").join(template)).unwrap();
    }
    assert_eq!(world.build_at(NOW).code, 0, "and then all is well again");
}

/// Wherever a built-in template may go, the rehearsal goes.
#[test]
fn every_branch_of_every_built_in_template_is_tried() {
    // Where there is much data: what the rehearsal may miss, the build does not.
    let world = overlaid(Sandbox::bare().arg("--demo"))
        .file("logo.svg", LOGO)
        .file("syncmon.toml", "logo = \"logo.svg\"\n");
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let branch = Regex::new(r"\{%-? (?:if|elif|else|for)[^%]*%\}").unwrap();
    let mut tried = 0;
    let mut missed = Vec::new();
    for name in "base overview entity why history history_row".split(' ') {
        let template = format!("{name}.html");
        let text = fs::read_to_string(built_in.join(&template)).unwrap();
        for found in branch.find_iter(&text) {
            let (before, after) = text.split_at(found.end());
            let path = world.path("look").join(&template);
            fs::write(&path, format!("{before}{{{{ nothing }}}}{after}")).unwrap();
            let ended = world.build_at(NOW);
            tried += 1;
            if ended.code != 2 {
                let line = before.matches('\n').count() + 1;
                missed.push(format!("{template}, line {line}: {}", found.as_str()));
            }
            fs::remove_file(&path).unwrap();
        }
    }
    assert!(tried > 100, "only {tried}");
    assert_eq!(missed, Vec::<String>::new());
}

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\"><path d=\"M0 0h10v10z\"/></svg>";

#[test]
fn a_file_that_replaces_nothing_is_refused_with_the_name_that_was_meant() {
    let world = world();
    shell(&world, "mkdir look/asset look/assets");
    for (name, title) in [
        ("overveiw.html", "a misspelt name"),
        ("Entity.HTML", "a name in capitals"),
        ("asset/syncmon.css", "a misspelt folder"),
        ("assets/green.svg.tera", "a name of another kind"),
    ] {
        fs::write(world.path("look").join(name), "x").unwrap();
        is_refused(&world, title);
        fs::remove_file(world.path("look").join(name)).unwrap();
    }
    let others = ".entity.html.swp entity.html~ entity.html.bak README.md asset/notes.txt";
    shell(&world, &format!("cd look; touch {others}"));
    assert_eq!(world.build_at(NOW).code, 0, "other files may lie there");
}

/// Where the two do not go together, it is said of which.
#[test]
fn a_built_in_template_that_does_not_go_with_ones_own_is_named() {
    let world = world().file("look/base.html", "<p>no blocks</p>");
    is_refused(&world, "without the blocks of the others");
}

/// `templates export` into `look`.
fn exported(world: &Sandbox, title: &str) {
    let told = world.succeeds(&["templates", "export", "look"]).stdout;
    golden::message(&format!("export: {title}"), &told);
}

#[test]
fn an_exported_folder_makes_the_same_site_byte_for_byte() {
    let world = Sandbox::bare().arg("--demo");
    exported(&world, "a new directory");
    world.build();
    let built_in = world.site();
    let world = world.arg("--templates").arg("look");
    world.build();
    assert_eq!(world.site(), built_in);

    exported(&world, "the same again");
    let quiet = world.succeeds(&["templates", "export", "-q", "deep/er"]);
    quiet.says_nothing();
    let [look, deeper] = ["look", "deep/er"].map(|name| contents(&world.path(name)));
    assert_eq!(deeper, look);
}

#[test]
fn an_export_overwrites_nothing_that_was_changed_unless_it_is_told_to() {
    let world = Sandbox::bare();
    exported(&world, "a new directory");
    let look = || contents(&world.path("look"));
    let exported = look();
    shell(&world, "cd look; echo mine > overview.html; rm entity.html");
    let mine = look();
    let export = ["templates", "export", "look"];
    refuses_to_export(&world, &export, "a file was changed");
    assert_eq!(look(), mine, "nothing was written");

    // Of the same length, too.
    let four = "README.md base.html assets/syncmon.js assets/red.svg";
    shell(&world, &format!("cd look; sed -i s/e/E/g {four}"));
    refuses_to_export(&world, &export, "many files were changed");
    let forced = world.succeeds(&["templates", "export", "--force", "look"]);
    let written = forced.stdout.matches("wrote look/").count();
    assert_eq!(written, 6, "{forced:?}");
    assert_eq!(look(), exported);
}

fn refuses_to_export(world: &Sandbox, export: &[&str], title: &str) {
    let ended = world.run(export);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    golden::message(&format!("export: {title}"), &ended.stderr);
}

#[test]
fn an_export_does_not_follow_or_replace_what_is_no_file() {
    let force = ["templates", "export", "look", "--force"];
    for export in [&force[..3], &force] {
        let world = Sandbox::bare().file("canary.html", "untouched");
        for [title, script] in golden::cases(
            "a link is in the way | mkdir look; ln -s ../canary.html look/overview.html
             a file is in the place of a folder | mkdir look; touch look/assets
             a file is in the place of the directory | touch look",
        ) {
            shell(&world, &format!("rm -rf look; {script}"));
            refuses_to_export(&world, export, title);
            assert!(!world.path("look/base.html").exists());
        }
        let canary = fs::read_to_string(world.path("canary.html")).unwrap();
        assert_eq!(canary, "untouched");
    }
    let nameless = Sandbox::bare().run(&["templates", "export", ""]);
    assert_eq!((nameless.code, nameless.stdout.as_str()), (2, ""));
    assert!(nameless.stderr.contains("<DIR>"), "{nameless:?}");
}

/// What tera says is there is what the exported README.md tells.
#[test]
fn the_exported_folder_tells_what_each_template_is_given() {
    let world = world();
    world.succeeds(&["templates", "export", "exported"]);
    let explanation = fs::read_to_string(world.path("exported/README.md")).unwrap();
    let help = world.succeeds(&["templates", "export", "--help"]).stdout;
    let in_all = "`frame`, `root`, `version`, `logo`";
    let told = |template: &str| {
        let row = format!("| `{template}` |");
        let line = explanation.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("README.md does not tell of {template}"));
        let given = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        given.replace("these, and", &format!("{in_all},"))
    };
    assert_eq!(told("base.html"), in_all);
    let mut templates = names(&world.path("exported"));
    templates.retain(|name| name.split('.').next_back() == Some("html"));
    assert!(templates.len() >= 6, "only {templates:?}");
    for name in templates {
        let helped = help.contains(&format!("\n  {name} "));
        assert!(helped, "{name} is not in {help}");
        let told = told(&name);
        // A part of a page is given what that page is given.
        if name == "base.html" || told.starts_with("what the page is given") {
            continue;
        }
        let mut told: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
        told.sort_unstable();
        let path = world.path("look").join(&name);
        fs::write(&path, "{{ nothing_of_the_kind }}").unwrap();
        let said = world.build_at(NOW).stderr;
        fs::remove_file(&path).unwrap();
        let (_, given) = said.trim_end().split_once("available are ").unwrap();
        assert_eq!(given.split(", ").collect::<Vec<_>>(), told, "{name}");
    }
    for name in names(&world.path("exported/assets")) {
        let told = explanation.contains(&format!("`assets/{name}`"));
        assert!(told, "README.md does not tell of {name}");
    }
}

#[test]
fn what_is_no_file_is_not_read_as_a_template() {
    let world = world();
    for (title, make) in [
        ("a folder", "mkdir"),
        ("a link to /dev/zero", "ln -s /dev/zero"),
        ("a link to overview.html", "ln -s overview.html"),
        ("a pipe", "mkfifo"),
    ] {
        shell(&world, &format!("rm -rf look/*; {make} look/overview.html"));
        is_refused(&world, title);
    }
    shell(&world, "rm look/*");
    assert_eq!(world.build_at(NOW).code, 0, "and then all is well again");
}
