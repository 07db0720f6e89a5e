//! The ways in which messages leave: e-mail, a webhook, a command; and the ping that says that builds happen.
//!
//! All of them are tried side by side, and none is waited for beyond the deadline.

mod command;
mod email;
mod http;
mod ping;
#[cfg(test)]
mod properties;
mod secrets;
mod side_by_side;
mod webhook;
pub mod written;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;

use crate::failure::UsageError;
use command::Command;
use email::Mailer;
pub use ping::{Ended, Ping};
pub use secrets::Secrets;
pub use side_by_side::{Pinging, Tried, deliver, send_ping};
use webhook::Receiver;

/// The channels that are configured, without their secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// For all of them together.
    pub timeout: Duration,
    pub email: Option<Email>,
    pub webhook: Option<Webhook>,
    pub command: Option<CommandLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub to: Vec<Mailbox>,
    pub from: Mailbox,
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    /// The only authorities to trust; `None` for the usual ones.
    pub ca_file: Option<PathBuf>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It begins in the clear, and nothing of worth is said before it is encrypted.
    StartTls,
    /// From the beginning.
    Tls,
    /// Not at all: on this machine only.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub format: Format,
    /// As for e-mail.
    pub ca_file: Option<PathBuf>,
}

/// What a webhook is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    /// A text, as Slack and what is compatible with it take it.
    Slack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub program: String,
    pub arguments: Vec<String>,
}

/// The channels, ready to send. Has no `Debug`: it holds secrets.
#[derive(Default)]
pub struct Channels {
    mailer: Option<Mailer>,
    receiver: Option<Receiver>,
    command: Option<Command>,
}

/// What the command's queue is called.
const COMMAND: &str = "command";

/// What the webhook's queue is called.
const WEBHOOK: &str = "webhook";

impl Channels {
    /// Refuses what cannot work: a secret that is missing, a file of authorities that cannot be read.
    pub fn open(settings: &Settings, secrets: &Secrets) -> Result<Channels, UsageError> {
        let email = settings.email.as_ref();
        let webhook = settings.webhook.as_ref();
        let command = settings.command.as_ref();
        Ok(Channels {
            mailer: email
                .map(|email| Mailer::open(email, secrets))
                .transpose()?,
            receiver: webhook
                .map(|hook| Receiver::open(hook, secrets))
                .transpose()?,
            command: command.map(|line| Command::new(line, secrets)),
        })
    }

    /// What the channels are called, one for every address that is written to: "e-mail to ana@example.org",
    /// "webhook", "command".
    pub fn names(&self) -> Vec<String> {
        let mails = self.mailer.iter().flat_map(Mailer::names);
        let webhook = self.receiver.iter().map(|_| WEBHOOK.to_owned());
        let command = self.command.iter().map(|_| COMMAND.to_owned());
        mails.chain(webhook).chain(command).collect()
    }
}

/// Whether a host is this machine, so that nothing said to it crosses a network.
pub fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
