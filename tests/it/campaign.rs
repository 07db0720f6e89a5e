//! Long campaigns. Each consists of steps that do not depend on each other. The ordinary run takes a sample of them;
//! `./tests/run --full NAME` takes all, and notes each as soon as it is done, so that an interrupted campaign resumes
//! with the first step that is missing. `tests/campaigns.txt` lists them, `docs/campaigns.toml` holds their results.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

/// One part of a campaign, such as the kills at a mount point. It is over when [`Campaign::ends`] is called.
pub struct Campaign {
    title: String,
    whole: bool,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// One line a step; only where a whole campaign is recorded.
    file: Option<File>,
    done: BTreeSet<String>,
    tallies: BTreeMap<String, usize>,
}

/// A step at work. It is done when it is dropped, unless its test fails.
pub struct Step<'a> {
    campaign: &'a Campaign,
    key: String,
    pub number: usize,
    begun: Instant,
    tallies: RefCell<BTreeMap<String, usize>>,
}

/// Whether the campaign is run whole.
pub fn is_whole(name: &str) -> bool {
    let chosen = std::env::var("SYNCMON_TEST_FULL").unwrap_or_default();
    chosen.split(',').any(|one| one == name || one == "all")
}

/// Adds a line to the figures that `./tests/run` prints at its end.
pub fn figure(line: &str) {
    println!("{line}");
    if let Some(path) = std::env::var_os("SYNCMON_TEST_FIGURES") {
        // In one write: tests run side by side.
        let mut file = appended(Path::new(&path));
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

pub fn appended(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}

impl Campaign {
    pub fn named(name: &str, part: &str) -> Campaign {
        let whole = is_whole(name);
        let mut progress = Progress::default();
        if let Some(folder) = std::env::var_os("SYNCMON_TEST_PROGRESS").filter(|_| whole) {
            let folder = Path::new(&folder).join(name);
            fs::create_dir_all(&folder).unwrap();
            progress.resume(&folder.join(format!("{part}.steps")));
        }
        Campaign {
            title: format!("{name}, {part}"),
            whole,
            progress: Mutex::new(progress),
        }
    }

    pub fn size(&self, sampled: usize, whole: usize) -> usize {
        if self.whole { whole } else { sampled }
    }

    /// So many steps, counted from 0, without those that are done.
    pub fn steps(&self, sampled: usize, whole: usize) -> impl Iterator<Item = Step<'_>> {
        let numbers = 0..self.size(sampled, whole);
        self.missing(numbers.map(|number| (number, number.to_string())).collect())
    }

    /// A step for each key, numbered in their order; in the ordinary run about `sampled` of them, evenly spread.
    pub fn among(
        &self,
        sampled: usize,
        keys: impl IntoIterator<Item = impl ToString>,
    ) -> impl Iterator<Item = Step<'_>> {
        let keys: Vec<String> = keys.into_iter().map(|key| key.to_string()).collect();
        let stride = keys.len().div_ceil(self.size(sampled, keys.len()).max(1));
        let spread = keys.into_iter().enumerate().step_by(stride.max(1));
        self.missing(spread.collect())
    }

    fn missing(&self, mut steps: Vec<(usize, String)>) -> impl Iterator<Item = Step<'_>> {
        let mut progress = self.progress.lock().unwrap();
        progress.note(&format!("of\t{}", steps.len()));
        steps.retain(|(_, key)| !progress.done.contains(key));
        drop(progress);
        steps.into_iter().map(|(number, key)| Step {
            campaign: self,
            key,
            number,
            begun: Instant::now(),
            tallies: RefCell::default(),
        })
    }

    /// What all steps have counted under this name, in earlier runs too.
    pub fn tally(&self, what: &str) -> usize {
        self.tallies().get(what).copied().unwrap_or(0)
    }

    pub fn tallies(&self) -> BTreeMap<String, usize> {
        self.progress.lock().unwrap().tallies.clone()
    }

    /// Called after the last assertion, with what the part came to; what is "{kills}" there is that tally.
    pub fn ends(&self, size: &str) {
        let word = regex::Regex::new(r"\{(\w+)\}").unwrap();
        let tally = |found: &regex::Captures| self.tally(&found[1]).to_string();
        let size = word.replace_all(size, tally);
        assert!(!size.contains(['"', '\\', '|', '\n']), "{size}");
        figure(&format!("{}: {size}", self.title));
        self.progress.lock().unwrap().note(&format!("end\t{size}"));
    }
}

impl Progress {
    fn resume(&mut self, path: &Path) {
        let file = appended(path);
        let locked = file.try_lock();
        locked.unwrap_or_else(|why| panic!("{} is in use: {why}", path.display()));
        let text = fs::read_to_string(path).unwrap();
        // A line that has no end was being written when the process was killed.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        file.set_len(whole.len() as u64).unwrap();
        for line in whole.lines() {
            if let ["step", key, _, counts @ ..] = &line.split('\t').collect::<Vec<_>>()[..] {
                self.done.insert((*key).to_owned());
                for (what, count) in counts.iter().filter_map(|count| count.rsplit_once('=')) {
                    *self.tallies.entry(what.to_owned()).or_default() +=
                        count.parse::<usize>().unwrap();
                }
            }
        }
        self.file = Some(file);
    }

    fn note(&mut self, line: &str) {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }
}

impl Step<'_> {
    pub fn count(&self, what: &str, number: usize) {
        *self
            .tallies
            .borrow_mut()
            .entry(what.to_owned())
            .or_default() += number;
    }

    /// The same numbers for the same step.
    pub fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.number as u64)
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        let mut progress = self.campaign.progress.lock().unwrap();
        if std::thread::panicking() {
            return progress.note(&format!("broken\t{}", self.key));
        }
        let mut line = format!("step\t{}\t{}", self.key, self.begun.elapsed().as_millis());
        for (what, count) in self.tallies.take() {
            write!(line, "\t{what}={count}").unwrap();
            *progress.tallies.entry(what).or_default() += count;
        }
        progress.note(&line);
    }
}
