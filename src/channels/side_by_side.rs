//! All channels at once, none waited for beyond the deadline.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::{COMMAND, Channels, Ended, Ping, WEBHOOK};
use crate::alerts::{Failure, Message};

/// What became of the messages for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub channel: String,
    /// The keys of the messages that it has taken.
    pub delivered: Vec<String>,
    /// Why it has not taken the others, if there are any.
    pub failure: Option<Failure>,
}

/// When nobody waits any more.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    by: Instant,
    within: Duration,
}

impl Deadline {
    fn in_time(within: Duration) -> Deadline {
        Deadline {
            by: Instant::now() + within,
            within,
        }
    }

    pub fn left(self) -> Duration {
        self.by.saturating_duration_since(Instant::now())
    }

    /// Why what should have come by now has failed.
    pub fn missed(self) -> Failure {
        Failure {
            plain: "There was no answer in time.".to_owned(),
            technical: format!(
                "no answer within {}; check that the other side runs and that a firewall lets this machine through, \
                 or allow more time with timeout in [alerts]",
                humantime::format_duration(self.within)
            ),
            only_this: false,
        }
    }
}

/// Through which a channel tells of each message at once: whatever it does next may never end.
pub struct Reporter(Sender<Report>);

struct Report {
    channel: String,
    outcome: Result<String, Failure>,
}

impl Reporter {
    pub fn delivered(&self, channel: &str, key: &str) {
        self.tell(channel, Ok(key.to_owned()));
    }

    pub fn failed(&self, channel: &str, failure: Failure) {
        self.tell(channel, Err(failure));
    }

    /// Nobody listens any more once the deadline has passed.
    fn tell(&self, channel: &str, outcome: Result<String, Failure>) {
        let channel = channel.to_owned();
        let _ = self.0.send(Report { channel, outcome });
    }
}

/// Gives each channel what waits for it, oldest first, until the deadline.
pub fn deliver(
    channels: &Channels,
    queues: Vec<(String, Vec<Message>)>,
    within: Duration,
) -> Vec<Tried> {
    let deadline = Deadline::in_time(within);
    let mut tried: BTreeMap<String, (Tried, usize)> = BTreeMap::new();
    for (channel, messages) in queues.iter().filter(|(_, messages)| !messages.is_empty()) {
        let nothing_yet = Tried {
            channel: channel.clone(),
            delivered: Vec::new(),
            failure: None,
        };
        tried.insert(channel.clone(), (nothing_yet, messages.len()));
    }
    let reports = begin(channels, queues, deadline);
    let ending = loop {
        match reports.recv_timeout(deadline.left()) {
            Ok(report) => {
                if let Some((tried, _)) = tried.get_mut(&report.channel) {
                    match report.outcome {
                        Ok(key) => tried.delivered.push(key),
                        Err(failure) => tried.failure = Some(failure),
                    }
                }
            }
            Err(ending) => break ending,
        }
    };
    let unanswered = match ending {
        RecvTimeoutError::Timeout => deadline.missed(),
        RecvTimeoutError::Disconnected => Failure {
            plain: "Sending came to an unexpected end.".to_owned(),
            technical: "sending came to an unexpected end; please report this".to_owned(),
            only_this: false,
        },
    };
    tried
        .into_values()
        .map(|(mut tried, messages)| {
            tried.failure = if tried.delivered.len() < messages {
                Some(tried.failure.unwrap_or_else(|| unanswered.clone()))
            } else {
                None
            };
            tried
        })
        .collect()
}

/// Starts a thread a channel. Those that hang are left to the end of the process.
fn begin(
    channels: &Channels,
    mut queues: Vec<(String, Vec<Message>)>,
    by: Deadline,
) -> Receiver<Report> {
    let (sender, reports) = channel();
    let mut of = |name: &str| {
        let place = queues.iter().position(|(channel, _)| channel == name);
        place
            .map(|place| queues.swap_remove(place).1)
            .unwrap_or_default()
    };
    let (for_webhook, for_command) = (of(WEBHOOK), of(COMMAND));
    if let Some(receiver) = channels
        .receiver
        .clone()
        .filter(|_| !for_webhook.is_empty())
    {
        aside(&sender, move |report| {
            receiver.deliver(&for_webhook, by, report);
        });
    }
    if let Some(command) = channels.command.clone().filter(|_| !for_command.is_empty()) {
        aside(&sender, move |report| {
            command.deliver(&for_command, by, report);
        });
    }
    if let Some(mailer) = channels.mailer.clone().filter(|_| !queues.is_empty()) {
        aside(&sender, move |report| mailer.deliver(&queues, by, report));
    }
    reports
}

fn aside(sender: &Sender<Report>, work: impl FnOnce(&Reporter) + Send + 'static) {
    let report = Reporter(sender.clone());
    // Without a thread nothing is delivered, and the next build tries again.
    let _ = std::thread::Builder::new().spawn(move || work(&report));
}

/// The address of the ping, while it is being called.
pub struct Pinging {
    answer: Receiver<Result<(), Failure>>,
    deadline: Deadline,
}

/// Begins to call the address of the ping.
pub fn send_ping(ping: &Ping, ended: Ended, within: Duration) -> Pinging {
    let (done, answer) = channel();
    let ping = ping.clone();
    let deadline = Deadline::in_time(within);
    let _ = std::thread::Builder::new().spawn(move || {
        let _ = done.send(ping.send(ended, deadline));
    });
    Pinging { answer, deadline }
}

impl Pinging {
    /// Waits for the answer until the deadline.
    pub fn end(&self) -> Result<(), Failure> {
        let answer = self.answer.recv_timeout(self.deadline.left());
        answer.unwrap_or_else(|_| Err(self.deadline.missed()))
    }
}
