//! What must never be printed: every password that the connection may have been given.

use std::path::{Path, PathBuf};

use url::Url;

use crate::masking::percent_decoded;

/// The passwords in the connection string, in PGPASSWORD and in the password files.
pub fn of_connection(url: &Url) -> Vec<String> {
    let mut passwords: Vec<String> = Vec::new();
    if let Some(password) = url.password() {
        passwords.push(password.to_owned());
        passwords.push(percent_decoded(password));
    }
    let parameters = url.query_pairs().filter(|(key, _)| key == "password");
    passwords.extend(parameters.map(|(_, value)| value.into_owned()));
    passwords.extend(std::env::var("PGPASSWORD").ok());
    passwords.extend(password_files().iter().flat_map(|file| passwords_in(file)));

    passwords.retain(|password| !password.is_empty());
    passwords.sort_unstable();
    passwords.dedup();
    passwords
}

/// Where the driver looks for a password that it was not given.
fn password_files() -> Vec<PathBuf> {
    let home = std::env::home_dir().map(|home| home.join(".pgpass"));
    let named = std::env::var_os("PGPASSFILE").map(PathBuf::from);
    named.into_iter().chain(home).collect()
}

/// The last field of each line, as it is written and with its escapes undone.
fn passwords_in(file: &Path) -> Vec<String> {
    if !file.is_file() {
        return Vec::new();
    }
    let bytes = std::fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(last_field)
        .flat_map(|field| [field.to_owned(), unescaped(field)])
        .collect()
}

/// What follows the fourth colon that is not escaped: host, port, database and role come first.
fn last_field(line: &str) -> Option<&str> {
    let mut escaped = false;
    let mut colons = 0;
    for (at, c) in line.char_indices() {
        match c {
            ':' if !escaped => colons += 1,
            _ => {}
        }
        if colons == 4 {
            return Some(&line[at + 1..]);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn unescaped(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_field_of_a_password_file_is_found_behind_escaped_colons() {
        assert_eq!(last_field("h:5432:db:ro:S3cret"), Some("S3cret"));
        assert_eq!(last_field(r"a\:b:*:d\\:ro:S3\:cr\\et"), Some(r"S3\:cr\\et"));
        assert_eq!(last_field("h:5432:db:ro:S3:cret"), Some("S3:cret"));
        assert_eq!(last_field("h:5432:db:ro"), None);
        assert_eq!(unescaped(r"S3\:cr\\et\"), r"S3:cr\et");
    }

    #[test]
    fn a_password_is_masked_in_every_form_in_which_it_may_come_back() {
        let url = Url::parse("postgres://ro:a%2Fb%20%22c'@h/db?password=x%2fy").unwrap();
        let secrets = of_connection(&url);
        for form in [
            "a/b \"c'",
            "a%2Fb%20%22c'",
            "a%2fb%20%22c%27",
            "a%2Fb+%22c%27",
            "%61%2F%62%20%22%63%27",
            "a/b \\\"c'",
            "a/b &quot;c&#39;",
            "a/b \"c''",
            "x/y",
            "x%2fy",
            "x%2Fy",
        ] {
            let shown = crate::masking::mask_known(&format!("no entry with {form}!"), &secrets);
            assert_eq!(shown, "no entry with [masked]!", "{form}");
        }
    }
}
