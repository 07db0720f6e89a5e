//! How wide and how high a picture is, by its first bytes.

/// The kinds of pictures that every browser shows and no font or script can hide in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Svg,
    Png,
    Jpeg,
    WebP,
}

impl Kind {
    /// What the name of such a file ends in.
    pub fn extension(self) -> &'static str {
        match self {
            Kind::Svg => "svg",
            Kind::Png => "png",
            Kind::Jpeg => "jpg",
            Kind::WebP => "webp",
        }
    }

    /// By content, whatever the file is called.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Kind::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Kind::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Kind::WebP)
        } else if std::str::from_utf8(bytes).is_ok_and(looks_like_xml) {
            Some(Kind::Svg)
        } else {
            None
        }
    }
}

fn looks_like_xml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && text.contains("svg")
}

/// Of a PNG: its first chunk says it.
pub fn of_png(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    Some((
        big_endian(bytes.get(16..20)?),
        big_endian(bytes.get(20..24)?),
    ))
}

/// Of a JPEG: the segment that begins a frame says it.
pub fn of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xff, marker, after @ ..] = rest else {
            return None;
        };
        match marker {
            // Padding, and markers without a length.
            0xff => rest = rest.get(1..)?,
            0x01 | 0xd0..=0xd8 => rest = after,
            // Tables and the like, which come before the frame.
            0xc4 | 0xc8 | 0xcc | 0xda..=0xfe => {
                rest = after.get(usize::try_from(big_endian(after.get(..2)?)).ok()?..)?;
            }
            0xc0..=0xcf => {
                return Some((big_endian(after.get(5..7)?), big_endian(after.get(3..5)?)));
            }
            _ => return None,
        }
    }
}

/// Of a WebP, in each of its three forms.
pub fn of_webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let data = bytes.get(20..)?;
    match bytes.get(12..16)? {
        b"VP8 " if data.get(3..6)? == b"\x9d\x01\x2a" => {
            let side = |at: usize| Some(little_endian(data.get(at..at + 2)?) & 0x3fff);
            Some((side(6)?, side(8)?))
        }
        b"VP8L" if data.first()? == &0x2f => {
            let bits = little_endian(data.get(1..5)?);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => Some((
            little_endian(data.get(4..7)?) + 1,
            little_endian(data.get(7..10)?) + 1,
        )),
        _ => None,
    }
}

/// At most four bytes.
fn big_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum, &byte| (sum << 8) | u32::from(byte))
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, &byte| (sum << 8) | u32::from(byte))
}
