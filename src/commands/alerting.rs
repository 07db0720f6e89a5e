//! After a build: people are told what has changed, and whoever waits for a sign of life gets one. Nothing here
//! makes a build fail, or keeps it longer than the configured time.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use super::Outcome;
use super::progress::Progress;
use super::telling::say;
use crate::alerts::{Seen, Standing, Undelivered, decide};
use crate::channels::{Channels, Ended, Ping, Pinging, Secrets, deliver, send_ping};
use crate::config::Alerts;
use crate::failure::UsageError;
use crate::health::Assessment;
use crate::kept::{Alone, Earlier, Kept};
use crate::views::{Site, alert};

/// How long to wait for another build that tells people of the same database.
const PATIENCE: Duration = Duration::from_secs(1);

/// Those who are to be told.
pub struct Alerting<'a> {
    settings: &'a Alerts,
    channels: Channels,
    names: Vec<String>,
    ping: Option<Ping>,
    url: Option<String>,
    published: bool,
    news: Option<News>,
}

/// What waits to be sent, kept on disk.
struct News {
    kept: Kept,
    standing: Standing,
    now: DateTime<Utc>,
    _alone: Alone,
}

impl<'a> Alerting<'a> {
    /// Refuses what cannot work. A demo tells nobody.
    pub fn prepared(
        settings: &'a Alerts,
        url: Option<String>,
        demo: bool,
    ) -> Result<Alerting<'a>, UsageError> {
        let (channels, ping) = if demo {
            (Channels::default(), None)
        } else {
            let secrets = Secrets::from_environment()?;
            (
                Channels::open(&settings.channels, &secrets)?,
                Ping::of(&secrets),
            )
        };
        Ok(Alerting {
            settings,
            names: channels.names(),
            channels,
            ping,
            url,
            published: false,
            news: None,
        })
    }

    /// For the page: where alerts did not get out; `None` if nobody is to be alerted.
    pub fn undelivered(&self, kept: &Kept) -> Option<Vec<Undelivered>> {
        if self.names.is_empty() {
            return None;
        }
        match kept.standing() {
            Earlier::Known(mut standing) => {
                standing.outbox.keep_only(&self.names);
                Some(standing.outbox.undelivered())
            }
            Earlier::Nothing | Earlier::Unusable(_) => Some(Vec::new()),
        }
    }

    /// Decides what a published assessment is to people, and keeps it for [`Alerting::tell`].
    pub fn decide(&mut self, assessment: &Assessment, site: Site, kept: Kept, database: &str) {
        self.published = true;
        if self.names.is_empty() {
            return;
        }
        match self.decided(assessment, site, kept, database) {
            Ok(news) => self.news = Some(news),
            Err(error) => {
                let _ = say(&format!(
                    "nobody is alerted by this build: {error:#}; the next build tries again"
                ));
            }
        }
    }

    fn decided(
        &self,
        assessment: &Assessment,
        site: Site,
        kept: Kept,
        database: &str,
    ) -> Result<News> {
        let now = site.speaker.now;
        let alone = kept
            .alone_with_standing(PATIENCE.min(self.settings.channels.timeout))
            .context("another build may be telling people of the same database")?;
        let before = match kept.standing() {
            Earlier::Known(standing) => standing,
            Earlier::Nothing => Standing::default(),
            Earlier::Unusable(why) => {
                let _ = say(&format!(
                    "what people were told is not known any more: {why}"
                ));
                Standing::lost()
            }
        };
        let mut standing = before.clone();
        standing.outbox.keep_only(&self.names);
        let seen = Seen::of(assessment);
        let (memory, occasions) = decide(standing.memory, &seen, self.settings.rules, now);
        standing.memory = memory;
        for occasion in occasions {
            let key = occasion.key(database);
            let message = alert(&occasion, key, assessment, site, self.url.as_deref());
            standing.outbox.add(&message, &self.names);
        }
        // Before anything is sent: whoever dies in between sends it next time, under the same key.
        if standing != before {
            kept.keep_standing(&standing)?;
        }
        Ok(News {
            kept,
            standing,
            now,
            _alone: alone,
        })
    }

    /// Sends what has been decided and what was left over, and the sign of life, side by side.
    pub fn tell(self, ended: &Result<Outcome>, progress: &mut Progress) {
        let timeout = self.settings.channels.timeout;
        let ping = self.ping.as_ref().zip(sign(ended, self.published));
        let pinging = ping.map(|(ping, ended)| send_ping(ping, ended, timeout));
        let news = self.news.filter(|news| !news.standing.outbox.is_empty());
        if news.is_some() || pinging.is_some() {
            progress.step("sending alerts and the sign of life");
        }
        if let Some(news) = news {
            send(&self.channels, &self.names, news, timeout);
        }
        if let Some(Err(failure)) = pinging.as_ref().map(Pinging::end) {
            let _ = say(&format!(
                "the sign of life in SYNCMON_PING_URL did not get out: {}",
                failure.technical
            ));
        }
    }
}

/// What whoever waits for a sign of life is told; nothing where another build is at work, or where what was asked
/// for cannot be done.
fn sign(ended: &Result<Outcome>, published: bool) -> Option<Ended> {
    match ended {
        Ok(Outcome::Done) => published.then_some(Ended::Well),
        Ok(
            Outcome::Unreadable
            | Outcome::NotAllDelivered
            | Outcome::Broken
            | Outcome::Ended(_)
            | Outcome::NotStarted(_)
            | Outcome::Judged(_),
        ) => Some(Ended::Badly),
        Err(error) => error
            .downcast_ref::<UsageError>()
            .is_none()
            .then_some(Ended::Badly),
    }
}

fn send(channels: &Channels, names: &[String], news: News, timeout: Duration) {
    let News {
        kept,
        mut standing,
        now,
        _alone,
    } = news;
    let queues = names
        .iter()
        .map(|name| (name.clone(), standing.outbox.waiting(name).to_vec()))
        .collect();
    // Of one reason is said once for whom it holds.
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for tried in deliver(channels, queues, timeout) {
        let failure = tried.failure.as_ref();
        let given_up = standing
            .outbox
            .settle(&tried.channel, &tried.delivered, failure, now);
        if let Some(failure) = failure {
            let next = match given_up {
                0 => "each build tries again".to_owned(),
                lost => format!(
                    "each build tries again, but of {lost} it is a week ago, and those are given up"
                ),
            };
            reasons
                .entry(format!("{}; {next}", failure.technical))
                .or_default()
                .push(tried.channel);
        }
    }
    for (reason, of) in reasons {
        let _ = say(&format!(
            "alerts do not get out by {}: {reason}",
            of.join(", ")
        ));
    }
    if let Err(error) = kept.keep_standing(&standing) {
        let _ = say(&format!(
            "what was sent is sent again by the next build, under the same keys: {error:#}"
        ));
    }
}
