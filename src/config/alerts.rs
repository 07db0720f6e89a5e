//! `[alerts]`: who is told when, checked. Secrets have no place in the file.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde::Deserialize;
use toml::Spanned;

use super::source::Source;
use crate::alerts::Rules;
use crate::channels::{self, CommandLine, Email, Encryption, Format, Webhook};
use crate::failure::UsageError;
use crate::text::word;

/// In how many builds in a row a change can be asked to be seen.
const MOST_BUILDS: i64 = 12;

/// So many people can be written to.
const MOST_RECIPIENTS: usize = 20;

/// Whom to alert, when, and in which ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    pub rules: Rules,
    pub channels: channels::Settings,
}

/// `[alerts]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertsTable {
    after: Option<Spanned<i64>>,
    remind: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    email: Option<EmailTable>,
    webhook: Option<WebhookTable>,
    command: Option<CommandTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailTable {
    to: Spanned<Vec<Spanned<String>>>,
    from: Spanned<String>,
    host: Spanned<String>,
    port: Option<Spanned<i64>>,
    tls: Option<Spanned<String>>,
    ca_file: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    format: Option<Spanned<String>>,
    ca_file: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandTable {
    program: Spanned<String>,
    args: Option<Vec<String>>,
}

impl Source<'_> {
    pub fn alerts(&self, table: Option<&AlertsTable>) -> Result<Alerts, UsageError> {
        let nothing = AlertsTable::default();
        let table = table.unwrap_or(&nothing);
        Ok(Alerts {
            rules: Rules {
                after: self.builds(table.after.as_ref())?,
                remind: self.duration("remind", table.remind.as_ref(), TimeDelta::hours(24))?,
            },
            channels: channels::Settings {
                timeout: self.timeout("timeout", table.timeout.as_ref(), 10)?,
                email: table.email.as_ref().map(|t| self.email(t)).transpose()?,
                webhook: table
                    .webhook
                    .as_ref()
                    .map(|t| self.webhook(t))
                    .transpose()?,
                command: table
                    .command
                    .as_ref()
                    .map(|t| self.command(t))
                    .transpose()?,
            },
        })
    }

    fn builds(&self, value: Option<&Spanned<i64>>) -> Result<usize, UsageError> {
        let Some(value) = value else {
            return Ok(1);
        };
        let builds = usize::try_from(*value.as_ref()).ok();
        builds
            .filter(|_| (1..=MOST_BUILDS).contains(value.as_ref()))
            .ok_or_else(|| {
                let problem = format!(
                    "{} is not a number of builds between 1 and {MOST_BUILDS}; write for example 2",
                    value.as_ref()
                );
                self.refuse(value.span(), "after", &problem)
            })
    }

    fn email(&self, table: &EmailTable) -> Result<Email, UsageError> {
        let recipients = table.to.as_ref();
        if recipients.is_empty() || recipients.len() > MOST_RECIPIENTS {
            let problem = format!(
                "names {} addresses; write between 1 and {MOST_RECIPIENTS}, for example [\"ana@example.org\"]",
                recipients.len()
            );
            return Err(self.refuse(table.to.span(), "to", &problem));
        }
        let to = recipients.iter().map(|one| self.mailbox("to", one));
        let host = table.host.as_ref().trim();
        let encryption = self.encryption(table.tls.as_ref(), host)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
        if host.is_empty() || !host.chars().all(is_name) {
            let problem = format!(
                "{:?} is not the name of a mail server; write for example \"smtp.example.org\", and the port as port",
                word(host)
            );
            return Err(self.refuse(table.host.span(), "host", &problem));
        }
        Ok(Email {
            to: to.collect::<Result<_, _>>()?,
            from: self.mailbox("from", &table.from)?,
            host: host.to_owned(),
            port: self.port(table.port.as_ref(), encryption)?,
            encryption,
            ca_file: self.file_beside(table.ca_file.as_ref()),
        })
    }

    fn mailbox(
        &self,
        key: &str,
        value: &Spanned<String>,
    ) -> Result<lettre::message::Mailbox, UsageError> {
        value.as_ref().trim().parse().map_err(|_| {
            let problem = format!(
                "{:?} is not a mail address; write for example \"ana@example.org\"",
                word(value.as_ref())
            );
            self.refuse(value.span(), key, &problem)
        })
    }

    fn encryption(
        &self,
        value: Option<&Spanned<String>>,
        host: &str,
    ) -> Result<Encryption, UsageError> {
        let Some(value) = value else {
            return Ok(Encryption::StartTls);
        };
        match value.as_ref().as_str() {
            "starttls" => Ok(Encryption::StartTls),
            "tls" => Ok(Encryption::Tls),
            "none" if channels::is_local(host) => Ok(Encryption::None),
            "none" => {
                let problem = "\"none\" is for a mail server on this machine only; write \"starttls\" or \"tls\"";
                Err(self.refuse(value.span(), "tls", problem))
            }
            other => {
                let problem = format!(
                    "{:?} is none of \"starttls\", \"tls\" (encrypted from the beginning) and \"none\" (on this \
                     machine only); write one of these",
                    word(other)
                );
                Err(self.refuse(value.span(), "tls", &problem))
            }
        }
    }

    fn port(
        &self,
        value: Option<&Spanned<i64>>,
        encryption: Encryption,
    ) -> Result<u16, UsageError> {
        let Some(value) = value else {
            return Ok(match encryption {
                Encryption::StartTls => 587,
                Encryption::Tls => 465,
                Encryption::None => 25,
            });
        };
        let port = u16::try_from(*value.as_ref()).ok();
        port.filter(|&port| port > 0).ok_or_else(|| {
            let problem = format!("{} is not a port; write for example 587", value.as_ref());
            self.refuse(value.span(), "port", &problem)
        })
    }

    fn webhook(&self, table: &WebhookTable) -> Result<Webhook, UsageError> {
        let format = match table.format.as_ref() {
            None => Format::Json,
            Some(value) => match value.as_ref().as_str() {
                "json" => Format::Json,
                "slack" => Format::Slack,
                other => {
                    let problem = format!(
                        "{:?} is neither \"json\" nor \"slack\"; write one of these",
                        word(other)
                    );
                    return Err(self.refuse(value.span(), "format", &problem));
                }
            },
        };
        Ok(Webhook {
            format,
            ca_file: self.file_beside(table.ca_file.as_ref()),
        })
    }

    fn command(&self, table: &CommandTable) -> Result<CommandLine, UsageError> {
        let arguments = table.args.clone().unwrap_or_default();
        let program = table.program.as_ref();
        if program.trim().is_empty() || program.contains('\0') {
            let problem = "is empty; name a program, for example \"/usr/local/bin/page-somebody\"";
            return Err(self.refuse(table.program.span(), "program", problem));
        }
        if arguments.iter().any(|argument| argument.contains('\0')) {
            let problem = "args holds a character that cannot be seen (U+0000); take it out";
            return Err(self.refuse(table.program.span(), "program", problem));
        }
        Ok(CommandLine {
            program: program.clone(),
            arguments,
        })
    }

    /// A file that the configuration names, relative to it.
    fn file_beside(&self, value: Option<&Spanned<String>>) -> Option<PathBuf> {
        let folder = self.path.parent().unwrap_or(self.path);
        value.map(|name| folder.join(name.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    fn alerts(text: &str) -> Result<Alerts, String> {
        let config = Config::parse(text, Path::new("/etc/syncmon/syncmon.toml"));
        config
            .map(|config| config.alerts)
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn nobody_is_alerted_unless_that_is_configured() {
        let alerts = alerts("").unwrap();
        assert_eq!(alerts.rules.after, 1);
        assert_eq!(alerts.rules.remind, TimeDelta::hours(24));
        assert_eq!(alerts.channels.timeout, Duration::from_secs(10));
        assert_eq!(alerts.channels.email, None);
        assert_eq!(alerts.channels.webhook, None);
        assert_eq!(alerts.channels.command, None);
    }

    #[test]
    fn the_encryption_brings_its_usual_port() {
        let email = |rest: &str| {
            let text = format!(
                "[alerts.email]\nto = [\"ana@example.org\"]\nfrom = \"syncmon@example.org\"\n{rest}"
            );
            let email = alerts(&text).unwrap().channels.email.unwrap();
            (email.encryption, email.port)
        };
        let elsewhere = "host = \"smtp.example.org\"\n";
        assert_eq!(email(elsewhere), (Encryption::StartTls, 587));
        assert_eq!(
            email(&format!("{elsewhere}tls = \"tls\"")),
            (Encryption::Tls, 465)
        );
        assert_eq!(
            email("host = \"localhost\"\ntls = \"none\""),
            (Encryption::None, 25)
        );
        assert_eq!(
            email("host = \"127.0.0.1\"\ntls = \"none\"\nport = 2525"),
            (Encryption::None, 2525)
        );
    }

    #[test]
    fn files_are_named_relative_to_the_configuration() {
        let webhook = alerts("[alerts.webhook]\nca_file = \"ca.pem\"")
            .unwrap()
            .channels
            .webhook
            .unwrap();
        assert_eq!(
            webhook.ca_file.as_deref(),
            Some(Path::new("/etc/syncmon/ca.pem"))
        );
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line_and_a_remedy() {
        let email = "[alerts.email]\nto = [\"ana@example.org\"]\nfrom = \"syncmon@example.org\"\nhost = \"h\"\n";
        for (text, line, key, remedy) in [
            ("[alerts]\nafter = 0", 2, "after", "for example 2"),
            ("[alerts]\nafter = 13", 2, "after", "between 1 and 12"),
            ("[alerts]\nremind = \"daily\"", 2, "remind", "\"90min\""),
            ("[alerts]\ntimeout = \"0s\"", 2, "timeout", "\"10s\""),
            ("[alerts]\nurl = \"https://x\"", 2, "url", "spelling"),
            (
                "[alerts.email]\nto = []\nfrom = \"a@b.org\"\nhost = \"h\"",
                2,
                "to",
                "between 1 and 20",
            ),
            (
                "[alerts.email]\nto = [\"a\"]\nfrom = \"a@b.org\"\nhost = \"h\"",
                2,
                "to",
                "ana@example.org",
            ),
            (
                "[alerts.email]\nto = [\"a@b.org\"]\nfrom = \"b\"\nhost = \"h\"",
                3,
                "from",
                "ana@example.org",
            ),
            (
                "[alerts.email]\nto = [\"a@b.org\"]\nfrom = \"a@b.org\"\nhost = \"smtp://h\"",
                4,
                "host",
                "smtp.example.org",
            ),
            (
                &format!("{email}tls = \"none\""),
                5,
                "tls",
                "on this machine only",
            ),
            (&format!("{email}tls = \"ssl\""), 5, "tls", "\"starttls\""),
            (&format!("{email}port = 70000"), 5, "port", "587"),
            (
                &format!("{email}password = \"S3cret\""),
                5,
                "password",
                "spelling",
            ),
            (
                "[alerts.webhook]\nformat = \"xml\"",
                2,
                "format",
                "\"slack\"",
            ),
            (
                "[alerts.webhook]\nurl = \"https://x\"",
                2,
                "url",
                "spelling",
            ),
            (
                "[alerts.command]\nprogram = \"\"",
                2,
                "program",
                "name a program",
            ),
        ] {
            let message = alerts(text).expect_err(text);
            let place = format!("/etc/syncmon/syncmon.toml, line {line}, {key}");
            assert!(message.starts_with(&place), "{text:?}: {message}");
            assert!(message.contains(remedy), "{text:?}: {message}");
            assert!(!message.contains("S3cret"), "{message}");
        }
    }
}
