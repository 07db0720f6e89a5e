//! nginx as it is shipped: at ports 80 and 443 of a network of its own, with TLS, under the name that the
//! configuration has.

use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::browser::{browser_folder, node_modules};
use crate::campaign::figure;
use crate::cluster::is_root;
use crate::nginx::world;
use crate::sandbox::{Ended, Sandbox};
use crate::web::{PASSWORD, USER, at_home, begin, folder};
use crate::wrapped::{ended, through};

const NAME: &str = "status.example.org";

/// Less than that would be a step back: it is the most that a site without a preloaded name can have.
const SCORE: i64 = 130;

#[test]
fn port_80_leads_to_https_and_to_nothing_else() {
    let world = published()
        .file("challenges/.well-known/acme-challenge/token", "proof")
        .file("challenges/page", "canary");
    let shipped = Shipped::start(world, &[]);
    for (path, to) in [
        ("/", "/"),
        ("/index.html?x=1", "/index.html?x=1"),
        ("//evil.example/", "//evil.example/"),
        ("/%0d%0aX-Evil:1", "/%0d%0aX-Evil:1"),
        ("/page", "/page"),
        ("/.well-known/", "/.well-known/"),
        ("/errors/401.html", "/errors/401.html"),
    ] {
        for host in [NAME, "evil.example"] {
            let host = format!("Host: {host}");
            let url = format!("http://{NAME}{path}");
            let answer = shipped.curl(&[
                "-i",
                "--path-as-is",
                "-H",
                &host,
                "-u",
                "cfo:long random password",
                &url,
            ]);
            assert!(answer.starts_with("HTTP/1.1 301 "), "{path}: {answer}");
            let location = format!("Location: https://{NAME}{to}\r\n");
            assert!(answer.contains(&location), "{path}: {answer}");
            assert!(!answer.contains("\nX-Evil"), "{path}: {answer}");
        }
    }
    let challenge = |path: &str| {
        shipped.curl(&[
            "-i",
            "--path-as-is",
            &format!("http://{NAME}/.well-known/acme-challenge/{path}"),
        ])
    };
    let proof = challenge("token");
    assert!(
        proof.starts_with("HTTP/1.1 200 ") && proof.ends_with("proof"),
        "{proof}"
    );
    for path in ["", "nothing", "../../page", "..%2f..%2fpage"] {
        let answer = challenge(path);
        assert!(
            !answer.starts_with("HTTP/1.1 200 ") && !answer.contains("canary"),
            "{path}: {answer}"
        );
    }
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken_and_nothing_without_forward_secrecy() {
    let shipped = Shipped::start(published(), &[]);
    let spoken = |options: &[&str]| shipped.handshake(options);
    for (options, protocol) in [
        (&["-tls1_2"][..], "TLSv1.2"),
        (&["-tls1_3"], "TLSv1.3"),
        (
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
            "TLSv1.2",
        ),
    ] {
        let said = spoken(options);
        assert!(
            said.stdout.contains(protocol) && said.stdout.contains("Verification: OK"),
            "{options:?}: {said:?}"
        );
    }
    for options in [
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
        &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
    ] {
        let said = spoken(options);
        assert!(
            said.stdout.contains("Cipher is (NONE)"),
            "{options:?}: {said:?}"
        );
    }
    // Compressed answers and HTTP/2, as a browser gets them.
    let url = format!("https://{NAME}/");
    let user = format!("{USER}:{PASSWORD}");
    let answer = shipped.curl(&[
        "-I",
        "--http2",
        "-u",
        &user,
        "-H",
        "Accept-Encoding: gzip",
        &url,
    ]);
    assert!(answer.starts_with("HTTP/2 200 "), "{answer}");
    assert!(answer.contains("content-encoding: gzip"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
}

/// As it would grade the site from outside: by its name, from the redirect on. With the password it sees a page.
#[test]
fn the_observatory_gives_its_best_grade_to_what_strangers_see_and_to_the_page() {
    let shipped = Shipped::start(published(), &[]);
    for (status, key) in [(401, ""), (200, "Basic Y2ZvOmxvbmcgcmFuZG9tIHBhc3N3b3Jk")] {
        let mut node = Command::new("node");
        node.arg(browser_folder().join("observatory.mjs"))
            .args([NAME, key])
            .env("SYNCMON_TEST_NODE_MODULES", node_modules())
            .env(
                "NODE_EXTRA_CA_CERTS",
                shipped.folder.path().join("authority.crt"),
            );
        let graded = shipped.within(&mut node);
        assert_eq!(graded.code, 0, "{graded:?}");
        let report: serde_json::Value = serde_json::from_str(&graded.stdout).unwrap();
        assert_eq!(report["status"], status, "{report:#}");
        assert!(report["score"].as_i64().unwrap() >= SCORE, "{report:#}");
        figure(&format!(
            "Mozilla's HTTP Observatory, on a {status}: {} {}",
            report["grade"].as_str().unwrap(),
            report["score"]
        ));
    }
}

/// A running nginx of which nothing was changed but where it finds its files.
pub struct Shipped {
    leash: Child,
    network: Network,
    folder: TempDir,
    _world: Sandbox,
}

impl Shipped {
    /// Serves `site` of the sandbox, by the configuration with these parts of it changed.
    pub fn start(world: Sandbox, changes: &[(&str, &str)]) -> Shipped {
        let folder = folder();
        let live = format!("/etc/letsencrypt/live/{NAME}");
        let mut server = at_home(folder.path(), &world, "site")
            .replace(&live, &folder.path().display().to_string());
        for (shipped, here) in changes {
            assert_eq!(server.matches(shipped).count(), 1, "{shipped}");
            server = server.replace(shipped, here);
        }
        std::fs::write(folder.path().join("server.conf"), server).unwrap();
        make_certificates(folder.path());
        let network = Network::new(folder.path());
        let user = if is_root() {
            "user nobody nogroup;"
        } else {
            "user root root;"
        };
        let leash = begin(
            &mut network.wrap(&Command::new("sh"), folder.path()),
            folder.path(),
            user,
            &[],
        );
        let shipped = Shipped {
            leash,
            network,
            folder,
            _world: world,
        };
        shipped.wait_until_ready();
        shipped
    }

    /// What curl prints; the certificate is checked.
    pub fn curl(&self, arguments: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-s", "--cacert", "authority.crt"])
            .args(arguments);
        self.within(&mut curl).stdout
    }

    /// Wrong passwords over TLS: from which address, to which one, how often on one connection. The statuses of
    /// each.
    pub fn guesses(&self, asked: &[(&str, &str, usize)]) -> Vec<Vec<u16>> {
        let mut python = Command::new("python3");
        python.args(["-c", GUESSER, NAME, &serde_json::json!(asked).to_string()]);
        let said = self.within(&mut python);
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    /// What openssl has to say of a handshake.
    fn handshake(&self, options: &[&str]) -> Ended {
        let mut openssl = Command::new("openssl");
        openssl
            .args([
                "s_client",
                "-connect",
                &format!("{NAME}:443"),
                "-servername",
                NAME,
                "-verify_hostname",
                NAME,
            ])
            .args(["-CAfile", "authority.crt"])
            .args(options);
        self.within(&mut openssl)
    }

    /// Runs a command to its end in the server's network and folder.
    fn within(&self, command: &mut Command) -> Ended {
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        ended(&mut self.network.wrap(command, self.folder.path()))
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.curl(&[
            "-w",
            "%{http_code}",
            "-o",
            "/dev/null",
            &format!("https://{NAME}/"),
        ]) != "401"
        {
            let said = ["stderr", "error.log"].map(|name| {
                std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
            });
            assert!(Instant::now() < deadline, "nginx did not start: {said:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Shipped {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

/// Prints the statuses as JSON. The addresses belong to nobody: the network is asked to take them all the same.
const GUESSER: &str = r#"
import base64, http.client, json, socket, ssl, sys

IP_FREEBIND = 15
name, asked = sys.argv[1], json.loads(sys.argv[2])
trusting = ssl.create_default_context(cafile="authority.crt")

def statuses(source, target, times):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    plain = socket.socket(family)
    plain.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    plain.bind((source, 0))
    plain.settimeout(30)
    plain.connect((target, 443))
    connection = http.client.HTTPSConnection(name)
    connection.sock = trusting.wrap_socket(plain, server_hostname=name)
    for guess in range(times):
        password = base64.b64encode(b"cfo:guess %d" % guess).decode()
        connection.request("GET", "/", headers={"Authorization": "Basic " + password})
        answer = connection.getresponse()
        answer.read()
        yield answer.status
    connection.close()

print(json.dumps([list(statuses(*guesses)) for guesses in asked]))
"#;

/// A network of its own, in which all of 127.0.0.0/8 and 2001:db8::/31 is this machine, and the site's name as
/// well; gone when dropped.
struct Network {
    keeper: Child,
    _leash: ChildStdin,
}

impl Network {
    fn new(folder: &Path) -> Network {
        std::fs::write(
            folder.join("hosts"),
            format!("127.0.0.1 localhost {NAME}\n"),
        )
        .unwrap();
        let script = "ip link set lo up && ip -6 route add local 2001:db8::/31 dev lo && mount --bind hosts /etc/hosts &&
                      touch network && cat";
        let mut keeper = Command::new("unshare")
            .arg(if is_root() { "-nm" } else { "-rnm" })
            .args(["sh", "-c", script])
            .current_dir(folder)
            .env(
                "PATH",
                format!(
                    "{}:/usr/sbin:/sbin",
                    std::env::var("PATH").unwrap_or_default()
                ),
            )
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        while !folder.join("network").exists() {
            let died = keeper.try_wait().unwrap();
            assert!(died.is_none(), "no network of one's own: {died:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let leash = keeper.stdin.take().unwrap();
        Network {
            keeper,
            _leash: leash,
        }
    }

    /// The command, run in that network and in this directory.
    fn wrap(&self, command: &Command, directory: &Path) -> Command {
        let mut enter = vec![
            "nsenter".to_owned(),
            "-t".to_owned(),
            self.keeper.id().to_string(),
            "-n".to_owned(),
            "-m".to_owned(),
            format!("--wd={}", directory.display()),
        ];
        if !is_root() {
            enter.extend(["-U".to_owned(), "--preserve-credentials".to_owned()]);
        }
        through(&enter, command)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// For the name of the site, by an authority of its own.
fn make_certificates(folder: &Path) {
    let script = r#"set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
            -keyout authority.key -out authority.crt
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$NAME" -keyout privkey.pem -out request
        openssl x509 -req -in request -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=DNS:$NAME") -out fullchain.pem"#;
    let made = Command::new("bash")
        .args(["-c", script])
        .env("NAME", NAME)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn published() -> Sandbox {
    let world = world();
    world.build();
    world
}
