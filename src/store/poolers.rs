//! What poolers say when they refuse. They have one SQLSTATE for everything, or codes of their own: their words tell more.

use super::refusal::{Advice, BUSY, NO_CONNECTION, NO_DATABASE, NO_ENTRY};

const NO_SERVER: &str = "The database server is not running, or does not accept connections.";
const NOT_LET_IN: &str = "check role and password in DATABASE_URL, and the pooler's list of users";

/// What these words mean; `None` if no pooler is known to say them.
pub fn advice(message: &str) -> Option<Advice> {
    supabase(message).or_else(|| by_words(&message.to_ascii_lowercase()))
}

/// Supabase's pooler puts a code of its own before its words: "(ENOTFOUND) tenant/user ro.PROJECT not found".
fn supabase(message: &str) -> Option<Advice> {
    let (code, words) = message.trim_start().strip_prefix('(')?.split_once(')')?;
    Some(match code {
        "ENOTFOUND" | "ETENANTNOTFOUND" => NO_TENANT,
        "ENOIDENTIFIER" | "EINVALIDUSERINFO" => (
            NO_ENTRY,
            "write the user in DATABASE_URL as ROLE.PROJECT, as the dashboard shows it under Connect",
        ),
        "EAUTHQUERY" if words.contains("connection") => (
            NO_SERVER,
            "the pooler runs, the project's database does not answer it: look at the project in the dashboard",
        ),
        "EAUTHQUERY" | "EWRONGPASSWORD" => (
            NO_ENTRY,
            "check role and password in DATABASE_URL; after a project was restored, give the role its password anew: alter role … password …",
        ),
        "ECIRCUITBREAKER" if words.contains("authentication") => (
            NO_ENTRY,
            "too many wrong passwords came from this address: end or correct every program that uses the old one, and wait 10 minutes",
        ),
        "ECIRCUITBREAKER" => (
            NO_SERVER,
            "the pooler has given up on the database for 10 minutes: look at the project in the dashboard, then wait",
        ),
        "EADDRNOTALLOWED" => (
            NO_ENTRY,
            "allow this machine's address in the dashboard, under Database settings, Network restrictions",
        ),
        "EBANNED" => (
            NO_ENTRY,
            "this machine's address or the project is banned: see Network bans in the dashboard's Database settings",
        ),
        "ESSLREQUIRED" => (
            NO_ENTRY,
            "the project demands encryption: add ?sslmode=verify-full&sslrootcert=FILE to DATABASE_URL",
        ),
        "ECHECKOUTTIMEOUT" => NOTHING_FREE,
        "EMAXCONNSESSION" | "EMAXCLIENTSESSION" => (
            NO_CONNECTION,
            "end programs that keep connections open, raise the pool size in the dashboard, or take the transaction pooler (port 6543)",
        ),
        "EMAXCONN" | "EMAXCLIENTCONN" | "EMAXPROXYCONN" => TOO_MANY,
        "EDBHANDLEREXITED" | "EPOOLTERMINATING" | "EAUTHTIMEOUT" => (
            NO_SERVER,
            "the pooler lost the database: the next build tries again; if it stays so, look at the project in the dashboard",
        ),
        "EINVALIDSTARTUPOPTION" | "ESTARTUPMESSAGE" => PARAMETER,
        _ => return None,
    })
}

const NO_TENANT: Advice = (
    NO_ENTRY,
    "check host and user (ROLE.PROJECT) as the dashboard shows them under Connect, and that the project is not paused",
);
const NOTHING_FREE: Advice = (
    BUSY,
    "no connection of the pooler to the server became free: the next build tries again; if it stays so, check that the server behind the pooler runs, or raise pool_size",
);
const TOO_MANY: Advice = (
    NO_CONNECTION,
    "raise the pooler's limit of clients, or end programs that keep connections open",
);
const PARAMETER: Advice = (
    NO_ENTRY,
    "take that parameter out of DATABASE_URL and PGOPTIONS, or add it to ignore_startup_parameters of the pooler",
);

/// PgBouncer, and Supabase's pooler before it had codes.
fn by_words(said: &str) -> Option<Advice> {
    let says = |words: &str| said.contains(words);
    if says("tenant or user not found") {
        Some(NO_TENANT)
    } else if says("query_wait_timeout") || says("due to timeout") {
        Some(NOTHING_FREE)
    } else if says("max client") || says("max_client_conn") {
        Some(TOO_MANY)
    } else if says("server_login") || says("connect failed") || says("server conn crashed") {
        Some((
            NO_SERVER,
            "the pooler runs, the server behind it does not answer it: check the server",
        ))
    } else if says("no such database") {
        Some((
            NO_DATABASE,
            "check the database name in DATABASE_URL, and the pooler's list of databases",
        ))
    } else if says("no such user") || says("authentication failed") {
        Some((NO_ENTRY, NOT_LET_IN))
    } else if says("unsupported startup parameter") {
        Some(PARAMETER)
    } else {
        None
    }
}
