//! Text that strangers wrote, made fit to be published.
//!
//! Every text of the database passes through here once, where it is decoded: secrets masked,
//! control characters and writing-direction overrides replaced, length bounded with a note.
//! Escaping for HTML is left to the templates.

use crate::masking::mask;

/// How much of an error text is published, in characters.
const ERROR_LENGTH: usize = 2000;

/// How much of it stands in a list of many, in characters.
const EXCERPT_LENGTH: usize = 500;

/// How much of a word or a name is published, in characters.
const WORD_LENGTH: usize = 120;

/// How much of a word or a name is looked at, in characters: there may be megabytes of it.
const WORD_READ: usize = 1000;

/// An error text to publish. `full_length` is its length in characters before the database cut it.
pub fn error_text(text: &str, full_length: u64) -> String {
    let cut = full_length > text.chars().count() as u64;
    let mut masked = mask(&visible(text));
    if cut && masked.chars().nth(ERROR_LENGTH).is_none() {
        // Its end would be shown, and could be the beginning of a secret.
        masked = mask(&visible(without_last_word(text)));
    }
    let shown: String = masked.chars().take(ERROR_LENGTH).collect();
    if cut || masked.chars().nth(ERROR_LENGTH).is_some() {
        format!(
            "{} … (shortened: {} characters in all)",
            shown.trim_end(),
            grouped(full_length)
        )
    } else {
        shown
    }
}

/// The beginning of a published error text, for a list of many.
pub fn excerpt(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(EXCERPT_LENGTH) else {
        return text.to_owned();
    };
    format!("{} … (shortened)", text[..end].trim_end())
}

/// A recorded word, such as a status or an action, to publish.
pub fn word(text: &str) -> String {
    // By far the most are "completed" and the like: nothing in them to look for.
    if text.len() <= 24 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        return text.to_owned();
    }
    shortened(&legible(text))
}

/// What to call an entity that nobody has named: `sale_line_items` is "Sale Line Items".
pub fn name_of(entity_type: &str) -> String {
    let words: Vec<String> = legible(entity_type)
        .split(|c: char| c == '_' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect();
    if words.is_empty() {
        "(no name)".to_owned()
    } else {
        shortened(&words.join(" "))
    }
}

/// A file name for an entity's page: its own where that is plain, otherwise a plain part of it and
/// a number that only this entity has.
pub fn file_stem(entity_type: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let starts_well =
        entity_type.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts_well && entity_type.len() <= 64 && entity_type.chars().all(plain) {
        return entity_type.to_owned();
    }
    let stem: String = legible(entity_type)
        .to_lowercase()
        .chars()
        .filter(|&c| plain(c))
        .take(32)
        .collect();
    // "." cannot stand in a plain name, so that the two kinds never meet.
    format!(
        "{}.{:016x}",
        if stem.is_empty() { "entity" } else { &stem },
        fnv1a(entity_type)
    )
}

/// Marks that cannot be seen and change the direction of writing, or where a text begins.
pub fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{061c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A name for use within a sentence, a title or a label, where no markup can set it apart: with the
/// marks around it that keep letters from right to left from rearranging what stands beside them.
/// Names without such letters stay as they are.
pub fn apart(name: &str) -> String {
    if name.chars().any(goes_left) {
        format!("\u{2068}{name}\u{2069}")
    } else {
        name.to_owned()
    }
}

/// Whether a character belongs to a script that is written from right to left.
fn goes_left(c: char) -> bool {
    matches!(
        c,
        '\u{0590}'..='\u{08ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// A number that differs where a content does by a few bytes, for files that a disk may damage. Like FNV-1a,
/// but eight bytes at a time.
pub fn fingerprint(content: impl AsRef<[u8]>) -> u64 {
    let (words, rest) = content.as_ref().as_chunks::<8>();
    let mixed = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01b3)
    });
    rest.iter().fold(mixed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// 64-bit FNV-1a: a number for a content that stays the same across versions and machines.
pub fn fnv1a(content: impl AsRef<[u8]>) -> u64 {
    let bytes = content.as_ref().iter();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// 10738 as "10,738".
pub fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 {
        format!("−{grouped}")
    } else {
        grouped
    }
}

/// The beginning of a word or a name, without secrets and without what cannot be seen.
fn legible(text: &str) -> String {
    let beginning: String = text.chars().take(WORD_READ).collect();
    mask(&visible(&beginning))
}

/// The text up to its last white space, where it has any.
fn without_last_word(text: &str) -> &str {
    text.rfind(char::is_whitespace)
        .map_or(text, |end| &text[..end])
}

fn shortened(text: &str) -> String {
    if text.chars().nth(WORD_LENGTH).is_none() {
        return text.to_owned();
    }
    let shown: String = text.chars().take(WORD_LENGTH).collect();
    format!("{} … (shortened)", shown.trim_end())
}

/// Replaces what cannot be seen but can mislead: control characters and marks that change the
/// direction of writing. Line ends and tabs stay.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|&c| c != '\r')
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || misleads(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_from_entity_types() {
        assert_eq!(name_of("sale_line_items"), "Sale Line Items");
        assert_eq!(name_of("  "), "(no name)");
        assert_eq!(name_of("a\u{202e}b"), "A\u{fffd}b");
    }

    #[test]
    fn names_from_right_to_left_are_set_apart_in_sentences() {
        assert_eq!(apart("Sales"), "Sales");
        assert_eq!(apart("在庫 é"), "在庫 é");
        assert_eq!(apart("Stock מלאי"), "\u{2068}Stock מלאי\u{2069}");
        assert_eq!(apart("مخزون"), "\u{2068}مخزون\u{2069}");
    }

    #[test]
    fn file_names_are_safe_and_unique() {
        assert_eq!(file_stem("sales"), "sales");
        for hostile in [
            "../../etc/passwd",
            "a/b",
            ".htaccess",
            "",
            "Sales",
            "sales ",
            "é",
            "a\0b",
            "<b>",
        ] {
            let stem = file_stem(hostile);
            assert!(
                stem.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
                    && !stem.starts_with('.')
                    && !stem.contains(".."),
                "{stem}"
            );
        }
        assert_ne!(file_stem("Sales"), file_stem("SALES"));
        assert_ne!(file_stem("a/b"), file_stem("a.b"));
    }

    #[test]
    fn long_error_texts_are_cut_and_say_so() {
        let text = "x".repeat(4000);
        let shown = error_text(&text, 1_048_576);
        assert!(
            shown.ends_with("… (shortened: 1,048,576 characters in all)"),
            "{shown}"
        );
        assert!(shown.chars().count() < 2100);
        assert_eq!(error_text("plain\r\nthing", 12), "plain\nthing");
    }

    #[test]
    fn where_the_database_cut_a_text_no_beginning_of_a_secret_is_shown() {
        // Masking shortens the text so much that its end is shown, cut within any of these.
        for (secret, part) in [
            ("https://user:12345678@api.example.org", "1234"),
            ("ro:hunter22@db.example.org", "hunt"),
            ("sk_live_abcdefghijkl", "abcd"),
            ("Authorization:Bearer=abcdefghijkl", "abcd"),
        ] {
            for kept in 1..=secret.len() {
                let start = format!("password={} first words", "k".repeat(2500));
                let gap = "y".repeat(4000 - start.len() - 2 - kept);
                let text = format!("{start} {gap} {}", &secret[..kept]);
                let shown = error_text(&text, 4000 + 100);
                assert!(shown.starts_with("password=[masked] first words yyy"));
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }

    #[test]
    fn names_show_no_secrets() {
        let name = "password=S3cretPw and more";
        for shown in [name_of(name), word(name), file_stem(name)] {
            assert!(!shown.to_lowercase().contains("s3cretpw"), "{shown}");
        }
    }

    #[test]
    fn control_characters_and_direction_marks_become_visible() {
        assert_eq!(
            error_text("a\u{202e}b\u{7}c\u{0}", 6),
            "a\u{fffd}b\u{fffd}c\u{fffd}"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(10_738), "10,738");
        assert_eq!(grouped(-1_234_567), "−1,234,567");
    }
}
