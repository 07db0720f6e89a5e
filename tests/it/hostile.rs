//! Text that means harm, in every column of both databases: shown harmlessly, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::rows::quoted;
use crate::sandbox::Sandbox;

/// What an attacker, or an accident, could write, between two bars.
const ATTACKS: &str = "<script>alert(1)</script>|</pre></td></table><script>alert(1)</script>|\
    \"><img src=x onerror=alert(1)>|' onmouseover='alert(1)|javascript:alert(1)|{{ 7*7 }}|\
    {% raw %}{% include \"x\" %}{% endraw %}|{# no comment #}|]]><!--|&lt;b&gt;&#60;|../../etc/passwd|..|/absolute|\
    C:\\windows|a\u{202e}gpj.exe|a\u{2066}b\u{2069}|bell\u{7}escape\u{1b}[31m|line\r\nbreak\u{2028}|\u{feff}mark|\
    NaN|null";

fn attacks() -> Vec<&'static str> {
    ATTACKS.split('|').collect()
}

/// Rows with this text in every text column, as a recent failure.
fn everywhere(text: &str) -> String {
    let text = quoted(text);
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
         values ('2026-11-22T19:22:00Z', {text}, {text}, {text}, 1, {text}),
                ('2026-11-22T19:20:00Z', {text}, {text}, 'failed', 1, {text});
         insert into sync_state (entity_type, last_sync_time, status, error_message, updated_at)
         values ({text}, '2026-11-22T19:22:00Z', {text}, {text}, '2026-11-22T19:22:00Z');"
    )
}

/// Rows of `sales` with this expression of SQL as the error text of both tables.
fn failed_with(error: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'failed', 1, {error});
         insert into sync_state (entity_type, last_sync_time, status, error_message, updated_at)
         values ('sales', '2026-11-22T19:22:00Z', 'failed', {error}, '2026-11-22T19:22:00Z');"
    )
}

fn built(sandbox: Sandbox) -> Sandbox {
    let ended = sandbox.build();
    assert_eq!(ended.stderr, "");
    sandbox
}

/// The published pages.
fn pages(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let site = sandbox.site().into_iter();
    site.filter(|(path, _)| path == "index.html" || path.starts_with("entities/"))
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()))
        .collect()
}

/// Nothing that was written to the database has become part of the page's markup.
fn assert_harmless(path: &str, page: &str) {
    let lower = page.to_lowercase();
    assert_eq!(lower.matches("<script").count(), 1, "{path}: our own");
    assert!(lower.contains("<script src=\""), "{path}");
    assert_eq!(lower.matches("</script").count(), 1, "{path}");
    for tag in ["<img", "<iframe", "<object", "<!--"] {
        assert!(!lower.contains(tag), "{path} holds {tag}");
    }
    let markup = |attack: &&str| attack.contains(['<', '>', '"', '\'', '&']);
    for attack in attacks().into_iter().filter(markup) {
        assert!(!page.contains(attack), "{path} holds {attack} unescaped");
    }
    let misleading = |c: char| {
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
            || (c.is_control() && c != '\n' && c != '\t')
    };
    assert!(!page.contains(misleading), "{path}");
}

/// The targets of all links on a page.
fn links(page: &str) -> Vec<&str> {
    let links = page.split(" href=\"").skip(1);
    let targets = links.map(|rest| rest.split('"').next().unwrap());
    targets.filter(|to| !to.starts_with('#')).collect()
}

/// The size of each page; a reader must not have to load megabytes.
fn assert_bounded(pages: &BTreeMap<String, String>, limit: usize) {
    for (path, page) in pages {
        assert!(page.len() < limit, "{path}: {} bytes", page.len());
    }
}

#[test]
fn hostile_text_in_every_column_does_no_harm() {
    for sandbox in Sandbox::both() {
        let sandbox = sandbox.sql(&attacks().into_iter().map(everywhere).collect::<String>());
        let ended = sandbox.build();
        let harmful = |c: char| c.is_control() && c != '\n';
        assert!(!ended.stdout.contains(harmful), "{}", ended.stdout);
        assert_eq!(ended.stderr, "");
        let entities = sandbox.status()["entities"].as_array().unwrap().len();
        assert_eq!(entities, attacks().len() + 6);
        let pages = pages(&sandbox);
        assert_eq!(pages.len(), entities + 1);
        for (path, page) in &pages {
            assert_harmless(path, page);
            assert!(!page.contains(">49<") && !page.contains(" 49 "), "{path}");
        }
        assert_bounded(&pages, 300_000);
        links_lead_to_published_files(&sandbox);
    }
}

fn links_lead_to_published_files(sandbox: &Sandbox) {
    let (index, site) = (sandbox.page("index.html"), sandbox.site());
    let mut entities = BTreeSet::new();
    for link in links(&index) {
        let path = link.split('?').next().unwrap();
        assert!(site.contains_key(path), "{link}");
        entities.extend(path.starts_with("entities/").then(|| path.to_owned()));
    }
    assert_eq!(entities.len(), attacks().len() + 6);
    for path in pages(sandbox).keys() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        assert!(path.chars().all(plain) && !path.contains(".."), "{path}");
        let depth = path.matches('/').count();
        assert_eq!(depth, usize::from(path != "index.html"), "{path}");
    }
}

#[test]
fn what_was_written_can_still_be_read() {
    let written = "'{{ 7*7 }} <b> & \"x\" ''y'''";
    let sandbox = built(Sandbox::sqlite().sql(&failed_with(written)));
    let error = &sandbox.entity("sales")["last_run"]["error"];
    assert_eq!(*error, "{{ 7*7 }} <b> & \"x\" 'y'");
    let page = sandbox.page("entities/sales.html");
    let shown = "{{ 7*7 }} &lt;b&gt; &amp; &quot;x&quot;";
    assert!(page.contains(shown), "{page}");
}

#[test]
fn names_that_differ_in_case_only_have_pages_that_differ_in_more() {
    // To the databases, each of them is another word.
    let accented = ["caf\u{e9}", "cafe\u{301}", "Cafe\u{301}", "caf\u{435}"];
    let names = [["sales", "Sales", "SALES", "sALES"], accented].concat();
    let rows: String = names.iter().map(|name| everywhere(name)).collect();
    let pages = pages(&built(Sandbox::sqlite().sql(&rows)));
    let paths: BTreeSet<String> = pages.keys().map(|path| path.to_lowercase()).collect();
    // Also where file names ignore case.
    assert_eq!([paths.len(), pages.len()], [1 + 6 + 7; 2]);
}

#[test]
fn long_names_are_shortened_everywhere() {
    let names: Vec<String> = ["n", "<", "é", "\u{202e}"].map(|c| c.repeat(300)).into();
    let rows: String = names.iter().map(|name| everywhere(name)).collect();
    for sandbox in Sandbox::both() {
        let sandbox = built(sandbox.sql(&rows));
        for entity in sandbox.status()["entities"].as_array().unwrap() {
            let name = entity["name"].as_str().unwrap();
            assert!(name.chars().count() <= 140, "{name}");
        }
        assert!(sandbox.page("status.json").contains("… (shortened)"));
        for (path, page) in pages(&sandbox) {
            assert_harmless(&path, &page);
            assert!(path.len() < 100, "{path}");
        }
    }
}

/// This text so often that it has so many thousand characters, as an expression of SQL.
fn thousands_of(text: &str, count: usize) -> String {
    let thousand = quoted(&text.repeat(1000 / text.chars().count()));
    format!("replace('{}', '.', {thousand})", ".".repeat(count))
}

/// What keeps patterns busy is tried in little time where texts are masked.
#[test]
fn a_megabyte_of_anything_is_shortened_with_a_note() {
    let texts = ["x", "<", "é", "a ", "{{", "eyJ", "a://b:c@", "\u{1}"];
    let rows = texts.iter().enumerate().map(|(number, text)| {
        let error = thousands_of(text, 10);
        let older = (10..59).map(|minute| {
            format!("('2026-11-22T18:{minute}:00Z', 'sales', {error}, {error}, {error})")
        });
        let rows = format!(
            "{} insert into sync_log (timestamp, entity_type, action, status, error_details) values {};",
            failed_with(&thousands_of(text, 1000)),
            older.collect::<Vec<_>>().join(", ")
        );
        rows.replace("'sales'", &format!("'text {number}'"))
    });
    let rows: String = rows.collect();
    for sandbox in Sandbox::both() {
        let patient = sandbox.file("syncmon.toml", "build_timeout = \"10min\"\n");
        let sandbox = built(patient.sql(&rows));
        for (number, text) in texts.iter().enumerate() {
            let run = sandbox.entity(&format!("text {number}"))["last_run"].take();
            let error = run["error"].as_str().unwrap();
            assert!(error.contains("(shortened: "), "{text:?}: {error}");
            assert!(error.chars().count() < 2100, "{text:?}");
        }
        // Fifty runs with 2,000 characters each, of which "<" takes four bytes.
        assert_bounded(&pages(&sandbox), 300_000);
    }
}

#[test]
fn a_name_of_a_megabyte_is_read_from_sqlite() {
    let names = ["x", "a://a:", "<", "password="];
    let rows = names.map(|what| everywhere(&what.repeat(1_000_000 / what.len())));
    let sandbox = built(Sandbox::sqlite().sql(&rows.concat()));
    assert_bounded(&pages(&sandbox), 300_000);
    assert!(sandbox.page("status.json").len() < 100_000);
}

#[test]
fn sqlite_may_hold_what_is_no_text_at_all() {
    let bytes = "x'ff'|x'fe'|x'610062'|x'00'|x'c3'|x'f0288cbc'|x'3c7363726970743eff3c2f7363726970743e'|\
        cast(x'73616c65ff73' as text)|cast(x'73616c65fe73' as text)|cast(x'610062' as text)";
    let bytes: Vec<&str> = bytes.split('|').collect();
    let rows = bytes.iter().map(|value| {
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
             values ('2026-11-22T19:22:00Z', {value}, {value}, {value}, {value}, {value}),
                    ({value}, {value}, {value}, 'completed', {value}, {value});
             insert into sync_state (entity_type, last_sync_time, status, error_message, updated_at)
             values ({value}, {value}, {value}, {value}, {value});"
        )
    });
    let rows: String = rows.collect();
    let sandbox = built(Sandbox::sqlite().sql(&rows));
    for (path, page) in pages(&sandbox) {
        assert_harmless(&path, &page);
    }
    // "a\0b" stands there twice, once as bytes and once as text.
    let entities = sandbox.status()["entities"].as_array().unwrap().len();
    assert_eq!(entities, 6 + bytes.len() - 1, "no entity hides another");
}

#[test]
fn a_text_with_nul_is_shown_up_to_it_with_a_note() {
    let rows = failed_with("'it stood before ' || char(0) || 'after'");
    let sandbox = built(Sandbox::sqlite().sql(&rows));
    let shown = "it stood before … (shortened: 22 characters in all)";
    assert_eq!(sandbox.entity("sales")["last_run"]["error"], shown);
}
