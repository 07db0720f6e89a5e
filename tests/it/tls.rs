//! Encrypted connections to a real server whose certificate a private authority has signed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::cluster::{Cluster, debian_binaries};
use crate::gate::{Gate, Manner};
use crate::sandbox::{Sandbox, execute};
use crate::sql::ask;

const PASSWORD: &str = "n0t-f0r-str4ngers";

/// A server with a certificate for the name "localhost" only. Beside it lie the certificates of
/// its authority, `ours.crt`, and of a stranger, `other.crt`.
fn server() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::start(&debian_binaries(), &["log_connections = on"]);
        make_certificates(&cluster.directory);
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
    })
}

fn make_certificates(directory: &Path) {
    let script = r#"set -e
        for name in ours other; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                -subj "/CN=$name" -keyout $name.key -out $name.crt
        done
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
            -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 \
            -extfile <(echo subjectAltName=DNS:localhost) -out server.crt
        if [ "$(id -u)" = 0 ]; then chown postgres server.*; fi
        chmod 600 server.key"#;
    let made = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Reads from that server as a role that has to give a password, through a gate.
struct Reader {
    world: Sandbox,
    gate: Gate,
    role: String,
}

impl Reader {
    fn new() -> Reader {
        let cluster = server();
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
        Reader { world, gate, role }
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

    /// The server never learns who asks.
    fn is_refused_before_it_says_anything(&self, reason: &str) {
        let ended = self.world.build_now();
        assert_eq!(ended.code, 75, "{ended:?}");
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        assert_eq!(
            self.world.status()["source"]["message"],
            "The database's identity could not be confirmed."
        );
        let heard = self.gate.heard();
        for secret in [PASSWORD, &self.role] {
            assert!(
                !heard
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{secret} was sent"
            );
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        }
        assert!(!server().log().contains(&format!("user={} ", self.role)));
    }
}

fn certificate(name: &str) -> PathBuf {
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
    reader.is_refused_before_it_says_anything("invalid peer certificate: UnknownIssuer");
}

#[test]
fn the_authorities_of_the_web_do_not_vouch_for_a_private_one() {
    let reader = Reader::new().connecting("localhost", "sslmode=verify-full");
    reader.is_refused_before_it_says_anything("invalid peer certificate: UnknownIssuer");
}

#[test]
fn another_name_than_the_certificates_is_not_trusted() {
    let reader = Reader::new().connecting("127.0.0.1", &verified_by("ours.crt"));
    reader.is_refused_before_it_says_anything("certificate not valid for name \"127.0.0.1\"");
}

#[test]
fn a_server_without_encryption_learns_nothing() {
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    reader.gate.turn(Manner::Says(b"N"));
    reader.is_refused_before_it_says_anything("server does not support TLS");
    assert!(reader.gate.heard().is_empty());
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
