//! The page as it is served: shut without the password, ours with it, and with the headers that protect it.

use chrono::{DateTime, SecondsFormat, Utc};
use url::Url;

use super::published::StatusFile;
use super::{Link, Seen, listed};
use crate::views::{Speaker, ago};
use crate::visit::{Answer, NoAnswer};

/// One page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Within the site; empty for the overview.
    pub path: String,
    pub answer: Result<Answer, NoAnswer>,
}

/// What the same address answers without encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    /// There was no need to ask.
    NotAsked,
    Asked(Result<Answer, NoAnswer>),
}

/// Everything that was asked of the web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub url: Url,
    /// Without user and password. The overview comes first.
    pub shut: Vec<Step>,
    /// With them; `None` if they are not known. The overview comes first, `status.json` second.
    pub open: Option<Vec<Step>>,
    pub plain: Plain,
    /// When the site in the output directory was built, before the visit and after it; empty if there is none.
    pub published: Vec<DateTime<Utc>>,
}

pub fn served(visit: &Visit, speaker: Speaker) -> Seen {
    if let Some(Err(why)) = visit.shut.first().map(|step| &step.answer) {
        let (says, remedy) = unanswered(why);
        return Seen::broken(Link::Served, format!("{}: {says}", visit.url), remedy);
    }
    let mut seen = Seen::new(Link::Served, "");
    seen = encrypted(seen, visit);
    seen = shut(seen, visit);
    let mut built = None;
    match &visit.open {
        None => {
            seen = seen.advice(
                "what is behind the password was not looked at",
                "set SYNCMON_DOCTOR_USER and SYNCMON_DOCTOR_PASSWORD in the environment",
            );
        }
        Some(steps) => (seen, built) = open(seen, visit, steps),
    }
    seen = headers(seen, visit);
    if !seen.findings.iter().any(|finding| finding.is_problem) {
        let age = built.map_or_else(String::new, |built| {
            format!("; with it ours, built {}", ago(speaker.now - built))
        });
        seen.summary = format!("{}: shut without the password{age}", visit.url);
    }
    seen
}

fn encrypted(seen: Seen, visit: &Visit) -> Seen {
    if visit.url.scheme() != "https" && !is_local(&visit.url) {
        return seen.problem(
            "plain http: whoever sits in between reads the password",
            "serve it by https (certbot --nginx --redirect -d NAME), and give that address",
        );
    }
    let Plain::Asked(Ok(answer)) = &visit.plain else {
        return seen;
    };
    let leads = answer.headers.get("location").map_or("", |to| to.as_str());
    if (300..400).contains(&answer.status) && leads.starts_with("https://") {
        return seen;
    }
    seen.problem(
        format!(
            "plain http is answered with {}, and does not lead to https",
            answer.status
        ),
        "let port 80 answer nothing but: return 301 https://$host$request_uri;",
    )
}

/// Whether an address is one of this very machine.
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn shut(mut seen: Seen, visit: &Visit) -> Seen {
    let (mut bare, mut odd) = (Vec::new(), Vec::new());
    for step in &visit.shut {
        match &step.answer {
            Ok(answer) if answer.status == 401 => {}
            Ok(answer) if (200..300).contains(&answer.status) => bare.push(shown(&step.path)),
            Ok(answer) => odd.push((step, answer)),
            Err(why) => {
                let (says, remedy) = unanswered(why);
                seen = seen.problem(format!("{}: {says}", shown(&step.path)), remedy);
            }
        }
    }
    if !bare.is_empty() {
        seen = seen.problem(
            format!("{} can be read without a password", listed(&bare)),
            "set auth_basic and auth_basic_user_file for the whole server, as deploy/nginx/syncmon.conf does",
        );
    }
    // One word for all: what is wrong with one is wrong with the others.
    if let Some((step, answer)) = odd.first() {
        let leads = answer.headers.get("location");
        let status = answer.status;
        let page = shown(&step.path);
        seen = match leads {
            Some(to) if (300..400).contains(&status) => seen.problem(
                format!("{page} leads elsewhere ({status}, to {to})"),
                "give that address with --url, if it is right",
            ),
            _ => seen.problem(
                format!("{page} is answered with {status} where 401 asks for the password"),
                "compare the server's configuration with deploy/nginx/syncmon.conf, and look into its error log",
            ),
        };
    }
    seen
}

/// What is behind the password, and when it was built.
fn open(mut seen: Seen, visit: &Visit, steps: &[Step]) -> (Seen, Option<DateTime<Utc>>) {
    for step in steps {
        let page = shown(&step.path);
        let answer = match &step.answer {
            Ok(answer) => answer,
            Err(why) => {
                let (says, remedy) = unanswered(why);
                return (seen.problem(format!("{page}: {says}"), remedy), None);
            }
        };
        let trouble = match answer.status {
            200 => continue,
            401 => (
                "user and password are refused".to_owned(),
                "correct SYNCMON_DOCTOR_USER and SYNCMON_DOCTOR_PASSWORD, or the server's password file",
            ),
            403 => (
                format!("{page} is answered with 403: the web server may not read it"),
                "let others pass all folders above the site (chmod o+x), and look into the server's error log",
            ),
            404 => (
                format!("{page} is not found (404)"),
                "let root of the web server be the directory of --out",
            ),
            status => (
                format!("{page} is answered with {status}"),
                "look into the web server's error log",
            ),
        };
        return (seen.problem(trouble.0, trouble.1), None);
    }
    let body = |at: usize| steps.get(at).and_then(|step| step.answer.as_ref().ok());
    let ours = body(0).is_some_and(|answer| contains(&answer.body, b"data-generated-at=\""));
    let status = body(1).and_then(|answer| StatusFile::parse(&answer.body));
    let Some(status) = status.filter(|_| ours) else {
        let foreign = seen.problem(
            "what is served there is no page of syncmon's",
            "let root of the web server be the directory of --out",
        );
        return (foreign, None);
    };
    let built = status.generated_at;
    if !visit.published.is_empty() && !visit.published.contains(&built) {
        let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let here = visit
            .published
            .last()
            .map_or_else(String::new, |at| moment(*at));
        seen = seen.problem(
            format!("the page served was built at {}, the one in --out at {here}", moment(built)),
            "let root of the web server be the directory of --out, and switch off open_file_cache and any other cache",
        );
    }
    (seen, Some(built))
}

fn headers(seen: Seen, visit: &Visit) -> Seen {
    let inside = visit.open.as_ref().and_then(|steps| steps.first());
    let Some(Ok(answer)) = inside.or(visit.shut.first()).map(|step| &step.answer) else {
        return seen;
    };
    let value = |name: &str| answer.headers.get(name).map(|value| value.to_lowercase());
    let mut missing: Vec<&str> = Vec::new();
    if value("content-security-policy").is_none_or(|policy| policy.trim().is_empty()) {
        missing.push("Content-Security-Policy");
    }
    if value("x-content-type-options").is_none_or(|value| value.trim() != "nosniff") {
        missing.push("X-Content-Type-Options: nosniff");
    }
    if value("referrer-policy").is_none_or(|policy| policy.trim().is_empty()) {
        missing.push("Referrer-Policy");
    }
    let asks_each_time = |value: String| {
        ["no-cache", "no-store", "max-age=0"]
            .iter()
            .any(|word| value.contains(word))
    };
    if !value("cache-control").is_some_and(asks_each_time) {
        missing.push("Cache-Control: no-cache");
    }
    if visit.url.scheme() == "https" && value("strict-transport-security").is_none() {
        missing.push("Strict-Transport-Security");
    }
    if missing.is_empty() {
        return seen;
    }
    let (verb, noun) = if missing.len() == 1 {
        ("is", "header")
    } else {
        ("are", "headers")
    };
    seen.problem(
        format!("the {noun} {} {verb} missing", missing.join(", ")),
        "take the add_header lines of deploy/nginx/syncmon.conf, all at the server: a location with one of its own loses them",
    )
}

/// Why there was no answer, and what helps.
fn unanswered(why: &NoAnswer) -> (String, &'static str) {
    match why {
        NoAnswer::Refused => (
            "connection refused".to_owned(),
            "check that the web server runs and listens on this address and port",
        ),
        NoAnswer::TooLate => (
            "no answer within 10 s".to_owned(),
            "check that the web server runs and that a firewall lets this machine through",
        ),
        NoAnswer::UnknownHost => (
            "the host name cannot be resolved".to_owned(),
            "check the name, and this machine's DNS",
        ),
        NoAnswer::Untrusted(words) => (
            format!("the certificate is not trusted ({words})"),
            "renew it (certbot renew), or write the address with the name that it was given for; for an authority of \
             your own name its file in SSL_CERT_FILE",
        ),
        NoAnswer::Other(words) => (
            format!("no answer that can be understood ({words})"),
            "check address and port: http and https have different ones",
        ),
    }
}

fn shown(path: &str) -> String {
    format!("/{path}")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
