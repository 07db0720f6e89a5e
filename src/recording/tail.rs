//! The last bytes of a stream that may be of any length.

use std::collections::VecDeque;

/// How many bytes of a command's standard error are kept.
const KEPT: usize = 10_000;

#[derive(Debug, Default)]
pub struct Tail {
    last: VecDeque<u8>,
    /// How many bytes there were altogether.
    seen: u64,
}

impl Tail {
    pub fn add(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        let newest = &bytes[bytes.len().saturating_sub(KEPT)..];
        let too_many = (self.last.len() + newest.len()).saturating_sub(KEPT);
        self.last.drain(..too_many.min(self.last.len()));
        self.last.extend(newest);
    }

    /// As text, with a note of what was left out. Where it was cut it begins with a whole line, or at least a whole
    /// word: the rest of a secret would not be recognised as one.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.last.iter().copied().collect();
        if self.seen == bytes.len() as u64 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let whole = |is_end: fn(&u8) -> bool| bytes.iter().position(is_end).map(|at| at + 1);
        let from = whole(|&byte| byte == b'\n')
            .filter(|&from| from < bytes.len())
            .or_else(|| whole(u8::is_ascii_whitespace))
            .unwrap_or(bytes.len());
        let left_out = self.seen - (bytes.len() - from) as u64;
        let shown = String::from_utf8_lossy(&bytes[from..]);
        format!("({left_out} bytes before this are left out)\n{shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(parts: &[&[u8]]) -> Tail {
        let mut tail = Tail::default();
        for part in parts {
            tail.add(part);
        }
        tail
    }

    #[test]
    fn what_is_short_is_kept_whole() {
        assert_eq!(tail(&[]).text(), "");
        assert_eq!(tail(&[b"one\n", b"two \xff"]).text(), "one\ntwo \u{fffd}");
    }

    #[test]
    fn of_what_is_long_the_last_whole_lines_are_kept() {
        let line = b"0123456789\n".repeat(1000);
        let text = tail(&[&line, b"the end"]).text();
        let (note, rest) = text.split_once('\n').unwrap();
        assert!(rest.starts_with("0123456789\n"), "{note}");
        assert!(rest.ends_with("\nthe end"));
        let shown = rest.len() as u64;
        assert_eq!(
            note,
            format!("({} bytes before this are left out)", 11_007 - shown)
        );
        assert!(shown > 9_900 && shown <= 10_000);
    }

    #[test]
    fn memory_does_not_grow_with_what_is_written() {
        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.add(&vec![b'x'; 65_536]);
        }
        assert!(tail.last.capacity() < 100_000, "{}", tail.last.capacity());
        assert_eq!(tail.text(), "(65536000 bytes before this are left out)\n");
    }
}
