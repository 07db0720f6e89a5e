//! Secrets inside error texts, masked before anything is published or kept.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";

/// Replaces everything that looks like a secret: connection strings and other URLs with a password,
/// bearer and basic credentials, JSON web tokens, vendors' keys, `password=…` and its relatives.
///
/// Rather too much than too little: a text may lose a harmless word, never keep a password.
pub fn mask(text: &str) -> String {
    let mut masked = std::borrow::Cow::Borrowed(text);
    for (pattern, replacement) in PATTERNS.iter() {
        if let std::borrow::Cow::Owned(changed) =
            pattern.replace_all(&masked, |found: &Captures| expand(found, replacement))
        {
            masked = changed.into();
        }
    }
    masked.into_owned()
}

/// `text` without any of these literal secrets, and with everything masked that looks like one.
pub fn mask_known(text: &str, secrets: &[String]) -> String {
    let mut masked = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        masked = masked.replace(secret.as_str(), MASK);
    }
    mask(&masked)
}

fn expand(found: &Captures, replacement: &str) -> String {
    let mut expanded = String::new();
    found.expand(replacement, &mut expanded);
    expanded
}

/// In this order: the later patterns see what the earlier ones left.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // A database connection string, whole: user names and hosts are nobody's business either.
        (r"(?i)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql)(?:\+[a-z0-9]+)?://[^\s\x22'<>]+", "[masked connection string]"),
        // Any other URL that names a user and a password, even if its end was cut off.
        (r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@\x22'<>]*:[^\s/\x22'<>]*@", "${1}[masked]@"),
        (r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:\x22'<>]+:[^\s/@\x22'<>]*[^\s/@\x22'<>0-9][^\s/@\x22'<>]*$", "${1}[masked]"),
        // JSON web tokens, whole or cut.
        (r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}", "[masked]"),
        (r"(?i)\b(bearer)(?:\s+|%20)[A-Za-z0-9._~+/=-]{6,}", "${1} [masked]"),
        (r"(?i)\b(basic|token)(?:\s+|%20)[A-Za-z0-9._~+/=-]{16,}", "${1} [masked]"),
        // Keys that name their issuer.
        (r"\b(?:sb_(?:secret|publishable)_|sbp_|lsxs_[a-z]{2}_|sk_live_|rk_live_|gh[pousr]_|github_pat_|xox[abprs]-|AKIA)[A-Za-z0-9_-]{6,}", "[masked]"),
        // name = value, name: value, "name": "value"; the value may be quoted and hold spaces.
        (
            r#"(?ix)
            ( [a-z0-9_.-]{0,40}
              (?: passwo?r?d | passwd | passphrase | passwort | \bpwd | \bpass | secret | token | api[_-]?key
                | access[_-]?key | service[_-]?role(?:[_-]?key)? | private[_-]?key | authorization
                | credentials? | \bjwt | session[_-]?id | cookie | anon[_-]?key )
              [a-z0-9_-]{0,20}
              \\?["']? \s* (?: = | : | => ) \s* )
            (?: \\?" (?:[^"\\]|\\[^"])* (?:\\?"|$) | \\?' (?:[^'\\]|\\[^'])* (?:\\?'|$) | (?:(?:bearer|basic|token)\s+)? [^\s,;&"'}\])]+ )
            "#,
            "${1}[masked]",
        ),
    ]
    .into_iter()
    .map(|(pattern, replacement)| {
        (Regex::new(pattern).expect("the patterns are part of the program"), replacement)
    })
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_every_form() {
        for text in [
            "could not connect to postgres://ro:S3cretPw@db.example.org:5432/app?sslmode=require now",
            "postgresql+psycopg2://ro:S3cretPw@h/db",
            "postgres://ro:S3cretPw",
            "GET https://user:S3cretPw@api.example.org/x failed",
            "GET https://user:S3cretPw",
            "Authorization: Bearer S3cretPw12345678",
            "authorization: basic UzNjcmV0UHc6UzNjcmV0UHc= S3",
            "{\"password\": \"S3cretPw with spaces\"}",
            "{\\\"password\\\": \\\"S3cretPw with spaces\\\"}",
            "{'password': 'S3cretPw with spaces'}",
            "password=S3cretPw host=x",
            "password = 'S3cretPw'",
            "PGPASSWORD=S3cretPw",
            "SUPABASE_SERVICE_ROLE_KEY=S3cretPw",
            "api_key: S3cretPw, more",
            "apikey=S3cretPw&x=1",
            "client_secret=S3cretPw",
            "access_token=\"S3cretPw",
            "X-Api-Key: S3cretPw",
            "pwd=S3cretPw;",
            "token: S3cretPw",
            "sb_secret_S3cretPwS3cretPw",
            "eyJhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw",
            "Bearer eyJS3cretPwS3cretPw",
        ] {
            let masked = mask(text);
            assert!(
                !masked.contains("S3cretPw") && !masked.contains("UzNj"),
                "{text} -> {masked}"
            );
            assert!(masked.contains("[masked"), "{masked}");
        }
    }

    #[test]
    fn ordinary_errors_are_left_alone() {
        for text in [
            "404 Client Error: Not Found for url: https://x.retail.lightspeed.app/api/2.0/inventory",
            "HTTPSConnectionPool(host='x.example', port=443): Read timed out. (read timeout=30)",
            "insert or update on table \"sales\" violates foreign key constraint \"fk\"",
            "token expired",
            "the password is wrong",
            "see http://localhost:8080",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn known_secrets_are_masked_wherever_they_stand() {
        assert_eq!(
            mask_known("a p$x#y b", &["p$x#y".to_owned()]),
            "a [masked] b"
        );
    }
}
