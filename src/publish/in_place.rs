//! Publishing file by file, where directories cannot be exchanged.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::OutputFile;
use super::manifest::{MANIFEST, Manifest};
use super::tree;

/// Replaces the published files of `live`: everything is written and on disk before the first
/// rename; assets come first, then pages, the overview last; what is published no more goes at the
/// end. Files that were not published by syncmon are not touched.
pub fn replace(
    live: &Path,
    previous: Option<&Manifest>,
    manifest: &Manifest,
    files: &[OutputFile],
) -> Result<()> {
    if !live.exists() {
        tree::make_folder(live).with_context(|| format!("{} cannot be created", live.display()))?;
    }
    let waiting = tree::private_folder(&live.join(tree::INSIDE))
        .with_context(|| format!("no folder for staging can be made in {}", live.display()))?
        .join("site");
    tree::remove_ours(&waiting)?;
    tree::make_folder(&waiting)
        .with_context(|| format!("{} cannot be created", waiting.display()))?;
    tree::write_site(&waiting, manifest, files)?;
    tree::keep_times_apart(&waiting, live, files)?;

    // An interrupted publish must still know the directory, and every file of both generations.
    let formerly = previous
        .map(|previous| previous.files.clone())
        .unwrap_or_default();
    let either = Manifest {
        files: formerly.union(&manifest.files).cloned().collect(),
        ..manifest.clone()
    };
    let transitional = format!("{MANIFEST}.next");
    tree::write_file(&waiting, &transitional, &either.to_bytes())?;
    tree::sync(&waiting)?;
    rename(&waiting.join(transitional), &live.join(MANIFEST))?;

    let mut ordered: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    ordered.sort_by_key(|path| publishing_order(path));
    for path in ordered {
        tree::make_parents(live, path).with_context(|| {
            format!(
                "the folder of {path} cannot be created in {}",
                live.display()
            )
        })?;
        rename(&waiting.join(path), &live.join(path))?;
    }
    for path in formerly.difference(&manifest.files) {
        remove(live, path, &manifest.files)?;
    }
    rename(&waiting.join(MANIFEST), &live.join(MANIFEST))?;
    std::fs::remove_dir_all(&waiting)
        .with_context(|| format!("{} cannot be removed", waiting.display()))
}

/// A page never goes live before what it needs, and the overview links to nothing that is missing.
fn publishing_order(path: &str) -> u8 {
    match path {
        "index.html" => 3,
        "status.json" => 2,
        page if Path::new(page)
            .extension()
            .is_some_and(|kind| kind == "html") =>
        {
            1
        }
        _ => 0,
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    if to.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        bail!(
            "{} is a folder where a published file belongs; move it away",
            to.display()
        );
    }
    std::fs::rename(from, to).with_context(|| format!("{} cannot be replaced", to.display()))
}

/// Removes a file that is published no more, and the folders that it leaves empty. A folder that is
/// a link is left alone with all that it leads to.
fn remove(live: &Path, path: &str, still: &BTreeSet<String>) -> Result<()> {
    let linked = Path::new(path).ancestors().skip(1).any(|folder| {
        live.join(folder) != live
            && live
                .join(folder)
                .symlink_metadata()
                .is_ok_and(|f| f.is_symlink())
    });
    if linked || still.contains(path) {
        return Ok(());
    }
    let file = live.join(path);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} cannot be removed", file.display()));
        }
        Ok(()) | Err(_) => {}
    }
    for folder in Path::new(path).ancestors().skip(1) {
        // Fails, as it should, while anything else lies in it.
        if folder.as_os_str().is_empty() || std::fs::remove_dir(live.join(folder)).is_err() {
            break;
        }
    }
    Ok(())
}
