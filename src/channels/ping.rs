//! A sign of life to somebody who notices when it stays away: an address that is called after each build.

use url::Url;

use super::Secrets;
use super::http::{agent, judged, unanswered};
use super::side_by_side::Deadline;
use crate::alerts::Failure;

const ADDRESS: &str = "SYNCMON_PING_URL";

/// How a build ended, as far as that address is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Well,
    Badly,
}

/// Has no `Debug`: its address is a secret.
#[derive(Clone)]
pub struct Ping {
    url: Url,
    secrets: Secrets,
}

impl Ping {
    /// `None` if no address is set.
    pub fn of(secrets: &Secrets) -> Option<Ping> {
        secrets.ping.clone().map(|url| Ping {
            url,
            secrets: secrets.clone(),
        })
    }

    pub(super) fn send(&self, ended: Ended, by: Deadline) -> Result<(), Failure> {
        let answer = agent(None, by)
            .get(address(&self.url, ended).as_str())
            .call();
        match answer {
            Ok(answer) => judged(answer.status().as_u16(), ADDRESS),
            Err(error) => Err(unanswered(&error, ADDRESS, &self.secrets, by)),
        }
    }
}

/// The address to call: with `/fail` at the end of its path after a build that ended badly.
fn address(url: &Url, ended: Ended) -> Url {
    let mut url = url.clone();
    if ended == Ended::Badly
        && let Ok(mut path) = url.path_segments_mut()
    {
        path.pop_if_empty().push("fail");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_end_is_told_at_the_end_of_the_path() {
        for (url, expected) in [
            (
                "https://hc.example.org/uuid",
                "https://hc.example.org/uuid/fail",
            ),
            (
                "https://hc.example.org/uuid/",
                "https://hc.example.org/uuid/fail",
            ),
            (
                "https://hc.example.org/uuid?rid=1&create=1",
                "https://hc.example.org/uuid/fail?rid=1&create=1",
            ),
            ("https://hc.example.org", "https://hc.example.org/fail"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(address(&url, Ended::Badly).as_str(), expected);
            assert_eq!(address(&url, Ended::Well), url);
        }
    }
}
