//! Views into files, through tera. Templates and assets are part of the program; a folder given
//! with `--templates` replaces those of the same name.

mod broken;
mod built_in;
mod compressed;
mod folder;
mod history;
mod nearest;
mod programs;
mod rehearsal;
mod side_by_side;
mod sources;

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde::Serialize;
use serde_json::Value;
use tera::{Context, Tera};

use crate::brand::Brand;
use crate::failure::UsageError;
use crate::health::Assessment;
use crate::publish::OutputFile;
use crate::views::{self, Pages, Site};
pub use built_in::{ASSETS, TEMPLATES, exported};
use compressed::with_copies;
use side_by_side::both;
use sources::Sources;

/// The asset that the accent is written into.
const STYLE: &str = "assets/syncmon.css";

/// A page may be as large as this; hundreds of entities with long errors need a hundredth of it.
const LARGEST_PAGE: usize = 64 << 20;

/// What every page shows of its site's logo.
#[derive(Serialize)]
struct LogoView {
    file: String,
    width: u32,
    height: u32,
}

/// Templates and assets, loaded and checked before anything else is done.
pub struct Look {
    tera: Tera,
    sources: Sources,
    /// Paths and contents.
    assets: Vec<(String, Vec<u8>)>,
    /// Changes whenever an asset does, and is part of their paths: no page ever meets the style sheet
    /// or the script of another.
    version: String,
    logo: Option<LogoView>,
}

impl Look {
    /// The built-in look, with files of the same name from `folder` in place of it, in the colour and
    /// with the logo of `brand`.
    pub fn load(folder: Option<&Path>, brand: &Brand) -> Result<Look> {
        let sources = Sources::load(folder)?;
        let mut assets = Vec::new();
        for (path, built_in) in ASSETS {
            let own = sources.own_text(path)?;
            let content = own.unwrap_or_else(|| (*built_in).to_owned());
            assets.push(((*path).to_owned(), content.into_bytes()));
        }
        let style = assets.iter_mut().find(|(path, _)| path == STYLE);
        if let (Some(accent), Some((_, style))) = (brand.accent, style) {
            style.extend(accent.style().bytes());
        }
        if let Some(logo) = &brand.logo {
            assets.push((format!("assets/{}", logo.file_name()), logo.bytes.clone()));
        }
        let mut tera = Tera::new();
        tera.autoescape_on([".html", ".xml", ".svg"]);
        let built_in = programs::TEMPLATES.iter().copied();
        tera.add_raw_templates(sources.texts().chain(built_in))
            .map_err(|error| broken::refusal(&sources, &error, &Value::Null))?;
        let everything: Vec<u8> = assets
            .iter()
            .flat_map(|(_, bytes)| bytes)
            .copied()
            .collect();
        Ok(Look {
            tera,
            sources,
            version: fingerprint(&everything),
            assets,
            logo: brand.logo.as_ref().map(|logo| LogoView {
                file: logo.file_name(),
                width: logo.width,
                height: logo.height,
            }),
        })
    }

    /// Tries templates of one's own on everything that may come; those built in are tested as they are.
    pub fn rehearse(&self, site: Site) -> Result<()> {
        if !self.sources.has_folder() {
            return Ok(());
        }
        let undelivered = rehearsal::undelivered(site.speaker.now);
        for assessment in rehearsal::worlds(site.policy, site.speaker.now) {
            for demo in [false, true] {
                let footer = if demo {
                    Some("Questions: data@example.org")
                } else {
                    site.footer
                };
                let site = Site {
                    footer,
                    demo,
                    undelivered: demo.then_some(&undelivered),
                    ..site
                };
                let files = self.render(&assessment, site)?;
                if let Some(page) = files.iter().find(|file| is_empty_page(file)) {
                    return Err(UsageError::new(format!(
                        "the templates make {} an empty page, so nothing was published; look for one of them that \
                         is empty",
                        page.path
                    ))
                    .into());
                }
            }
        }
        Ok(())
    }

    /// The assets, with the copies that save compressing. They do not depend on what is read.
    pub fn assets(&self) -> Result<Vec<OutputFile>> {
        let assets = self.assets.iter().map(|(path, content)| {
            let path = path.replacen("assets", &format!("assets/{}", self.version), 1);
            OutputFile::new(path, content.clone()).lasting(true)
        });
        with_copies(assets.collect())
    }

    /// The site for its readers: `status.json`, the history, the entities' pages and the overview.
    pub fn render(&self, assessment: &Assessment, site: Site) -> Result<Vec<OutputFile>> {
        let mut status = serde_json::to_vec_pretty(&views::status(assessment, site))
            .context("status.json cannot be written")?;
        status.push(b'\n');
        let mut files = vec![OutputFile::new("status.json", status)];
        // Each is half of the work.
        let (history, pages) = both(
            || self.history(&views::history(assessment, site)),
            || self.pages(&views::pages(assessment, site)),
        )?;
        files.extend(history?);
        files.extend(pages?);
        Ok(files)
    }

    /// The entities' pages, and the overview last.
    fn pages(&self, pages: &Pages) -> Result<Vec<OutputFile>> {
        let mut files = Vec::with_capacity(pages.entities.len() + 1);
        for (path, view) in &pages.entities {
            files.push(OutputFile::new(
                path,
                self.page("entity.html", "../", view)?,
            ));
        }
        let overview = self.page("overview.html", "", &pages.overview)?;
        files.push(OutputFile::new("index.html", overview));
        Ok(files)
    }

    fn page(&self, template: &str, root: &str, view: &impl Serialize) -> Result<Vec<u8>> {
        self.rendered(
            template,
            &Given {
                view,
                root,
                version: &self.version,
                logo: self.logo.as_ref(),
            },
        )
    }

    fn rendered(&self, template: &str, given: &impl Serialize) -> Result<Vec<u8>> {
        let context = Context::from_serialize(given)
            .map_err(|error| anyhow!("{template}: the view cannot be given to it: {error}"))?;
        let mut page = Page::default();
        match self.tera.render_to(template, &context, &mut page) {
            Ok(()) => Ok(page.bytes),
            Err(_) if page.too_large => Err(UsageError::new(format!(
                "the template {template} makes a page of more than {} MiB, so nothing was published; \
                 look for a loop that writes too much",
                LARGEST_PAGE >> 20
            ))
            .into()),
            Err(error) => {
                let given = serde_json::to_value(given).unwrap_or_default();
                Err(broken::refusal(&self.sources, &error, &given).into())
            }
        }
    }
}

/// Everything that a template is given.
#[derive(Serialize)]
struct Given<'a, V> {
    #[serde(flatten)]
    view: &'a V,
    root: &'a str,
    version: &'a str,
    logo: Option<&'a LogoView>,
}

/// What a template has written so far.
#[derive(Default)]
struct Page {
    bytes: Vec<u8>,
    too_large: bool,
}

impl Write for Page {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        self.too_large = self.bytes.len() + more.len() > LARGEST_PAGE;
        if self.too_large {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_empty_page(file: &OutputFile) -> bool {
    let is_page = Path::new(&file.path)
        .extension()
        .is_some_and(|extension| extension == "html");
    is_page && file.bytes.trim_ascii().is_empty()
}

/// A short number for a content, the same on every machine.
fn fingerprint(content: &[u8]) -> String {
    format!("{:016x}", crate::text::fnv1a(content))[..8].to_owned()
}
