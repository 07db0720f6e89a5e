//! Copies that a web server hands out in place of a file to browsers that take gzip (all of them do).

use std::io::Write;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::publish::OutputFile;

/// Comes after the name of the file.
const ENDING: &str = ".gz";

/// What is shorter travels in one piece anyway.
const SHORTEST: usize = 256;

/// Whether a file is asked for by everybody who comes, or every minute by a page that is left open: the overview, its
/// data and the assets. The rest the web server compresses when somebody asks for it: to do that at each build would
/// take longer than to make it.
fn is_asked_for_often(path: &str) -> bool {
    matches!(path, "index.html" | "status.json") || path.starts_with("assets/")
}

/// The files, each followed by its copy, if that is worth it. The same file has the same copy: nothing in it
/// tells of a time or a machine.
pub fn with_copies(files: Vec<OutputFile>) -> Result<Vec<OutputFile>> {
    let mut both = Vec::with_capacity(2 * files.len());
    for file in files {
        let copy = copy(&file)?;
        both.push(file);
        both.extend(copy);
    }
    Ok(both)
}

/// `None` where the copy would not be shorter by a tenth, as with pictures.
fn copy(file: &OutputFile) -> Result<Option<OutputFile>> {
    let length = file.bytes.len();
    if length < SHORTEST || !is_asked_for_often(&file.path) {
        return Ok(None);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(length / 3), effort(file));
    let bytes = encoder
        .write_all(&file.bytes)
        .and_then(|()| encoder.finish())
        .with_context(|| format!("{} cannot be compressed", file.path))?;
    let path = format!("{}{ENDING}", file.path);
    Ok((bytes.len() < length - length / 10)
        .then(|| OutputFile::new(path, bytes).lasting(file.lasting)))
}

/// An asset is fetched by everybody who comes for the first time. Of a page the last hundredth costs half as much time
/// again, at each build.
fn effort(file: &OutputFile) -> Compression {
    if file.lasting {
        Compression::best()
    } else {
        Compression::default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn file(path: &str, bytes: &[u8]) -> OutputFile {
        OutputFile::new(path, bytes.to_owned()).lasting(path.starts_with("assets/"))
    }

    #[test]
    fn a_file_is_followed_by_its_copy_if_that_is_worth_it() {
        let text = "the same again ".repeat(100).into_bytes();
        // No two of its bytes follow from each other.
        let mut generator = fastrand::Rng::with_seed(7);
        let picture: Vec<u8> = std::iter::repeat_with(|| generator.u8(..))
            .take(4000)
            .collect();
        let files = vec![
            file("assets/01234567/syncmon.css", &text),
            file("assets/01234567/logo.png", &picture),
            file("assets/01234567/green.svg", &text[..SHORTEST - 1]),
            file("assets/01234567/history.svg", &text[..SHORTEST]),
            file("feed.xml", &text),
            file("history/index.html", &text),
            file("index.html", &text),
        ];
        let both = with_copies(files.clone()).unwrap();
        let paths: Vec<&str> = both.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "assets/01234567/syncmon.css",
                "assets/01234567/syncmon.css.gz",
                "assets/01234567/logo.png",
                "assets/01234567/green.svg",
                "assets/01234567/history.svg",
                "assets/01234567/history.svg.gz",
                "feed.xml",
                "history/index.html",
                "index.html",
                "index.html.gz",
            ]
        );
        for pair in both
            .windows(2)
            .filter(|pair| pair[1].path.ends_with(ENDING))
        {
            let mut whole = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(pair[1].bytes.as_slice());
            decoder.read_to_end(&mut whole).unwrap();
            assert!(whole == pair[0].bytes, "{}", pair[1].path);
            assert_eq!(pair[1].lasting, pair[0].lasting, "{}", pair[1].path);
        }
        assert_eq!(with_copies(files).unwrap(), both);
    }
}
