//! The program under strace, which lets one of its system calls fail, or the process die before it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::generations::Generations;
use crate::sandbox::Ended;
use crate::wrapped::{end_of, ended, spawned, until};

/// What changes files.
const CHANGING: &str = "?write,?pwrite64,?writev,?openat,?open,?mkdir,?mkdirat,?rename,?renameat,\
    ?renameat2,?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat,?rmdir,?chmod,?fchmod,?fchmodat,\
    ?utimensat,?ftruncate,?fsync,?fdatasync,?syncfs,?flock,?copy_file_range,?sendfile";

/// What only looks at them.
const LOOKING: &str = "?read,?getdents64,?statx,?newfstatat,?lstat,?stat,?readlink,?readlinkat";

/// One system call of a build.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    /// The file, or the folder in which it lies.
    pub on: String,
    /// How often it was made on that before, and once more.
    pub number: usize,
    pub changes: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Error(&'static str),
    Kill,
    Stop,
}

impl Call {
    /// The first of this name on a path of that world.
    pub fn first(generations: &Generations, name: &str, on: &str) -> Call {
        Call {
            name: name.to_owned(),
            on: format!("{}{on}", generations.world.root().display()),
            number: 1,
            changes: true,
        }
    }

    /// What the disk may answer.
    pub fn errors(&self) -> impl Iterator<Item = &'static str> {
        let writing = "write pwrite64 writev copy_file_range mkdir mkdirat";
        let errors = match self.name.as_str() {
            name if writing.split(' ').any(|known| known == name) => "ENOSPC EIO EDQUOT",
            "openat" | "open" if self.changes => "EMFILE ENOSPC EIO",
            "openat" | "open" => "EMFILE EIO",
            "flock" => "ENOLCK EIO",
            name if name.contains("rename") || name.contains("link") => "EIO ENOSPC",
            _ => "EIO",
        };
        errors.split(' ')
    }
}

/// Every call of a build that has to do with the site, the hidden folder or the state directory.
pub fn record(generations: &Generations, number: usize) -> Vec<Call> {
    let all = format!("trace={CHANGING},{LOOKING}");
    let (built, log) = traced(generations, number, &["-e".to_owned(), all]);
    assert_eq!(built.code, 0, "{built:?}");
    let root = generations.world.root().to_str().unwrap();
    let mut counts = BTreeMap::new();
    log.lines()
        .filter_map(|line| parse(line, root))
        .map(|(name, on, changes)| {
            let count = counts.entry((name.clone(), on.clone())).or_insert(0);
            *count += 1;
            Call {
                name,
                on,
                number: *count,
                changes,
            }
        })
        .collect()
}

/// The moment of a build at which all is written and nothing replaced yet.
pub fn before_the_exchange(generations: &Generations, number: usize) -> Call {
    let calls = record(generations, number);
    generations.settle(1 - number);
    let flushes = |call: &Call| ["syncfs", "fsync"].contains(&call.name.as_str());
    calls.into_iter().rfind(flushes).unwrap()
}

/// "4711 openat(AT_FDCWD</root>, "/path", O_RDONLY) = 3": name, path, and whether it changes anything.
fn parse(line: &str, root: &str) -> Option<(String, String, bool)> {
    let call = line.split_once(' ')?.1.trim_start();
    let (name, arguments) = call.split_once('(')?;
    let on = if arguments.starts_with(|first: char| first.is_ascii_digit()) {
        arguments.split_once('<')?.1.split_once('>')?.0
    } else {
        arguments.split('"').nth(1)?
    };
    let within = on.strip_prefix(root)?;
    let ours = ["/site", "/.site.syncmon", "/state"];
    if !ours.iter().any(|our| within.starts_with(our)) {
        return None;
    }
    let looking = LOOKING.split(',').any(|known| &known[1..] == name)
        || (name.starts_with("open") && !arguments.contains("O_WRONLY"));
    Some((name.to_owned(), on.to_owned(), !looking))
}

/// A build into which a fault is put, and whether it came to it.
pub fn injected(
    generations: &Generations,
    number: usize,
    call: &Call,
    fault: Fault,
) -> (Ended, bool) {
    let (ended, log) = traced(generations, number, &options(call, fault));
    let happened = match fault {
        Fault::Error(_) => log.contains("(INJECTED)"),
        Fault::Kill | Fault::Stop => ended.code == -1,
    };
    (ended, happened)
}

/// A build that may rename none of two files.
pub fn twice(generations: &Generations, number: usize, on: &[&str; 2]) -> Ended {
    let inject = "inject=rename:error=EIO";
    let options = ["-e", "trace=rename", "-P", on[0], "-P", on[1], "-e", inject];
    let (ended, log) = traced(generations, number, &options.map(str::to_owned));
    assert_eq!(log.matches("(INJECTED)").count(), 2, "{log}");
    ended
}

/// The options of strace that put the fault in.
fn options(call: &Call, fault: Fault) -> Vec<String> {
    let what = match fault {
        Fault::Error(error) => &format!("error={error}"),
        Fault::Kill => "signal=KILL",
        Fault::Stop => "signal=STOP",
    };
    let (name, number) = (&call.name, call.number);
    let trace = format!("trace={name}");
    let inject = format!("inject={name}:{what}:when={number}");
    let options = ["-e", &trace, "-P", &call.on, "-e", &inject];
    options.map(str::to_owned).into()
}

fn strace(generations: &Generations, options: &[String]) -> Vec<String> {
    let log = generations.world.path("trace");
    let strace = ["strace", "-f", "-qq", "-y", "-o", log.to_str().unwrap()];
    [&strace.map(str::to_owned), options].concat()
}

fn traced(generations: &Generations, number: usize, options: &[String]) -> (Ended, String) {
    let strace = strace(generations, options);
    let ended = ended(&mut generations.wrapped(&strace, number));
    let log = fs::read_to_string(generations.world.path("trace")).unwrap();
    fs::remove_file(generations.world.path("trace")).unwrap();
    (ended, log)
}

/// A build that is held at one of its calls.
pub struct Stopped<'a> {
    generations: &'a Generations,
    strace: Child,
    process: Pid,
}

impl Stopped<'_> {
    pub fn at<'a>(generations: &'a Generations, number: usize, call: &Call) -> Stopped<'a> {
        let strace = strace(generations, &options(call, Fault::Stop));
        let strace = spawned(&mut generations.wrapped(&strace, number));
        let log = generations.world.path("trace");
        let stopped = || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let stop = |line: &&str| line.ends_with("stopped by SIGSTOP ---");
            let line = text.lines().find(stop)?;
            line.split_whitespace().next()?.parse().ok()
        };
        until(&format!("it comes to {call:?}"), || stopped().is_some());
        Stopped {
            generations,
            strace,
            process: Pid::from_raw(stopped().unwrap()).unwrap(),
        }
    }

    pub fn goes_on(self) -> Ended {
        self.after(Signal::CONT)
    }

    pub fn dies(self) {
        self.after(Signal::KILL);
    }

    fn after(self, signal: Signal) -> Ended {
        kill_process(self.process, signal).unwrap();
        let ended = end_of(self.strace);
        fs::remove_file(self.generations.world.path("trace")).unwrap();
        ended
    }
}
