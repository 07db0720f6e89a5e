//! A logo: a picture of a known kind and a sensible shape, and harmless if it is a drawing.

use super::drawing;
use super::size::{Kind, of_jpeg, of_png, of_webp};

/// How large a logo's file may be, in bytes.
pub const LARGEST_LOGO: u64 = 256 * 1024;

/// How high it is shown, in pixels, beside a title of one line.
const HEIGHT: f64 = 32.0;

/// How often as wide as high, and as high as wide, it may be: beyond, nothing of it could be made out.
const WIDEST: f64 = 12.0;
const HIGHEST: f64 = 4.0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    kind: Kind,
    pub bytes: Vec<u8>,
    /// As it is shown, in pixels.
    pub width: u32,
    pub height: u32,
}

impl Logo {
    /// What the file is called within the site.
    pub fn file_name(&self) -> String {
        format!("logo.{}", self.kind.extension())
    }

    /// A picture to show, or what is wrong with it and what to do about it.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Logo, String> {
        let kind =
            Kind::of(&bytes).ok_or("is no SVG, PNG, JPEG or WebP; name a file that is one")?;
        let size = match kind {
            Kind::Svg => Some(drawing::checked(&bytes)?),
            Kind::Png => of_png(&bytes).map(whole),
            Kind::Jpeg => of_jpeg(&bytes).map(whole),
            Kind::WebP => of_webp(&bytes).map(whole),
        };
        let (width, height) = size
            .filter(|(width, height)| *width > 0.0 && *height > 0.0)
            .ok_or_else(|| {
                let name = kind.extension().to_uppercase();
                format!("is a {name} that is damaged: it says no width and height; save it anew")
            })?;
        let shape = width / height;
        if shape > WIDEST {
            return Err(format!(
                "is {shape:.0} times as wide as high; crop it to at most {WIDEST:.0} times"
            ));
        }
        if 1.0 / shape > HIGHEST {
            return Err(format!(
                "is {:.0} times as high as wide; crop it to at most {HIGHEST:.0} times",
                1.0 / shape
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 8 and 384 by the bounds of its shape"
        )]
        let pixels = |length: f64| length.round() as u32;
        Ok(Logo {
            kind,
            bytes,
            width: pixels(HEIGHT * shape),
            height: pixels(HEIGHT),
        })
    }
}

fn whole((width, height): (u32, u32)) -> (f64, f64) {
    (f64::from(width), f64::from(height))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Result<(String, u32, u32), String> {
        Logo::from_bytes(bytes.to_vec()).map(|logo| (logo.file_name(), logo.width, logo.height))
    }

    #[test]
    fn each_kind_is_known_by_its_content_and_keeps_its_shape() {
        for (bytes, name) in [
            (
                include_bytes!("../../tests/it/logos/logo.svg").as_slice(),
                "logo.svg",
            ),
            (include_bytes!("../../tests/it/logos/logo.png"), "logo.png"),
            (include_bytes!("../../tests/it/logos/logo.jpg"), "logo.jpg"),
            (
                include_bytes!("../../tests/it/logos/lossy.webp"),
                "logo.webp",
            ),
            (
                include_bytes!("../../tests/it/logos/lossless.webp"),
                "logo.webp",
            ),
            (
                include_bytes!("../../tests/it/logos/alpha.webp"),
                "logo.webp",
            ),
        ] {
            assert_eq!(shown(bytes), Ok((name.to_owned(), 80, 32)), "{name}");
            // Wherever it is cut off, it is refused or a picture of the same shape.
            for end in 0..bytes.len() {
                if let Ok((_, width, height)) = shown(&bytes[..end]) {
                    assert_eq!((width, height), (80, 32), "{name} up to {end}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_picture_says_what_to_do() {
        let png = |width: u32, height: u32| {
            let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            bytes.extend(width.to_be_bytes().into_iter().chain(height.to_be_bytes()));
            bytes
        };
        for (bytes, problem) in [
            (Vec::new(), "is no SVG, PNG, JPEG or WebP"),
            (b"GIF89a".to_vec(), "is no SVG, PNG, JPEG or WebP"),
            (b"<html></html>".to_vec(), "is no SVG, PNG, JPEG or WebP"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "is a PNG that is damaged"),
            (
                b"\xff\xd8\xff\xe0\0\0\0\0".to_vec(),
                "is a JPG that is damaged",
            ),
            (
                b"RIFF\0\0\0\0WEBPVP9 ".to_vec(),
                "is a WEBP that is damaged",
            ),
            (png(0, 10), "is a PNG that is damaged"),
            (
                png(1201, 100),
                "is 12 times as wide as high; crop it to at most 12 times",
            ),
            (
                png(100, 401),
                "is 4 times as high as wide; crop it to at most 4 times",
            ),
            (png(u32::MAX, 1), "is 4294967295 times as wide as high"),
        ] {
            let refusal = shown(&bytes).expect_err("it is no logo");
            assert!(refusal.starts_with(problem), "{problem}: {refusal}");
        }
        assert_eq!(shown(&png(1200, 100)).map(|(_, width, _)| width), Ok(384));
        assert_eq!(shown(&png(100, 400)).map(|(_, width, _)| width), Ok(8));
    }
}
