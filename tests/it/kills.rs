//! Builds that are killed or ended at random moments, and locks that nobody holds any more.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::campaign::Campaign;
use crate::generations::{Found, Generations, Place};
use crate::golden;
use crate::injected::{Stopped, before_the_exchange};

#[test]
fn a_build_killed_at_any_moment_leaves_a_whole_site() {
    let campaign = Campaign::named("kills", "SIGKILL, a directory");
    at_random_moments(&campaign, Place::Plain, (20, 500), &[Signal::KILL]);
}

#[test]
fn a_build_killed_at_any_moment_leaves_whole_files_at_a_mount_point() {
    let campaign = Campaign::named("kills", "SIGKILL, a mount point");
    at_random_moments(&campaign, Place::MountPoint, (20, 500), &[Signal::KILL]);
}

#[test]
fn a_build_that_is_told_to_end_leaves_a_whole_site() {
    let signals = [Signal::TERM, Signal::INT, Signal::HUP];
    for (place, name) in [
        (Place::Plain, "a directory"),
        (Place::MountPoint, "a mount point"),
    ] {
        let campaign = Campaign::named("kills", &format!("SIGTERM, SIGINT and SIGHUP, {name}"));
        at_random_moments(&campaign, place, (9, 150), &signals);
    }
}

/// Sends builds one of these signals after a random part of the time that a build takes.
fn at_random_moments(
    campaign: &Campaign,
    place: Place,
    (sampled, whole): (usize, usize),
    signals: &[Signal],
) {
    let generations = Generations::new(place);
    for step in campaign.steps(sampled, whole) {
        let (number, signal) = (step.number % 2, signals[step.number % signals.len()]);
        generations.settle(1 - number);
        let usual = duration_of(|| generations.succeeds(1 - number));
        let child = quiet(&mut generations.command(number));
        std::thread::sleep(usual.mul_f64(step.random().f64()));
        let ended = ended_by(child, signal);
        assert!(
            ended.code() == Some(0) || ended.signal() == Some(signal.as_raw()),
            "{signal:?}: {ended:?}"
        );
        match generations.found() {
            Found::Whole(found) if found == number => step.count("late", 1),
            Found::Whole(_) => step.count("early", 1),
            Found::Mixed(how) => {
                assert_eq!(place, Place::MountPoint, "{how}");
                assert!(ended.signal().is_some(), "{how}");
                generations.is_between_but_whole();
                step.count("mixed", 1);
            }
            Found::Nothing => panic!("the site is gone"),
        }
        generations.leftovers_are_hidden();
        generations.heals(number);
    }
    let [early, late, mixed] = ["early", "late", "mixed"].map(|what| campaign.tally(what));
    campaign.ends(&format!(
        "{} builds, {early} left the old site, {late} the new one, {mixed} whole files of both until the next build",
        early + late + mixed
    ));
}

fn ended_by(mut child: Child, signal: Signal) -> ExitStatus {
    // A child that has ended already is still there to be waited for.
    let process = Pid::from_child(&child);
    kill_process(process, signal).unwrap();
    child.wait().unwrap()
}

fn quiet(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn duration_of(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// One that lives on is left to itself.
#[test]
fn a_build_that_was_stopped_is_left_to_itself_until_it_goes_on() {
    for place in [Place::Plain, Place::MountPoint] {
        let generations = Generations::new(place);
        generations.settle(0);
        let at = before_the_exchange(&generations, 1);
        let stopped = Stopped::at(&generations, 1, &at);
        let second = generations.build(1);
        assert_eq!(second.code, 0, "{second:?}");
        let root = generations.world.root().display().to_string();
        let said = second.stderr.replace(&root, "DIR");
        golden::message("another build is at work", &said);
        assert_eq!(generations.found(), Found::Whole(0));
        let first = stopped.goes_on();
        assert_eq!(first.code, 0, "{first:?}");
        assert_eq!(generations.found(), Found::Whole(1));

        generations.settle(0);
        Stopped::at(&generations, 1, &at).dies();
        assert_eq!(generations.found(), Found::Whole(0), "its lock is free");
        generations.heals(1);
    }
}
