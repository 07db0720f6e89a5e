//! Readers that never stop looking while a site is replaced hundreds of times.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::campaign::{Campaign, Step};
use crate::folders::{self, LATER};
use crate::generations::Site;
use crate::sandbox::{NOW, Sandbox};

const PUBLISHES: usize = 200;

/// What a reader takes from the site, in the order in which a browser would.
const READ: &str = "index.html syncmon.css syncmon.js entities/sales.html status.json";

/// The same as paths of this site.
fn read(site: &Site) -> impl Iterator<Item = &String> {
    let path = |name| site.keys().find(|path| path.ends_with(name)).unwrap();
    READ.split(' ').map(path)
}

#[test]
fn nothing_is_missing_torn_or_mixed_while_the_site_is_replaced() {
    let world = folders::world();
    let generations = [NOW, LATER].map(|moment| {
        world.build_at(moment);
        world.site()
    });
    assert_ne!(generations[0]["index.html"], generations[1]["index.html"]);
    let campaign = Campaign::named("readers", "on the same machine");
    for step in campaign.steps(1, 10) {
        watched(&step, &world, &generations);
    }
    campaign.ends("{publishes} publishes, {looks} looks by path, {visits} visits to one directory");
}

fn watched(step: &Step, world: &Sandbox, generations: &[Site; 2]) {
    let begun = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let site = world.path("site");
    std::thread::scope(|scope| {
        let passers_by = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                read_by_path(&site, generations);
                looks += 1;
            }
            looks
        });
        let visitors = scope.spawn(|| {
            let mut visits = [0, 0];
            while !over.load(Ordering::Relaxed) {
                if let Some(generation) = read_within(&site, generations, &begun) {
                    visits[generation] += 1;
                }
            }
            visits
        });
        let build = |round| {
            begun.fetch_add(1, Ordering::SeqCst);
            world.build_at([NOW, LATER][round % 2])
        };
        let builds: Vec<_> = (0..PUBLISHES).map(build).collect();
        over.store(true, Ordering::Relaxed);
        for ended in builds {
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        }
        let looks = passers_by.join().unwrap();
        let visits = visitors.join().unwrap();
        assert!(looks > PUBLISHES, "only {looks} looks");
        let enough = visits.iter().all(|&visits| visits > PUBLISHES / 4);
        assert!(enough, "only {visits:?} visits to the two generations");
        step.count("publishes", PUBLISHES);
        step.count("looks", looks);
        step.count("visits", visits[0] + visits[1]);
    });
}

/// Every path, looked up anew each time: always there, and whole.
fn read_by_path(site: &Path, generations: &[Site; 2]) {
    for name in read(&generations[0]) {
        let bytes = fs::read(site.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let whole = generations.iter().any(|g| g[name] == bytes);
        assert!(whole, "{name} is torn: {} bytes", bytes.len());
    }
}

/// Everything from one directory, opened once: always of one generation. The build that is at work
/// replaces it, and the next one removes it: it may be gone only if one has begun meanwhile. Returns
/// which generation it was.
fn read_within(site: &Path, generations: &[Site; 2], begun: &AtomicUsize) -> Option<usize> {
    let before = begun.load(Ordering::SeqCst);
    let directory = File::open(site).expect("the site is always there");
    let within = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    let mut seen = None;
    for name in read(&generations[0]) {
        let Ok(bytes) = fs::read(within.join(name)) else {
            let builds = begun.load(Ordering::SeqCst) - before;
            assert!(builds >= 1, "{name} is gone though no build has begun");
            return None;
        };
        if generations[0][name] == generations[1][name] {
            continue;
        }
        let generation = generations.iter().position(|g| g[name] == bytes);
        assert!(generation.is_some(), "{name} is torn");
        let same = seen.is_none() || seen == generation;
        assert!(
            same,
            "{name} is of another generation than what was read before"
        );
        seen = generation;
    }
    seen
}
