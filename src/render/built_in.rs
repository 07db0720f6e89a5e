//! What is part of the program: one line a template, one line an asset.

/// Name and text.
pub type BuiltIn = (&'static str, &'static str);

macro_rules! from_templates {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Each of them is given what `templates/README.md` tells.
pub const TEMPLATES: &[BuiltIn] = from_templates! {
    "base.html",
    "overview.html",
    "entity.html",
    "why.html",
    "history.html",
    "history_row.html",
};

/// Within the site a version stands after "assets/".
pub const ASSETS: &[BuiltIn] = from_templates! {
    "assets/syncmon.css",
    "assets/syncmon.js",
    "assets/history.js",
    "assets/history.svg",
    "assets/green.svg",
    "assets/yellow.svg",
    "assets/red.svg",
    "assets/grey.svg",
};

/// What an exported folder holds besides: how to use it.
const EXPLANATION: &[BuiltIn] = from_templates! { "README.md", };

/// Everything that `syncmon templates export` writes.
pub fn exported() -> impl Iterator<Item = BuiltIn> {
    let all = [EXPLANATION, TEMPLATES, ASSETS].into_iter().flatten();
    all.copied()
}

/// The names that a folder of one's own can replace.
pub fn replaceable() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().chain(ASSETS).map(|(name, _)| *name)
}
