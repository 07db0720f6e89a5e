//! Logo, accent and footer of the file, checked.

use toml::Spanned;

use super::reading::{Unreadable, bytes_of};
use super::source::{Source, quotable, unfit};
use crate::brand::{Accent, LARGEST_LOGO, Logo};
use crate::failure::UsageError;
use crate::text::word;

/// How long the footer can be, in characters.
const LONGEST_FOOTER: usize = 500;

impl Source<'_> {
    pub fn accent(&self, value: Option<&Spanned<String>>) -> Result<Option<Accent>, UsageError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let accent = Accent::parse(value.as_ref().trim());
        accent.map(Some).ok_or_else(|| {
            let problem = format!(
                "{:?} is not a colour; write it as #rrggbb, for example \"#8a1c4a\"",
                word(value.as_ref())
            );
            self.refuse(value.span(), "accent", &problem)
        })
    }

    /// Plain text, possibly of several lines.
    pub fn footer(&self, value: Option<&Spanned<String>>) -> Result<Option<String>, UsageError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let text = value.as_ref().replace("\r\n", "\n");
        match unfit(&text.replace('\n', " "), LONGEST_FOOTER) {
            None => Ok(Some(text)),
            Some(problem) => Err(self.refuse(value.span(), "footer", &problem)),
        }
    }

    /// Reads the picture that is named, relative to the configuration.
    pub fn logo(&self, value: Option<&Spanned<String>>) -> Result<Option<Logo>, UsageError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let name = value.as_ref();
        let folder = self.path.parent().unwrap_or(self.path);
        let path = folder.join(name);
        let refuse = |problem: &str| {
            let problem = format!("{} {problem}", word(&path.display().to_string()));
            self.refuse(value.span(), "logo", &problem)
        };
        if let Some(problem) = unfit(name, 4096) {
            return Err(self.refuse(value.span(), "logo", &problem));
        }
        let bytes = bytes_of(&path, LARGEST_LOGO).map_err(|problem| match problem {
            Unreadable::NotOpened(error) => refuse(&format!(
                "cannot be read ({error}); name a picture, relative to the configuration"
            )),
            Unreadable::NoFile => {
                refuse("is no regular file; name a picture, relative to the configuration")
            }
            Unreadable::TooLarge => refuse(&format!(
                "is larger than {} KiB; save it smaller, it is shown 32 pixels high",
                LARGEST_LOGO >> 10
            )),
        })?;
        let logo = Logo::from_bytes(bytes).map_err(|problem| refuse(&quotable(&problem)))?;
        Ok(Some(logo))
    }
}
