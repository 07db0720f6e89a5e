//! The accent: one colour, made legible on the light paper and on the dark one.

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour([u8; 3]);

/// `--paper` of the style sheet, in light and in dark.
const LIGHT_PAPER: Colour = Colour([0xfb, 0xfa, 0xf7]);
const DARK_PAPER: Colour = Colour([0x17, 0x16, 0x14]);

const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([0xff, 0xff, 0xff]);

/// What ordinary text has to reach (WCAG 2, success criterion 1.4.3).
const LEGIBLE: f64 = 4.5;

/// The colour that the title and a thin rule are painted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    light: Colour,
    dark: Colour,
}

impl Accent {
    /// Reads `#rrggbb`. On paper on which it cannot be read it becomes darker, or lighter, until it can.
    pub fn parse(text: &str) -> Option<Accent> {
        let colour = Colour::parse(text)?;
        Some(Accent {
            light: colour.legible_on(LIGHT_PAPER, BLACK),
            dark: colour.legible_on(DARK_PAPER, WHITE),
        })
    }

    /// As the end of a style sheet: no page may hold a style of its own.
    pub fn style(self) -> String {
        format!(
            "\n:root {{ --accent: {}; }}\n\
             @media screen and (prefers-color-scheme: dark) {{ :root {{ --accent: {}; }} }}\n",
            self.light.written(),
            self.dark.written()
        )
    }
}

impl Colour {
    fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Colour([part(0)?, part(2)?, part(4)?]))
    }

    fn written(self) -> String {
        let Colour([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The colour itself, or the nearest to it on the way to `end` that can be read on `paper`.
    fn legible_on(self, paper: Colour, end: Colour) -> Colour {
        (0..=u8::MAX)
            .map(|step| self.towards(end, step))
            .find(|colour| contrast(*colour, paper) >= LEGIBLE)
            .unwrap_or(end)
    }

    /// `step` of 255 parts of the way.
    fn towards(self, end: Colour, step: u8) -> Colour {
        let mut mixed = self.0;
        for (part, end) in mixed.iter_mut().zip(end.0) {
            let sum =
                u16::from(*part) * u16::from(u8::MAX - step) + u16::from(end) * u16::from(step);
            *part = u8::try_from(sum / u16::from(u8::MAX)).unwrap_or(u8::MAX);
        }
        Colour(mixed)
    }

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// Between 1 and 21, whichever is the lighter.
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_are_those_of_the_style_sheet() {
        let style = include_str!("../../templates/assets/syncmon.css");
        let papers: Vec<&str> = style
            .split("--paper: ")
            .skip(1)
            .map(|rest| &rest[..7])
            .collect();
        assert_eq!(papers, [LIGHT_PAPER.written(), DARK_PAPER.written()]);
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let accent = Accent::parse("#8A1C4A").unwrap();
        assert_eq!(accent.light.written(), "#8a1c4a");
        let accent = Accent::parse("#e3b341").unwrap();
        assert_eq!(accent.dark.written(), "#e3b341");
    }

    #[test]
    fn every_colour_can_be_read_on_both_papers() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        let steps = || (0..=u8::MAX).step_by(15);
        for red in steps() {
            for (green, blue) in steps().flat_map(|green| steps().map(move |blue| (green, blue))) {
                let written = Colour([red, green, blue]).written();
                let Accent { light, dark } = Accent::parse(&written).unwrap();
                assert!(contrast(light, LIGHT_PAPER) >= 4.5, "{written}: {light:?}");
                assert!(contrast(dark, DARK_PAPER) >= 4.5, "{written}: {dark:?}");
            }
        }
    }

    #[test]
    fn what_is_no_colour_is_none() {
        for text in [
            "", "#", "red", "#fff", "8a1c4a", "#8a1c4", "#8a1c4ab", "#8a1c4g", "#+12345", "#é1c4a",
            " #8a1c4a",
        ] {
            assert_eq!(Accent::parse(text), None, "{text:?}");
        }
    }
}
