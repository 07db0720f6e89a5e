//! The footer of one's own: plain text in which addresses become links.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

/// A part of a line: plain, or leading somewhere.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    pub text: String,
    pub href: Option<String>,
}

/// What may be an address, up to the next space or quotation mark.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let mail = r"[A-Za-z0-9][A-Za-z0-9._%+\-]*@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+";
    let address = format!(r#"https://[^\s<>"“”‘’«»]+|(?P<mail>{mail})"#);
    Regex::new(&address).expect("a constant that is tested")
});

/// A web address that names a host, and neither a user nor a password.
static WITH_HOST: LazyLock<Regex> = LazyLock::new(|| {
    let host = r"^https://\w[\w.\-]*(?::[0-9]{1,5})?(?:[/?#]|$)";
    Regex::new(host).expect("a constant that is tested")
});

/// The lines that say something.
pub fn footer(text: &str) -> Vec<Vec<Piece>> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(pieces).collect()
}

fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    for found in ADDRESS.captures_iter(line) {
        let Some(address) = found.get(0) else {
            continue;
        };
        let text = without_ending(address.as_str());
        let is_mail = found.name("mail").is_some();
        let goes_on = |c: char| c.is_alphanumeric() || "@/_-".contains(c);
        let end = address.start() + text.len();
        let within_a_word =
            line[..address.start()].ends_with(goes_on) || line[end..].starts_with(goes_on);
        if within_a_word || !is_mail && !WITH_HOST.is_match(text) {
            continue;
        }
        if plain < address.start() {
            pieces.push(Piece {
                text: line[plain..address.start()].to_owned(),
                href: None,
            });
        }
        let scheme = if is_mail { "mailto:" } else { "" };
        pieces.push(Piece {
            text: text.to_owned(),
            href: Some(format!("{scheme}{text}")),
        });
        plain = end;
    }
    if plain < line.len() {
        pieces.push(Piece {
            text: line[plain..].to_owned(),
            href: None,
        });
    }
    pieces
}

/// The address without what ends a sentence, or a bracket that was opened before it.
fn without_ending(address: &str) -> &str {
    let mut rest = address;
    while let Some(last) = rest.chars().next_back() {
        let ends = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' => true,
            ')' => !rest.contains('('),
            ']' => !rest.contains('['),
            _ => false,
        };
        if !ends {
            break;
        }
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "plain [text → href] plain".
    fn written(text: &str) -> String {
        let lines = footer(text).into_iter().map(|line| {
            let pieces = line.into_iter().map(|piece| match piece.href {
                None => piece.text,
                Some(href) => format!("[{} → {href}]", piece.text),
            });
            pieces.collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn addresses_become_links_and_nothing_else_does() {
        for (text, expected) in [
            ("Craft Contemporary", "Craft Contemporary"),
            (
                "Ask data@example.org.",
                "Ask [data@example.org → mailto:data@example.org].",
            ),
            (
                "See https://example.org/wiki/Sync_(shop)?a=1&b=2, please",
                "See [https://example.org/wiki/Sync_(shop)?a=1&b=2 → https://example.org/wiki/Sync_(shop)?a=1&b=2], please",
            ),
            (
                "https://example.org/a_(b).",
                "[https://example.org/a_(b) → https://example.org/a_(b)].",
            ),
            (
                "(https://example.org)",
                "([https://example.org → https://example.org])",
            ),
            (
                "a@example.org, b@example.org",
                "[a@example.org → mailto:a@example.org], [b@example.org → mailto:b@example.org]",
            ),
            (
                "https://münchen.example:8443/ü",
                "[https://münchen.example:8443/ü → https://münchen.example:8443/ü]",
            ),
            ("http://example.org", "http://example.org"),
            ("javascript:alert(1)", "javascript:alert(1)"),
            ("https:// and https://", "https:// and https://"),
            ("xhttps://example.org", "xhttps://example.org"),
            (
                "https://ro:secret@example.org/",
                "https://ro:secret@example.org/",
            ),
            ("https://ro@example.org/", "https://ro@example.org/"),
            ("@example.org, me@localhost", "@example.org, me@localhost"),
        ] {
            assert_eq!(written(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_text_is_lost_and_lines_stay_lines() {
        assert_eq!(written(" one \n\n\ttwo\n"), "one\ntwo");
        let text = "«é» https://example.org/é…ü me@example.org";
        let pieces = footer(text).remove(0);
        let whole: String = pieces.into_iter().map(|piece| piece.text).collect();
        assert_eq!(whole, text);
    }
}
