//! `syncmon notify --test`: does what is configured reach people?

use std::fmt::Write;

use anyhow::Result;
use chrono::{SubsecRound, Utc};

use super::Outcome;
use super::progress::Progress;
use super::telling::tell;
use crate::channels::{Channels, Secrets, deliver};
use crate::cli::NotifyOptions;
use crate::config::Config;
use crate::failure::UsageError;
use crate::text::fnv1a;
use crate::views::{Site, Speaker, test_message};

pub fn test(options: &NotifyOptions) -> Result<Outcome> {
    let now = Utc::now().trunc_subsecs(6);
    let config = Config::load(options.config.as_deref())?;
    let channels = Channels::open(&config.alerts.channels, &Secrets::from_environment()?)?;
    let names = channels.names();
    if names.is_empty() {
        return Err(UsageError::new(
            "nobody is to be alerted: write [alerts.email], [alerts.webhook] or [alerts.command] into syncmon.toml; \
             syncmon.example.toml shows how",
        )
        .into());
    }
    let site = Site {
        title: &config.title,
        footer: None,
        demo: false,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
        undelivered: None,
        url: config.url.as_ref(),
        feed: config.outputs.feed,
    };
    let key = format!(
        "syncmon-test-{:016x}",
        fnv1a(now.timestamp_micros().to_string())
    );
    let message = test_message(key, site, config.url.as_ref().map(url::Url::as_str));
    let queues = names
        .iter()
        .map(|name| (name.clone(), vec![message.clone()]))
        .collect();
    let mut progress = Progress::begin(false);
    progress.step(&format!("sending a message by {}", names.join(", ")));
    let mut told = String::new();
    let mut outcome = Outcome::Done;
    for tried in deliver(&channels, queues, config.alerts.channels.timeout) {
        match tried.failure {
            None => writeln!(told, "{}: ok", tried.channel)?,
            Some(failure) => {
                writeln!(told, "{}: {}", tried.channel, failure.technical)?;
                outcome = Outcome::NotAllDelivered;
            }
        }
    }
    tell(&told)?;
    Ok(outcome)
}
