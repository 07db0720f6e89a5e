//! A program of one's own, run once for each message.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::side_by_side::{Deadline, Reporter};
use super::written::as_json;
use super::{COMMAND, CommandLine, Secrets};
use crate::alerts::{Failure, Message};

/// So much earlier than the deadline a command is ended, so that it does not outlive the build.
const EARLIER: Duration = Duration::from_millis(250);

/// How long what a command has said may take to arrive after its end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// As much of what it says on standard error is kept, in bytes.
const LONGEST_WORDS: u64 = 2000;

/// What a command has no business to know.
const NOT_HANDED_ON: [&str; 8] = [
    "CREDENTIALS_DIRECTORY",
    "DATABASE_URL",
    "PGPASSWORD",
    "PGPASSFILE",
    "SYNCMON_SMTP_USER",
    "SYNCMON_SMTP_PASSWORD",
    "SYNCMON_WEBHOOK_URL",
    "SYNCMON_PING_URL",
];

#[derive(Clone)]
pub struct Command {
    line: CommandLine,
    secrets: Secrets,
}

impl Command {
    pub fn new(line: &CommandLine, secrets: &Secrets) -> Command {
        Command {
            line: line.clone(),
            secrets: secrets.clone(),
        }
    }

    pub fn deliver(&self, messages: &[Message], by: Deadline, report: &Reporter) {
        for message in messages {
            match self.run(message, by) {
                Ok(()) => report.delivered(COMMAND, &message.key),
                Err(failure) => return report.failed(COMMAND, failure),
            }
        }
    }

    fn run(&self, message: &Message, by: Deadline) -> Result<(), Failure> {
        let mut command = std::process::Command::new(&self.line.program);
        command
            .args(&self.line.arguments)
            .env("SYNCMON_ALERT_KEY", &message.key)
            .env("SYNCMON_ALERT_EVENT", name_of(message))
            .env("SYNCMON_ALERT_SUBJECT", &message.subject)
            .env("SYNCMON_ALERT_TEXT", &message.text)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        for name in NOT_HANDED_ON {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(|error| {
            self.failure(
                "The command could not be started.",
                &format!("cannot be started ({error})"),
            )
        })?;
        let words = talk(&mut child, &as_json(message).to_string());
        let ended = wait(
            &mut child,
            Instant::now() + by.left().saturating_sub(EARLIER),
        );
        let words = words.recv_timeout(LAST_WORDS).unwrap_or_default();
        match ended {
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("ended with exit code {code}"),
                    (None, signal) => format!("was killed by signal {}", signal.unwrap_or(0)),
                };
                let last = words.lines().rev().find(|line| !line.trim().is_empty());
                let said = last.map(|line| format!(": {}", self.secrets.masked(line)));
                let technical = format!("{how}{}", said.unwrap_or_default());
                Err(self.failure(&format!("The command {how}."), &technical))
            }
            None => Err(self.failure(
                "The command did not end in time.",
                "did not end in time, and was ended",
            )),
        }
    }

    fn failure(&self, plain: &str, what: &str) -> Failure {
        let program = crate::text::word(&self.line.program);
        Failure {
            plain: plain.to_owned(),
            technical: format!("{program} {what}; run it by hand with syncmon notify --test"),
            only_this: false,
        }
    }
}

fn name_of(message: &Message) -> String {
    let name = serde_json::to_value(message.kind).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

/// Hands over the message, and listens to what is said on standard error. Neither is waited for here.
fn talk(child: &mut Child, text: &str) -> Receiver<String> {
    let (done, words) = channel();
    let to = child.stdin.take();
    let from = child.stderr.take();
    let text = text.to_owned();
    let _ = std::thread::Builder::new().spawn(move || {
        // A command need not read it.
        let _ = to.map(|mut to| to.write_all(text.as_bytes()));
    });
    let _ = std::thread::Builder::new().spawn(move || {
        let mut said = Vec::new();
        if let Some(mut from) = from {
            let _ = from.by_ref().take(LONGEST_WORDS).read_to_end(&mut said);
            let _ = done.send(String::from_utf8_lossy(&said).into_owned());
            // What more it says goes nowhere, but must not stop it.
            let _ = std::io::copy(&mut from, &mut std::io::sink());
        }
    });
    words
}

/// How it ended; `None` if it had to be ended, with everything that it has started.
fn wait(child: &mut Child, by: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < by => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return None;
            }
        }
    }
}
