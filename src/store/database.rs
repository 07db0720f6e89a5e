//! Which database to read: a connection string, checked before anything is sent anywhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::secrets;
use crate::failure::UsageError;
use crate::text;

/// A database that syncmon can read.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub enum Database {
    Postgres(Postgres),
    Sqlite(PathBuf),
}

/// A PostgreSQL server. Has no `Debug`: the options hold the password.
#[derive(Clone)]
pub struct Postgres {
    pub(super) options: PgConnectOptions,
    pub(super) secrets: Vec<String>,
    /// From the connection string, where it names one.
    pub(super) connect_timeout: Option<Duration>,
    /// The certificate of the authority that vouches for the server, or the path of its file.
    pub(super) authority: Option<String>,
}

impl Database {
    /// Reads a connection string. Errors never repeat any part of it that could be a secret.
    ///
    /// `allow_insecure_tls` lifts the demand for `sslmode=verify-full` on hosts that are not local.
    pub fn parse(url: &str, allow_insecure_tls: bool) -> Result<Database, UsageError> {
        let url = url.trim();
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(path);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres(url, allow_insecure_tls).map(Database::Postgres);
        }
        Err(UsageError::new(
            "DATABASE_URL begins with none of postgres://, postgresql:// and sqlite: (its text is \
             not repeated here, as it may hold a password); write it as \
             postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ))
    }

    /// Which database this is, without user or secret: host, port and name, or the file.
    pub fn identity(&self) -> String {
        match self {
            Database::Postgres(postgres) => {
                let options = &postgres.options;
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => options.get_host().to_owned(),
                };
                let name = options.get_database().unwrap_or(options.get_username());
                format!("postgres {host}:{}/{name}", options.get_port())
            }
            Database::Sqlite(path) => format!("sqlite {}", path.display()),
        }
    }

    /// How long connecting may take: what the connection string says, but no longer than `limit`.
    pub(super) fn connect_limit(&self, limit: Duration) -> Duration {
        match self {
            Database::Postgres(postgres) => {
                postgres.connect_timeout.map_or(limit, |own| own.min(limit))
            }
            Database::Sqlite(_) => limit,
        }
    }

    /// The secrets that must never be printed, whatever an error says.
    pub fn secrets(&self) -> &[String] {
        match self {
            Database::Postgres(postgres) => &postgres.secrets,
            Database::Sqlite(_) => &[],
        }
    }
}

fn sqlite(path: &str) -> Result<Database, UsageError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') {
        return Err(UsageError::new(
            "DATABASE_URL names no SQLite file; write sqlite:PATH, without parameters",
        ));
    }
    let path = std::path::absolute(path).map_err(|error| {
        UsageError::new(format!(
            "the SQLite file {path} cannot be located ({error})"
        ))
    })?;
    Ok(Database::Sqlite(path))
}

/// The parameters that are understood; any other is refused rather than ignored.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "connect_timeout",
    "options",
];

const ENCODE: &str =
    "in a user name or password, write @ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25";

fn postgres(text: &str, allow_insecure_tls: bool) -> Result<Postgres, UsageError> {
    let url = Url::parse(text).map_err(|error| {
        UsageError::new(format!(
            "DATABASE_URL cannot be read as a URL ({error}); {ENCODE}"
        ))
    })?;
    if url.fragment().is_some()
        || url.path().contains('@')
        || url.query().is_some_and(|q| q.contains('@'))
    {
        return Err(UsageError::new(format!(
            "DATABASE_URL holds a character that ends the password too early; {ENCODE}"
        )));
    }
    let mut connect_timeout = None;
    let mut authority = std::env::var("PGSSLROOTCERT").ok();
    let mut stripped = url.clone();
    stripped.set_query(None);
    for (key, value) in url.query_pairs() {
        match &*key {
            "connect_timeout" => connect_timeout = Some(timeout(&value)?),
            "sslmode" => check_ssl_mode(&value)?,
            "sslrootcert" | "sslcert" | "sslkey" => check_file(&key, &value)?,
            "port" if value.parse::<u16>().is_err() => {
                return Err(UsageError::new(
                    "the parameter port of DATABASE_URL is not a port number; write for example port=5432",
                ));
            }
            known if PARAMETERS.contains(&known) => {}
            _ => {
                return Err(UsageError::new(format!(
                    "DATABASE_URL holds a parameter that syncmon does not know{}; take it away. \
                     Known are {}",
                    nameable(&key),
                    PARAMETERS.join(", ")
                )));
            }
        }
        if key == "sslrootcert" {
            authority = Some(value.clone().into_owned());
        }
        if key != "connect_timeout" {
            stripped.query_pairs_mut().append_pair(&key, &value);
        }
    }
    if let Ok(certificate) = std::env::var("PGSSLROOTCERT") {
        check_file("PGSSLROOTCERT", &certificate)?;
    }
    let options: PgConnectOptions = stripped.as_str().parse().map_err(|_| {
        UsageError::new(format!(
            "DATABASE_URL cannot be read as a connection string; {ENCODE}"
        ))
    })?;
    let options = without_brackets(options);
    check_tls(&options, allow_insecure_tls)?;
    // Poolers refuse extra_float_digits, and prepared statements do not survive them.
    let mut options = options.extra_float_digits(None).statement_cache_capacity(0);
    if options.get_application_name().is_none() {
        options = options.application_name("syncmon");
    }
    Ok(Postgres {
        options,
        secrets: secrets::of_connection(&url),
        connect_timeout,
        authority,
    })
}

/// What travels to another machine is encrypted, and that machine's certificate checked.
fn check_tls(options: &PgConnectOptions, allow_insecure_tls: bool) -> Result<(), UsageError> {
    let encrypted = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    if encrypted || allow_insecure_tls || is_local(options) {
        return Ok(());
    }
    Err(UsageError::new(format!(
        "the database host {} is not local, and without sslmode=verify-full its identity would not \
         be checked; add ?sslmode=verify-full&sslrootcert=FILE to DATABASE_URL (the file with the \
         provider's CA certificate), or set SYNCMON_INSECURE_TLS=1 if you accept the risk",
        text::word(options.get_host())
    )))
}

/// A URL has brackets around an IPv6 address; looking it up does not take them.
fn without_brackets(options: PgConnectOptions) -> PgConnectOptions {
    let address = options
        .get_host()
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .map(str::to_owned);
    match address {
        Some(address) => options.host(&address),
        None => options,
    }
}

pub(super) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn check_ssl_mode(value: &str) -> Result<(), UsageError> {
    value.parse::<PgSslMode>().map(drop).map_err(|_| {
        UsageError::new(
            "the parameter sslmode of DATABASE_URL is none of disable, allow, prefer, require, \
             verify-ca and verify-full; write sslmode=verify-full for a host that is not local",
        )
    })
}

fn check_file(key: &str, value: &str) -> Result<(), UsageError> {
    if value.starts_with("-----BEGIN") || Path::new(value).is_file() {
        return Ok(());
    }
    Err(UsageError::new(format!(
        "{key} names the file {}, which is not there; download the certificate from the provider \
         and give its path",
        text::word(value)
    )))
}

fn timeout(value: &str) -> Result<Duration, UsageError> {
    value
        .parse()
        .map(|seconds: u32| Duration::from_secs(seconds.max(1).into()))
        .map_err(|_| {
            UsageError::new(
                "the parameter connect_timeout of DATABASE_URL is not a number of seconds; write for \
                 example connect_timeout=10",
            )
        })
}

/// A parameter's name where it looks like one; a slipped password does not.
fn nameable(key: &str) -> String {
    let plain = key.len() <= 32 && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let known = [
        "hostaddr",
        "pgbouncer",
        "sslpassword",
        "sslcrl",
        "channel_binding",
        "gssencmode",
        "target_session_attrs",
        "keepalives",
        "pool_timeout",
        "connection_limit",
        "schema",
        "search_path",
        "requiressl",
        "sslcompression",
        "sslsni",
        "supa",
        "passfile",
        "service",
    ];
    if plain && known.contains(&key) {
        format!(" ({key})")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Database::parse(url, false) {
            Ok(database) => panic!("{url} was accepted as {}", database.identity()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn local_databases_need_no_tls() {
        for url in [
            "postgres://ro:pw@localhost/app",
            "postgresql://ro:pw@127.0.0.1:5433/app",
            "postgres://ro:pw@[::1]/app",
            "postgres:///app?user=ro&host=/var/run/postgresql",
            "postgres://ro@%2Ftmp/app",
            "sqlite:data.sqlite",
        ] {
            assert!(Database::parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_hosts_need_verified_tls() {
        for mode in [
            "",
            "?sslmode=disable",
            "?sslmode=prefer",
            "?sslmode=require",
            "?sslmode=verify-ca",
        ] {
            let url = format!("postgres://ro:S3cret@db.example.org/app{mode}");
            assert!(refusal(&url).contains("sslmode=verify-full"), "{mode}");
            assert!(Database::parse(&url, true).is_ok());
        }
        assert!(
            Database::parse(
                "postgres://ro:pw@db.example.org/app?sslmode=verify-full",
                false
            )
            .is_ok()
        );
    }

    #[test]
    fn an_ipv6_address_is_looked_up_without_its_brackets() {
        let database = Database::parse("postgres://ro:pw@[::1]:5433/app", false).ok();
        let identity = database.map(|database| database.identity());
        assert_eq!(identity.as_deref(), Some("postgres ::1:5433/app"));
    }

    #[test]
    fn the_identity_names_host_port_and_database_but_no_user() {
        let database = Database::parse("postgres://ro:pw@localhost:5433/app", false).ok();
        assert_eq!(
            database.map(|d| d.identity()).as_deref(),
            Some("postgres localhost:5433/app")
        );
    }
}
