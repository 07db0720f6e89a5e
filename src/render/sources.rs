//! The texts of the templates, and whose they are.

use std::path::Path;

use anyhow::Result;

use super::built_in::TEMPLATES;
use super::folder::Folder;

pub struct Sources {
    folder: Option<Folder>,
    /// Name, text, and whether the text is from the folder.
    templates: Vec<(&'static str, String, bool)>,
}

impl Sources {
    pub fn load(folder: Option<&Path>) -> Result<Sources> {
        let mut sources = Sources {
            folder: folder.map(Folder::open).transpose()?,
            templates: Vec::new(),
        };
        for (name, built_in) in TEMPLATES {
            let own = sources.own_text(name)?;
            let is_own = own.is_some();
            let text = own.unwrap_or_else(|| (*built_in).to_owned());
            sources.templates.push((name, text, is_own));
        }
        Ok(sources)
    }

    pub fn own_text(&self, name: &str) -> Result<Option<String>> {
        match &self.folder {
            None => Ok(None),
            Some(folder) => folder.text_of(name),
        }
    }

    pub fn is_own(&self, template: &str) -> bool {
        let mut own = self.templates.iter().filter(|(_, _, own)| *own);
        own.any(|(name, _, _)| *name == template)
    }

    /// The path of a template, or that it is built in.
    pub fn place(&self, template: &str) -> String {
        match &self.folder {
            Some(folder) if self.is_own(template) => folder.place(template).display().to_string(),
            _ => format!("the built-in {template}"),
        }
    }

    /// The line of a template in which a tag of this name stands.
    pub fn line_with(&self, template: &str, tag: &str) -> Option<usize> {
        let is_it = |line: &str| line.contains("{%") && line.contains(tag);
        let mut lines = self.text_of(template).lines();
        lines.position(is_it).map(|index| index + 1)
    }

    /// Where the templates of one's own are.
    pub fn folder(&self) -> String {
        let folder = self.folder.as_ref();
        folder.map_or_else(String::new, |folder| {
            format!("in {}", folder.path.display())
        })
    }

    pub fn has_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// Name and text of every template.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = self.templates.iter();
        all.map(|(name, text, _)| (*name, text.as_str()))
    }

    /// Nothing for a template that there is not.
    pub fn text_of(&self, template: &str) -> &str {
        let mut texts = self.texts();
        texts
            .find(|(name, _)| *name == template)
            .map_or("", |(_, text)| text)
    }

    /// The names of the components that any template defines.
    pub fn components(&self) -> Vec<&str> {
        let texts = self.texts();
        texts
            .flat_map(|(_, text)| text.split("{% component ").skip(1))
            .filter_map(|definition| definition.split('(').next())
            .collect()
    }
}
