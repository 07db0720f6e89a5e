//! What every channel has still to be given, in order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Kind, Message};

/// So many messages wait for a channel; after that the oldest is given up.
const MOST_WAITING: usize = 50;

/// For so long a message is tried; after that it is given up.
const LONGEST_TRIED: TimeDelta = TimeDelta::days(7);

/// The messages that wait, by the name of their channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    channels: BTreeMap<String, Queue>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Queue {
    /// Oldest first.
    waiting: Vec<Message>,
    trouble: Option<Trouble>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Trouble {
    since: DateTime<Utc>,
    /// For the page: one plain sentence without technical terms or secrets.
    plain: String,
}

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For the page: one plain sentence without technical terms or secrets.
    pub plain: String,
    /// For whoever runs syncmon: what failed, and what to do; no secrets.
    pub technical: String,
    /// The channel works, but does not take this message: the next one may be tried.
    pub only_this: bool,
}

/// A channel through which alerts do not get out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub channel: String,
    /// The first build that could not deliver.
    pub since: DateTime<Utc>,
    /// One plain sentence.
    pub message: String,
    pub waiting: usize,
}

impl Outbox {
    /// Channels that are not configured any more are forgotten, with what waits for them.
    pub fn keep_only(&mut self, channels: &[String]) {
        self.channels
            .retain(|channel, _| channels.contains(channel));
    }

    /// Puts a message last in the queue of each channel. A reminder takes the place of an older one that still
    /// waits.
    pub fn add(&mut self, message: &Message, channels: &[String]) {
        for channel in channels {
            let queue = self.channels.entry(channel.clone()).or_default();
            if message.kind == Kind::Reminder {
                queue.waiting.retain(|older| {
                    older.kind != Kind::Reminder
                        || (older.about, older.since) != (message.about, message.since)
                });
            }
            queue.waiting.push(message.clone());
            let too_many = queue.waiting.len().saturating_sub(MOST_WAITING);
            queue.waiting.drain(..too_many);
        }
    }

    /// What waits for a channel, oldest first.
    pub fn waiting(&self, channel: &str) -> &[Message] {
        self.channels
            .get(channel)
            .map_or(&[], |queue| queue.waiting.as_slice())
    }

    pub fn is_empty(&self) -> bool {
        self.channels.values().all(|queue| queue.waiting.is_empty())
    }

    /// A channel was tried: it has taken the messages with these keys, and failed or not. Returns how many of its
    /// messages are too old to be tried again: those are given up.
    pub fn settle(
        &mut self,
        channel: &str,
        delivered: &[String],
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> usize {
        let Some(queue) = self.channels.get_mut(channel) else {
            return 0;
        };
        queue
            .waiting
            .retain(|message| !delivered.contains(&message.key));
        let since = queue.trouble.as_ref().map_or(now, |trouble| trouble.since);
        queue.trouble = failure.map(|failure| Trouble {
            since: since.min(now),
            plain: failure.plain.clone(),
        });
        let before = queue.waiting.len();
        if failure.is_some() {
            queue
                .waiting
                .retain(|message| now - message.at <= LONGEST_TRIED);
        }
        let given_up = before - queue.waiting.len();
        self.channels.retain(|_, queue| !queue.waiting.is_empty());
        given_up
    }

    /// The channels that failed when they were last tried.
    pub fn undelivered(&self) -> Vec<Undelivered> {
        let in_trouble = self.channels.iter().filter_map(|(channel, queue)| {
            queue.trouble.as_ref().map(|trouble| Undelivered {
                channel: channel.clone(),
                since: trouble.since,
                message: trouble.plain.clone(),
                waiting: queue.waiting.len(),
            })
        });
        in_trouble.collect()
    }
}
