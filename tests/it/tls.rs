//! Encrypted connections to a real server whose certificate a private authority has signed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::cluster::{Cluster, debian_binaries};
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::outage::{is_whole, only_line};
use crate::sandbox::{NOW, Sandbox, execute};
use crate::sql::ask;

const PASSWORD: &str = "n0t-f0r-str4ngers";

/// A server with a certificate for the name "localhost" only. Beside it lie the certificates of
/// its authority, `ours.crt`, and of a stranger, `other.crt`.
pub fn server() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| encrypted("now"))
}

/// The same with a certificate that has expired.
fn expired() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| encrypted("2025-01-01 00:00:00"))
}

/// With a certificate that was given out for two days at this moment.
fn encrypted(moment: &str) -> Cluster {
    let cluster = Cluster::start(&debian_binaries(), &["log_connections = on"]);
    make_certificates(&cluster.directory, moment);
    let postgres = cluster.url("postgres", "postgres");
    for (setting, value) in [
        ("ssl_cert_file", "../server.crt"),
        ("ssl_key_file", "../server.key"),
        ("ssl", "on"),
    ] {
        execute(
            &postgres,
            &format!("alter system set {setting} = '{value}'"),
        );
    }
    execute(&postgres, "select pg_reload_conf()");
    while ask(&postgres, "select current_setting('ssl')") != ["on"] {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    cluster
}

fn make_certificates(directory: &Path, moment: &str) {
    let script = r#"set -e
        for name in ours other; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                -subj "/CN=$name" -keyout $name.key -out $name.crt
        done
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
            -keyout server.key -out server.csr
        faketime "$MOMENT" openssl x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 \
            -extfile <(echo subjectAltName=DNS:localhost) -out server.crt
        if [ "$(id -u)" = 0 ]; then chown postgres server.*; fi
        chmod 600 server.key"#;
    let made = Command::new("bash")
        .args(["-c", script])
        .env("MOMENT", moment)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Reads from that server as a role that has to give a password, through a gate.
struct Reader {
    server: &'static Cluster,
    world: Sandbox,
    gate: Gate,
    role: String,
}

impl Reader {
    fn new() -> Reader {
        Reader::of(server())
    }

    fn of(cluster: &'static Cluster) -> Reader {
        let world = Sandbox::postgres_in(cluster);
        let role = format!("guarded_{}", world.database());
        execute(
            world.owner_url(),
            &format!(
                "do $$ begin
                     create role password_required;
                 exception when duplicate_object or unique_violation then null;
                 end $$;
                 create role {role} login password '{PASSWORD}' in role syncmon_ro, password_required"
            ),
        );
        let gate = Gate::before(cluster.port);
        Reader {
            server: cluster,
            world,
            gate,
            role,
        }
    }

    fn connecting(self, host: &str, parameters: &str) -> Reader {
        let url = format!(
            "postgres://{}:{PASSWORD}@{host}:{}/{}?{parameters}",
            self.role,
            self.gate.port,
            self.world.database()
        );
        let world = self.world.with_url(&url);
        Reader { world, ..self }
    }

    /// The server never learns who asks, for what and with which password.
    fn is_refused_before_it_says_anything(&self, fault: &str) {
        let ended = self.world.build_at(NOW);
        assert_eq!(ended.code, 75, "{ended:?}");
        let status = self.world.status();
        let message = status["source"]["message"].as_str().unwrap();
        let text = format!("{}\n{message}", only_line(&ended))
            .replace(&self.gate.port.to_string(), "PORT")
            .replace(&self.world.database(), "DATABASE");
        golden::section(
            "messages.txt",
            &format!("TLS: {fault}"),
            &without_moments(&text),
        );
        is_whole(&self.world.path("site"));
        let heard = self.gate.heard();
        for secret in [PASSWORD, &self.role, &self.world.database()] {
            assert!(
                !heard
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{secret} was sent"
            );
        }
        for text in [PASSWORD, &self.role] {
            assert!(!ended.stderr.contains(text), "{}", ended.stderr);
            assert!(!ended.stdout.contains(text), "{}", ended.stdout);
        }
        assert!(!self.server.log().contains(&format!("user={} ", self.role)));
    }
}

/// Moments as the TLS library writes them: seconds since 1970.
fn without_moments(text: &str) -> String {
    let moments = regex::Regex::new(r"\b[0-9]{9,}\b|\b[0-9]+ seconds").unwrap();
    moments.replace_all(text, "N").into_owned()
}

pub fn certificate(name: &str) -> PathBuf {
    server().directory.join(name)
}

fn verified_by(authority: &str) -> String {
    format!(
        "sslmode=verify-full&sslrootcert={}",
        certificate(authority).display()
    )
}

#[test]
fn the_right_authority_and_name_are_trusted() {
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    let ended = reader.world.build_now();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(
        server()
            .log()
            .lines()
            .any(|line| line.contains(&format!("user={} ", reader.role))
                && line.contains("SSL enabled")),
        "the connection was not encrypted"
    );
}

#[test]
fn another_authority_is_not_trusted() {
    let reader = Reader::new().connecting("localhost", &verified_by("other.crt"));
    reader.is_refused_before_it_says_anything("another authority");
}

#[test]
fn the_authorities_of_the_web_do_not_vouch_for_a_private_one() {
    let reader = Reader::new().connecting("localhost", "sslmode=verify-full");
    reader.is_refused_before_it_says_anything("a private authority that was not given");
}

#[test]
fn another_name_than_the_certificates_is_not_trusted() {
    let reader = Reader::new().connecting("127.0.0.1", &verified_by("ours.crt"));
    reader.is_refused_before_it_says_anything("another host name");
}

#[test]
fn a_certificate_that_has_expired_is_not_trusted() {
    let authority = expired().directory.join("ours.crt");
    let parameters = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    let reader = Reader::of(expired()).connecting("localhost", &parameters);
    reader.is_refused_before_it_says_anything("an expired certificate");
}

#[test]
fn a_server_without_encryption_learns_nothing() {
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    reader.gate.turn(Manner::Says(b"N"));
    reader.is_refused_before_it_says_anything("a server without encryption");
    assert!(reader.gate.heard().is_empty());
}

#[test]
fn a_server_that_agrees_to_encryption_and_then_speaks_none_learns_nothing() {
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    reader
        .gate
        .turn(Manner::Says(b"SHTTP/1.1 400 Bad Request\r\n\r\n"));
    reader.is_refused_before_it_says_anything("no TLS after all");
    reader
        .gate
        .turn(Manner::Says(b"S\x16\x03\x03\x00\x04\x0e\x00\x00\x00"));
    reader.is_refused_before_it_says_anything("a handshake in the wrong order");
}

#[test]
fn a_handshake_that_is_cut_off_tells_nothing_and_is_healed() {
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    for bytes in [1, 2, 6, 100, 500] {
        reader.gate.turn(Manner::CutAfter(bytes));
        reader.is_refused_before_it_says_anything("cut off in the handshake");
        reader.gate.turn(Manner::ResetAfter(bytes));
        reader.is_refused_before_it_says_anything("reset in the handshake");
    }
    reader.gate.turn(Manner::Open);
    let ended = reader.world.build();
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_handshake_that_hangs_tells_nothing() {
    let reader = Reader::new().connecting(
        "localhost",
        &format!("{}&connect_timeout=1", verified_by("ours.crt")),
    );
    reader.gate.turn(Manner::StallAfter(100));
    reader.is_refused_before_it_says_anything("a handshake that hangs");
}

#[test]
fn a_missing_certificate_file_is_named() {
    let reader = Reader::new().connecting(
        "localhost",
        "sslmode=verify-full&sslrootcert=/no/such/ca.crt",
    );
    let ended = reader.world.build_now();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("sslrootcert names the file /no/such/ca.crt, which is not there"),
        "{}",
        ended.stderr
    );
    assert!(!reader.world.path("site").exists());
}
