//! Secrets that are known word for word, found in every form in which texts repeat them: as they
//! are, percent-encoded, with the escapes of JSON, Rust, Python, SQL and shells, or as HTML has them.

use std::ops::Range;

use super::{MASK, unseen};

/// The text with a mask in place of each of these secrets. Where they overlap, all of it goes.
pub fn without(text: &str, secrets: &[String]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for found in occurrences(text, secrets) {
        shown.push_str(&text[end..found.start]);
        shown.push_str(MASK);
        end = found.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// The passwords of a text that is a connection string as a whole, with or without its scheme: as
/// written, and decoded.
pub fn passwords_in(text: &str) -> Vec<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let password = rest
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .map(|(_, password)| password.to_owned());
    let decoded = password.as_deref().map(percent_decoded);
    let mut passwords: Vec<String> = password.into_iter().chain(decoded).collect();
    passwords.retain(|password| !password.is_empty());
    passwords.dedup();
    passwords
}

/// A text as it was before it was encoded for a URL; what is no encoding stays.
pub fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where they stand, in order, without overlaps.
fn occurrences(text: &str, secrets: &[String]) -> Vec<Range<usize>> {
    let masks: Vec<_> = text
        .match_indices(MASK)
        .map(|(at, _)| at..at + MASK.len())
        .collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, _) in text.char_indices() {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            let Some(length) = longest_form(&text[start..], secret) else {
                continue;
            };
            let end = start + length;
            // A secret such as "mask" is not in the mask.
            if masks.iter().any(|m| m.start <= start && end <= m.end) {
                continue;
            }
            match found.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => found.push(start..end),
            }
        }
    }
    found
}

/// The length of the longest form of the secret that the text begins with.
fn longest_form(text: &str, secret: &str) -> Option<usize> {
    let mut reached = vec![0];
    for character in secret.chars() {
        let mut next: Vec<usize> = reached
            .iter()
            .flat_map(|&at| {
                forms(&text[at..], character)
                    .into_iter()
                    .map(move |n| at + n)
            })
            .collect();
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return None;
        }
        reached = next;
    }
    reached.last().copied()
}

/// The lengths of all forms of the character that the text begins with.
fn forms(text: &str, character: char) -> Vec<usize> {
    let seen = after_at_most(text, unseen);
    let bare = after_at_most(seen, |c| c == '\\');
    let backslashes = seen.len() - bare.len();
    let mut lengths = Vec::new();
    if character == '\\' {
        lengths.extend(1..=backslashes);
    }
    if bare.starts_with(character) {
        lengths.push(backslashes + character.len_utf8());
        lengths.extend(quotation(bare, character).map(|length| backslashes + length));
    }
    if character == ' ' && seen.starts_with('+') {
        lengths.push(1);
    }
    match seen.as_bytes().first() {
        Some(b'\\') => lengths.extend(escaped(seen, character)),
        Some(b'%') => lengths.extend(percent_encoded(seen, character)),
        Some(b'&') => lengths.extend(entity(seen, character)),
        _ => {}
    }
    for length in &mut lengths {
        *length += text.len() - seen.len();
    }
    lengths
}

/// What follows a run of such characters, of which no more than 32 are passed over.
fn after_at_most(text: &str, passed: impl Fn(char) -> bool) -> &str {
    let run = text.chars().take(32).take_while(|&c| passed(c));
    &text[run.map(char::len_utf8).sum()..]
}

/// A quotation mark that is doubled, or closed, escaped and opened again as shells want it.
fn quotation(text: &str, mark: char) -> impl Iterator<Item = usize> {
    let ways: &[&str] = match mark {
        '\'' => &["''", "'\\''", "'\"'\"'"],
        '"' => &["\"\""],
        _ => &[],
    };
    ways.iter()
        .filter(move |way| text.starts_with(**way))
        .map(|way| way.len())
}

/// `\n`, `\u00e9`, `\u{e9}`, `\xc3\xa9`, with any number of backslashes.
fn escaped(text: &str, character: char) -> Vec<usize> {
    let letter = match character {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    let mut buffer = [0; 4];
    let bytes = character.encode_utf8(&mut buffer).bytes();
    let point = u32::from(character);
    let in_braces = format!("u{{{point:x}}}");
    let units: Vec<String> = character
        .encode_utf16(&mut [0; 2])
        .iter()
        .map(|unit| format!("u{unit:04x}"))
        .collect();
    let bytes: Vec<String> = bytes.map(|byte| format!("x{byte:02x}")).collect();
    let ways = [
        letter.map(|letter| vec![letter.to_string()]),
        Some(vec![in_braces]),
        Some(vec![format!("x{point:02x}")]),
        Some(units),
        Some(bytes),
    ];
    ways.into_iter()
        .flatten()
        .filter_map(|way| after_backslashes(text, &way))
        .collect()
}

/// The length of these pieces, each after backslashes, where the text begins with them.
fn after_backslashes(text: &str, pieces: &[String]) -> Option<usize> {
    let mut rest = text;
    for piece in pieces {
        let bare = after_at_most(rest, |c| c == '\\');
        let begins = bare
            .get(..piece.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(piece));
        if !begins || bare.len() == rest.len() {
            return None;
        }
        rest = &bare[piece.len()..];
    }
    Some(text.len() - rest.len())
}

/// `%C3%A9`, or that percent-encoded again.
fn percent_encoded(text: &str, character: char) -> Vec<usize> {
    let mut reached = vec![0];
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        let hex = format!("{byte:02x}");
        let mut next = Vec::new();
        for at in reached {
            let Some(mut rest) = text[at..].strip_prefix('%') else {
                continue;
            };
            loop {
                if rest
                    .get(..2)
                    .is_some_and(|start| start.eq_ignore_ascii_case(&hex))
                {
                    next.push(text.len() - rest.len() + 2);
                }
                let Some(again) = rest.strip_prefix("25") else {
                    break;
                };
                rest = again;
            }
        }
        reached = next;
    }
    reached
}

/// `&amp;`, `&#38;`, `&#x26;`, or that escaped again.
fn entity(text: &str, character: char) -> Vec<usize> {
    let name = match character {
        '&' => "amp;",
        '<' => "lt;",
        '>' => "gt;",
        '"' => "quot;",
        '\'' => "apos;",
        _ => "",
    };
    let mut lengths = Vec::new();
    let mut rest = &text[1..];
    loop {
        if !name.is_empty() && rest.starts_with(name) {
            lengths.push(text.len() - rest.len() + name.len());
        }
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        if let Some(digits) = end.map(|end| &rest[..end]) {
            let number =
                digits
                    .strip_prefix('#')
                    .and_then(|number| match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok(),
                        None => number.parse().ok(),
                    });
            if number == Some(u32::from(character)) {
                lengths.push(text.len() - rest.len() + digits.len() + 1);
            }
        }
        let Some(again) = rest.strip_prefix("amp;") else {
            return lengths;
        };
        rest = again;
    }
}
