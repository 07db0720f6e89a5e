//! Every system call by which a build changes files fails once, or is the last thing that it does.

use crate::campaign::Campaign;
use crate::generations::{Found, Generations, Place};
use crate::injected::{Call, Fault, injected, record};
use crate::sandbox::Ended;

/// A fault, and what is published when it strikes.
#[derive(Debug)]
struct Trial {
    first: bool,
    number: usize,
    call: Call,
    fault: Fault,
}

#[test]
fn whatever_fails_the_site_is_the_old_one_or_the_new_one() {
    errors("a directory", Place::Plain);
    errors("a directory, state elsewhere", Place::StateElsewhere);
}

#[test]
fn whatever_fails_at_a_mount_point_the_site_is_the_old_one_or_the_new_one() {
    errors("another file system", Place::MountPoint);
    errors("a bind mount", Place::Bind);
}

#[test]
fn wherever_the_process_is_killed_the_site_is_the_old_one_or_the_new_one() {
    kills("a directory", Place::Plain);
    kills("a directory, state elsewhere", Place::StateElsewhere);
}

#[test]
fn wherever_the_process_is_killed_at_a_mount_point_every_file_is_whole() {
    kills("another file system", Place::MountPoint);
    kills("a bind mount", Place::Bind);
}

fn errors(what: &str, place: Place) {
    let mut messages = std::collections::BTreeSet::new();
    let campaign = Campaign::named("syscalls", &format!("each fails, {what}"));
    through(&campaign, place, errors_of, |generations, trial, ended| {
        assert!(![-1, 101].contains(&ended.code), "{ended:?}");
        let found = generations.found();
        let old = match found {
            Found::Nothing => trial.first,
            _ => !trial.first && found == Found::Whole(1 - trial.number),
        };
        let new = found == Found::Whole(trial.number);
        assert!(new || (old && ended.code != 0), "{found:?}: {ended:?}");
        if ended.code != 0 {
            let said = ended.stderr.lines();
            let said: Vec<_> = said.filter(|line| !line.starts_with("strace")).collect();
            assert_eq!(said.len(), 1, "{ended:?}");
            assert!(said[0].starts_with("syncmon: "), "{ended:?}");
            assert!(said[0].contains(';'), "no remedy: {ended:?}");
            messages.insert(said[0].replace(generations.world.root().to_str().unwrap(), "DIR"));
        }
        0
    });
    for message in messages {
        println!("{message}");
    }
    campaign.ends("{struck} faults");
}

fn kills(what: &str, place: Place) {
    let campaign = Campaign::named("syscalls", &format!("killed at each, {what}"));
    through(&campaign, place, kills_of, |generations, trial, ended| {
        assert_eq!(ended.code, -1, "{ended:?}");
        match generations.found() {
            Found::Nothing => {
                assert!(trial.first);
                0
            }
            Found::Whole(_) => 0,
            Found::Mixed(how) => {
                assert!([Place::MountPoint, Place::Bind].contains(&place), "{how}");
                generations.is_between_but_whole();
                1
            }
        }
    });
    campaign
        .ends("{struck} kills, {between} left whole files of two generations until the next build");
}

fn errors_of(call: &Call) -> Vec<Fault> {
    call.errors().map(Fault::Error).collect()
}

fn kills_of(call: &Call) -> Vec<Fault> {
    call.changes.then_some(Fault::Kill).into_iter().collect()
}

/// Puts faults into builds; after each, `judge` looks at what it came to and counts what lies between two generations,
/// and the next build has to heal it.
fn through(
    campaign: &Campaign,
    place: Place,
    faults: fn(&Call) -> Vec<Fault>,
    mut judge: impl FnMut(&Generations, &Trial, &Ended) -> usize,
) {
    let generations = Generations::new(place);
    let trials = trials(&generations, faults);
    let root = generations.world.root().to_str().unwrap();
    let key = |trial: &Trial| format!("{trial:?}").replace(root, "");
    for step in campaign.among(12, trials.iter().map(key)) {
        let trial = &trials[step.number];
        step.count("tried", 1);
        if trial.first {
            generations.forget();
        } else {
            generations.settle(1 - trial.number);
        }
        let (ended, happened) = injected(&generations, trial.number, &trial.call, trial.fault);
        if happened {
            step.count("struck", 1);
            println!("{:?} at {:?}", trial.fault, trial.call);
            step.count("between", judge(&generations, trial, &ended));
            generations.leftovers_are_hidden();
        }
        generations.heals(trial.number);
    }
    // A call that depends on how a folder happens to be ordered may not come again.
    let [tried, struck] = ["tried", "struck"].map(|what| campaign.tally(what));
    assert!(tried - struck <= tried / 10, "only {struck} of {tried}");
}

/// All faults of a later and of a first build, to one and to the other generation.
fn trials(generations: &Generations, faults: fn(&Call) -> Vec<Fault>) -> Vec<Trial> {
    let mut all = Vec::new();
    for (first, number) in [(false, 0), (false, 1), (true, 1)] {
        if first {
            generations.forget();
        } else {
            generations.settle(number);
            generations.settle(1 - number);
        }
        for call in record(generations, number) {
            all.extend(faults(&call).into_iter().map(|fault| Trial {
                first,
                number,
                call: call.clone(),
                fault,
            }));
        }
    }
    all
}
