//! What an error text says in a language of its own, recognised.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::RegexSet;

/// A common cause of failed runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    DiskFull,
    ForeignKey,
    RateLimited,
    TokenRefused,
    RouteNotFound,
    Timeout,
    Network,
}

/// In the order in which they are asked for: the first that is found tells most.
const CAUSES: [(Cause, &str); 7] = [
    (
        Cause::DiskFull,
        r"no space left on device|disk (?:is )?full|enospc|disk quota exceeded|could not extend file",
    ),
    (
        Cause::ForeignKey,
        r"foreign[ -]key|foreign_key_(?:violation|constraint)|\b23503\b",
    ),
    (
        Cause::RateLimited,
        r"too many (?:requests|429)|\brate[ -]?limit(?:s|ed|ing)?\b|rate_limit_(?:exceeded|reached|error)|\berror code:? 1015\b|CODE{429}",
    ),
    (
        Cause::TokenRefused,
        r"unauthori[sz]ed|\binvalid[ _](?:(?:access|refresh|bearer)[ _])?token\b|\b(?:token|jwt) (?:was |is |has )?(?:been )?(?:refused|expired|revoked|invalid|rejected|malformed)|invalid_grant|invalid api[ _-]?key|authentication failed|CODE{401}|CODE{403}",
    ),
    (
        Cause::RouteNotFound,
        r"route not found|no route matches|not found for url|CODE{404}",
    ),
    (
        Cause::Timeout,
        r"timed[ -]?out|timeout ?error|\b(?:read|connect|connection|request|gateway|statement|lock|idle|operation|query|socket|pool|http)[ -]?time-?out\b|time-?out (?:was |is )?(?:exceeded|expired|reached|after)|deadline exceeded|etimedout",
    ),
    (
        Cause::Network,
        r"connection (?:was )?(?:refused|reset|aborted|closed|error)|connectionerror|newconnectionerror|name or service not known|name resolution|failed to resolve|could not translate host name|getaddrinfo|no route to host|network is unreachable|server closed the connection|could not connect|econn(?:refused|reset|aborted)|enotfound|ehostunreach",
    ),
];

/// A status code of HTTP that is said to be one: a bare number could count anything. After a word that says
/// so it may stand anywhere; after another, only where nothing follows that it could be the number of.
const CODE: &str = r"(?:\b(?:https?(?:/[0-9.]+)?|status(?:[ _]?code)?|(?:error|response)[ _]code)\W{0,4}NUMBER\b|\bNUMBER client error|(?:^|[:(\[>\n]|\b(?:error|response|returned|with|got))\W{0,3}NUMBER(?:\W{0,3}$|[.,:;)\]>]|\W{1,3}(?:not found|unauthori|forbidden|too many requests)))";

/// What ends a word: only ASCII is asked about, for the tables of all other letters take longer to make
/// than all pages.
const NO_TABLES: [(&str, &str); 2] = [(r"\b", r"(?-u:\b)"), (r"\W", "[^0-9a-z_]")];

static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = CAUSES.iter().map(|(_, pattern)| {
        let mut pattern = (*pattern).to_owned();
        for number in ["401", "403", "404", "429"] {
            let code = CODE.replace("NUMBER", number);
            pattern = pattern.replace(&format!("CODE{{{number}}}"), &code);
        }
        for (of_all_letters, of_ascii) in NO_TABLES {
            pattern = pattern.replace(of_all_letters, of_ascii);
        }
        format!("(?i){pattern}")
    });
    RegexSet::new(patterns).expect("the patterns are part of the program")
});

impl Cause {
    /// The cause that an error text names; `None` if it names none of them.
    pub fn of(error: &str) -> Option<Cause> {
        let found = PATTERNS.matches(&message(error)).into_iter().min()?;
        CAUSES.get(found).map(|&(cause, _)| cause)
    }
}

/// An error text without the source code that Python shows above its error: it is indented.
fn message(error: &str) -> Cow<'_, str> {
    const TRACEBACK: &str = "Traceback (most recent call last)";
    match error.rsplit_once(TRACEBACK) {
        None => Cow::Borrowed(error),
        Some((_, last)) => last
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .collect::<Vec<_>>()
            .join("\n")
            .into(),
    }
}
