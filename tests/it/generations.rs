//! Two generations of a site that differ in every kind of file, published in turn wherever a site
//! can lie.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::folders::{LATER, MANIFEST};
use crate::sandbox::{Ended, NOW, Sandbox, version_of};
use crate::wrapped::{Mounted, ended, shell, through};

const MOMENTS: [&str; 2] = [NOW, LATER];

/// Everything in a site by its path: files with their bytes, links with what they say, folders with
/// a "/" at the end.
pub type Site = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A directory like any other.
    Plain,
    /// The same, with the state directory on another file system.
    StateElsewhere,
    /// Another file system than everything else.
    MountPoint,
    /// A mount point of the same file system.
    Bind,
    /// Site and state directory within a disk of their own.
    OwnDisk,
}

pub struct Generations {
    pub world: Sandbox,
    place: Place,
    mount: Option<Mounted>,
    /// As they are when nothing went wrong, without anything of others in it.
    sites: [Site; 2],
    /// What lies beside the site from the beginning.
    around: Vec<String>,
}

/// What a reader would find.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Whole(usize),
    /// Neither of the two: how it differs from the one to which it comes closer.
    Mixed(String),
}

impl Generations {
    pub fn new(place: Place) -> Generations {
        let world = world();
        fs::create_dir(world.path("state")).unwrap();
        let mounted = match place {
            Place::Plain => None,
            Place::StateElsewhere => Some("-t tmpfs tmpfs state"),
            Place::MountPoint => Some("-t tmpfs tmpfs site"),
            Place::OwnDisk => Some("-t tmpfs tmpfs disk"),
            Place::Bind => Some("--bind volume site"),
        };
        let mount = mounted.map(|arguments| {
            for folder in arguments.split(' ').skip(1).filter(|word| *word != "tmpfs") {
                fs::create_dir_all(world.path(folder)).unwrap();
            }
            Mounted::new(&world, arguments)
        });
        let mut generations = Generations {
            world,
            place,
            mount,
            sites: [Site::new(), Site::new()],
            around: Vec::new(),
        };
        for number in [0, 1, 0, 1] {
            let built = generations.build(number);
            assert_eq!(built.code, 0, "{place:?}: {built:?}");
            generations.sites[number] = generations.site();
        }
        for name in ["index.html", "syncmon.css", "status.json"] {
            let [first, second] = generations.sites.each_ref().map(|site| {
                let found = site.iter().find(|(path, _)| path.ends_with(name));
                found.unwrap().1
            });
            assert_ne!(first, second, "{name}");
        }
        generations.around = names(generations.world.root());
        generations
    }

    pub fn command(&self, number: usize) -> Command {
        self.beside(self.bare_command(number))
    }

    /// The same, run by `wrapper`.
    pub fn wrapped(&self, wrapper: &[String], number: usize) -> Command {
        self.beside(through(wrapper, &self.bare_command(number)))
    }

    /// Where the site is mounted.
    fn beside(&self, command: Command) -> Command {
        let mounted = self.mount.as_ref().map(|mount| mount.wrap(&command));
        mounted.unwrap_or(command)
    }

    fn bare_command(&self, number: usize) -> Command {
        let build = ["build", "-q", "--now", MOMENTS[number]];
        let mut command = self.world.command(&build);
        let settings = self.world.path(["first.toml", "second.toml"][number]);
        command.arg("--out").arg(self.path("site"));
        command.arg("--state-dir").arg(self.path("state"));
        command.arg("--config").arg(settings);
        let database = self.world.path(["first.db", "second.db"][number]);
        command.env("DATABASE_URL", format!("sqlite:{}", database.display()));
        command
    }

    pub fn build(&self, number: usize) -> Ended {
        ended(&mut self.command(number))
    }

    /// The generation, live, with the other one replaced by it; with things of others in it.
    pub fn settle(&self, number: usize) {
        if self.found() == Found::Nothing {
            self.succeeds(1 - number);
        }
        let site = self.seen("site");
        if !site.join("robots.txt").exists() {
            fs::create_dir_all(site.join(".well-known")).unwrap();
            fs::write(site.join(".well-known/token"), "proof").unwrap();
            fs::write(site.join("robots.txt"), "mine").unwrap();
            symlink("robots.txt", site.join("link")).unwrap();
        }
        if self.found() != Found::Whole(number) {
            self.succeeds(number);
        }
    }

    /// The next build publishes, whatever happened before, and nothing is left of it.
    pub fn heals(&self, number: usize) {
        self.succeeds(number);
        assert_eq!(self.found(), Found::Whole(number));
        self.is_tidy();
    }

    /// Publishes, even what is live already.
    pub fn succeeds(&self, number: usize) {
        let built = self.build(number);
        assert_eq!(built.code, 0, "{built:?}");
    }

    /// As if nothing had ever been published.
    pub fn forget(&self) {
        for folder in ["site", "state", ".site.syncmon"] {
            let folder = self.seen(folder);
            if folder.exists() {
                let emptied = format!("find '{}' -mindepth 1 -delete", folder.display());
                shell(&self.world, &emptied);
            }
        }
        if [Place::Plain, Place::StateElsewhere].contains(&self.place) {
            for folder in ["site", ".site.syncmon"] {
                let _ = fs::remove_dir(self.seen(folder));
            }
        }
    }

    pub fn found(&self) -> Found {
        let site = self.site();
        let differing = [0, 1].map(|number| -> Vec<String> {
            let expected = self.expected(number, &site);
            let names = expected.keys().chain(site.keys());
            let differs = names.filter(|name| expected.get(*name) != site.get(*name));
            differs.cloned().collect()
        });
        match differing.iter().position(Vec::is_empty) {
            _ if site.is_empty() => Found::Nothing,
            Some(number) => Found::Whole(number),
            None => Found::Mixed(format!("{differing:?}")),
        }
    }

    /// With the things of others, if there are any: all of them or none.
    fn expected(&self, number: usize, site: &Site) -> Site {
        let mut expected = self.sites[number].clone();
        let others: [(&str, &[u8]); 4] = [
            (".well-known/", b""),
            (".well-known/token", b"proof"),
            ("link", b"-> robots.txt"),
            ("robots.txt", b"mine"),
        ];
        if others.iter().any(|(name, _)| site.contains_key(*name)) {
            expected.extend(others.map(|(name, content)| (name.to_owned(), content.to_vec())));
        }
        expected
    }

    /// What may be found where a process died while it replaced file by file: whole files of two
    /// generations, nothing missing to which a page leads, and the overview as the last of all.
    pub fn is_between_but_whole(&self) {
        let site = self.site();
        for (name, bytes) in &site {
            let of = |number| self.expected(number, &site).get(name) == Some(bytes);
            let known = name == MANIFEST || of(0) || of(1);
            assert!(known, "{name} is torn, or of nobody");
        }
        // Where nothing was published before, the overview may be missing still: nobody comes further.
        let Some(index) = site.get("index.html") else {
            return;
        };
        // New pages may lead to each other; from the overview nobody gets to them before all are there.
        let everything = everything(&self.seen("site"));
        let mut open = vec!["index.html".to_owned()];
        let mut visited = BTreeSet::new();
        while let Some(name) = open.pop() {
            for wanted in links(&name, &everything[&name]) {
                assert!(everything.contains_key(&wanted), "{name} leads to {wanted}");
                if visited.insert(wanted.clone()) {
                    open.push(wanted);
                }
            }
        }
        assert!(visited.len() > 5, "{visited:?}");
        let number = usize::from(&self.sites[1]["index.html"] == index);
        for name in self.sites[number].keys() {
            let there = site.contains_key(name);
            assert!(there, "{name} is missing beside its overview");
        }
    }

    /// Whether nothing is left of what went wrong.
    fn is_tidy(&self) {
        assert_eq!(names(self.world.root()), self.around);
        self.holds_at_most(&["lock"]);
        let kept = names(&self.seen("state"));
        assert!(!kept.iter().any(|name| name.contains(".new")), "{kept:?}");
    }

    /// Whether leftovers lie only where nobody looks, and are no more than two trees.
    pub fn leftovers_are_hidden(&self) {
        for name in names(self.world.root()) {
            assert!(self.around.contains(&name), "{name} lies beside the site");
        }
        self.holds_at_most(&["lock", "site", "before"]);
    }

    fn holds_at_most(&self, within_the_site: &[&str]) {
        let beside: &[&str] = &["lock", "site"];
        for (folder, allowed) in [
            (".site.syncmon", beside),
            ("site/.syncmon", within_the_site),
        ] {
            for name in names(&self.seen(folder)) {
                assert!(allowed.contains(&name.as_str()), "{folder} holds {name}");
            }
        }
    }

    fn site(&self) -> Site {
        contents(&self.seen("site"))
    }

    /// Where the program finds it.
    pub fn path(&self, name: &str) -> PathBuf {
        let within = self.place == Place::OwnDisk;
        let folder = self.world.path(if within { "disk" } else { "" });
        folder.join(name)
    }

    /// Runs something where the program runs.
    pub fn run_beside(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.world.root());
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        ended(&mut self.beside(command))
    }

    /// The same, to be looked at from here.
    pub fn seen(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let mounted = self.mount.as_ref().map(|mount| mount.path(&path));
        mounted.unwrap_or(path)
    }
}

/// As few pages as there can be of each kind: whatever is done with one of them is a trial of its own.
const SETTINGS: &str = "history_days = 1
[[entities]]
entity_type = \"sales\"
[[entities]]
entity_type = \"outlets\"
";

/// Two databases of which the second lacks an entity, and two colours.
fn world() -> Sandbox {
    let mut world = Sandbox::bare();
    for (settings, accent) in [("first.toml", "#8a1c4a"), ("second.toml", "#1c4a8a")] {
        world = world.file(settings, &format!("accent = \"{accent}\"\n{SETTINGS}"));
    }
    let more = "; insert into sync_state (entity_type, status) values ('gift_cards', 'success')";
    for (database, more) in [("first.db", more), ("second.db", "")] {
        let url = format!("sqlite:{}", world.path(database).display());
        world = world.with_url(&url);
        world.succeeds(&["init-db"]);
        world.execute(&format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
             values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086){more}"
        ));
    }
    world
}

/// What lies below a folder, but for a workplace in it, and for assets that stay for readers of a page
/// before.
pub fn contents(folder: &Path) -> Site {
    let mut site = everything(folder);
    without_what_stays(&mut site);
    site
}

fn everything(folder: &Path) -> Site {
    let mut walk = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let mut site = Site::new();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap();
        let kind = entry.file_type();
        if name == ".syncmon" {
            walk.skip_current_dir();
        } else if kind.is_dir() {
            site.insert(format!("{name}/"), Vec::new());
        } else if kind.is_symlink() {
            let to = fs::read_link(entry.path()).unwrap();
            site.insert(name.to_owned(), format!("-> {}", to.display()).into_bytes());
        } else {
            site.insert(name.to_owned(), fs::read(entry.path()).unwrap());
        }
    }
    site
}

fn without_what_stays(site: &mut Site) {
    let overview = site.get("index.html").cloned().unwrap_or_default();
    let overview = String::from_utf8_lossy(&overview);
    let Some(version) = version_of(&overview) else {
        return;
    };
    let own = format!("assets/{version}/");
    let stays =
        |path: &str| path.starts_with("assets/") && path != "assets/" && !path.starts_with(&own);
    site.retain(|path, _| !stays(path));
    let Some(bytes) = site.get_mut(MANIFEST) else {
        return;
    };
    if let Ok(mut manifest) = serde_json::from_slice::<serde_json::Value>(bytes) {
        manifest["lasting"] = serde_json::Value::Null;
        if let Some(files) = manifest["files"].as_array_mut() {
            files.retain(|file| !stays(file.as_str().unwrap()));
        }
        *bytes = manifest.to_string().into_bytes();
    }
}

/// Where a page leads within its site.
fn links(name: &str, page: &[u8]) -> Vec<String> {
    if !name.contains(".html") {
        return Vec::new();
    }
    let page = String::from_utf8_lossy(page);
    let targets = Regex::new("(?:href|src)=\"([^\"?#:]+)[\"?#]").unwrap();
    let from_here = |target: &str| {
        let mut folder: Vec<&str> = name.split('/').collect();
        folder.pop();
        for part in target.split('/') {
            match part {
                ".." => drop(folder.pop()),
                _ => folder.push(part),
            }
        }
        let path = folder.join("/");
        if path.is_empty() {
            "index.html".to_owned()
        } else {
            path
        }
    };
    let targets = targets.captures_iter(&page);
    targets.map(|found| from_here(&found[1])).collect()
}

/// The names in a folder, sorted; none if there is no such folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
