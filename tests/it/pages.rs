//! What machines can tell about the pages, of every kind of page in every state: see `worlds`.

mod worlds;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::browser::{carried_out, check, node_modules};
use crate::campaign::{Campaign, figure, is_whole};
use crate::web::{Nginx, RIGHT};
use worlds::{World, worlds};

/// Of a page of the history that every check can walk through.
const SMALL: usize = 150_000;

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
    walk("keyboard", &sampled());
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
    walk("shapes", &[world("demo")]);
}

#[test]
fn the_strictest_content_security_policy_holds_on_every_page() {
    let worlds = worlds();
    let mut served = Vec::new();
    checked("policy", &worlds, |world| {
        served.push(Nginx::serving(&world.site));
        let base = served.last().unwrap().url();
        world.described(&base, &world.telling_pages("policy", largest("policy")))
    });
}

#[test]
fn nothing_jumps_while_a_page_is_opened_read_or_turns() {
    walk("steady", &worlds());
}

#[test]
fn changes_are_announced_politely_and_once() {
    let turning = world("turning");
    let pages = ["index.html", "entities/customers.html"].map(str::to_owned);
    let described = turning.described(&turning.on_disk(), &pages);
    check("announcing", &[&json!([described]).to_string()]);
}

/// A TCP connection begins with ten segments: what fits into them arrives in one go.
#[test]
fn the_overview_is_light_and_asks_for_three_files_at_most() {
    let well = world("well");
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
    let well = world("well");
    let nginx = Nginx::serving(&well.site);
    let runs: Vec<Value> = ["mobile", "desktop"]
        .into_iter()
        .flat_map(|form| ["", "entities/sales.html"].map(|path| (form, path)))
        .map(|(form, path)| json!({"url": format!("{}{path}", nginx.url()), "form": form}))
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
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden");
    let mut files: Vec<String> = files_below(&golden, ".html");
    let errors = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/errors");
    files.extend(files_below(&errors, ".html"));
    for world in worlds() {
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

/// They are in `target/screenshots` after every run; that nothing is wider than the screen is what is tested here.
#[test]
fn pictures_are_taken_for_people_to_look_at() {
    let crowded = world("crowded")
        .pages()
        .into_iter()
        .find(|page| page.starts_with("entities/"))
        .unwrap();
    let pictures = json!([
        {"name": "problems", "of": "demo"},
        {"name": "problems-dark", "of": "demo", "scheme": "dark"},
        {"name": "problems-narrow", "of": "demo", "width": 320},
        {"name": "problems-print", "of": "demo", "media": "print", "width": 720},
        {"name": "problems-out-of-date", "of": "demo", "at": "2026-11-22T20:21:00Z"},
        {"name": "problems-wrong-clock", "of": "demo", "at": "2026-11-22T19:00:00Z"},
        {"name": "well", "of": "well"},
        {"name": "well-dark", "of": "well", "scheme": "dark"},
        {"name": "well-narrow", "of": "well", "width": 375},
        {"name": "well-one-turned", "of": "well", "at": "2026-11-22T20:16:00Z"},
        {"name": "away", "of": "away", "at": "2026-11-22T20:15:00Z"},
        {"name": "away-out-of-date", "of": "away", "at": "2026-11-22T20:30:00Z"},
        {"name": "never-synced", "of": "never synced"},
        {"name": "never-read", "of": "never read"},
        {"name": "never-read-narrow-dark", "of": "never read", "width": 320, "scheme": "dark"},
        {"name": "entity", "of": "demo", "page": "entities/inventory.html"},
        {"name": "entity-dark", "of": "demo", "page": "entities/inventory.html", "scheme": "dark"},
        {"name": "entity-narrow", "of": "demo", "page": "entities/inventory.html", "width": 320, "height": 1600},
        {"name": "entity-print", "of": "demo", "page": "entities/inventory.html", "media": "print", "width": 720},
        {"name": "entity-out-of-date", "of": "demo", "page": "entities/inventory.html", "at": "2026-11-22T20:21:00Z"},
        {"name": "crowded", "of": "crowded", "height": 1600},
        {"name": "crowded-narrow", "of": "crowded", "width": 320, "height": 1600},
        {"name": "crowded-entity-narrow", "of": "crowded", "page": crowded, "width": 320, "height": 1600},
    ]);
    let worlds = worlds();
    let sites = worlds
        .iter()
        .map(|world| (world.name.to_owned(), Value::from(world.on_disk())));
    let sites: Value = sites.collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let shown = folder.display().to_string();
    check(
        "pictures",
        &[&shown, &sites.to_string(), &pictures.to_string()],
    );
    let taken = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(taken, pictures.as_array().unwrap().len());
}

/// Check, file, what is changed in it into what, and a part of what the check has to say of a page in that look.
const FLAWS: &str = r#"
    keyboard   | assets/syncmon.css | outline: 2px         | outline: 0px                  | looks the same with and without the focus
    contrast   | assets/syncmon.css | --soft: #6a655d      | --soft: #8a857d               | :1 for
    steady     | base.html          | blocking="render"    |                               | what was shown has moved by
    axe        | base.html          | <html lang="en">     | <html>                        | html-has-lang (serious)
    reflow     | assets/syncmon.css | .page {              | .page { min-width: 400px;     | the page is
    reflow     | assets/syncmon.css | font: 1rem/1.5       | font: 16px/1.5                | where the reader wants twice 16px
    listening  | overview.html      | scope="col"          |                               | a cell without a column header
    directions | entity.html        | dir="auto"           |                               | is not set apart
    policy     | base.html          | <main>               | <main style="color: red">     | style-src
    shapes     | assets/syncmon.css | stroke: var(--paper) | stroke: none                  | the icons green and red differ in
"#;

/// A few of them in the ordinary run, all in the whole one.
#[test]
fn each_check_says_what_a_page_lacks() {
    let campaign = Campaign::named("flaws", "each check on a page that it must not pass");
    let flaws: Vec<&str> = FLAWS.trim().lines().collect();
    for step in campaign.steps(2, flaws.len()) {
        let flaw = flaws[step.number];
        step.count("flaws", 1);
        let [check, file, from, to, said] = flaw.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("{flaw}");
        };
        let world = World::changed(
            if check == "shapes" { "demo" } else { "crowded" },
            file,
            from,
            to,
        );
        let nginx = Nginx::serving(&world.site);
        let base = if check == "policy" {
            nginx.url()
        } else {
            world.on_disk()
        };
        let described = json!([world.described(&base, &world.telling_pages("flaws", SMALL)[..2])]);
        let output = carried_out(check, &[&described.to_string()]);
        let found = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success(),
            "{check} says nothing without {from}"
        );
        assert!(found.contains(said), "{check} without {from}: {found}");
    }
    campaign.ends(&format!("{} flaws", campaign.tally("flaws")));
}

fn world(name: &str) -> World {
    worlds()
        .into_iter()
        .find(|world| world.name == name)
        .unwrap()
}

/// The demo, which has something of most, and a world whose history is short enough for its form to be walked
/// through; all worlds only in the whole campaign, for these checks take minutes.
fn sampled() -> Vec<World> {
    if is_whole("keyboard") {
        worlds()
    } else {
        ["scheduled", "demo"].map(world).into()
    }
}

/// Takes a check of tests/browser through worlds: in the whole run also through histories of thousands of runs.
fn tour(name: &str, worlds: &[World]) {
    walk_up_to(largest(name), name, worlds);
}

/// The same but for these: a hundred rows are of as many kinds as five thousand, which a check that walks through
/// every node of a page would take minutes for.
fn walk(name: &str, worlds: &[World]) {
    walk_up_to(SMALL, name, worlds);
}

fn walk_up_to(bytes: usize, name: &str, worlds: &[World]) {
    checked(name, worlds, |world| {
        world.described(&world.on_disk(), &world.telling_pages(name, bytes))
    });
}

fn largest(campaign: &str) -> usize {
    if is_whole(campaign) {
        usize::MAX
    } else {
        SMALL
    }
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
