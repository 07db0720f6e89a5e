//! What machines can tell about the pages, of every kind of page in every state: see `worlds`.

mod worlds;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::browser::{carried_out, check, node_modules};
use crate::campaign::{Campaign, figure, is_whole};
use crate::web::{Nginx, RIGHT};
use worlds::{World, world, worlds};

#[test]
fn axe_has_nothing_to_say_about_any_page() {
    walk("axe", &worlds());
}

#[test]
fn every_text_stands_out_on_screens_light_and_dark_and_on_paper() {
    tour("contrast", &worlds());
}

#[test]
fn with_small_screens_and_large_letters_everything_can_be_read() {
    walk("reflow", &worlds());
}

#[test]
fn the_keyboard_reaches_everything_in_order_and_shows_where_it_is() {
    walk("keyboard", sampled(&worlds()));
}

#[test]
fn a_screen_reader_is_told_the_headers_of_each_cell_and_what_each_picture_shows() {
    walk("listening", &worlds());
}

#[test]
fn texts_from_right_to_left_rearrange_nothing_around_them() {
    tour("directions", &worlds());
}

#[test]
fn green_yellow_and_red_differ_in_shape_height_and_word_for_every_eye_and_on_paper() {
    let worlds = worlds();
    let demo = world(&worlds, "demo");
    tour("shapes", std::slice::from_ref(demo));
}

#[test]
fn the_strictest_content_security_policy_holds_on_every_page() {
    let worlds = worlds();
    let mut served = Vec::new();
    checked("policy", &worlds, |world| {
        served.push(Nginx::serving(&world.site));
        world.described(
            &served.last().unwrap().url(),
            &world.telling_pages("policy"),
        )
    });
}

#[test]
fn nothing_jumps_while_a_page_is_opened_read_or_turns() {
    walk("steady", &worlds());
}

#[test]
fn changes_are_announced_politely_and_once() {
    let worlds = worlds();
    let turning = world(&worlds, "turning");
    let pages = ["index.html", "entities/customers.html"].map(str::to_owned);
    let described = turning.described(&turning.on_disk(), &pages);
    check("announcing", &[&serde_json::json!([described]).to_string()]);
}

/// A TCP connection begins with ten segments: what fits into them arrives in one go.
#[test]
fn the_overview_is_light_and_asks_for_three_files_at_most() {
    let worlds = worlds();
    let well = world(&worlds, "well");
    let nginx = Nginx::serving(&well.site);
    let travels = |path: &str| {
        let accepted = ("Accept-Encoding", "gzip");
        let answer = nginx.request("GET", path, &[RIGHT, accepted]);
        assert_eq!(answer.status, 200, "{path}");
        let whole = nginx.get(path).body.len();
        assert!(answer.body.len() < whole || whole < 256, "{path}: {whole}");
        answer.body.len()
    };
    let [style, script, icon] = ["syncmon.css", "syncmon.js", "green.svg"]
        .map(|name| travels(&format!("/{}", well.site.asset(name))));
    let page = travels("/");
    let together = page + style + script;
    figure(&format!(
        "overview of six entities, compressed: {together} bytes (page {page}, style sheet {style}, \
         script {script}), icon {icon}"
    ));
    assert!(together <= 14 * 1024, "{together} bytes");
    assert!(script <= 4 * 1024, "{script} bytes of script");
    check("requests", &[&nginx.url(), well.read_at]);
}

/// The overview on a telephone in the ordinary run, where the bounds are the tightest; in the whole
/// run also an entity's page, and both on a desktop.
#[test]
fn lighthouse_gives_a_hundred_for_speed_accessibility_and_practices() {
    let worlds = worlds();
    let well = world(&worlds, "well");
    let nginx = Nginx::serving(&well.site);
    let runs: Vec<Value> = ["mobile", "desktop"]
        .into_iter()
        .flat_map(|form| ["", "entities/sales.html"].map(|path| (form, path)))
        .map(|(form, path)| serde_json::json!({"url": format!("{}{path}", nginx.url()), "form": form}))
        .collect();
    let campaign = Campaign::named("lighthouse", "pages on telephone and desktop");
    for step in campaign.steps(1, runs.len()) {
        let scores = check(
            "lighthouse",
            &[&serde_json::json!([runs[step.number]]).to_string()],
        );
        figure(&format!("Lighthouse, {}", scores.trim()));
        step.count("pages", 1);
    }
    campaign.ends(&format!("{} pages", campaign.tally("pages")));
}

#[test]
fn the_html_checker_has_nothing_to_say_about_any_page() {
    let worlds = worlds();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden");
    let mut files: Vec<String> = files_below(&golden, ".html");
    let errors = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/errors");
    files.extend(files_below(&errors, ".html"));
    for world in worlds.iter() {
        files.extend(files_below(&world.site.path("site"), ".html"));
    }
    assert!(files.len() > 100, "only {} pages", files.len());
    approved(&[], &files);
}

#[test]
fn the_checker_has_nothing_to_say_about_the_style_sheet_and_the_icons_either() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/assets");
    approved(&["--css"], &files_below(&assets, ".css"));
    approved(&["--svg"], &files_below(&assets, ".svg"));
}

/// What a check says of a page that lacks what it asks for: check, file, what is changed in it into
/// what, and a part of what has to be said.
const FLAWS: [(&str, &str, &str, &str, &str); 10] = [
    (
        "keyboard",
        "assets/syncmon.css",
        "outline: 2px",
        "outline: 0px",
        "looks the same with and without the focus",
    ),
    (
        "contrast",
        "assets/syncmon.css",
        "--soft: #6a655d",
        "--soft: #8a857d",
        ":1 for ",
    ),
    (
        "steady",
        "base.html",
        "blocking=\"render\"",
        "",
        "what was shown has moved by",
    ),
    (
        "axe",
        "base.html",
        "<html lang=\"en\">",
        "<html>",
        "html-has-lang (serious)",
    ),
    (
        "reflow",
        "assets/syncmon.css",
        ".page { ",
        ".page { min-width: 400px; ",
        "the page is ",
    ),
    (
        "reflow",
        "assets/syncmon.css",
        "font: 1rem/1.5",
        "font: 16px/1.5",
        "where the reader wants twice 16px",
    ),
    (
        "listening",
        "overview.html",
        "scope=\"col\"",
        "",
        "a cell without a column header",
    ),
    (
        "directions",
        "entity.html",
        "dir=\"auto\"",
        "",
        "is not set apart",
    ),
    (
        "policy",
        "base.html",
        "<main>",
        "<main style=\"color: red\">",
        "style-src",
    ),
    (
        "shapes",
        "assets/syncmon.css",
        "stroke: var(--paper)",
        "stroke: none",
        "the icons green and red differ in",
    ),
];

/// A few of them in the ordinary run, all in the whole one.
#[test]
fn each_check_says_what_a_page_lacks() {
    let campaign = Campaign::named("flaws", "each check on a page that it must not pass");
    for step in campaign.steps(2, FLAWS.len()) {
        let (name, file, from, to, said) = FLAWS[step.number];
        step.count("flaws", 1);
        let world = if name == "shapes" {
            World::changed_demo(file, from, to)
        } else {
            World::changed(file, from, to)
        };
        let nginx = Nginx::serving(&world.site);
        let base = if name == "policy" {
            nginx.url()
        } else {
            world.on_disk()
        };
        let described = Value::Array(vec![
            world.described(&base, &world.telling_pages("flaws")[..2]),
        ]);
        let output = carried_out(name, &[&described.to_string()]);
        let found = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success(),
            "{name} says nothing without {from}"
        );
        assert!(found.contains(said), "{name} without {from}: {found}");
    }
    campaign.ends(&format!("{} flaws", campaign.tally("flaws")));
}

/// The demo, which has something of most, and a world whose history is short enough for its form to be walked
/// through; all worlds only in the whole campaign, for these checks take minutes.
fn sampled(worlds: &[World]) -> &[World] {
    let scheduled = worlds.iter().position(|world| world.name == "scheduled");
    match scheduled {
        Some(scheduled) if !is_whole("keyboard") => {
            let two = &worlds[scheduled..=scheduled + 1];
            assert_eq!(two[1].name, "demo");
            two
        }
        _ => worlds,
    }
}

/// Takes a check of tests/browser through all worlds.
fn tour(name: &str, worlds: &[World]) {
    tour_up_to(usize::MAX, name, worlds);
}

/// The same for checks that walk through every node of a page.
fn walk(name: &str, worlds: &[World]) {
    tour_up_to(150_000, name, worlds);
}

fn tour_up_to(bytes: usize, name: &str, worlds: &[World]) {
    checked(name, worlds, |world| {
        let pages = world.telling_pages_up_to(name, bytes);
        world.described(&world.on_disk(), &pages)
    });
}

/// A check of tests/browser, which is a campaign of the same name: whole, it takes world after world.
fn checked(name: &str, worlds: &[World], mut described: impl FnMut(&World) -> Value) {
    let campaign = Campaign::named(name, "every page of every world");
    for step in campaign.steps(1, worlds.len()) {
        let at_once = campaign.size(worlds.len(), 1);
        let some = &worlds[step.number..step.number + at_once];
        let all: Vec<Value> = some.iter().map(&mut described).collect();
        for world in &all {
            step.count("pages", world["pages"].as_array().unwrap().len());
        }
        check(name, &[&Value::Array(all).to_string()]);
    }
    let pages = campaign.tally("pages");
    campaign.ends(&format!("{pages} pages of {} worlds", worlds.len()));
}

/// Insists that the Nu HTML checker finds neither an error nor anything to warn about.
fn approved(options: &[&str], files: &[String]) {
    let output = Command::new("java")
        .args(["-Xss4m", "-jar"])
        .arg(node_modules().join("vnu-jar/build/dist/vnu.jar"))
        .args(["--stdout", "--exit-zero-always"])
        .args(options)
        .args(files)
        .output()
        .expect("java is missing; ./tests/run installs it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{output:?}");
}

fn files_below(folder: &Path, kind: &str) -> Vec<String> {
    let files: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.ends_with(kind))
        .collect();
    assert!(!files.is_empty(), "no {kind} in {}", folder.display());
    files
}
