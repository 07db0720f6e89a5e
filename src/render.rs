//! Views into files, through tera. Templates and assets are part of the program; a folder given
//! with `--templates` replaces those of the same name.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde::Serialize;
use tera::{Context, Tera};

use crate::failure::UsageError;
use crate::health::Assessment;
use crate::publish::OutputFile;
use crate::views::{self, Site};

/// The built-in templates: name and text.
const TEMPLATES: [(&str, &str); 3] = [
    ("base.html", include_str!("../templates/base.html")),
    ("overview.html", include_str!("../templates/overview.html")),
    ("entity.html", include_str!("../templates/entity.html")),
];

/// The built-in assets: name and content. Within the site a version stands after "assets/".
const ASSETS: [(&str, &str); 6] = [
    (
        "assets/syncmon.css",
        include_str!("../templates/assets/syncmon.css"),
    ),
    (
        "assets/syncmon.js",
        include_str!("../templates/assets/syncmon.js"),
    ),
    (
        "assets/green.svg",
        include_str!("../templates/assets/green.svg"),
    ),
    (
        "assets/yellow.svg",
        include_str!("../templates/assets/yellow.svg"),
    ),
    (
        "assets/red.svg",
        include_str!("../templates/assets/red.svg"),
    ),
    (
        "assets/grey.svg",
        include_str!("../templates/assets/grey.svg"),
    ),
];

/// A template or asset of one's own may be as large as this.
const LARGEST_TEMPLATE: u64 = 4 << 20;

/// A page may be as large as this; hundreds of entities with long errors need a hundredth of it.
const LARGEST_PAGE: usize = 64 << 20;

/// How much is repeated of what tera says about a template, in characters.
const LONGEST_ERROR: usize = 500;

/// Templates and assets, loaded and checked before anything else is done.
pub struct Look {
    tera: Tera,
    assets: Vec<(&'static str, String)>,
    /// Changes whenever an asset does, and is part of their paths: no page ever meets the style sheet
    /// or the script of another.
    version: String,
}

impl Look {
    /// The built-in look, with files of the same name from `folder` in place of it.
    pub fn load(folder: Option<&Path>) -> Result<Look> {
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let problem = format!(
                "--templates {} is not a directory; name one with templates in it",
                folder.display()
            );
            return Err(UsageError::new(problem).into());
        }
        let own = |name: &str, built_in: &str| -> Result<String> {
            let replaced = folder.and_then(|folder| own_file(&folder.join(name)));
            replaced.unwrap_or_else(|| Ok(built_in.to_owned()))
        };
        let mut templates = Vec::new();
        for (name, built_in) in TEMPLATES {
            templates.push((name, own(name, built_in)?));
        }
        let mut assets = Vec::new();
        for (path, built_in) in ASSETS {
            assets.push((path, own(path, built_in)?));
        }
        let mut tera = Tera::new();
        tera.autoescape_on([".html", ".xml", ".svg"]);
        tera.add_raw_templates(templates)
            .map_err(|error| broken_template(folder, &error))?;
        let everything: String = assets.iter().map(|(_, content)| content.as_str()).collect();
        Ok(Look {
            tera,
            version: fingerprint(&everything),
            assets,
        })
    }

    /// The whole site: assets, `status.json`, the entities' pages and the overview.
    pub fn render(&self, assessment: &Assessment, site: Site) -> Result<Vec<OutputFile>> {
        let mut files: Vec<OutputFile> = self
            .assets
            .iter()
            .map(|(path, content)| OutputFile {
                path: path.replacen("assets", &format!("assets/{}", self.version), 1),
                bytes: content.clone().into_bytes(),
                lasting: true,
            })
            .collect();
        let mut status = serde_json::to_vec_pretty(&views::status(assessment, site))
            .context("status.json cannot be written")?;
        status.push(b'\n');
        files.push(OutputFile {
            path: "status.json".to_owned(),
            bytes: status,
            lasting: false,
        });
        let pages = views::pages(assessment, site);
        for (path, view) in pages.entities {
            files.push(OutputFile {
                bytes: self.page("entity.html", "../", &view)?,
                path,
                lasting: false,
            });
        }
        let overview = self.page("overview.html", "", &pages.overview)?;
        files.push(OutputFile {
            path: "index.html".to_owned(),
            bytes: overview,
            lasting: false,
        });
        Ok(files)
    }

    /// `root` leads from the page to the top of the site, so that it works from the file system.
    fn page(&self, template: &str, root: &str, view: &impl Serialize) -> Result<Vec<u8>> {
        let mut context = Context::from_serialize(view)
            .map_err(|error| anyhow!("{template}: the view cannot be given to it: {error}"))?;
        context.insert("root", root);
        context.insert("version", &self.version);
        let mut page = Page::default();
        match self.tera.render_to(template, &context, &mut page) {
            Ok(()) => Ok(page.bytes),
            Err(_) if page.too_large => Err(UsageError::new(format!(
                "the template {template} makes a page of more than {} MiB, so nothing was published; \
                 look for a loop that writes too much",
                LARGEST_PAGE >> 20
            ))
            .into()),
            Err(error) => Err(broken_template(None, &error)),
        }
    }
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

/// A file that replaces a built-in one; `None` if there is none. Only what is a file is read: reading
/// anything else might never end.
fn own_file(path: &Path) -> Option<Result<String>> {
    let refuse = |problem: &str| {
        let problem = format!(
            "the template {} cannot be read ({problem}), so nothing was published; correct it or take \
             it away",
            path.display()
        );
        Some(Err(UsageError::new(problem).into()))
    };
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => refuse(&error.to_string()),
        Ok(found) if !found.is_file() => refuse("it is not a file"),
        Ok(found) if found.len() > LARGEST_TEMPLATE => {
            refuse(&format!("it is larger than {} MiB", LARGEST_TEMPLATE >> 20))
        }
        Ok(_) => match std::fs::read_to_string(path) {
            Ok(text) => Some(Ok(text)),
            Err(error) => refuse(&error.to_string()),
        },
    }
}

/// A template that does not load or render: nothing is published.
fn broken_template(folder: Option<&Path>, error: &tera::Error) -> anyhow::Error {
    let place = folder.map_or_else(String::new, |folder| format!(" in {}", folder.display()));
    // It quotes the line, which may be endless.
    let error: String = error.to_string().chars().take(LONGEST_ERROR).collect();
    UsageError::new(format!(
        "a template{place} cannot be used, so nothing was published; correct it: {error}"
    ))
    .into()
}

/// A short number for a content, the same on every machine.
fn fingerprint(content: &str) -> String {
    format!("{:016x}", crate::text::fnv1a(content))[..8].to_owned()
}
