//! Strangers who do not keep to the rules of HTTP, and what may lie in the site by accident or by
//! somebody's doing. The sandbox is full of canaries that nobody should ever see.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::Duration;

use crate::browser::check;
use crate::golden::Told;
use crate::nginx::{PLANTED, built, published, served};
use crate::web::{DOCUMENTS, Nginx, RIGHT, Response, SHIPPED};
use crate::wrapped::ended;

/// What is tried as a path, with the password and without: what leads out of the site, what is hidden in it, in every
/// spelling, what might be there, and what is no path at all.
const PATHS: &str = r"
    /../secret /../sync.sqlite /../../../../../../etc/passwd /%2e%2e/secret /%2e%2e%2fsecret /..%2fsecret
    /%252e%252e%252fsecret /%c0%ae%c0%ae/secret /%uff0e%uff0e/secret /..%5csecret /..\secret /..;/secret /;/../secret
    /./../secret //../secret /.../secret /assets../secret /assets/../../secret /entities/..%2f..%2fsecret
    /entities/%2e%2e/%2e%2e/secret /entities/../../sync.sqlite /errors../secret /errors/../secret
    /errors/../../htpasswd /errors/../htpasswd /%00 /index.html%00 /index.html%00.css /secret%00.html
    /index.html%20 /index.html~ /index.html/ /index.html.bak /index.html.orig /index.html.swp /index.php /htpasswd
    /server-status /nothing /entities/ /history/days/ /history/nothing.csv /assets /favicon.ico /link-to-a-secret
    /.syncmon-manifest.json /%2esyncmon-manifest.json /%2Esyncmon%2Dmanifest.json //.syncmon-manifest.json
    /./.syncmon-manifest.json /assets/../.syncmon-manifest.json /assets/%2e%2e/.syncmon-manifest.json
    /.syncmon-manifest.json/ /%2egit/config /.git/";

#[test]
fn no_path_leads_out_of_the_site_or_to_what_is_hidden_in_it() {
    let (world, nginx) = served();
    let site = published(&world);
    let planted = PLANTED.split_whitespace().map(|path| format!("/{path}"));
    for path in PATHS.split_whitespace().map(str::to_owned).chain(planted) {
        let stranger = nginx.request("GET", &path, &[]);
        assert!([400, 401, 404].contains(&stranger.status), "{stranger:?}");
        shows_nothing(&stranger, &path);
        let reader = nginx.get(&path);
        let is_page = site.values().any(|bytes| *bytes == reader.body);
        let refused = [400, 404].contains(&reader.status) && !is_page;
        assert!(refused, "{path}: {reader:?}");
        shows_nothing(&reader, &path);
        let absolute = format!("http://localhost{path}");
        shows_nothing(&nginx.get(&absolute), &absolute);
    }
}

#[test]
fn no_method_shows_anything_without_the_password() {
    let (world, nginx) = served();
    let before = world.site();
    let style = format!("/{}", world.asset("syncmon.css"));
    let methods = "HEAD POST PUT DELETE PATCH OPTIONS TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK \
                   PURGE DEBUG get GET\u{1}";
    let overridden = "X-HTTP-Method-Override X-HTTP-Method X-Original-URL X-Rewrite-URL";
    for method in methods.split(' ') {
        for path in ["/", "/index.html", "/status.json", &style, "/.env", "*"] {
            let plain = nginx.request(method, path, &[]);
            let by_header = |name| nginx.request(method, path, &[(name, "GET")]);
            for response in overridden.split(' ').map(by_header).chain([plain]) {
                let refused = [400, 401, 405].contains(&response.status);
                assert!(refused, "{method} {path}: {response:?}");
                shows_nothing(&response, method);
            }
        }
    }
    assert_eq!(world.site(), before);
}

#[test]
fn nobody_gets_in_by_claiming_to_be_somebody_else() {
    let (_world, nginx) = served();
    for (name, value) in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("X-Forwarded-User", "cfo"),
        ("Remote-User", "cfo"),
        ("X-Remote-User", "cfo"),
        ("Proxy-Authorization", RIGHT.1),
        ("Forwarded", "for=127.0.0.1;by=127.0.0.1"),
        ("Cookie", &format!("authorization={}", RIGHT.1)),
        ("Upgrade", "h2c"),
        ("Upgrade", "websocket"),
    ] {
        let response = nginx.request("GET", "/index.html", &[(name, value)]);
        assert_eq!(response.status, 401, "{name}");
        shows_nothing(&response, name);
    }
    let hosts = ",evil.example,localhost:1,127.0.0.1,[::1],a b,..,localhost/../secret,\u{e9}";
    for host in hosts.split(',') {
        let request =
            format!("GET /index.html HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let response = Response::parse(&nginx.answers(request.as_bytes()), "GET");
        let refused = [400, 401].contains(&response.status);
        assert!(refused, "Host: {host}: {response:?}");
        shows_nothing(&response, host);
    }
    // Two users at once are none.
    let (name, right) = RIGHT;
    for pair in [
        ["Basic Y2ZvOndyb25n", right],
        [right, "Basic Y2ZvOndyb25n"],
        ["", right],
    ] {
        let both = nginx.request("GET", "/index.html", &[(name, pair[0]), (name, pair[1])]);
        assert_eq!(both.status, 400, "{pair:?}");
    }
}

#[test]
fn requests_that_are_too_large_are_refused_and_the_next_one_is_answered() {
    let (_world, nginx) = served();
    let much = "a".repeat(100_000);
    let headers = |count: usize, length: usize| -> String {
        let one = |number| format!("X-{number}: {}\r\n", &much[..length]);
        (0..count).map(one).collect()
    };
    for what in [
        "GET /MUCH HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /?MUCH HTTP/1.1\r\nHost: a\r\n\r\n",
        "MUCH / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: MUCH\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: MUCH\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nMUCH: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: MUCHMUCHMUCHMUCHMUCHMUCHMUCHMUCHMUCHMUCH\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic MUCH\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTWENTY OF 4000 BYTES\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nALL THERE IS ROOM FOR\r\n",
    ] {
        let request = what.replace("MUCH", &much);
        let request = request.replace("TWENTY OF 4000 BYTES", &headers(20, 4000));
        let request = request.replace("ALL THERE IS ROOM FOR", &headers(100_000, 1));
        let answer = nginx.answers(request.as_bytes());
        // The server may end the connection before it has read all, and the answer be lost with it.
        if !answer.is_empty() {
            let response = Response::parse(&answer, "GET");
            let refused = [400, 414].contains(&response.status);
            assert!(refused, "{what}: {response:?}");
            shows_nothing(&response, what);
        }
        assert_eq!(nginx.get("/").status, 200, "after {what}");
    }
}

#[test]
fn a_request_within_a_request_needs_the_password_itself() {
    let (_world, nginx) = served();
    let (name, right) = RIGHT;
    let inner = "GET /index.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for (head, statuses) in [
        ("Content-Length: 4\r\nTE: chunked", &[400][..]),
        ("Content-Length: 0\r\nContent-Length: 70", &[400]),
        ("Content-Length: +0", &[400]),
        ("TE: xchunked", &[501]),
        ("TE: chunked\r\nTE: identity", &[400]),
        ("TE: \u{b}chunked", &[501]),
        ("Expect: 100-continue\r\nContent-Length: 0", &[405, 401]),
        ("Content-Length: 9999999999", &[405]),
        ("TE: chunked", &[405, 401]),
        ("Content-Length: 56", &[405]),
    ] {
        let head = head.replace("TE: ", "Transfer-Encoding: ");
        // Where there are chunks, the last of them.
        let last = head.contains("Transfer").then_some("0\r\n\r\n");
        let body = last.unwrap_or_default();
        let first = format!("POST / HTTP/1.1\r\nHost: a\r\n{name}: {right}");
        let request = format!("{first}\r\n{head}\r\n\r\n{body}{inner}");
        let mut connection = TcpStream::connect(("127.0.0.1", nginx.port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        connection.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let found = text.split("HTTP/1.1 ").skip(1);
        let found = found.map(|answer| answer[..3].parse::<u16>().unwrap());
        let found: Vec<u16> = found.filter(|&status| status != 100).collect();
        assert_eq!(found, statuses, "{head}: {text}");
        text.lacks("Sales");
    }
}

#[test]
fn ranges_of_a_page_show_no_more_than_the_page() {
    let (world, nginx) = served();
    let page = fs::read(world.path("site/index.html")).unwrap();
    let many: Vec<String> = (5000..6000).map(|end| format!("0-{end}")).collect();
    let ranges =
        "0-0 0-99999999999999999999 -5 -99999999999999999999 5-1 99999999- 0-,0-,0-,0- a-b";
    for range in ranges.split(' ').chain([&*many.join(",")]) {
        let range = ("Range", &*format!("bytes={range}"));
        let part = nginx.request("GET", "/index.html", &[RIGHT, range]);
        let (status, length) = (part.status, part.body.len());
        assert!([200, 206, 416].contains(&status), "{range:?}: {part:?}");
        assert!(length < page.len() + 2000, "{range:?}: {length}");
        let stranger = nginx.request("GET", "/index.html", &[range]);
        assert_eq!(stranger.status, 401, "{range:?}");
        shows_nothing(&stranger, range.1);
    }
}

#[test]
fn a_link_planted_in_the_output_is_not_followed() {
    let (world, nginx) = served();
    let world = world
        .file("secret-site/index.html", "canary")
        .file("secret-site/page.html", "canary");
    let mut gzip = Command::new("gzip");
    gzip.args(["-k", "secret"]).current_dir(world.root());
    ended(&mut gzip).exits(0);
    for (link, to) in [
        ("file.html", "../secret"),
        ("absolute.html", "/etc/passwd"),
        ("folder", "../secret-site"),
        ("up", ".."),
        ("root", "/"),
        ("assets/style.css", "../../secret"),
        ("itself", "itself"),
        ("process", "/proc/self"),
        // Whoever takes gzip is given the copy.
        ("status.json.gz", "../secret.gz"),
    ] {
        let place = world.path("site").join(link);
        let _ = fs::remove_file(&place);
        symlink(to, place).unwrap();
    }
    let paths = "/file.html /absolute.html /folder /folder/ /folder/page.html /up/secret /root/etc/passwd \
                 /assets/style.css /itself /itself/itself /process/environ /process/cwd/secret /status.json.gz";
    for path in paths.split(' ') {
        for accepted in ["gzip", "identity"] {
            let answer = nginx.request("GET", path, &[RIGHT, ("Accept-Encoding", accepted)]);
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
            shows_nothing(&answer, path);
        }
    }
    let status = nginx.request("GET", "/status.json", &[RIGHT, ("Accept-Encoding", "gzip")]);
    assert_eq!(status.status, 200, "{status:?}");
    assert_ne!(status.body, fs::read(world.path("secret.gz")).unwrap());
}

#[test]
fn whatever_becomes_of_the_password_file_the_site_stays_shut() {
    let world = built();
    let nginx = Nginx::serving(&world);
    let file = nginx.passwords();
    let replaced = |content: &str| {
        let _ = fs::remove_file(&file);
        fs::write(&file, content).unwrap();
    };
    let whole = fs::read_to_string(&file).unwrap();
    let refused = |status: u16, why: &str| {
        for header in [Some(RIGHT), Some(("Authorization", "Basic Y2ZvOg=="))] {
            let answer = nginx.request("GET", "/", header.as_slice());
            assert_eq!(answer.status, status, "{why}: {answer:?}");
            shows_nothing(&answer, why);
        }
        let answer = nginx.request("GET", "/", &[]);
        assert_eq!(answer.status, 401, "{why}: {answer:?}");
    };
    for (why, content) in [
        ("empty", ""),
        ("only a name", "cfo"),
        ("an empty hash", "cfo:"),
        ("a cut hash", &whole[..20]),
        ("an unknown hash", "cfo:$9$abcdefgh$abcdefgh"),
        ("somebody else's", &whole.replace("cfo:", "root:")),
        ("no lines but a comment", "# cfo:long random password\n"),
    ] {
        replaced(content);
        refused(401, why);
    }
    replaced(&whole);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    refused(500, "may not be read");
    fs::remove_file(&file).unwrap();
    refused(403, "missing");
    symlink("htpasswd", &file).unwrap();
    refused(500, "leads to itself");
    replaced(&whole);
    assert_eq!(nginx.get("/").status, 200);
}

#[test]
fn error_documents_are_all_that_is_shown_without_the_password_and_cannot_be_asked_for() {
    let (_world, nginx) = served();
    for (name, text) in DOCUMENTS {
        let path = format!("/errors/{name}");
        for header in [None, Some(RIGHT)] {
            let answer = nginx.request("GET", &path, header.as_slice());
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
        for word in ["syncmon", "nginx", "http", "src=", "Sales"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
    let [unauthorized, not_found, _, unwell] = DOCUMENTS.map(|(_, text)| text);
    for (status, document, answer) in [
        (401, unauthorized, nginx.request("GET", "/", &[])),
        (401, unauthorized, nginx.request("POST", "/feed.xml", &[])),
        (404, not_found, nginx.get("/nothing")),
    ] {
        assert_eq!((answer.status, &*answer.text()), (status, document));
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/html; charset=utf-8"));
    }
    fs::remove_file(nginx.passwords()).unwrap();
    assert_eq!(nginx.get("/").text(), unwell);
}

#[test]
fn without_the_error_documents_a_browser_is_asked_for_the_password_all_the_same() {
    let (_world, nginx) = served();
    fs::remove_dir_all(nginx.passwords().with_file_name("errors")).unwrap();
    let answer = nginx.request("GET", "/", &[]);
    assert_eq!(answer.status, 401, "{answer:?}");
    let asks = answer.header("www-authenticate");
    assert_eq!(asks, Some("Basic realm=\"syncmon\""), "{answer:?}");
    assert_eq!(nginx.get("/").status, 200);
}

/// Theirs is the one style that stands in a document, and is let in by its hash; into no page, see `pages`.
#[test]
fn error_documents_are_shown_as_they_are_meant_to_be() {
    for (name, text) in DOCUMENTS {
        let (_, rest) = text.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = sha256(style);
        assert!(SHIPPED.contains(&hash), "{name}: {hash}");
    }
    let (world, nginx) = served();
    let counting = Nginx::that_counts_guesses(&world);
    check("refused", &[&nginx.url(), &counting.url()]);
}

#[test]
fn half_a_request_holds_nobody_up() {
    let world = built();
    let shipped = "client_header_timeout 10s;";
    let begun = |nginx: &Nginx, request: &str| {
        let mut connection = TcpStream::connect(("127.0.0.1", nginx.port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        connection
    };
    let halves = ["", "G", "GET / HTTP/1.1\r\nHost: a\r\nX-"];
    // While three hundred of them are held, everybody else is served.
    let patient = Nginx::serving_with(&world, &[(shipped, "client_header_timeout 10m;")]);
    let held: Vec<TcpStream> = (0..300).map(|n| begun(&patient, halves[n % 3])).collect();
    assert_eq!(patient.get("/").status, 200);
    for connection in held {
        connection.set_nonblocking(true).unwrap();
        let held = connection.peek(&mut [0]).unwrap_err().kind();
        assert_eq!(held, ErrorKind::WouldBlock);
    }
    // And in the end they are sent away without an answer.
    let nginx = Nginx::serving_with(&world, &[(shipped, "client_header_timeout 1s;")]);
    for mut connection in halves.map(|half| begun(&nginx, half)) {
        let limit = Duration::from_mins(1);
        connection.set_read_timeout(Some(limit)).unwrap();
        let mut answer = Vec::new();
        let ended = connection.read_to_end(&mut answer).map_err(|e| e.kind());
        assert!(matches!(ended, Ok(_) | Err(ErrorKind::ConnectionReset)));
        String::from_utf8_lossy(&answer).lacks("200 OK");
    }
}

// ---- helpers ----

/// Neither a canary nor anything of the site, nor of the machine.
fn shows_nothing(response: &Response, what: &str) {
    let text = response.text();
    for given_away in "canary|Sales|sales|root:|$6$|/tmp/|up to date".split('|') {
        assert!(!text.contains(given_away), "{what}: {text}");
    }
}

/// As a policy names it.
fn sha256(text: &str) -> String {
    let script = "printf %s \"$TEXT\" | openssl dgst -sha256 -binary | base64 -w0";
    let mut openssl = Command::new("sh");
    let hash = ended(openssl.args(["-c", script]).env("TEXT", text)).stdout;
    assert_eq!(hash.len(), 44, "{hash}");
    format!("'sha256-{hash}'")
}
