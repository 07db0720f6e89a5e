//! The shipped nginx configuration: without the password nothing, with it the site and only that.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use crate::sandbox::{NOW, Sandbox, uncompressed};
use crate::web::{Nginx, RIGHT, Response};
use crate::wrapped::{UMASK_077, ended, through};

const LATER: &str = "2026-11-22T20:10:00Z";

/// What is there, or might be, and must not be served to anybody.
pub const HIDDEN: [&str; 14] = [
    "/.syncmon-manifest.json",
    "/%2esyncmon-manifest.json",
    "/%2Esyncmon%2Dmanifest.json",
    "//.syncmon-manifest.json",
    "/./.syncmon-manifest.json",
    "/assets/../.syncmon-manifest.json",
    "/assets/%2e%2e/.syncmon-manifest.json",
    "/.syncmon-manifest.json/",
    "/.git/config",
    "/%2egit/config",
    "/.git/",
    "/.env",
    "/assets/.hidden",
    "/link-to-a-secret",
];

/// What leads out of the site, or is nothing at all.
const NOWHERE: [&str; 6] = [
    "/nothing",
    "/entities/",
    "/assets",
    "/favicon.ico",
    "/index.html/",
    "/index.html.bak",
];

/// What nginx does not even take for a request.
const MALFORMED: [&str; 6] = [
    "/../sync.sqlite",
    "/%2e%2e/sync.sqlite",
    "/entities/../../sync.sqlite",
    "/..%2fsync.sqlite",
    "/entities/..%2f..%2fsync.sqlite",
    "/%00",
];

#[test]
fn without_the_right_password_nothing_is_served() {
    let (world, nginx) = served();
    let published = published(&world);
    let paths: Vec<&str> = published
        .keys()
        .map(String::as_str)
        .chain(["/", "/?x=1"])
        .chain(HIDDEN)
        .chain(NOWHERE)
        .collect();
    let wrong = [
        None,
        Some(""),
        Some("Basic"),
        Some("Basic ###"),
        // "cfo:", "cfo:wrong", "root:long random password", "cfo"
        Some("Basic Y2ZvOg=="),
        Some("Basic Y2ZvOndyb25n"),
        Some("Basic cm9vdDpsb25nIHJhbmRvbSBwYXNzd29yZA=="),
        Some("Basic Y2Zv"),
        Some("Bearer Y2ZvOmxvbmcgcmFuZG9tIHBhc3N3b3Jk"),
    ];
    for path in &paths {
        for wrong in wrong {
            let header = wrong.map(|value| ("Authorization", value));
            let response = nginx.request("GET", path, header.as_slice());
            assert_refused(&response, &format!("{path} with {wrong:?}"));
        }
        for method in ["HEAD", "POST", "OPTIONS", "PUT", "PROPFIND"] {
            let response = nginx.request(method, path, &[]);
            assert_eq!(response.status, 401, "{method} {path}");
        }
        let conditional = [("If-Modified-Since", "Mon, 22 Nov 2038 00:00:00 GMT")];
        assert_refused(&nginx.request("GET", path, &conditional), path);
    }
    for path in MALFORMED {
        let status = nginx.request("GET", path, &[]).status;
        assert!([400, 401].contains(&status), "{path}: {status}");
    }
}

#[test]
fn with_the_password_the_site_is_served_and_nothing_else() {
    let (world, nginx) = served();
    for (path, bytes) in published(&world) {
        let response = nginx.get(&path);
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.body, bytes, "{path}");
        let kind = match path.rsplit('.').next().unwrap() {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "application/javascript; charset=utf-8",
            "svg" => "image/svg+xml; charset=utf-8",
            "csv" => "text/csv; charset=utf-8",
            "xml" => "application/atom+xml; charset=utf-8",
            _ => "application/json; charset=utf-8",
        };
        assert_eq!(response.header("content-type"), Some(kind), "{path}");
    }
    assert_eq!(
        nginx.get("/").body,
        fs::read(world.path("site/index.html")).unwrap()
    );
    let style = format!("/{}?v=12345678", world.asset("syncmon.css"));
    assert_eq!(nginx.get(&style).status, 200);
    let copies: Vec<String> = copies(&world).into_keys().collect();
    assert!(copies.contains(&"/index.html.gz".to_owned()), "{copies:?}");
    let copies = copies.iter().map(String::as_str);
    for path in HIDDEN
        .into_iter()
        .chain(NOWHERE)
        .chain(MALFORMED)
        .chain(copies)
    {
        let response = nginx.get(path);
        assert!(
            [400, 403, 404].contains(&response.status),
            "{path}: {response:?}"
        );
        assert!(!response.text().contains("canary"), "{path}");
    }
}

#[test]
fn only_reading_is_allowed() {
    let (world, nginx) = served();
    let before = world.site();
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "MKCOL", "TRACE",
    ] {
        for path in ["/", "/index.html", "/new.html"] {
            let status = nginx.request(method, path, &[RIGHT]).status;
            assert!(
                [403, 404, 405].contains(&status),
                "{method} {path}: {status}"
            );
        }
        assert_eq!(nginx.request(method, "/index.html", &[RIGHT]).status, 405);
    }
    let head = nginx.request("HEAD", "/index.html", &[RIGHT]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(world.site(), before);
}

#[test]
fn a_browser_asks_for_pages_each_time_and_for_assets_once() {
    const ASKED_EACH_TIME: &str = "private, no-cache";
    const ASKED_ONCE: &str = "private, max-age=31536000, immutable";
    let (world, nginx) = served();
    let style = format!("/{}", world.asset("syncmon.css"));
    let icon = style.replace("syncmon.css", "green.svg");
    for (path, kept) in [
        ("/", ASKED_EACH_TIME),
        ("/index.html", ASKED_EACH_TIME),
        ("/status.json", ASKED_EACH_TIME),
        ("/history/runs.csv", ASKED_EACH_TIME),
        (&style, ASKED_ONCE),
        (&icon, ASKED_ONCE),
    ] {
        for accepted in ["gzip", "identity"] {
            let accepted = ("Accept-Encoding", accepted);
            let first = nginx.request("GET", path, &[RIGHT, accepted]);
            assert_eq!(first.header("cache-control"), Some(kept), "{path}");
            assert_eq!(first.header("expires"), None, "{path}");
            let part = nginx.request("GET", path, &[RIGHT, ("Range", "bytes=0-9")]);
            assert_eq!(part.status, 206, "{path}");
            assert_eq!(part.header("cache-control"), Some(kept), "{path}");
            for (condition, value) in [
                ("If-None-Match", first.header("etag").unwrap()),
                ("If-Modified-Since", first.header("last-modified").unwrap()),
            ] {
                let second = nginx.request("GET", path, &[RIGHT, accepted, (condition, value)]);
                assert_eq!(
                    (second.status, second.body.len()),
                    (304, 0),
                    "{path} {condition} {accepted:?}"
                );
                assert_eq!(
                    second.header("cache-control"),
                    Some(kept),
                    "{path} {condition}"
                );
            }
            let other = [RIGHT, accepted, ("If-None-Match", "\"other\"")];
            assert_eq!(nginx.request("GET", path, &other).status, 200, "{path}");
        }
    }
    let other = [RIGHT, ("If-Match", "\"other\"")];
    for (status, nothing) in [
        (401, nginx.request("GET", &style, &[])),
        (404, nginx.get(&format!("{style}.map"))),
        (404, nginx.get("/assets/00000000/syncmon.css")),
        (405, nginx.request("POST", &style, &[RIGHT])),
        (412, nginx.request("GET", &style, &other)),
    ] {
        assert_eq!(nothing.status, status, "{nothing:?}");
        let kept = nothing.header("cache-control");
        assert_eq!(kept, Some(ASKED_EACH_TIME), "{status} is kept as an asset");
    }
    let old = nginx.get("/index.html");
    let etag = [RIGHT, ("If-None-Match", old.header("etag").unwrap())];
    world.build_at(LATER);
    let new = nginx.request("GET", "/index.html", &etag);
    assert_eq!(new.status, 200);
    assert_ne!(new.body, old.body);
}

#[test]
fn text_travels_compressed() {
    let (world, nginx) = served();
    let copies = copies(&world);
    for (path, bytes) in published(&world) {
        let response = nginx.request("GET", &path, &[RIGHT, ("Accept-Encoding", "gzip")]);
        assert_eq!(response.status, 200, "{path}");
        if bytes.len() < 256 {
            continue;
        }
        assert_eq!(response.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{path}");
        assert!(response.body.len() < bytes.len(), "{path}");
        assert_eq!(uncompressed(&response.body), bytes, "{path}");
        // By the build, what everybody asks for: the overview, its data, the assets.
        let often = ["/index.html", "/status.json"].contains(&path.as_str())
            || path.starts_with("/assets/");
        let copy = copies.get(&format!("{path}.gz"));
        assert_eq!(copy.is_some(), often, "{path}");
        assert!(copy.is_none_or(|copy| *copy == response.body), "{path}");
        let etag = response.header("etag").unwrap();
        let again = [RIGHT, ("Accept-Encoding", "gzip"), ("If-None-Match", etag)];
        assert_eq!(nginx.request("GET", &path, &again).status, 304, "{path}");
    }
}

#[test]
fn every_answer_carries_the_same_headers() {
    let (world, nginx) = served();
    let page = nginx.get("/index.html");
    let etag = ("If-None-Match", page.header("etag").unwrap());
    let long = format!("/{}", "a".repeat(9000));
    let mut answers = vec![
        (200, nginx.get("/status.json")),
        (
            206,
            nginx.request("GET", "/", &[RIGHT, ("Range", "bytes=0-9")]),
        ),
        (304, nginx.request("GET", "/index.html", &[RIGHT, etag])),
        (400, nginx.request("GET", "/%00", &[])),
        (401, nginx.request("GET", "/index.html", &[])),
        (
            401,
            nginx.request(
                "GET",
                "/index.html",
                &[("Authorization", "Basic Y2ZvOndyb25n")],
            ),
        ),
        (404, nginx.get("/nothing")),
        (404, nginx.get("/.syncmon-manifest.json")),
        (405, nginx.request("POST", "/index.html", &[RIGHT])),
        (405, nginx.request("TRACE", "/index.html", &[])),
        (
            412,
            nginx.request("GET", "/index.html", &[RIGHT, ("If-Match", "\"other\"")]),
        ),
        (414, nginx.request("GET", &long, &[])),
        (
            416,
            nginx.request("GET", "/index.html", &[RIGHT, ("Range", "bytes=99999999-")]),
        ),
    ];
    let counting = Nginx::that_counts_guesses(&world);
    let too_many = (0..200).map(|_| counting.get("/status.json"));
    answers.push((
        429,
        too_many
            .into_iter()
            .find(|answer| answer.status != 200)
            .unwrap(),
    ));
    fs::remove_file(nginx.passwords()).unwrap();
    answers.push((403, nginx.get("/index.html")));
    fs::create_dir(nginx.passwords()).unwrap();
    answers.push((500, nginx.get("/index.html")));

    let expected = security_headers(&page);
    assert_eq!(expected["server"], "nginx");
    assert_eq!(expected["x-content-type-options"], "nosniff");
    assert_eq!(expected["strict-transport-security"], "max-age=31536000");
    let policy = &expected["content-security-policy"];
    assert_eq!(*policy, STRICT);
    assert_eq!(expected.len(), 9, "{expected:?}");
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{answer:?}");
        let mut given = security_headers(&answer);
        if answer.text().contains("<style>") {
            let policy = given["content-security-policy"];
            let (before, hash) = policy.split_once("'sha256-").unwrap();
            let after = &hash[hash.find('\'').unwrap()..];
            let strict = format!("{before}'self{after}");
            assert_eq!(strict, STRICT, "{status}");
            given.insert("content-security-policy", STRICT);
        }
        assert_eq!(given, expected, "{status}");
    }
}

#[test]
fn a_site_built_under_umask_077_is_served() {
    let world = world();
    let arguments = [
        "build",
        "--out",
        "site",
        "--state-dir",
        "state",
        "--now",
        NOW,
    ];
    let built = ended(&mut through(&UMASK_077, &world.command(&arguments)));
    assert_eq!(built.code, 0, "{built:?}");
    let nginx = Nginx::serving(&world);
    for path in published(&world).keys() {
        assert_eq!(nginx.get(path).status, 200, "{path}: {}", nginx.errors());
    }
}

/// What every page is served with. A document in place of one has a style of its own, which nothing else has.
const STRICT: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// ---- helpers ----

pub fn world() -> Sandbox {
    Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
    )
}

/// A published site, with what should never have come into it, and nginx in front of it.
pub fn served() -> (Sandbox, Nginx) {
    let world = world();
    world.build();
    let world = world
        .file("site/.git/config", "canary")
        .file("site/.env", "canary")
        .file("site/assets/.hidden", "canary")
        .file("secret", "canary");
    symlink("../secret", world.path("site/link-to-a-secret")).unwrap();
    let nginx = Nginx::serving(&world);
    (world, nginx)
}

/// The compressed copies among the published files, by the paths at which they should not be found.
fn copies(world: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let copies = world.whole_site().into_iter();
    copies
        .filter(|(name, _)| name.strip_suffix(".gz").is_some())
        .map(|(name, bytes)| (format!("/{name}"), bytes))
        .collect()
}

/// The paths at which the published files should be found, and their bytes.
pub fn published(world: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let files = world.site().into_iter();
    let visible = files.filter(|(name, _)| !name.split('/').any(|part| part.starts_with('.')));
    visible
        .map(|(name, bytes)| (format!("/{name}"), bytes))
        .collect()
}

fn assert_refused(response: &Response, what: &str) {
    assert_eq!(response.status, 401, "{what}: {response:?}");
    let asks = response.header("www-authenticate");
    assert_eq!(asks, Some("Basic realm=\"syncmon\""), "{what}");
    let page = response.text();
    for given_away in ["canary", "up to date", "Sales", "sales", "syncmon"] {
        assert!(!page.contains(given_away), "{what}: {page}");
    }
}

/// What an answer says besides what it is an answer to.
fn security_headers(answer: &Response) -> BTreeMap<&str, &str> {
    let names = [
        "server",
        "cache-control",
        "content-security-policy",
        "strict-transport-security",
        "x-content-type-options",
        "referrer-policy",
        "x-robots-tag",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
    ];
    let given = names.map(|name| (name, answer.header(name)));
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
