//! The served site, visited as a reader's browser would: by HTTP, step by step, with an end to waiting.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use url::Url;

use crate::failure::UsageError;

/// How long one answer may take, from looking up the name to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);

/// No page is looked at beyond.
const LARGEST: u64 = 4 << 20;

/// Somebody who asks a web server for pages.
pub struct Visitor {
    agent: Agent,
    /// The header that gives user and password; `None` if they are not known.
    authorization: Option<String>,
}

/// What a web server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// At most the first 4 MiB.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    Refused,
    TooLate,
    UnknownHost,
    /// In the words of the TLS library.
    Untrusted(String),
    Other(String),
}

impl Visitor {
    /// Somebody who knows user and password, or who does not. The authorities of `SSL_CERT_FILE` are trusted in place
    /// of the web's, where that names a file.
    pub fn new(credentials: Option<(&str, &str)>) -> Result<Visitor> {
        let mut tls = TlsConfig::builder();
        if let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
            tls = tls.root_certs(authorities(file.as_ref())?);
        }
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("syncmon/", env!("CARGO_PKG_VERSION"), " (doctor)"))
            .build()
            .into();
        let authorization = credentials
            .map(|(user, password)| BASE64_STANDARD.encode(format!("{user}:{password}")))
            .map(|encoded| format!("Basic {encoded}"));
        Ok(Visitor {
            agent,
            authorization,
        })
    }

    /// Whether user and password are known.
    pub fn has_a_key(&self) -> bool {
        self.authorization.is_some()
    }

    /// Asks for an address without user and password.
    pub fn knock(&self, url: &Url) -> Result<Answer, NoAnswer> {
        answered(self.agent.get(url.as_str()).call())
    }

    /// Asks with user and password, where they are known.
    pub fn enter(&self, url: &Url) -> Result<Answer, NoAnswer> {
        let mut request = self.agent.get(url.as_str());
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        answered(request.call())
    }
}

fn authorities(file: &std::path::Path) -> Result<RootCerts> {
    let bytes = std::fs::read(file).with_context(|| {
        format!(
            "SSL_CERT_FILE names {}, which cannot be read; correct or unset it",
            file.display()
        )
    })?;
    let certificates: Vec<_> = parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(UsageError::new(format!(
            "SSL_CERT_FILE names {}, which holds no certificate in PEM; correct or unset it",
            file.display()
        ))
        .into());
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn answered(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Answer, NoAnswer> {
    let mut response = response.map_err(|error| no_answer(&error))?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_ascii_lowercase(), value)
        })
        .collect();
    let mut body = Vec::new();
    response
        .body_mut()
        .as_reader()
        .take(LARGEST)
        .read_to_end(&mut body)
        .map_err(|error| from_io(&error))?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers,
        body,
    })
}

fn no_answer(error: &ureq::Error) -> NoAnswer {
    match error {
        ureq::Error::Io(error) => from_io(error),
        ureq::Error::Timeout(_) => NoAnswer::TooLate,
        ureq::Error::HostNotFound => NoAnswer::UnknownHost,
        ureq::Error::Rustls(error) => NoAnswer::Untrusted(error.to_string()),
        ureq::Error::ConnectionFailed => NoAnswer::Refused,
        other => NoAnswer::Other(other.to_string()),
    }
}

fn from_io(error: &std::io::Error) -> NoAnswer {
    match error.kind() {
        ErrorKind::ConnectionRefused => NoAnswer::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => NoAnswer::TooLate,
        ErrorKind::InvalidData => NoAnswer::Untrusted(error.to_string()),
        _ => NoAnswer::Other(error.to_string()),
    }
}
