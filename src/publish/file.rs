//! What a site is made of.

use flate2::Crc;

/// One file of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Relative to the site, "/" between its parts.
    pub path: String,
    pub bytes: Vec<u8>,
    /// Whether it has to stay for a while when it is published no more: pages of before need it, and
    /// no later file has its name.
    pub lasting: bool,
    /// See [`checksum`]. Worked out where a file is made, on several threads, while its bytes are at hand.
    pub(super) checksum: u32,
}

impl OutputFile {
    /// A file that goes when it is published no more.
    pub fn new(path: impl Into<String>, bytes: Vec<u8>) -> OutputFile {
        OutputFile {
            path: path.into(),
            checksum: checksum(&bytes),
            bytes,
            lasting: false,
        }
    }

    /// The same file, but one that stays for a while if that is so.
    #[must_use]
    pub fn lasting(self, lasting: bool) -> OutputFile {
        OutputFile { lasting, ..self }
    }
}

/// The CRC-32 of a file's bytes, as in a gzip file.
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
