//! Secrets inside error texts, masked before anything is published or kept.

mod forms;
mod known;

use forms::{Hidden, LIKELY_SECRETS};
pub use known::{passwords_in, percent_decoded};

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";

/// Replaces everything that looks like a secret: connection strings and other URLs with a password,
/// credentials in headers, JSON web tokens, private keys, vendors' keys, `password=…` and its
/// relatives in every notation that error texts come in.
///
/// Rather too much than too little: a text may lose a harmless word, never keep a password.
pub fn mask(text: &str) -> String {
    let mut masked = masked_once(text);
    let mut before = text.to_owned();
    // What is masked can make room for another form to match; it comes to rest within a few rounds.
    for _ in 0..MOST_ROUNDS {
        if masked == before {
            break;
        }
        before = masked;
        masked = masked_once(&before);
    }
    masked
}

/// After so many rounds masking has come to rest, or never will.
const MOST_ROUNDS: usize = 100;

fn masked_once(text: &str) -> String {
    let masked = replaced(text);
    if !text.contains(unseen) {
        return masked;
    }
    // What cannot be seen may split a name or an escape, or it may stand between two words: the
    // text is read either way.
    let bare = text.replace(unseen, "");
    let bare_masked = replaced(&bare);
    let masked_bare = masked.replace(unseen, "");
    if bare_masked == bare {
        masked
    } else if masked_bare == bare || masked_bare == bare_masked {
        bare_masked
    } else {
        // The readings find different secrets: nothing is shown beyond what they agree on.
        let agreed = masked_bare
            .char_indices()
            .zip(bare_masked.chars())
            .find(|((_, one), other)| one != other)
            .map_or(0, |((at, _), _)| at);
        format!("{} {MASK}", masked_bare[..agreed].trim_end())
    }
}

/// Characters that take no room, and the one that [`crate::text`] puts in place of such.
fn unseen(c: char) -> bool {
    matches!(
        c,
        '\u{fffd}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    ) || (c.is_control() && !c.is_whitespace())
}

fn replaced(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut hidden: Vec<Hidden> = LIKELY_SECRETS
        .iter()
        .filter(|likely| likely.signs.iter().any(|sign| lower.contains(sign)))
        .flat_map(|likely| likely.found_in(text))
        .collect();
    // At the same place the earlier form says best what was there.
    hidden.sort_by_key(|hidden| hidden.range.start);
    let mut masked = String::new();
    let mut shown_to = 0;
    for Hidden { range, mask } in hidden {
        if range.start >= shown_to && !range.is_empty() {
            masked.push_str(&text[shown_to..range.start]);
            masked.push_str(mask);
        }
        shown_to = shown_to.max(range.end);
    }
    masked.push_str(&text[shown_to..]);
    masked
}

/// `text` without any of these secrets, in whatever form it repeats them, and otherwise as it is.
pub fn hide_known(text: &str, secrets: &[String]) -> String {
    known::without(text, secrets)
}

/// `text` without any of these secrets, in whatever form it repeats them, and with everything masked
/// that looks like one.
pub fn mask_known(text: &str, secrets: &[String]) -> String {
    let masked = mask(&known::without(text, secrets));
    // What stood between two parts may have been masked, and the parts have met.
    known::without(&masked, secrets)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
