//! Publishing file by file, where directories cannot be exchanged.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::OutputFile;
use super::manifest::{MANIFEST, Manifest};
use super::target::Target;
use super::{carry, tree};

/// The manifest while two generations lie side by side, and the one to end with.
const BETWEEN: &str = ".syncmon-manifest.json.between";
const LAST: &str = ".syncmon-manifest.json.last";

/// Replaces the published files of `live`: everything is written and on disk before the first
/// rename; assets come first, then new pages, then the others, the overview last; what is published no more goes at the
/// end. Files that were not published by syncmon are not touched.
///
/// If anything fails, what was already replaced is put back. A process that dies in the middle
/// leaves whole files of two generations, which the next build completes.
pub fn replace(
    target: &Target,
    previous: Option<&Manifest>,
    manifest: &Manifest,
    files: &[OutputFile],
) -> Result<()> {
    let live = &target.live;
    if !live.exists() {
        tree::make_folder(live).with_context(|| {
            format!(
                "{} cannot be created; check free space and permissions",
                live.display()
            )
        })?;
    }
    let workplace = tree::private_folder(&live.join(tree::INSIDE))
        .with_context(|| tree::no_workplace("in", live))?;
    let [waiting, before] = ["site", "before"].map(|name| workplace.join(name));
    for folder in [&waiting, &before] {
        tree::remove_ours(folder)?;
    }
    stage(&waiting, live, previous, manifest, files)?;
    let mut change = Change {
        live,
        waiting: &waiting,
        before: &before,
        kept: BTreeSet::new(),
        done: Vec::new(),
    };
    change.keep_what_goes(previous, manifest)?;
    tree::sync(&workplace)?;
    target.is_as_it_was()?;
    if let Err(error) = change.go_live(previous, manifest) {
        return Err(change.put_back(error));
    }
    // The new site is live. What cannot be removed now, the next build removes or names.
    for folder in [&waiting, &before] {
        let _ = tree::remove_ours(folder);
    }
    Ok(())
}

/// Writes all that is to go live into `waiting`, whose own manifest stays there until the end, so
/// that it can always be recognised.
fn stage(
    waiting: &Path,
    live: &Path,
    previous: Option<&Manifest>,
    manifest: &Manifest,
    files: &[OutputFile],
) -> Result<()> {
    tree::make_site_folder(waiting, manifest)?;
    tree::write_files(waiting, live, files)?;
    // An interrupted publish must still know the directory, and every file of both generations.
    let formerly = previous.map(|previous| &previous.files);
    let either = Manifest {
        files: formerly
            .into_iter()
            .flatten()
            .chain(&manifest.files)
            .cloned()
            .collect(),
        ..manifest.clone()
    };
    tree::write_file(waiting, BETWEEN, &either.to_bytes())?;
    tree::write_file(waiting, LAST, &manifest.to_bytes())
}

/// One step on the way from the old generation to the new one, as it has to be undone.
enum Step {
    MadeFolder(PathBuf),
    /// A file where there was none.
    Added(PathBuf),
    /// A file that is gone from where it was, or another one; the old one lies in `before`.
    Taken {
        path: PathBuf,
        kept: PathBuf,
    },
    RemovedFolder {
        path: PathBuf,
        permissions: std::fs::Permissions,
    },
}

struct Change<'a> {
    live: &'a Path,
    waiting: &'a Path,
    /// Holds every old file that is to be replaced or removed.
    before: &'a Path,
    /// The names of those.
    kept: BTreeSet<String>,
    done: Vec<Step>,
}

impl Change<'_> {
    /// Keeps every old file, so that nothing is lost before all is done.
    fn keep_what_goes(&mut self, previous: Option<&Manifest>, manifest: &Manifest) -> Result<()> {
        tree::make_site_folder(self.before, manifest)?;
        let formerly = previous.map(|previous| &previous.files);
        let either: BTreeSet<&String> = formerly
            .into_iter()
            .flatten()
            .chain(&manifest.files)
            .collect();
        for path in either {
            self.keep(path, path)?;
        }
        self.keep(MANIFEST, LAST)
    }

    fn keep(&mut self, path: &str, name: &str) -> Result<()> {
        let old = self.live.join(path);
        let trouble = || {
            format!(
                "{} cannot be kept until all is replaced; check free space and permissions",
                old.display()
            )
        };
        let found = match old.symlink_metadata() {
            Ok(found) if found.is_dir() || tree::goes_through_a_link(self.live, path) => {
                return Ok(());
            }
            Err(error) if tree::is_missing(&error) => return Ok(()),
            found => found.with_context(trouble)?,
        };
        tree::make_parents(self.before, name)
            .and_then(|_| carry::same_again(&old, found.file_type(), &self.before.join(name)))
            .with_context(trouble)?;
        self.kept.insert(name.to_owned());
        Ok(())
    }

    fn go_live(&mut self, previous: Option<&Manifest>, manifest: &Manifest) -> Result<()> {
        self.replace(BETWEEN, MANIFEST, LAST)?;
        for path in in_order(previous, manifest) {
            self.make_parents(path)?;
            self.replace(path, path, path)?;
        }
        let formerly = previous.map(|previous| &previous.files);
        for path in formerly.into_iter().flatten() {
            if !manifest.files.contains(path) {
                self.remove(path)?;
            }
        }
        self.replace(LAST, MANIFEST, LAST)
    }

    fn make_parents(&mut self, path: &str) -> Result<()> {
        let made = tree::make_parents(self.live, path).with_context(|| {
            format!(
                "the folder of {} cannot be created in {}; move away what is in its place, or check \
                 free space and permissions",
                path,
                self.live.display()
            )
        })?;
        self.done.extend(made.into_iter().map(Step::MadeFolder));
        Ok(())
    }

    /// Puts `staged` in the place of `path`; the old file was kept under `name`.
    fn replace(&mut self, staged: &str, path: &str, name: &str) -> Result<()> {
        let to = self.live.join(path);
        if to.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            bail!(
                "{} is a folder where a published file belongs; move it away",
                to.display()
            );
        }
        std::fs::rename(self.waiting.join(staged), &to).with_context(|| {
            format!(
                "{} cannot be replaced; check its permissions and the disk",
                to.display()
            )
        })?;
        self.note(to, name);
        Ok(())
    }

    fn note(&mut self, path: PathBuf, name: &str) {
        self.done.push(if self.kept.contains(name) {
            let kept = self.before.join(name);
            Step::Taken { path, kept }
        } else {
            Step::Added(path)
        });
    }

    /// Removes a file that is published no more, and the folders that it leaves empty. A folder
    /// that is a link is left alone with all that it leads to.
    fn remove(&mut self, path: &str) -> Result<()> {
        if tree::goes_through_a_link(self.live, path) {
            return Ok(());
        }
        let file = self.live.join(path);
        match std::fs::remove_file(&file) {
            Ok(()) => self.note(file, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "{}, which is published no more, cannot be removed; remove it by hand",
                        file.display()
                    )
                });
            }
        }
        for folder in Path::new(path).ancestors().skip(1) {
            let folder = self.live.join(folder);
            let Ok(found) = folder.symlink_metadata() else {
                break;
            };
            // Fails, as it should, while anything else lies in it.
            if folder == self.live || std::fs::remove_dir(&folder).is_err() {
                break;
            }
            self.done.push(Step::RemovedFolder {
                path: folder,
                permissions: found.permissions(),
            });
        }
        Ok(())
    }

    /// Undoes all steps, the last one first, and says so if that failed as well.
    fn put_back(mut self, error: anyhow::Error) -> anyhow::Error {
        let mut failed = None;
        while let Some(step) = self.done.pop() {
            let (path, undone) = undo(&step);
            if let Err(why) = undone {
                failed.get_or_insert_with(|| format!("{} failed as well: {why}", path.display()));
            }
        }
        match failed {
            None => {
                for folder in [self.waiting, self.before] {
                    let _ = tree::remove_ours(folder);
                }
                error
            }
            Some(failed) => anyhow!(
                "{error:#}; putting back {failed}; {} holds files of two generations until a build \
                 succeeds",
                self.live.display()
            ),
        }
    }
}

fn undo(step: &Step) -> (&Path, std::io::Result<()>) {
    match step {
        Step::MadeFolder(path) => (path, std::fs::remove_dir(path)),
        Step::Added(path) => (path, std::fs::remove_file(path)),
        Step::Taken { path, kept } => (path, std::fs::rename(kept, path)),
        Step::RemovedFolder { path, permissions } => (
            path,
            std::fs::create_dir(path)
                .and_then(|()| std::fs::set_permissions(path, permissions.clone())),
        ),
    }
}

/// What goes live, in this order: a page never before what it needs, and a page that is new before the
/// old ones, whose next versions may lead to it.
fn in_order<'a>(previous: Option<&Manifest>, manifest: &'a Manifest) -> Vec<&'a str> {
    let mut ordered: Vec<&str> = manifest.files.iter().map(String::as_str).collect();
    ordered.retain(|path| !manifest.stays(path));
    let was_there = |path: &str| previous.is_some_and(|previous| previous.files.contains(path));
    ordered.sort_by_key(|path| (publishing_order(path), was_there(path)));
    ordered
}

/// The compressed copy of a file belongs to it; the overview is the last of all.
fn publishing_order(path: &str) -> u8 {
    let whole = path.strip_suffix(".gz").unwrap_or(path);
    match whole {
        "index.html" if whole == path => 4,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Manifest {
        Manifest {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            ..Manifest::new(false, true)
        }
    }

    #[test]
    fn a_new_page_goes_live_before_the_pages_that_can_lead_to_it() {
        let before = of(&["index.html", "history/index.html", "entities/sales.html"]);
        let after = of(&[
            "index.html",
            "index.html.gz",
            "status.json",
            "status.json.gz",
            "history/index.html",
            "history/runs.csv",
            "history/status/stuck.html",
            "entities/sales.html",
            "entities/sales.html.gz",
            "assets/01234567/syncmon.css.gz",
        ]);
        let expected = [
            "assets/01234567/syncmon.css.gz",
            "history/runs.csv",
            "entities/sales.html.gz",
            "history/status/stuck.html",
            "entities/sales.html",
            "history/index.html",
            "status.json",
            "status.json.gz",
            "index.html.gz",
            "index.html",
        ];
        assert_eq!(in_order(Some(&before), &after), expected);
    }

    #[test]
    fn the_overview_goes_live_last_of_all_its_copy_included() {
        let [before, after] = [
            of(&[]),
            of(&["index.html", "index.html.gz", "status.json", "a.html"]),
        ];
        for previous in [None, Some(&before), Some(&after)] {
            assert_eq!(in_order(previous, &after).last(), Some(&"index.html"));
        }
    }
}
