//! A message as JSON, to an address that is a secret.

use serde_json::json;
use url::Url;

use super::http::{agent, authorities, judged, unanswered};
use super::side_by_side::{Deadline, Reporter};
use super::written::{as_json, for_slack};
use super::{Format, Secrets, WEBHOOK, Webhook};
use crate::alerts::{Failure, Message};
use crate::failure::UsageError;

const ADDRESS: &str = "SYNCMON_WEBHOOK_URL";

/// Has no `Debug`: its address is a secret.
#[derive(Clone)]
pub struct Receiver {
    url: Url,
    format: Format,
    authorities: Option<Vec<Vec<u8>>>,
    secrets: Secrets,
}

impl Receiver {
    pub fn open(settings: &Webhook, secrets: &Secrets) -> Result<Receiver, UsageError> {
        let url = secrets.webhook.clone().ok_or_else(|| {
            UsageError::new(
                "[alerts.webhook] is configured, but SYNCMON_WEBHOOK_URL is not set; set it in the environment, \
                 .env.local or .env, or take [alerts.webhook] away",
            )
        })?;
        Ok(Receiver {
            url,
            format: settings.format,
            authorities: authorities(settings.ca_file.as_deref())?,
            secrets: secrets.clone(),
        })
    }

    pub fn deliver(&self, messages: &[Message], by: Deadline, report: &Reporter) {
        let agent = agent(self.authorities.as_deref(), by);
        for message in messages {
            let body = match self.format {
                Format::Json => as_json(message),
                Format::Slack => json!({ "text": for_slack(message) }),
            };
            let answer = agent
                .post(self.url.as_str())
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", &message.key)
                .send(body.to_string().as_bytes());
            let taken = match answer {
                Ok(answer) => judged(answer.status().as_u16(), ADDRESS),
                Err(error) => Err(unanswered(&error, ADDRESS, &self.secrets, by)),
            };
            match taken {
                Ok(()) => report.delivered(WEBHOOK, &message.key),
                Err(failure @ Failure { only_this, .. }) => {
                    report.failed(WEBHOOK, failure);
                    if !only_this {
                        return;
                    }
                }
            }
        }
    }
}
