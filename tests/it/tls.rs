//! Encrypted connections to a real server whose certificate a private authority has signed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::cluster::{Cluster, debian_binaries};
use crate::gate::Gate;
use crate::gate::Manner::{CutAfter, Open, ResetAfter, Says, StallAfter};
use crate::golden;
use crate::outage::{is_whole, told};
use crate::sandbox::{NOW, Sandbox, execute};
use crate::secrets::{are_nowhere, guarded};
use crate::sql::ask;

const PASSWORD: &str = "n0t-f0r-str4ngers";

/// A server with a certificate for the name "localhost" only.
pub fn server() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let server = Cluster::start(&debian_binaries(), &["log_connections = on"]);
        shows(&server, "server");
        server
    })
}

/// From now on the server shows this certificate.
fn shows(server: &Cluster, name: &str) {
    let script = r#"cp "$FROM.crt" "$FROM.key" .
        if [ "$(id -u)" = 0 ]; then chown postgres ./*.key; fi"#;
    let copied = Command::new("bash")
        .args(["-ec", script])
        .env("FROM", certificate(name))
        .current_dir(&server.directory)
        .status();
    assert!(copied.unwrap().success());
    let postgres = server.url("postgres", "postgres");
    let file = format!("../{name}.crt");
    for sql in [
        &*format!("alter system set ssl_cert_file = '{file}'"),
        &*format!("alter system set ssl_key_file = '../{name}.key'"),
        "alter system set ssl = on",
        "select pg_reload_conf()",
    ] {
        execute(&postgres, sql);
    }
    while ask(&postgres, "select current_setting('ssl_cert_file')") != [&*file] {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A file beside the certificates of our authority, `ours.crt`, and of a stranger, `other.crt`: with `.crt` and `.key`
/// the `server`'s, and one that has `expired`.
pub fn certificate(name: &str) -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let name = format!("certificates-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let script = r#"new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            for name in ours other; do
                openssl req -x509 $new -days 2 -subj "/CN=$name" -keyout $name.key -out $name.crt
            done
            for name in server expired; do
                openssl req $new -subj /CN=localhost -keyout $name.key -out $name.csr
                moment=now; if [ $name = expired ]; then moment="2025-01-01 00:00:00"; fi
                faketime "$moment" openssl x509 -req -in $name.csr -CA ours.crt -CAkey ours.key -CAcreateserial \
                    -days 2 -extfile <(echo subjectAltName=DNS:localhost) -out $name.crt
                chmod 600 $name.key
            done"#;
        let made = Command::new("bash")
            .args(["-ec", script])
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        directory
    });
    made.join(name)
}

/// Reads from that server as a role that has to give a password, through a gate.
struct Reader {
    world: Sandbox,
    gate: Gate,
    role: String,
}

impl Reader {
    fn new() -> Reader {
        let world = Sandbox::postgres_in(server());
        let role = guarded(&world, PASSWORD);
        let gate = Gate::before(server().port);
        Reader { world, gate, role }
    }

    fn connecting(self, host: &str, parameters: &str) -> Reader {
        let (port, name) = (self.gate.port, self.world.database());
        let user = format!("{}:{PASSWORD}", self.role);
        let url = format!("postgres://{user}@{host}:{port}/{name}?{parameters}");
        let world = self.world.with_url(&url);
        Reader { world, ..self }
    }

    /// The server never learns who asks, for what and with which password.
    fn is_refused_before_it_says_anything(&self, fault: &str) {
        println!("fault: {fault}");
        let ended = self.world.build_at(NOW);
        assert_eq!(ended.code, 75, "{ended:?}");
        // Moments as the TLS library writes them: seconds since 1970.
        let moments = regex::Regex::new(r"\b[0-9]{9,}\b|\b[0-9]+ seconds").unwrap();
        let told = told(&self.world, &ended);
        let text = moments.replace_all(&told, "N");
        golden::section("messages.txt", &format!("TLS: {fault}"), &text);
        is_whole(&self.world.path("site"));
        let heard = String::from_utf8_lossy(&self.gate.heard()).into_owned();
        for secret in [PASSWORD, &self.role, &self.world.database()] {
            assert!(!heard.contains(secret), "{secret} was sent");
        }
        let secrets = [PASSWORD.to_owned(), self.role.clone()];
        are_nowhere(&self.world, &ended, &secrets, &[]);
        assert!(!server().log().contains(&format!("user={} ", self.role)));
    }
}

fn verified_by(authority: &str) -> String {
    let file = certificate(authority);
    format!("sslmode=verify-full&sslrootcert={}", file.display())
}

/// One server after the other, as starting one takes long.
#[test]
fn only_the_right_server_over_an_encrypted_connection_is_told_anything() {
    let mut reader = Reader::new();
    for (fault, host, parameters) in [
        ("another authority", "localhost", verified_by("other.crt")),
        (
            "a private authority that was not given",
            "localhost",
            "sslmode=verify-full".to_owned(),
        ),
        ("another host name", "127.0.0.1", verified_by("ours.crt")),
    ] {
        reader = reader.connecting(host, &parameters);
        reader.is_refused_before_it_says_anything(fault);
    }
    let reader = reader.connecting("localhost", &verified_by("ours.crt"));
    let other = &b"SHTTP/1.1 400 Bad Request\r\n\r\n"[..];
    let order = &b"S\x16\x03\x03\x00\x04\x0e\x00\x00\x00"[..];
    for (fault, bytes) in [
        ("a server without encryption", &b"N"[..]),
        ("no TLS after all", other),
        ("a handshake in the wrong order", order),
    ] {
        reader.gate.turn(Says(bytes));
        reader.is_refused_before_it_says_anything(fault);
        assert!(bytes != b"N" || reader.gate.heard().is_empty());
    }
    for bytes in [1, 2, 6, 100, 500] {
        reader.gate.turn(CutAfter(bytes));
        reader.is_refused_before_it_says_anything("cut off in the handshake");
        reader.gate.turn(ResetAfter(bytes));
        reader.is_refused_before_it_says_anything("reset in the handshake");
    }
    let hasty = format!("{}&connect_timeout=1", verified_by("ours.crt"));
    let reader = reader.connecting("localhost", &hasty);
    reader.gate.turn(StallAfter(100));
    reader.is_refused_before_it_says_anything("a handshake that hangs");

    reader.gate.turn(Open);
    let reader = reader.connecting("localhost", &verified_by("ours.crt"));
    assert_eq!(reader.world.build().stderr, "");
    let user = format!("user={} ", reader.role);
    let log = server().log();
    let encrypted = |line: &str| line.contains(&user) && line.contains("SSL enabled");
    assert!(
        log.lines().any(encrypted),
        "the connection was not encrypted"
    );

    shows(server(), "expired");
    let reader = Reader::new().connecting("localhost", &verified_by("ours.crt"));
    reader.is_refused_before_it_says_anything("an expired certificate");
}

#[test]
fn a_missing_certificate_file_is_named() {
    let parameters = "sslmode=verify-full&sslrootcert=/no/such/ca.crt";
    let url = format!("postgres://ro:{PASSWORD}@localhost/app?{parameters}");
    let world = Sandbox::bare().with_url(&url);
    let ended = world.build_now();
    assert_eq!(ended.code, 2, "{ended:?}");
    let said = "sslrootcert names the file /no/such/ca.crt, which is not there";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(!world.path("site").exists());
}
