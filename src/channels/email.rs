//! Mail, through a server that is asked to pass it on.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;

use super::http::authorities;
use super::side_by_side::{Deadline, Reporter};
use super::written::as_mail;
use super::{Email, Encryption, Secrets};
use crate::alerts::{Failure, Message};
use crate::failure::UsageError;

/// Shorter than this no step is given.
const SHORTEST: Duration = Duration::from_millis(50);

/// How far the conversation with the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Connect,
    Encrypt,
    LogIn,
    Send,
}

/// Has no `Debug`: it holds the password.
#[derive(Clone)]
pub struct Mailer {
    settings: Email,
    authorities: Option<Vec<Vec<u8>>>,
    secrets: Secrets,
}

impl Mailer {
    pub fn open(settings: &Email, secrets: &Secrets) -> Result<Mailer, UsageError> {
        Ok(Mailer {
            settings: settings.clone(),
            authorities: authorities(settings.ca_file.as_deref())?,
            secrets: secrets.clone(),
        })
    }

    pub fn names(&self) -> Vec<String> {
        let recipients = self.settings.to.iter();
        recipients
            .map(|to| format!("e-mail to {}", to.email))
            .collect()
    }

    /// Gives the server what waits for each recipient, one connection after the other where one breaks.
    pub fn deliver(&self, queues: &[(String, Vec<Message>)], by: Deadline, report: &Reporter) {
        let mut open = None;
        let recipients = self.settings.to.iter().zip(self.names());
        let recipients: Vec<_> = recipients
            .filter_map(|(to, name)| {
                let queue = queues.iter().find(|(channel, _)| *channel == name)?;
                Some((to, queue))
            })
            .collect();
        for &(to, (channel, messages)) in &recipients {
            for message in messages {
                let connection = match open.take().map_or_else(|| self.connect(by), Ok) {
                    Ok(connection) => open.insert(connection),
                    Err(failure) => {
                        // Nobody's mail gets through.
                        for (_, (channel, _)) in &recipients {
                            report.failed(channel, failure.clone());
                        }
                        return;
                    }
                };
                let sent = self.send(connection, to, message, by);
                if connection.has_broken() {
                    open = None;
                }
                match sent {
                    Ok(()) => report.delivered(channel, &message.key),
                    Err(failure) => {
                        let goes_on = failure.only_this;
                        report.failed(channel, failure);
                        if !goes_on {
                            break;
                        }
                    }
                }
            }
        }
        if let Some(mut connection) = open {
            let _ = connection.quit();
        }
    }

    /// A connection on which mail may be sent: encrypted and with a password where that is configured.
    fn connect(&self, by: Deadline) -> Result<SmtpConnection, Failure> {
        let Email {
            host,
            port,
            encryption,
            ..
        } = &self.settings;
        let hello = ClientId::Domain(self.settings.from.email.domain().to_owned());
        let parameters = self
            .tls_parameters()
            .map_err(|e| self.failure(Step::Connect, &e, by))?;
        let at_once = (*encryption == Encryption::Tls).then_some(&parameters);
        let server = (host.as_str(), *port);
        let mut connection = SmtpConnection::connect(server, Some(left(by)), &hello, at_once, None)
            .map_err(|error| self.failure(Step::Connect, &error, by))?;
        if *encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                connection.abort();
                return Err(Failure {
                    plain: "The mail server offers no encryption.".to_owned(),
                    technical: format!(
                        "the mail server {host}:{port} does not offer STARTTLS, so nothing was sent; check host and \
                         port in [alerts.email], or set tls = \"tls\" if it is encrypted from the beginning"
                    ),
                    only_this: false,
                });
            }
            let _ = connection.set_timeout(Some(left(by)));
            connection
                .starttls(&parameters, &hello)
                .map_err(|error| self.failure(Step::Encrypt, &error, by))?;
        }
        if let Some(login) = &self.secrets.smtp {
            let credentials = Credentials::new(login.user.clone(), login.password.clone());
            let _ = connection.set_timeout(Some(left(by)));
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .map_err(|error| self.failure(Step::LogIn, &error, by))?;
        }
        Ok(connection)
    }

    fn tls_parameters(&self) -> Result<TlsParameters, Error> {
        let mut builder = TlsParameters::builder(self.settings.host.clone());
        if let Some(own) = &self.authorities {
            builder = builder.certificate_store(CertificateStore::None);
            for der in own {
                builder = builder.add_root_certificate(Certificate::from_der(der.clone())?);
            }
        }
        builder.build_rustls()
    }

    fn send(
        &self,
        connection: &mut SmtpConnection,
        to: &Mailbox,
        message: &Message,
        by: Deadline,
    ) -> Result<(), Failure> {
        let unfit = |error: &dyn std::fmt::Display| Failure {
            plain: "A message could not be written as mail.".to_owned(),
            technical: format!(
                "a message could not be written as mail: {error}; please report this"
            ),
            only_this: true,
        };
        let mail = as_mail(message, &self.settings).map_err(|error| unfit(&error))?;
        let from = Some(self.settings.from.email.clone());
        let envelope =
            Envelope::new(from, vec![to.email.clone()]).map_err(|error| unfit(&error))?;
        let _ = connection.set_timeout(Some(left(by)));
        connection
            .send(&envelope, &mail.formatted())
            .map(drop)
            .map_err(|error| self.failure(Step::Send, &error, by))
    }

    /// What went wrong at a step.
    fn failure(&self, step: Step, error: &Error, by: Deadline) -> Failure {
        if error.is_timeout() {
            return by.missed();
        }
        let server = format!(
            "the mail server {}:{}",
            self.settings.host, self.settings.port
        );
        let said = self.secrets.masked(&full(error));
        let (plain, what, remedy) = match step {
            _ if error.is_transient() => (
                "The mail server asks to be tried again later.",
                format!("{server} asks to be tried again later: {said}"),
                "if it stays so, ask whoever runs it",
            ),
            Step::LogIn if error.is_permanent() => (
                "The mail server did not accept the user or the password.",
                format!("{server} refused the user or the password: {said}"),
                "check SYNCMON_SMTP_USER and SYNCMON_SMTP_PASSWORD",
            ),
            Step::Connect | Step::Encrypt | Step::Send if error.is_permanent() => (
                "The mail server refused the message.",
                format!("{server} refused the message: {said}"),
                "check the addresses in [alerts.email], and whether the server asks for a password",
            ),
            _ if error.is_tls() || said.contains("certificate") => (
                "The identity of the mail server could not be confirmed.",
                format!("no trusted encrypted connection to {server}: {said}"),
                "check host, tls and ca_file in [alerts.email]",
            ),
            Step::LogIn => (
                "Logging in to the mail server failed.",
                format!("logging in to {server} failed: {said}"),
                "check tls in [alerts.email], and whether the server takes a password in this way",
            ),
            Step::Connect | Step::Encrypt => (
                "The mail server could not be reached.",
                format!("connecting to {server} failed: {said}"),
                "check host, port and tls in [alerts.email], and that it runs",
            ),
            Step::Send => (
                "The mail server did not take the message.",
                format!("sending through {server} failed: {said}"),
                "if it stays so, ask whoever runs it",
            ),
        };
        Failure {
            plain: plain.to_owned(),
            technical: format!("{what}; {remedy}"),
            only_this: step == Step::Send && error.is_permanent(),
        }
    }
}

/// An error and what caused it, without saying anything twice.
fn full(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn left(by: Deadline) -> Duration {
    by.left().max(SHORTEST)
}
