//! Logos: any bytes are refused in words, or are a picture of a sensible size in which nothing runs.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::Logo;
use crate::generators::mutations::bent_text;
use crate::generators::{Volume, fuzz};

const VOLUME: Volume = Volume {
    sampled: 2_000,
    whole: 200_000,
};

const PICTURES: [&[u8]; 5] = [
    include_bytes!("../../../tests/it/logos/logo.png"),
    include_bytes!("../../../tests/it/logos/logo.jpg"),
    include_bytes!("../../../tests/it/logos/lossy.webp"),
    include_bytes!("../../../tests/it/logos/lossless.webp"),
    include_bytes!("../../../tests/it/logos/alpha.webp"),
];

const DRAWINGS: &[&str] = &[
    include_str!("../../../tests/it/logos/logo.svg"),
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 1\"><style>a{fill:url(#a)}</style><a/></svg>",
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "<", ">", "/>", "</", "=", "\"", "'", "&", ";", "&#106;", "&lt;", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>",
    "<!DOCTYPE svg>", "<script>", "</script>", "onload=\"\"", "href=\"", "xlink:href=\"#", "javascript:", "url(",
    "@import", "\\", "style", "<g>", "</g>", "xmlns:a=\"", "a:", "width=\"", "height=\"", "1e400", "NaN", "-1",
    "100%", "mm", "viewBox=\"", "\u{feff}", "\u{0}", "\u{202e}", "encoding=\"UTF-7\"", "<svg>", "</svg>", "\n",
];

fn is_refused_or_sane(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    match Logo::from_bytes(bytes) {
        Ok(logo) => {
            prop_assert!(
                (8..=384).contains(&logo.width) && logo.height == 32,
                "{:?}",
                logo
            );
            if let Ok(text) = std::str::from_utf8(&logo.bytes) {
                let text = text.to_lowercase();
                prop_assert!(!text.contains("<script"), "{}", text);
                prop_assert!(!text.contains("<!doctype"), "{}", text);
            }
        }
        Err(problem) => {
            prop_assert!(problem.chars().count() < 400, "{}", problem);
            prop_assert!(problem.contains("; "), "what next? {}", problem);
        }
    }
    Ok(())
}

#[test]
fn any_drawing_is_refused_in_words_or_harmless() {
    // Within comments and the like anything may stand; such a drawing is left out.
    let drawings = bent_text(DRAWINGS, WORDS).prop_filter("hidden text", |text| {
        !["<!--", "<![CDATA["].iter().any(|open| text.contains(open))
    });
    fuzz("drawings", VOLUME, &drawings, |text| {
        is_refused_or_sane(text.into_bytes())
    });
}

#[test]
fn any_picture_is_refused_in_words_or_of_a_sensible_size() {
    let picture = (0..PICTURES.len()).prop_map(|index| PICTURES[index].to_vec());
    let changes = vec((any::<Index>(), any::<u8>()), 0..8);
    let bent = (picture, changes, any::<Index>()).prop_map(|(mut bytes, changes, end)| {
        for (at, byte) in changes {
            // Most of what counts stands at the beginning.
            let at = at.index(bytes.len()) / 4;
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len() * 2));
        bytes
    });
    fuzz("pictures", VOLUME, &bent, is_refused_or_sane);
}
