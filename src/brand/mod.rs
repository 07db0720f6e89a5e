//! What a site shows of its owner besides the title: logo, accent colour, footer. Pure.

mod colour;
mod drawing;
mod logo;
mod size;

pub use colour::Accent;
pub use logo::{LARGEST_LOGO, Logo};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    pub logo: Option<Logo>,
    pub accent: Option<Accent>,
    /// Plain text, possibly of several lines.
    pub footer: Option<String>,
}
