//! Requests to a receiver that somebody else runs.

use std::path::Path;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

use super::Secrets;
use super::side_by_side::Deadline;
use crate::alerts::Failure;
use crate::failure::UsageError;

/// No file of authorities is larger.
const LARGEST: u64 = 4 << 20;

/// The certificates in a file of authorities; `None` without a file: the usual authorities count then.
pub fn authorities(file: Option<&Path>) -> Result<Option<Vec<Vec<u8>>>, UsageError> {
    let Some(path) = file else {
        return Ok(None);
    };
    let refuse = |problem: &str| {
        UsageError::new(format!(
            "ca_file names {}, which {problem}; name a file with certificates in PEM form",
            path.display()
        ))
    };
    let found = path
        .metadata()
        .map_err(|error| refuse(&format!("cannot be read ({error})")))?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(refuse("is no file, or a very large one"));
    }
    let text = std::fs::read(path).map_err(|error| refuse(&format!("cannot be read ({error})")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate.der().to_vec()),
            Ok(_) => {}
            Err(_) => return Err(refuse("holds something else than certificates")),
        }
    }
    if certificates.is_empty() {
        return Err(refuse("holds no certificate"));
    }
    Ok(Some(certificates))
}

/// Who sends requests, and whom it believes.
pub fn agent(authorities: Option<&[Vec<u8>]>, by: Deadline) -> Agent {
    let roots = match authorities {
        None => RootCerts::WebPki,
        Some(own) => {
            let own: Vec<_> = own
                .iter()
                .map(|der| Certificate::from_der(der).to_owned())
                .collect();
            RootCerts::new_with_certs(&own)
        }
    };
    Agent::config_builder()
        .timeout_global(Some(by.left().max(Duration::from_millis(50))))
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("syncmon/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
        .new_agent()
}

/// What an answer's status means: it counts, or not. `address` is the variable that holds the address.
pub fn judged(status: u16, address: &str) -> Result<(), Failure> {
    let remedy = match status {
        200..=299 => return Ok(()),
        300..=399 => "it leads elsewhere: write the address to which it does",
        401 | 403 | 404 | 410 => "check the address",
        400 | 413 | 422 => "check that the receiver takes this format",
        429 => "it has been sent too much; if it stays so, ask whoever runs it",
        _ => "if it stays so, ask whoever runs the receiver",
    };
    Err(Failure {
        plain: format!("The receiver answered with an error ({status})."),
        technical: format!("the receiver behind {address} answered {status}; {remedy}"),
        only_this: matches!(status, 400 | 413 | 422),
    })
}

/// Why there was no answer.
pub fn unanswered(error: &Error, address: &str, secrets: &Secrets, by: Deadline) -> Failure {
    let said = secrets.masked(&error.to_string());
    let is_late = |error: &std::io::Error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock
        )
    };
    let (plain, what, remedy) = match error {
        Error::Timeout(_) => return by.missed(),
        Error::Io(error) if is_late(error) => return by.missed(),
        Error::HostNotFound => (
            "The receiver could not be found.",
            "has a name that cannot be looked up".to_owned(),
            "check the address, and this machine's DNS",
        ),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => (
            "The identity of the receiver could not be confirmed.",
            format!("could not be trusted: {said}"),
            "check the address, and ca_file if it has an authority of its own",
        ),
        Error::Io(_) if said.contains("certificate") => (
            "The identity of the receiver could not be confirmed.",
            format!("could not be trusted: {said}"),
            "check the address, and ca_file if it has an authority of its own",
        ),
        _ => (
            "The receiver could not be reached.",
            format!("could not be reached: {said}"),
            "check the address, and that the receiver runs",
        ),
    };
    Failure {
        plain: plain.to_owned(),
        technical: format!("the receiver behind {address} {what}; {remedy}"),
        only_this: false,
    }
}
