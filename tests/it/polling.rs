//! Readers behind the real nginx who take a page with all that belongs to it, again and again, while
//! the site is published hundreds of times and nginx is reloaded.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crate::campaign::{Campaign, Step};
use crate::client::Client;
use crate::folders::build_into;
use crate::generations::contents;
use crate::sandbox::{Sandbox, asset_of};
use crate::web::Nginx;
use crate::wrapped::{ended, unprivileged};

/// So many that no look lasts long enough to meet the same one twice.
const GENERATIONS: usize = 8;

/// After so many publishes nginx is reloaded.
const RELOAD_EVERY: usize = 25;

/// Leaves the machine to the publishes, of which each is looked at some ten times nevertheless.
const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// What an overview needs, always of its own generation.
const NEEDED: [&str; 2] = ["syncmon.css", "syncmon.js"];

/// What stands for itself, read after the overview: never of an earlier generation.
const BESIDE: [&str; 2] = ["status.json", "entities/sales.html"];

#[test]
fn a_reader_is_never_served_half_while_the_site_is_exchanged() {
    let world = world();
    let campaign = Campaign::named("readers", "behind nginx, exchanged at once");
    for step in campaign.steps(1, 20) {
        watched(&step, &world, "site", 500, |arguments| {
            world.command(arguments)
        });
    }
    campaign.ends(LOOKS);
}

/// In the parent of this one nothing may be made.
#[test]
fn a_reader_is_never_served_half_while_files_are_replaced_one_by_one() {
    let world = world();
    fs::create_dir_all(world.path(ONE_BY_ONE)).unwrap();
    let campaign = Campaign::named("readers", "behind nginx, file by file");
    for step in campaign.steps(1, 20) {
        watched(&step, &world, ONE_BY_ONE, 100, |arguments| {
            let command = unprivileged(&world, arguments);
            fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
            command
        });
        assert!(world.path(ONE_BY_ONE).join(".syncmon").is_dir());
    }
    fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    campaign.ends(LOOKS);
}

/// Where the files of a generation appear one by one: assets, pages, the overview as the last.
const ONE_BY_ONE: &str = "closed/site";

/// What the readers came to.
const LOOKS: &str = "{publishes} publishes, {reloads} reloads, {looks} looks at 5 files, {overlapped} of them during a \
    publish, {reopened} kept connections closed between requests";

/// Which publishes have begun and which are over, counted from 1.
#[derive(Default)]
struct Progress {
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// Looks that no publish overlapped.
    quiet: AtomicUsize,
    over: AtomicBool,
}

type Known = BTreeMap<String, Vec<u8>>;

/// Publishes so many times, with two readers and reloads of nginx all the while.
fn watched(
    step: &Step,
    world: &Sandbox,
    out: &str,
    publishes: usize,
    command: impl Fn(&[&str]) -> Command,
) {
    let build = |number: usize| {
        let (now, look) = (format!("2026-11-22T20:{:02}:00Z", 5 + number), look(number));
        let more = ["-q", "--templates", &look];
        let built = ended(&mut command(&[&build_into(out, &now)[..], &more].concat()));
        assert_eq!(built.code, 0, "{built:?}");
    };
    let known: Vec<Known> = (1..=GENERATIONS)
        .map(|number| {
            build(number % GENERATIONS);
            contents(&world.path(out))
        })
        .collect();
    let generation = |number: usize| &known[(number + GENERATIONS - 1) % GENERATIONS];
    let nginx = Nginx::serving_folder(world, out);
    nginx.asks_for_a_password_that_is_cheap_to_check();
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let readers = [true, false].map(|keeps| {
            let (nginx, progress) = (&nginx, &progress);
            let at_once = out != ONE_BY_ONE;
            scope.spawn(move || read_on(nginx, at_once, keeps, progress, &generation))
        });
        for number in 1..=publishes {
            progress.begun.store(number, Ordering::SeqCst);
            build(number % GENERATIONS);
            progress.ended.store(number, Ordering::SeqCst);
            if number % RELOAD_EVERY == 0 {
                nginx.reload();
            }
            let quiet = progress.quiet.load(Ordering::SeqCst);
            let failed = || readers.iter().any(ScopedJoinHandle::is_finished);
            while number % 10 == 0 && progress.quiet.load(Ordering::SeqCst) == quiet && !failed() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if failed() {
                break;
            }
        }
        progress.over.store(true, Ordering::SeqCst);
        let counted = readers.map(|reader| reader.join().unwrap());
        let [looks, overlapped, reopened] = [0, 1, 2].map(|at| counted[0][at] + counted[1][at]);
        assert!(looks > publishes / 4, "only {looks} looks");
        assert!(overlapped > looks / 10, "only {overlapped}");
        step.count("publishes", publishes);
        step.count("reloads", publishes / RELOAD_EVERY);
        step.count("looks", looks);
        step.count("overlapped", overlapped);
        step.count("reopened", reopened);
    });
}

/// Looks at the site until all is over. The overview has to be, byte for byte, what a publish wrote
/// that was over when the look began, or one since then; its style sheet and its script are of its own
/// generation; what is read after it is never of an earlier one. So where no publish overlapped, all
/// answers are of one generation. Returns the number of looks, of those that a publish overlapped, and of connections
/// closed between requests.
fn read_on<'a>(
    nginx: &Nginx,
    at_once: bool,
    keeps: bool,
    progress: &Progress,
    generation: &impl Fn(usize) -> &'a Known,
) -> [usize; 3] {
    let mut client = Client::new(nginx.port, keeps);
    let (mut looks, mut overlapped) = (0, 0);
    let mut take = |path: &str| {
        let response = client.get(&format!("/{path}"));
        assert_eq!(response.status, 200, "{path}: {}", nginx.errors());
        response.body
    };
    while !progress.over.load(Ordering::SeqCst) {
        std::thread::sleep(BETWEEN_LOOKS);
        let first = progress.ended.load(Ordering::SeqCst);
        let among = |name: &str, body: &[u8], earliest: usize| {
            let last = progress.begun.load(Ordering::SeqCst);
            let found = (earliest..=last).find(|&number| generation(number)[name] == body);
            found.unwrap_or_else(|| {
                let which = (0..GENERATIONS).find(|&n| generation(n)[name] == body);
                panic!(
                    "{name} is torn or of another time: generation {which:?} where only {earliest} to \
                     {last} could be"
                )
            })
        };
        let overview = take("");
        let mut earliest = among("index.html", &overview, first);
        for name in NEEDED {
            let path = asset_of(&String::from_utf8_lossy(&overview), name);
            let body = take(&path);
            let own = generation(earliest)[&path] == body;
            assert!(own, "{path} is another page's");
        }
        for name in BESIDE {
            let found = among(name, &take(name), earliest);
            if at_once {
                earliest = found;
            }
        }
        looks += 1;
        if progress.begun.load(Ordering::SeqCst) > first {
            overlapped += 1;
        } else {
            progress.quiet.fetch_add(1, Ordering::SeqCst);
        }
    }
    [looks, overlapped, client.reopened]
}

fn look(number: usize) -> String {
    format!("look-{number}")
}

/// One sync, and as many looks as generations.
fn world() -> Sandbox {
    let mut world = crate::folders::world();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/assets");
    for number in 0..GENERATIONS {
        for asset in NEEDED {
            let text = fs::read_to_string(assets.join(asset)).unwrap();
            let name = format!("{}/assets/{asset}", look(number));
            world = world.file(&name, &format!("{text}/* {number} */\n"));
        }
    }
    world
}
