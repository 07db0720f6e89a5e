//! The connection: whether there is one, how long it took, and what protects what travels on it.

use std::time::Duration;

use super::{Link, Seen};
use crate::store::{Examined, Leads, Unreadable, Way};

pub fn connection(way: &Way, examined: &Examined, limit: Duration) -> Seen {
    let took = milliseconds(examined.connected_in);
    let said = examined.says.as_ref().ok();
    // Distributions add their own version behind a space.
    let server = said.map_or("", |said| &said.server);
    let server = server.split(' ').next().unwrap_or_default();
    let protocol = said.and_then(|said| said.encryption.as_deref());
    let summary = match way.leads {
        Leads::ToAFile => format!("SQLite {server} opened the file read-only, in {took}"),
        Leads::ThroughASocket => {
            format!("PostgreSQL {server} in {took}, through a socket of this machine")
        }
        Leads::WithinThisMachine | Leads::OverTheNetwork => {
            format!(
                "PostgreSQL {server} in {took}, {}",
                protection(way, protocol)
            )
        }
    };
    let mut seen = Seen::new(Link::Connection, summary);
    if way.leads == Leads::OverTheNetwork && !way.verified {
        seen = seen.advice(
            "the server's identity is not checked (SYNCMON_INSECURE_TLS=1): whoever sits in between can read the \
             password and change the data",
            "add sslmode=verify-full&sslrootcert=FILE to DATABASE_URL, and take SYNCMON_INSECURE_TLS away",
        );
    }
    if examined.connected_in > limit / 2 {
        seen = seen.advice(
            format!(
                "connecting took more than half of the {} that it may take",
                humantime::format_duration(limit)
            ),
            "look at the network and the server's load, or raise connect_timeout",
        );
    }
    seen
}

/// There was no connection.
pub fn no_connection(why: &Unreadable, secrets: &[String]) -> Seen {
    Seen::broken(Link::Connection, why.what(secrets), why.remedy())
}

fn protection(way: &Way, protocol: Option<&str>) -> String {
    let own = way.leads == Leads::WithinThisMachine;
    if !way.encrypted {
        return match (own, protocol) {
            (_, Some(protocol)) => format!("encrypted ({protocol}), identity not checked"),
            (true, None) => "not encrypted, and never leaves this machine".to_owned(),
            (false, None) => "not encrypted".to_owned(),
        };
    }
    // Behind a pooler the server knows of its own connection only.
    let protocol = protocol.map_or_else(String::new, |protocol| format!(" ({protocol})"));
    if !way.verified {
        return format!("encrypted{protocol}, identity not checked");
    }
    let authority = way.authority.as_deref();
    format!(
        "encrypted{protocol}, identity checked (verify-full) against {}",
        authority.unwrap_or("the authorities of the web")
    )
}

pub(super) fn milliseconds(time: Duration) -> String {
    match time.as_millis() {
        0 => "under 1 ms".to_owned(),
        millis @ 1..10_000 => format!("{millis} ms"),
        millis => format!("{} s", millis / 1000),
    }
}
