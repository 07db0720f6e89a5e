//! Every state that the pages can be in, as a site each: what a check of the pages goes through.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::browser::{HISTORY, TITLE, WELL};
use crate::campaign::is_whole;
use crate::sandbox::{NOW, SYNCMON, Sandbox};

/// A world with something of everything, the one of the golden site.
const MIXED: &str = include_str!("../golden/world.sql");

const FAILING: &str = include_str!("failing.sql");
const CROWDED: &str = include_str!("crowded.sql");
const SCHEDULED: &str = include_str!("scheduled.sql");
const DAILY: &str = include_str!("scheduled.toml");

/// When the database was gone, in the world without it.
const LATER: &str = "2026-11-22T20:15:00Z";

/// When a page that was built at [`NOW`] may not be believed any more.
const OUT_OF_DATE: &str = "2026-11-22T20:21:00Z";

/// Every world, and the moment at which its reader looks at it.
const WORLDS: [(&str, &str); 12] = [
    ("well", NOW),
    ("mixed", NOW),
    ("failing", NOW),
    ("away", LATER),
    ("never synced", NOW),
    ("never read", NOW),
    ("turning", NOW),
    ("crowded", NOW),
    ("scheduled", NOW),
    ("demo", NOW),
    ("out of date", OUT_OF_DATE),
    ("wrong clock", "2026-11-22T19:00:00Z"),
];

/// A site, and the moment at which its reader looks at it.
pub struct World {
    pub name: &'static str,
    pub site: Sandbox,
    pub read_at: &'static str,
}

/// All worlds. They are built once for all tests, though each of these is a process: by the first that needs them.
pub fn worlds() -> Vec<World> {
    let checkout = env!("CARGO_MANIFEST_DIR").replace('/', "-");
    let folder = std::env::temp_dir().join(format!("syncmon-test-worlds{checkout}"));
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let programs = [PathBuf::from(SYNCMON), std::env::current_exe().unwrap()];
    let builder = format!(
        "{:?}",
        programs.map(|program| fs::metadata(program).unwrap().modified())
    );
    if !fs::read_to_string(folder.join("builder")).is_ok_and(|known| known == builder) {
        for (name, _) in WORLDS {
            let _ = fs::remove_dir_all(folder.join(name));
            fs::rename(built(name).path("site"), folder.join(name)).unwrap();
        }
        fs::write(folder.join("builder"), builder).unwrap();
    }
    WORLDS
        .map(|(name, read_at)| World::linked(&folder, name, read_at))
        .into()
}

impl World {
    /// One whose site was built before.
    fn linked(folder: &Path, name: &'static str, read_at: &'static str) -> World {
        let site = Sandbox::bare();
        symlink(folder.join(name), site.path("site")).unwrap();
        World {
            name,
            site,
            read_at,
        }
    }

    /// The demo or the crowded world in a look of its own: a built-in file, changed. The crowded one is out of date.
    pub fn changed(name: &'static str, file: &str, from: &str, to: &str) -> World {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let text = fs::read_to_string(templates.join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        let (site, read_at) = if name == "demo" {
            (Sandbox::bare().arg("--demo"), NOW)
        } else {
            (Sandbox::sqlite().sql(CROWDED), OUT_OF_DATE)
        };
        let site = site
            .file(&format!("look/{file}"), &text.replace(from, to))
            .arg("--templates")
            .arg("look");
        site.build();
        World {
            name,
            site,
            read_at,
        }
    }

    /// Every page of the site, the overview first.
    pub fn pages(&self) -> Vec<String> {
        let mut pages: Vec<String> = self
            .site
            .site()
            .into_keys()
            .filter(|path| {
                Path::new(path)
                    .extension()
                    .is_some_and(|kind| kind == "html")
            })
            .collect();
        pages.sort_by_key(|path| (path.contains('/'), path.clone()));
        assert_eq!(pages[0], "index.html");
        pages
    }

    /// The pages that a check looks at in the ordinary run: of each folder the one with the most in it, for the pages of a
    /// folder differ only in what they are about; and of most worlds none below the history, for these differ by the
    /// runs alone. The check's whole campaign takes them all, of the history those of at most so many bytes.
    pub fn telling_pages(&self, check: &str, bytes: usize) -> Vec<String> {
        let site = self.site.site();
        let whole = is_whole(check);
        let listed = [
            "mixed",
            "never synced",
            "never read",
            "crowded",
            "scheduled",
        ];
        let deep = |path: &str| path.matches('/').count() > 1;
        let mut pages = self.pages();
        pages.retain(|path| !path.starts_with("history/") || site[path].len() <= bytes);
        pages.retain(|path| whole || listed.contains(&self.name) || !deep(path));
        pages.sort_by_key(|path| std::cmp::Reverse(site[path].len()));
        let mut folders = HashSet::new();
        pages.retain(|path| folders.insert(Path::new(path).parent().map(Path::to_owned)) || whole);
        pages.sort_by_key(|path| (path.contains('/'), path.clone()));
        pages
    }

    /// As the checks of tests/browser take it: where the site lies, which of its pages to look at, and
    /// when.
    pub fn described(&self, base: &str, pages: &[String]) -> Value {
        json!({"name": self.name, "site": base, "pages": pages, "at": self.read_at})
    }

    /// The site as a browser opens it from the disk.
    pub fn on_disk(&self) -> String {
        format!("file://{}/", self.site.path("site").display())
    }
}

/// The site of the world with this name.
fn built(name: &str) -> Sandbox {
    let sqlite = |sql: &str| Sandbox::sqlite().sql(sql).file("syncmon.toml", TITLE);
    let configured =
        |sql: &str, more: &str| sqlite(sql).file("syncmon.toml", &format!("{TITLE}{more}"));
    let site = match name {
        "well" => sqlite(WELL).sql(HISTORY),
        "failing" => sqlite(FAILING),
        "never synced" => sqlite(""),
        "never read" => Sandbox::bare()
            .with_url("sqlite:missing.sqlite")
            .file("syncmon.toml", TITLE),
        "turning" => configured(WELL, "interval = \"20min\"\n"),
        "crowded" => sqlite(CROWDED),
        "scheduled" => configured(SCHEDULED, DAILY),
        "demo" => Sandbox::bare().arg("--demo").file("syncmon.toml", TITLE),
        _ => sqlite(MIXED),
    };
    let code = site.build_at(NOW).code;
    assert_eq!(code, if name == "never read" { 75 } else { 0 }, "{name}");
    if name == "away" {
        fs::remove_file(site.path("sync.sqlite")).unwrap();
        assert_eq!(site.build_at(LATER).code, 75);
    }
    site
}
