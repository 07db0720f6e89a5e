//! The shipped nginx configuration: without the password nothing, with it the site and only that.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use crate::folders::{LATER, world};
use crate::golden::Told;
use crate::sandbox::{Sandbox, uncompressed};
use crate::web::{Nginx, RIGHT, Response};

/// Backups and hidden files that should never have come into a site.
pub const PLANTED: &str = "
    .git/config .git/HEAD .svn/entries .env .env.local .htaccess .htpasswd assets/.hidden .well-known/secret
    .index.html.swp entities/.index.html.swp";

#[test]
fn without_the_right_password_nothing_is_served() {
    let (world, nginx) = served();
    let published = published(&world);
    let paths = published.keys().map(String::as_str);
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
    let conditional = [("If-Modified-Since", "Mon, 22 Nov 2038 00:00:00 GMT")];
    for path in paths.chain(["/", "/?x=1"]) {
        for wrong in wrong {
            let header = wrong.map(|value| ("Authorization", value));
            let response = nginx.request("GET", path, header.as_slice());
            assert_refused(&response, &format!("{path} with {wrong:?}"));
        }
        assert_refused(&nginx.request("GET", path, &conditional), path);
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
            "html" => "text/html",
            "css" => "text/css",
            "js" => "application/javascript",
            "svg" => "image/svg+xml",
            "csv" => "text/csv",
            "xml" => "application/atom+xml",
            _ => "application/json",
        };
        let kind = format!("{kind}; charset=utf-8");
        assert_eq!(response.header("content-type"), Some(&*kind), "{path}");
    }
    assert_eq!(nginx.get("/").text(), world.page("index.html"));
    assert_eq!(nginx.get("/history/").status, 200);
    let style = format!("/{}?v=12345678", world.asset("syncmon.css"));
    assert_eq!(nginx.get(&style).status, 200);
    let copies = copies(&world);
    assert!(copies.contains_key("/index.html.gz"), "{copies:?}");
    for path in copies.keys() {
        assert_eq!(nginx.get(path).status, 404, "{path}");
    }
}

#[test]
fn only_reading_is_allowed() {
    let (world, nginx) = served();
    let before = world.site();
    for method in "POST PUT DELETE PATCH PROPFIND MKCOL TRACE".split(' ') {
        for (path, refused) in [
            ("/", &[403, 405][..]),
            ("/index.html", &[405]),
            ("/new.html", &[404, 405]),
        ] {
            let status = nginx.request(method, path, &[RIGHT]).status;
            assert!(refused.contains(&status), "{method} {path}: {status}");
        }
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
                let what = format!("{path} {condition} {accepted:?}");
                let second = nginx.request("GET", path, &[RIGHT, accepted, (condition, value)]);
                assert_eq!((second.status, second.body.len()), (304, 0), "{what}");
                assert_eq!(second.header("cache-control"), Some(kept), "{what}");
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
    let (some, beyond) = (("Range", "bytes=0-9"), ("Range", "bytes=99999999-"));
    let other = ("If-Match", "\"other\"");
    let wrong = ("Authorization", "Basic Y2ZvOndyb25n");
    let get = |path: &str, headers: &[_]| nginx.request("GET", path, headers);
    let mut answers = vec![
        (200, nginx.get("/status.json")),
        (206, get("/", &[RIGHT, some])),
        (304, get("/index.html", &[RIGHT, etag])),
        (400, get("/%00", &[])),
        (401, get("/index.html", &[])),
        (401, get("/index.html", &[wrong])),
        (404, nginx.get("/nothing")),
        (404, nginx.get("/.syncmon-manifest.json")),
        (405, nginx.request("POST", "/index.html", &[RIGHT])),
        (405, nginx.request("TRACE", "/index.html", &[])),
        (412, get("/index.html", &[RIGHT, other])),
        (414, get(&long, &[])),
        (416, get("/index.html", &[RIGHT, beyond])),
    ];
    let counting = Nginx::that_counts_guesses(&world);
    let mut many = (0..200).map(|_| counting.get("/status.json"));
    answers.push((429, many.find(|answer| answer.status != 200).unwrap()));
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

/// What every page is served with. A document in place of one has a style of its own, which nothing else has.
const STRICT: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// ---- helpers ----

/// A published site.
pub fn built() -> Sandbox {
    let world = world();
    world.build();
    world
}

/// The same, with what should never have come into it and what lies beside it, and nginx in front of it.
pub fn served() -> (Sandbox, Nginx) {
    let mut world = built().file("secret", "canary");
    for path in PLANTED.split_whitespace() {
        world = world.file(&format!("site/{path}"), "canary");
    }
    symlink("../secret", world.path("site/link-to-a-secret")).unwrap();
    let nginx = Nginx::serving(&world);
    (world, nginx)
}

/// The compressed copies among the published files, by the paths at which they should not be found.
fn copies(world: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let mut copies = by_path(world.whole_site());
    copies.retain(|path, _| path.strip_suffix(".gz").is_some());
    copies
}

/// The paths at which the published files should be found, and their bytes.
pub fn published(world: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let mut published = by_path(world.site());
    published.retain(|path, _| !path.contains("/."));
    published
}

fn by_path(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let files = files.into_iter();
    files
        .map(|(name, bytes)| (format!("/{name}"), bytes))
        .collect()
}

fn assert_refused(response: &Response, what: &str) {
    assert_eq!(response.status, 401, "{what}: {response:?}");
    let asks = response.header("www-authenticate");
    assert_eq!(asks, Some("Basic realm=\"syncmon\""), "{what}");
    for given_away in ["canary", "up to date", "Sales", "sales", "syncmon"] {
        response.lacks(given_away);
    }
}

/// What an answer says besides what it is an answer to.
fn security_headers(answer: &Response) -> BTreeMap<&str, &str> {
    let names = "server cache-control content-security-policy strict-transport-security x-content-type-options \
                 referrer-policy x-robots-tag cross-origin-opener-policy cross-origin-resource-policy";
    let given = names.split_whitespace();
    given
        .filter_map(|name| Some((name, answer.header(name)?)))
        .collect()
}
