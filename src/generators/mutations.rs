//! A valid text, bent: bytes flipped, parts deleted, repeated, exchanged for words and numbers that
//! parsers dislike, or spliced in from another text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Numbers at the limits of what can be held.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1.5",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "253402300799000000",
    "253402300800000000",
    "-62135596800000001",
    "8210266876799999999",
    "1e308",
    "-1e308",
    "1e309",
    "4.9e-324",
    "NaN",
    "inf",
    "null",
    "99999999999999999999999999999999999999999999999999",
];

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Delete(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, &'static str),
    Overwrite(Index, &'static str),
    /// The next run of digits becomes another number.
    Number(Index, &'static str),
    /// Another text's part is put here.
    Splice(Index, &'static str, Index, usize),
    Noise(Index, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match self {
            Change::Flip(at, bit) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Change::Delete(at, length) => {
                let start = place(at);
                let end = (start + length).min(bytes.len());
                bytes.drain(start..end);
            }
            Change::Repeat(at, length, times) => {
                let start = place(at);
                let end = (start + length).min(bytes.len());
                let part = bytes[start..end].repeat(*times);
                bytes.splice(end..end, part);
            }
            Change::Insert(at, word) => {
                let at = place(at);
                bytes.splice(at..at, word.bytes());
            }
            Change::Overwrite(at, word) => {
                let start = place(at);
                let end = (start + word.len()).min(bytes.len());
                bytes.splice(start..end, word.bytes());
            }
            Change::Number(at, number) => {
                let from = place(at);
                let digits = |byte: &u8| byte.is_ascii_digit();
                if let Some(start) = bytes[from..].iter().position(digits) {
                    let start = from + start;
                    let length = bytes[start..].iter().take_while(|b| digits(b)).count();
                    bytes.splice(start..start + length, number.bytes());
                }
            }
            Change::Splice(at, other, from, length) => {
                let at = place(at);
                let start = from.index(other.len() + 1);
                let end = (start + length).min(other.len());
                bytes.splice(at..at, other.as_bytes()[start..end].iter().copied());
            }
            Change::Noise(at, noise) => {
                let at = place(at);
                bytes.splice(at..at, noise.iter().copied());
            }
        }
    }
}

fn change(
    seeds: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        1 => (at(), any::<u8>()).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => (at(), 1_usize..40).prop_map(|(at, length)| Change::Delete(at, length)),
        1 => (at(), 1_usize..40, 1_usize..20)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (at(), select(words)).prop_map(|(at, word)| Change::Insert(at, word)),
        1 => (at(), select(words)).prop_map(|(at, word)| Change::Overwrite(at, word)),
        2 => (at(), select(NUMBERS)).prop_map(|(at, number)| Change::Number(at, number)),
        1 => (at(), select(seeds), at(), 1_usize..80)
            .prop_map(|(at, other, from, length)| Change::Splice(at, other, from, length)),
        1 => (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, noise)| Change::Noise(at, noise)),
    ]
}

/// One of the texts with up to eight changes; now and then nothing but noise.
pub(crate) fn bent_bytes(
    seeds: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let bent = (select(seeds), vec(change(seeds, words), 0..8)).prop_map(|(seed, changes)| {
        let mut bytes = seed.as_bytes().to_vec();
        for change in &changes {
            change.apply(&mut bytes);
        }
        bytes
    });
    let soup = vec(select(words), 0..40).prop_map(|words| words.concat().into_bytes());
    prop_oneof![
        12 => bent,
        3 => soup,
        1 => vec(any::<u8>(), 0..200),
    ]
}

/// The same as text; what is no UTF-8 is replaced.
pub(crate) fn bent_text(
    seeds: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = String> {
    bent_bytes(seeds, words).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
