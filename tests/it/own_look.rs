//! A site's own logo, accent colour and footer: shown on every page, or refused in one line.

use std::collections::BTreeSet;
use std::fs;

use crate::browser;
use crate::folders::{self, LATER};
use crate::sandbox::{Sandbox, version_of};
use crate::web::Nginx;
use crate::wrapped::shell;

const SVG: &str = include_str!("logos/logo.svg");

const OWN: &str = "title = \"Craft Contemporary\"
logo = \"logo.svg\"
accent = \"#8A1C4A\"
footer = \"\"\"
Questions: data@example.org, or see https://example.org/wiki.
<b>Craft & Contemporary</b>, 5814 Wilshire Blvd\"\"\"
";

fn world(configuration: &str) -> Sandbox {
    folders::world()
        .file("logo.svg", SVG)
        .file("syncmon.toml", configuration)
}

fn built(configuration: &str) -> Sandbox {
    let world = world(configuration);
    world.build();
    world
}

fn version(world: &Sandbox) -> String {
    version_of(&world.page("index.html")).unwrap().to_owned()
}

#[test]
fn every_page_shows_the_logo_the_accent_and_the_footer() {
    let world = built(OWN);
    let version = version(&world);
    let style = world.page(&world.asset("syncmon.css"));
    let accent = "}\n\n:root { --accent: #8a1c4a; }\n\
         @media screen and (prefers-color-scheme: dark) { :root { --accent: #b16987; } }\n";
    assert!(style.ends_with(accent), "{style}");
    assert_eq!(world.page(&world.asset("logo.svg")), SVG);
    let mut number = 0;
    for (name, page) in world.site() {
        let page = String::from_utf8_lossy(&page);
        if !page.starts_with("<!DOCTYPE html>") {
            continue;
        }
        number += 1;
        let root = "../".repeat(name.matches('/').count());
        for part in [
            format!("<img class=\"logo\" src=\"{root}assets/{version}/logo.svg\" alt=\"\" width=\"80\" height=\"32\">"),
            "Questions: <a href=\"mailto:data@example.org\" rel=\"noreferrer\">data@example.org</a>, or see \
             <a href=\"https://example.org/wiki\" rel=\"noreferrer\">https://example.org/wiki</a>.</p>"
                .to_owned(),
            "&lt;b&gt;Craft &amp; Contemporary&lt;/b&gt;, 5814 Wilshire Blvd</p>".to_owned(),
        ] {
            assert!(page.contains(&part), "{name}: no {part} in {page}");
        }
    }
    assert!(number >= 7, "only {number} pages");
}

/// No page ever meets the style sheet or the logo of another.
#[test]
fn each_look_has_assets_of_its_own() {
    let mut versions = BTreeSet::new();
    let looks = "|accent = '#8a1c4a'|accent = '#8a1c4b'|logo = 'logo.svg'|logo = 'logo.png'|\
                 accent = '#8a1c4a'\nlogo = 'logo.svg'";
    for configuration in looks.split('|') {
        let world = world(configuration);
        fs::write(world.path("logo.png"), include_bytes!("logos/logo.png")).unwrap();
        world.build();
        assert!(versions.insert(version(&world)), "{configuration}");
    }
}

#[test]
fn the_accent_is_added_to_a_style_sheet_of_ones_own_too() {
    let world = world("accent = \"#8a1c4a\"")
        .file("look/assets/syncmon.css", "body { color: var(--accent); }")
        .arg("--templates")
        .arg("look");
    world.build();
    let style = world.page(&world.asset("syncmon.css"));
    let added = "body { color: var(--accent); }\n:root { --accent: #8a1c4a; }";
    assert!(style.starts_with(added), "{style}");
}

#[test]
fn a_logo_lies_where_the_configuration_says_from_where_that_lies() {
    let world = folders::world()
        .arg("--config")
        .arg("conf/mine.toml")
        .file("conf/pictures/logo", SVG)
        .file("conf/mine.toml", "logo = \"pictures/logo\"");
    world.build();
    assert_eq!(world.page(&world.asset("logo.svg")), SVG);
}

#[track_caller]
fn is_refused(world: &Sandbox, title: &str, configuration: &str) {
    fs::write(world.path("syncmon.toml"), configuration).unwrap();
    let title = format!("configuration: {title}");
    crate::wrapped::is_refused(world, &title, || world.build_at(LATER));
}

/// Whatever else is no colour is tried where colours are read.
#[test]
fn what_cannot_be_shown_is_refused_with_file_line_key_and_remedy() {
    let world = built("");
    let turned = "footer = \"a\\u202eb\"";
    let long = format!("footer = \"{}\"", "é".repeat(501));
    for (title, configuration) in [
        ("an accent by name", "title = \"x\"\naccent = \"red\""),
        ("an accent that is a number", "accent = 0x8a1c4a"),
        ("an empty footer", "footer = \" \\n \""),
        ("a footer of 501 characters", &long),
        ("a footer that turns the writing round", turned),
        ("an empty logo", "logo = \"\""),
        ("a logo of a NUL", "logo = \"a\\u0000\""),
        ("a logo that is not there", "\n\nlogo = \"lgo.svg\""),
    ] {
        is_refused(&world, title, configuration);
    }
}

/// Whatever else is no harmless picture is tried where pictures are read.
#[test]
fn a_logo_that_is_no_harmless_picture_is_refused() {
    let world = built("");
    let path = world.path("mark");
    let refused = |title| is_refused(&world, title, "title = \"x\"\nlogo = \"mark\"");
    let changed = |part, by: &str| SVG.replace(part, by).into_bytes();
    let script = "<script>alert(1)</script><defs>";
    let long = changed("</svg>", &format!("</{}>", "x".repeat(100_000)));
    let fetching = changed("#dot\"", "https://example.org/#dot\"");
    let wide = SVG_OF_500_BY_10.as_bytes().to_vec();
    let png = include_bytes!("logos/logo.png");
    for (title, content) in [
        ("a logo of another kind", b"GIF89a".to_vec()),
        ("a logo that is cut off", png[..20].to_vec()),
        ("a logo of 256 KiB and a byte", vec![b' '; (256 << 10) + 1]),
        ("a logo with a script", changed("<defs>", script)),
        ("a logo that fetches something", fetching),
        ("a logo with a tag of 100,000 letters", long),
        ("a logo that is far too wide", wide),
    ] {
        fs::write(&path, content).unwrap();
        refused(title);
    }
    for (title, make) in [
        ("a logo that is a folder", "mkdir mark"),
        ("a logo that is a device", "ln -s /dev/zero mark"),
        ("a logo that is a pipe", "mkfifo mark"),
    ] {
        shell(&world, &format!("rm -rf mark; {make}"));
        refused(title);
    }
    shell(&world, "rm mark; ln -s logo.svg mark");
    let linked = world.build_at(LATER);
    assert_eq!(linked.code, 0, "a link to a picture is one");
}

const SVG_OF_500_BY_10: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 500 10\"/>";

/// In light and dark, narrow and wide, from the disk and from the web under its strict policy.
#[test]
fn a_browser_shows_the_look_legibly_on_light_and_dark_paper() {
    let logos: [(&str, &[u8]); 5] = [
        ("logo.svg", SVG.as_bytes()),
        ("logo.png", include_bytes!("logos/logo.png")),
        ("logo.jpg", include_bytes!("logos/logo.jpg")),
        ("lossy.webp", include_bytes!("logos/lossy.webp")),
        ("alpha.webp", include_bytes!("logos/alpha.webp")),
    ];
    // Too dark for the one paper, too light for the other, and just right.
    let accents = ["#000000", "#ffe14d", "#8a1c4a", "#0b6bcb", "#777777"];
    for ((name, bytes), accent) in logos.into_iter().zip(accents) {
        let world = world(&OWN.replace("logo.svg", name).replace("#8A1C4A", accent));
        fs::write(world.path(name), bytes).unwrap();
        world.build();
        let nginx = Nginx::serving(&world);
        browser::check("own_look", &[&browser::url(&world), &nginx.url(), accent]);
    }
}
