//! The connection string: never a panic, and never a password in a refusal or in an identity.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Database;
use crate::generators::mutations::bent_text;
use crate::generators::notations::percent_throughout;
use crate::generators::{Volume, fuzz};

const VOLUME: Volume = Volume {
    sampled: 1_000,
    whole: 200_000,
};

const SEEDS: &[&str] = &[
    "postgres://ro:S3cretPw@localhost:5432/app?sslmode=disable&connect_timeout=5",
    "postgresql://ro:S3cretPw@db.example.org/app?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
    "postgres://ro.ref:S3%40cret%2FPw@[::1]:6543/postgres?application_name=x",
    "postgres:///app?host=/var/run/postgresql&user=ro&password=S3cretPw&port=5433&dbname=b",
    "postgres://%2Ftmp/app?options=-c%20x",
    "sqlite:/var/lib/sync.sqlite",
    "sqlite://sync.sqlite?mode=ro",
    "host=h password=S3cretPw user=ro",
    "mysql://ro:S3cretPw@h/db",
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "postgres://", "postgresql:", "//", "sqlite:", ":", "@", "/", "?", "#", "&", "=", "[", "]", "[::1]",
    "%", "%00", "%2F", "%40", "%ff", "%zz", "%25", "localhost", "127.0.0.1", "xn--", "é", "\u{ad}", "\u{1f469}",
    "\\", " ", "\n", "\t", "\0", "sslmode=", "verify-full", "sslrootcert=", "host=", "port=", "user=",
    "password=", "dbname=", "connect_timeout=", "options=", "65536", "-1", "4294967296", ";", "'", "\"",
];

#[test]
fn any_connection_string_is_read_or_refused() {
    let inputs = (bent_text(SEEDS, WORDS), any::<bool>());
    fuzz(
        "the connection string",
        VOLUME,
        &inputs,
        |(text, insecure)| {
            match Database::parse(&text, insecure) {
                Ok(database) => drop(database.identity()),
                Err(refusal) => {
                    let refusal = refusal.to_string();
                    prop_assert!(refusal.contains("DATABASE_URL") || refusal.contains("not there"));
                    prop_assert!(!refusal.contains(char::is_control), "{:?}", refusal);
                }
            }
            Ok(())
        },
    );
}

/// Where users put a password, rightly and wrongly.
const PLACES: &[&str] = &[
    "postgres://ro:{}@localhost/app",
    "postgres://ro:{}@db.example.org:5432/app?sslmode=verify-full",
    "postgres://ro:{}@db.example.org:5432/app",
    "postgres://{}@localhost/app",
    "postgres://:{}@localhost/app",
    "postgres://ro:{}@/app?host=/tmp",
    "postgres:///app?host=localhost&user=ro&password={}",
    "postgres://ro@localhost/app?sslpassword={}",
    "postgres://ro@localhost/app?passwrod={}",
    "postgres://ro@localhost/app?{}",
    "postgres://ro@localhost/app?{}=1",
    "postgres://ro@localhost/app?sslmode={}",
    "postgres://ro@localhost/app?port={}",
    "postgres://ro@localhost/app?connect_timeout={}",
    "postgres://ro:x@localhost/app#{}",
    "postgres://ro:#{}@localhost/app",
    "postgres://ro:1/{}@localhost/app",
    "postgres://ro:1?{}@localhost/app",
    "postgres://ro:{}@localhost:port/app",
    "postgres:ro:{}@localhost/app",
    "postgres//ro:{}@localhost/app",
    "Postgres://ro:{}@localhost/app",
    "ro:{}@localhost/app",
    "mysql://ro:{}@localhost/app",
    "host=localhost user=ro password={}",
    "jdbc:postgresql://localhost/app?user=ro&password={}",
    "DATABASE_URL=postgres://ro:{}@localhost/app",
    "psql postgres://ro:{}@localhost/app",
    "{}",
];

#[test]
fn no_password_is_repeated_wherever_it_was_put() {
    let part = "[G-Z][0-9][G-Z][0-9][g-z]{3}[0-9]";
    let odd: Vec<char> = "@:/?#[]%!$&'\"()*+,;=\\<>{}|^~` é€._-".chars().collect();
    let secret = (vec(part, 1..4), vec(any::<Index>(), 3));
    let inputs = (select(PLACES), secret, any::<bool>(), any::<bool>());
    fuzz(
        "passwords in connection strings",
        VOLUME,
        &inputs,
        |(place, secret, encoded, insecure)| {
            let (parts, between) = secret;
            let mut typed = parts[0].clone();
            for (part, between) in parts[1..].iter().zip(&between) {
                typed.push(*between.get(&odd));
                typed.push_str(part);
            }
            let url = place.replace(
                "{}",
                &if encoded {
                    percent_throughout(&typed)
                } else {
                    typed.clone()
                },
            );
            let shown = match Database::parse(&url, insecure) {
                Ok(database) => database.identity(),
                Err(refusal) => refusal.to_string(),
            };
            for part in &parts {
                let shown = shown.to_lowercase();
                prop_assert!(
                    !shown.contains(&part.to_lowercase()),
                    "{} -> {}",
                    url,
                    shown
                );
                prop_assert!(
                    !shown.contains(&percent_throughout(part).to_lowercase()),
                    "{} -> {}",
                    url,
                    shown
                );
            }
            Ok(())
        },
    );
}
