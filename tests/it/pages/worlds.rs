//! Every state that the pages can be in, as a site each: what a check of the pages goes through.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};

use crate::campaign::is_whole;
use crate::sandbox::{NOW, Sandbox};

/// A world with something of everything, the one of the golden site.
const MIXED: &str = include_str!("../golden/world.sql");

/// The six syncs, all well at [`NOW`], after ninety days with a run an hour of which one in seven
/// hundred failed.
const WELL: &str = "
    with recursive
        hours(back) as (select 0 union all select back + 1 from hours where back < 2160),
        entities(name) as (values ('customers'), ('outlets'), ('products'), ('sales'), ('sale_line_items'), ('inventory'))
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T19:55:00Z', '-' || back || ' hours'), name, 'incremental_sync',
           case when back > 3 and (back * 37 + length(name)) % 700 = 0 then 'failed' else 'completed' end,
           12.5 + back % 7, 400 + back % 90,
           case when back > 3 and (back * 37 + length(name)) % 700 = 0 then '429 Client Error: Too Many Requests' end
    from hours, entities;
";

/// All six fail, each for another reason, three of them after a success.
const FAILING: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
        ('2026-11-19T10:00:00Z', 'customers', 'incremental_sync', 'completed', 5, 1086, null),
        ('2026-11-21T10:00:00Z', 'products', 'incremental_sync', 'completed', 26, 5005, null),
        ('2026-11-22T06:00:00Z', 'sales', 'incremental_sync', 'completed', 18, 212, null),
        ('2026-11-22T10:00:00Z', 'customers', 'incremental_sync', 'failed', 0.2, 0, '401 Client Error: Unauthorized for url: https://example.org/api/2.0/customers'),
        ('2026-11-22T10:01:00Z', 'outlets', 'incremental_sync', 'failed', 0.2, 0, '404 Client Error: Not Found for url: https://example.org/api/2.0/outlet'),
        ('2026-11-22T10:02:00Z', 'products', 'incremental_sync', 'failed', 0.3, 0, '429 Client Error: Too Many Requests'),
        ('2026-11-22T10:03:00Z', 'sales', 'incremental_sync', 'failed', 30, 0, 'Read timed out. (read timeout=30)'),
        ('2026-11-22T10:04:00Z', 'sale_line_items', 'extract_from_sales', 'failed', 1, 0, 'violates foreign key constraint \"sale_line_items_sale_id_fkey\"'),
        ('2026-11-22T10:05:00Z', 'inventory', 'incremental_sync', 'failed', 1, 0, 'No space left on device');
";

/// All well at [`NOW`]; the customers are late two hours after 18:15:04.5.
const TURNING: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed) values
        ('2026-11-22T18:15:00Z', 'customers', 'incremental_sync', 'completed', 4.5, 1086),
        ('2026-11-22T19:55:00Z', 'outlets', 'incremental_sync', 'completed', 0, 1),
        ('2026-11-22T19:40:00Z', 'products', 'incremental_sync', 'completed', 26, 5005),
        ('2026-11-22T20:01:00Z', 'sales', 'incremental_sync', 'completed', 1, 212),
        ('2026-11-22T19:55:00Z', 'sale_line_items', 'extract_from_sales', 'completed', 68, 25785),
        ('2026-11-22T19:30:00Z', 'inventory', 'incremental_sync', 'completed', 39, 10738);
";

/// A daily sync of all six, of which one run in nine left no trace, and of which one has not been heard of for two days.
const SCHEDULED: &str = "
    with recursive
        days(back) as (select 0 union all select back + 1 from days where back < 60),
        entities(n, name) as (values (0, 'customers'), (1, 'outlets'), (2, 'products'), (3, 'sales'), (4, 'sale_line_items'), (5, 'inventory'))
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T10:00:00Z', '-' || back || ' days'), name, 'incremental_sync', 'completed',
           30 + back % 7, 4900 + back % 90
    from days, entities
    where (back + n) % 9 > 0 and (name <> 'sales' or back > 1);
";

const DAILY: &str = "
    schedule = \"0 2 * * *\"
    except = [2026-11-21]
    [[maintenance]]
    from = 2026-11-22T06:00:00
    to = 2026-11-22T18:00:00
    why = \"The shop's system is replaced\"
    [[entities]]
    entity_type = \"sales\"
    [[entities]]
    entity_type = \"products\"
    grace = \"30h\"
    actions = [\"incremental_sync\"]
";

/// Forty entities with names of 200 characters and 25 runs a day each. Some names have no place to
/// break a line, others are written from right to left or stack marks on their letters; so are the
/// errors. Some runs are unusual.
const CROWDED: &str = "
    with recursive
        numbers(n) as (select 0 union all select n + 1 from numbers where n < 39),
        runs(back) as (select 0 union all select back + 1 from runs where back < 25 * 8),
        entities(n, name, error) as (
            select n,
                   substr(replace(printf('%.*c', 200, 'x'), 'x', case n % 5
                       when 0 then 'מלאי ' || n || ' חנות '
                       when 1 then 'مخزون (' || n || ') المتجر '
                       when 2 then 'unbreakable' || n
                       when 3 then 'two_words_' || n || '_'
                       else 'Z̧̦͑͗a̛̗l̴̛g̷o̶ ' || n || ' 在庫 สินค้า ' end), 1, 200),
                   case n % 3
                       when 0 then 'خطأ في الاتصال (404): https://example.org/api?x=1 — פג תוקף הטוקן [3/7]! '
                       when 1 then 'Error at https://example.org/' || printf('%.*c', 300, 'z')
                       else 'Z̧̦͑͗a̛̗l̴̛g̷o̶ <b>接続できません</b> ' || char(10) || char(10) || 'ไม่สามารถเชื่อมต่อได้' end
            from numbers)
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T19:22:00Z', '-' || (back * 3456) || ' seconds'), name,
           case n % 2 when 0 then 'تحديث' else printf('%.*c', 60, 'y') end,
           case when (n + back) % 3 = 0 then 'failed' when (n + back) % 17 = 1 then 'started' else 'completed' end,
           n * 1000, case when n in (2, 4) and back < 3 then 0 else n * 123456 end, case when (n + back) % 3 = 0 then error end
    from entities, runs;
";

const TITLE: &str = "title = \"Craft Contemporary\"\n";

/// When the database was gone, in the world without it.
const LATER: &str = "2026-11-22T20:15:00Z";

/// When a page that was built at [`NOW`] may not be believed any more.
const OUT_OF_DATE: &str = "2026-11-22T20:21:00Z";

/// A site, and the moment at which its reader looks at it.
pub struct World {
    pub name: &'static str,
    pub site: Sandbox,
    pub read_at: &'static str,
}

/// All worlds. They are built once for all tests that use them at the same time.
pub fn worlds() -> Arc<Vec<World>> {
    static SHARED: Mutex<Weak<Vec<World>>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(worlds) = shared.upgrade() {
        return worlds;
    }
    let worlds = Arc::new(built());
    *shared = Arc::downgrade(&worlds);
    worlds
}

/// One of them.
pub fn world<'a>(worlds: &'a [World], name: &str) -> &'a World {
    worlds.iter().find(|world| world.name == name).unwrap()
}

impl World {
    fn new(name: &'static str, site: Sandbox, read_at: &'static str) -> World {
        World {
            name,
            site,
            read_at,
        }
    }

    /// The crowded world, out of date, in a look of one's own: a built-in file, changed.
    pub fn changed(file: &str, from: &str, to: &str) -> World {
        let crowded = Sandbox::sqlite().sql(CROWDED);
        World::new("crowded", in_a_look(crowded, file, from, to), OUT_OF_DATE)
    }

    /// The same with the demo, as it is read in time.
    pub fn changed_demo(file: &str, from: &str, to: &str) -> World {
        let demo = Sandbox::bare().arg("--demo");
        World::new("demo", in_a_look(demo, file, from, to), NOW)
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

    /// The pages that are checked in the ordinary run: of each folder the one with the most in it,
    /// for the pages of a folder differ only in what they are about. The check's whole campaign takes them all.
    pub fn telling_pages(&self, check: &str) -> Vec<String> {
        self.telling_pages_up_to(check, usize::MAX)
    }

    /// The same, of the history only pages of at most so many bytes: a hundred rows are of as many kinds
    /// as five thousand, which a check that walks through every node would take minutes for.
    pub fn telling_pages_up_to(&self, check: &str, bytes: usize) -> Vec<String> {
        let site = self.site.site();
        let mut taken: Vec<String> = Vec::new();
        let mut pages = self.pages();
        pages.retain(|path| !path.starts_with("history/") || site[path].len() <= bytes);
        pages.sort_by_key(|path| std::cmp::Reverse(site[path].len()));
        for page in pages {
            let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
            let same = taken.iter().filter(|known| folder(known) == folder(&page));
            if is_whole(check) || same.count() == 0 {
                taken.push(page);
            }
        }
        taken.sort_by_key(|path| (path.contains('/'), path.clone()));
        taken
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

fn in_a_look(site: Sandbox, file: &str, from: &str, to: &str) -> Sandbox {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let text = std::fs::read_to_string(templates.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    let site = site
        .file(&format!("look/{file}"), &text.replace(from, to))
        .arg("--templates")
        .arg("look");
    site.build();
    site
}

fn built() -> Vec<World> {
    let sqlite = |sql: &str| Sandbox::sqlite().sql(sql).file("syncmon.toml", TITLE);
    let unread = || {
        Sandbox::bare()
            .with_url("sqlite:missing.sqlite")
            .file("syncmon.toml", TITLE)
    };
    let worlds = vec![
        World::new("well", sqlite(WELL), NOW),
        World::new("mixed", sqlite(MIXED), NOW),
        World::new("failing", sqlite(FAILING), NOW),
        World::new("away", sqlite(MIXED), LATER),
        World::new("never synced", sqlite(""), NOW),
        World::new("never read", unread(), NOW),
        World::new(
            "turning",
            sqlite(TURNING).file("syncmon.toml", &format!("{TITLE}interval = \"20min\"\n")),
            NOW,
        ),
        World::new("crowded", sqlite(CROWDED), NOW),
        World::new(
            "scheduled",
            sqlite(SCHEDULED).file("syncmon.toml", &format!("{TITLE}{DAILY}")),
            NOW,
        ),
        World::new(
            "demo",
            Sandbox::bare().arg("--demo").file("syncmon.toml", TITLE),
            NOW,
        ),
        World::new("out of date", sqlite(MIXED), OUT_OF_DATE),
        World::new("wrong clock", sqlite(MIXED), "2026-11-22T19:00:00Z"),
    ];
    for World { name, site, .. } in &worlds {
        let code = site.build_at(NOW).code;
        assert_eq!(code, if *name == "never read" { 75 } else { 0 }, "{name}");
        if *name == "away" {
            std::fs::remove_file(site.path("sync.sqlite")).unwrap();
            assert_eq!(site.build_at(LATER).code, 75);
        }
    }
    worlds
}
