//! What only the environment tells: the mail server's user and password, and addresses that are secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::is_local;
use crate::failure::UsageError;
use crate::masking::{mask_known, percent_decoded};

/// Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secrets {
    pub(super) smtp: Option<Login>,
    pub(super) webhook: Option<Url>,
    pub(super) ping: Option<Url>,
}

/// Has no `Debug`.
#[derive(Clone)]
pub(super) struct Login {
    pub user: String,
    pub password: String,
}

impl Secrets {
    /// Reads `SYNCMON_SMTP_USER`, `SYNCMON_SMTP_PASSWORD`, `SYNCMON_WEBHOOK_URL` and `SYNCMON_PING_URL`.
    pub fn from_environment() -> Result<Secrets, UsageError> {
        let user = variable("SYNCMON_SMTP_USER")?;
        let password = variable("SYNCMON_SMTP_PASSWORD")?;
        let smtp = match (user, password) {
            (Some(user), Some(password)) => Some(Login { user, password }),
            (None, None) => None,
            (Some(_), None) => return Err(half("SYNCMON_SMTP_USER", "SYNCMON_SMTP_PASSWORD")),
            (None, Some(_)) => return Err(half("SYNCMON_SMTP_PASSWORD", "SYNCMON_SMTP_USER")),
        };
        Ok(Secrets {
            smtp,
            webhook: address("SYNCMON_WEBHOOK_URL")?,
            ping: address("SYNCMON_PING_URL")?,
        })
    }

    /// A text of somebody else's, in one line, without any of these secrets.
    pub(super) fn masked(&self, text: &str) -> String {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = mask_known(&line, &self.words()).chars().take(300).collect();
        shown.trim_end_matches(['.', ' ']).to_owned()
    }

    /// Every text that gives one of them away.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(Login { user, password }) = &self.smtp {
            words.extend([user.clone(), password.clone()]);
            // As the protocol has them.
            let plain = format!("\0{user}\0{password}");
            words.extend([&plain, user, password].map(|text| STANDARD.encode(text)));
        }
        for url in self.webhook.iter().chain(&self.ping) {
            words.push(url.to_string());
            words.push(url.path().trim_matches('/').to_owned());
            words.extend(url.password().map(str::to_owned));
            words.extend(url.query().map(str::to_owned));
            let parts = url.path().split('/').map(percent_decoded);
            let values = url.query_pairs().map(|(_, value)| value.into_owned());
            words.extend(parts.chain(values).filter(|word| word.len() >= 6));
        }
        words.retain(|word| !word.is_empty());
        words
    }
}

fn variable(name: &str) -> Result<Option<String>, UsageError> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(UsageError::new(format!(
            "{name} is not UTF-8; write it anew"
        ))),
    }
}

fn half(there: &str, missing: &str) -> UsageError {
    UsageError::new(format!(
        "{there} is set, but {missing} is not; set both, or none where the mail server asks for no password"
    ))
}

fn address(name: &str) -> Result<Option<Url>, UsageError> {
    let Some(text) = variable(name)? else {
        return Ok(None);
    };
    let url = Url::parse(text.trim()).ok().filter(|url| {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https" || url.scheme() == "http" && is_local(host)
    });
    url.map(Some).ok_or_else(|| {
        UsageError::new(format!(
            "{name} is not an address that begins with https:// (or http:// on this machine); its text is not \
             repeated here, as it may be a secret; write it as the receiver shows it"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_stays() {
        let secrets = Secrets {
            smtp: Some(Login {
                user: "mailer".to_owned(),
                password: "S3cret/pass".to_owned(),
            }),
            webhook: Url::parse(
                "https://hooks.example.org/services/T0AAAA/B0BBBB/c3cret?token=abcdefg",
            )
            .ok(),
            ping: Url::parse("https://hc.example.org/0b1a2c3d-aaaa").ok(),
        };
        for text in [
            "no entry for mailer",
            "wrong: S3cret/pass",
            "wrong: S3cret%2Fpass",
            "AUTH PLAIN AG1haWxlcgBTM2NyZXQvcGFzcw==",
            "AUTH LOGIN UzNjcmV0L3Bhc3M=",
            "GET /services/T0AAAA/B0BBBB/c3cret",
            "B0BBBB is not known",
            "token abcdefg",
            "https://hooks.example.org/services/T0AAAA/B0BBBB/c3cret?token=abcdefg",
            "no check 0b1a2c3d-aaaa",
        ] {
            let shown = secrets.masked(text);
            assert!(shown.contains("[masked]"), "{shown}");
            for secret in [
                "mailer", "S3cret", "AG1ha", "UzNj", "c3cret", "B0BBBB", "abcdefg", "0b1a2c3d",
            ] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}
