//! Folders as the publishing tests need them: built into, looked at, tampered with.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::sandbox::{Ended, Sandbox};
use crate::wrapped::{Mounted, ended};

pub const LATER: &str = "2026-11-22T20:10:00Z";
pub const MUCH_LATER: &str = "2026-11-22T20:15:00Z";
pub const MANIFEST: &str = ".syncmon-manifest.json";

/// One sync, so that builds are quick.
pub fn world() -> Sandbox {
    Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
    )
}

pub fn build_into<'a>(out: &'a str, moment: &'a str) -> [&'a str; 7] {
    [
        "build",
        "--out",
        out,
        "--state-dir",
        "state",
        "--now",
        moment,
    ]
}

/// Exit code 2, one reason on standard error, and everything as it was.
pub fn refuses(world: &Sandbox, build: &mut std::process::Command, why: &str) {
    let before = tree(world.root());
    let ended = ended(build);
    assert_eq!(ended.code, 2, "{build:?}: {ended:?}");
    assert!(ended.stderr.contains(why), "{build:?}: {ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(tree(world.root()), before, "{build:?}");
}

pub fn assert_one_line(ended: &Ended, what: &str) {
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains(what), "{ended:?}");
}

/// `site` of the sandbox as a mount point: a "tmpfs", or a folder by "bind".
pub fn mounted_site(world: &Sandbox, kind: &str) -> Mounted {
    fs::create_dir(world.path("site")).unwrap();
    if kind == "tmpfs" {
        return Mounted::new(world, "-t tmpfs tmpfs site");
    }
    fs::create_dir(world.path("volume")).unwrap();
    Mounted::new(world, "--bind volume site")
}

pub fn build_where(world: &Sandbox, mount: Option<&Mounted>, moment: &str) -> Ended {
    let build = world.command(&build_into("site", moment));
    match mount {
        Some(mount) => ended(&mut mount.wrap(&build)),
        None => world.build_at(moment),
    }
}

pub fn seen(world: &Sandbox, mount: Option<&Mounted>) -> PathBuf {
    let site = world.path("site");
    mount.map_or(site.clone(), |mount| mount.path(&site))
}

pub fn replace_by_link(path: &Path, to: impl AsRef<Path>) {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
    symlink(to, path).unwrap();
}

pub fn inode(path: &Path) -> u64 {
    path.metadata().unwrap().ino()
}

pub fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file below a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            (name.to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// Everything below a folder as it is: identity, permissions, last change and content.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            let found = entry.path().symlink_metadata().unwrap();
            let content = if found.is_file() {
                syncmon::text::fnv1a(fs::read(entry.path()).unwrap())
            } else {
                0
            };
            let kind = (found.ino(), found.mode(), found.mtime_nsec());
            (entry.path().to_owned(), format!("{kind:?} {content}"))
        })
        .collect()
}

/// Standard error as the golden file shows it, the same wherever the world lies.
pub fn shown(ended: &Ended, root: &Path) -> String {
    let lines = ended
        .stderr
        .lines()
        .filter(|line| !line.starts_with("strace: "));
    let text: Vec<String> = lines
        .map(|line| without_version(&line.replace(root.to_str().unwrap(), "DIR")))
        .collect();
    format!("exit code {}\n{}", ended.code, text.join("\n"))
}

/// The version of the assets changes with every style sheet.
fn without_version(line: &str) -> String {
    match line.split_once("/assets/") {
        Some((before, after)) if after.get(8..9) == Some("/") => {
            format!("{before}/assets/VERSION{}", &after[8..])
        }
        _ => line.to_owned(),
    }
}
