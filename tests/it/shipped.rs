//! nginx as it is shipped: at ports 80 and 443 of a network of its own, with TLS, under the name that the
//! configuration has.

use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::browser::{browser_folder, node_modules};
use crate::campaign::figure;
use crate::cluster::is_root;
use crate::golden::Told;
use crate::nginx::built;
use crate::sandbox::{Ended, Sandbox};
use crate::web::{PASSWORD, RIGHT, USER, at_home, begin, folder};
use crate::wrapped::{ended, through};

const NAME: &str = "status.example.org";

/// Less than that would be a step back: it is the most that a site without a preloaded name can have.
const SCORE: i64 = 130;

#[test]
fn port_80_leads_to_https_and_to_nothing_else() {
    let world = built()
        .file("challenges/.well-known/acme-challenge/token", "proof")
        .file("challenges/page", "canary");
    let shipped = Shipped::start(world, &[]);
    let paths =
        "/ /index.html?x=1 //evil.example/ /%0d%0aX-Evil:1 /page /.well-known/ /errors/401.html";
    for path in paths.split(' ') {
        for host in [NAME, "evil.example"] {
            let asked = format!("-u '{USER}:{PASSWORD}' -H 'Host: {host}' 'http://{NAME}{path}'");
            let answer = shipped.curl(&format!("-i --path-as-is {asked}"));
            answer.has("HTTP/1.1 301 ");
            answer.has(&format!("Location: https://{NAME}{path}\r\n"));
            answer.lacks("\nX-Evil");
        }
    }
    let challenge = |path: &str| {
        let url = format!("http://{NAME}/.well-known/acme-challenge/{path}");
        shipped.curl(&format!("-i --path-as-is '{url}'"))
    };
    let proof = challenge("token");
    proof.has("HTTP/1.1 200 ");
    assert!(proof.ends_with("proof"), "{proof}");
    for path in ["", "nothing", "../../page", "..%2f..%2fpage"] {
        let answer = challenge(path);
        answer.lacks("HTTP/1.1 200 ");
        answer.lacks("canary");
    }
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken_and_nothing_without_forward_secrecy() {
    let shipped = Shipped::start(built(), &[]);
    for (options, protocol) in [
        ("-tls1_2", "TLSv1.2"),
        ("-tls1_3", "TLSv1.3"),
        ("-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2"),
    ] {
        let said = shipped.handshake(options);
        said.has(protocol);
        said.has("Verification: OK");
    }
    for options in [
        "-tls1 -cipher ALL:@SECLEVEL=0",
        "-tls1_1 -cipher ALL:@SECLEVEL=0",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
        "-tls1_2 -cipher AES128-GCM-SHA256",
        "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0",
    ] {
        shipped.handshake(options).has("Cipher is (NONE)");
    }
    // Compressed answers and HTTP/2, as a browser gets them.
    let reader = format!("--http2 -u '{USER}:{PASSWORD}' -H 'Accept-Encoding: gzip'");
    let answer = shipped.curl(&format!("-I {reader} https://{NAME}/"));
    answer.has("HTTP/2 200 ");
    answer.has("content-encoding: gzip");
    answer.has("strict-transport-security: max-age=31536000");
}

/// As it would grade the site from outside: by its name, from the redirect on. With the password it sees a page.
#[test]
fn the_observatory_gives_its_best_grade_to_what_strangers_see_and_to_the_page() {
    let shipped = Shipped::start(built(), &[]);
    let authority = shipped.folder.path().join("authority.crt");
    for (status, key) in [(401, ""), (200, RIGHT.1)] {
        let mut node = Command::new("node");
        node.arg(browser_folder().join("observatory.mjs"))
            .args([NAME, key])
            .env("SYNCMON_TEST_NODE_MODULES", node_modules())
            .env("NODE_EXTRA_CA_CERTS", &authority);
        let graded = shipped.within(&mut node).exits(0);
        let report: serde_json::Value = serde_json::from_str(&graded.stdout).unwrap();
        assert_eq!(report["status"], status, "{report:#}");
        assert!(report["score"].as_i64().unwrap() >= SCORE, "{report:#}");
        let (grade, score) = (report["grade"].as_str().unwrap(), &report["score"]);
        let observatory = "Mozilla's HTTP Observatory";
        figure(&format!("{observatory}, on a {status}: {grade} {score}"));
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
        let nobody = is_root().then_some("user nobody nogroup;");
        let user = nobody.unwrap_or("user root root;");
        let mut shell = network.wrap(&Command::new("sh"), folder.path());
        let leash = begin(&mut shell, folder.path(), user, &[]);
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
    pub fn curl(&self, arguments: &str) -> String {
        let curl = format!("curl -s --cacert authority.crt {arguments}");
        self.within(Command::new("sh").args(["-c", &curl])).stdout
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
    fn handshake(&self, options: &str) -> Ended {
        let asked = format!("-connect {NAME}:443 -servername {NAME} -verify_hostname {NAME}");
        let openssl = format!("openssl s_client {asked} -CAfile authority.crt {options}");
        self.within(Command::new("sh").args(["-c", &openssl]))
    }

    /// Runs a command to its end in the server's network and folder.
    fn within(&self, command: &mut Command) -> Ended {
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        ended(&mut self.network.wrap(command, self.folder.path()))
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let status = format!("-w '%{{http_code}}' -o /dev/null https://{NAME}/");
        while self.curl(&status) != "401" {
            let said = ["stderr", "error.log"].map(|name| self.folder.path().join(name));
            let said = said.map(std::fs::read_to_string);
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
const GUESSER: &str = include_str!("shipped/guesser.py");

/// A network of its own, in which all of 127.0.0.0/8 and 2001:db8::/31 is this machine, and the site's name as
/// well; gone when dropped.
struct Network {
    keeper: Child,
    _leash: ChildStdin,
}

impl Network {
    fn new(folder: &Path) -> Network {
        let hosts = format!("127.0.0.1 localhost {NAME}\n");
        std::fs::write(folder.join("hosts"), hosts).unwrap();
        let script = "ip link set lo up && ip -6 route add local 2001:db8::/31 dev lo && mount --bind hosts /etc/hosts &&
                      touch network && cat";
        let path = std::env::var("PATH").unwrap_or_default();
        let mut keeper = Command::new("unshare")
            .arg(if is_root() { "-nm" } else { "-rnm" })
            .args(["sh", "-c", script])
            .current_dir(folder)
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
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
        let keeper = self.keeper.id();
        let who = if is_root() {
            ""
        } else {
            " -U --preserve-credentials"
        };
        let folder = directory.display();
        let enter = format!("nsenter -t {keeper} -n -m{who} --wd={folder}");
        let enter: Vec<&str> = enter.split(' ').collect();
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
