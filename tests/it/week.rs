//! A week of builds within the hour: a database that lives, faults around every fourth build, and a judge who knows what
//! happened. No page may say more than could be known, and nothing may grow.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::campaign::Campaign;
use crate::cluster::{Cluster, debian_binaries};
use crate::gate::{Gate, Manner};
use crate::generations::names;
use crate::outage::is_whole;
use crate::rows::{hours, minutes};
use crate::sandbox::Sandbox;
use crate::wrapped::Mounted;
use crate::year::ENTITIES;

/// How often a build takes place, in simulated time.
const STEP: TimeDelta = TimeDelta::minutes(5);

/// A page may be believed for three steps.
const BELIEVED: TimeDelta = TimeDelta::minutes(15);

/// A build that has to wait reads for 7 seconds at most.
const SETTINGS: &str = "connect_timeout = \"5s\"\nbuild_timeout = \"12s\"\n";

const ROOMY: &str = "size=64m,nr_inodes=20000";

#[test]
fn a_week_of_faults_brings_no_untruthful_page_and_leaves_nothing_behind() {
    let campaign = Campaign::named("week", "builds and faults");
    for _ in campaign.steps(1, 1) {
        lived_through(&campaign);
    }
}

/// One step: what it looks for is what grows from the first day to the last.
fn lived_through(campaign: &Campaign) {
    let builds = campaign.size(48, 2016);
    let mut week = Week::begun();
    let mut usage = Vec::new();
    let mut struck: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..builds {
        week.live_for_a_step();
        let fault = Fault::drawn(&mut week.random, number);
        *struck.entry(fault.name()).or_default() += 1;
        let peak = week.build(fault);
        if fault == Fault::None {
            let (files, kilobytes) = week.taken_up();
            usage.push([peak, files, kilobytes]);
        }
    }
    let nothing_wrong = struck.remove(Fault::None.name()).unwrap_or(0);
    let faults = struck.iter().map(|(name, count)| format!("{count} {name}"));
    let faults = faults.collect::<Vec<_>>().join(", ");
    let part = usage.len() / 7;
    let [memory, files, disk] = [0, 1, 2].map(|at| {
        let greatest = |of: &[[u64; 3]]| of.iter().map(|one| one[at]).max().unwrap();
        let (first, last) = (
            greatest(&usage[..part]),
            greatest(&usage[usage.len() - part..]),
        );
        assert!(
            last * 100 <= first * 110 + 400,
            "{at}: {first} grew to {last}"
        );
        format!("{first} and {last}")
    });
    campaign.ends(&format!(
        "{builds} builds, {nothing_wrong} of them undisturbed, faults: {faults}; first and last seventh: memory {memory} KB, \
         files {files}, disk {disk} KB"
    ));
}

/// What happens around a build.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Whatever the gate before the database does; the build can only say that it is away, or has read all of it.
    Gate(Manner),
    /// The server is restarted while the build runs.
    Restart,
    /// The build is ended by a signal, after this part of the time that one takes.
    Signal(Signal, f64),
    /// So little of the disk is left, in KB.
    DiskFull(u64),
    /// One of the files in the state directory is bent, and the database away.
    StateBent(u64),
    /// Another build begins at the same time.
    Company,
}

impl Fault {
    /// In the first seventh and the last, too.
    fn drawn(random: &mut fastrand::Rng, number: usize) -> Fault {
        if number == 0 || random.u8(..4) > 0 {
            return Fault::None;
        }
        let bytes = random.usize(..9000);
        match random.u8(..40) {
            0..6 => Fault::Gate(Manner::Refusing),
            6..9 => Fault::Gate(Manner::CutAfter(bytes)),
            9..12 => Fault::Gate(Manner::ResetAfter(bytes)),
            12..14 => {
                let seed = random.u64(..);
                Fault::Gate(Manner::GarbageAfter { bytes, seed })
            }
            14 => Fault::Gate(Manner::StallAfter(bytes)),
            15 => Fault::Gate(Manner::Silent),
            16 => Fault::Restart,
            17..24 => Fault::Signal(Signal::KILL, random.f64()),
            24..27 => Fault::Signal(Signal::TERM, random.f64()),
            27..33 => Fault::DiskFull(random.u64(..600)),
            33..37 => Fault::StateBent(random.u64(..)),
            _ => Fault::Company,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Fault::None => "none",
            Fault::Gate(_) => "connections broken",
            Fault::Restart => "restarts of the server",
            Fault::Signal(_, _) => "builds killed",
            Fault::DiskFull(_) => "full disks",
            Fault::StateBent(_) => "state files bent",
            Fault::Company => "builds at once",
        }
    }
}

/// What is true of an entity, as far as the database was told.
#[derive(Debug, Clone, Default)]
struct Truth {
    success: Option<DateTime<Utc>>,
    failure: Option<DateTime<Utc>>,
    /// The start of the newest run, if it has not ended.
    open: Option<DateTime<Utc>>,
}

impl Truth {
    /// "green fresh": the table of docs/verdict.md in short, for the built-in thresholds.
    fn judged_at(&self, now: DateTime<Utc>, out_of_date: bool) -> &'static str {
        // There was one before the week began.
        let success = self.success.unwrap();
        let age = now - success;
        let stuck = self.open.is_some_and(|open| now - open > hours(1));
        match () {
            () if self.failure > Some(success) => "red failed",
            () if age > hours(12) => "red overdue",
            () if age >= hours(2) => "yellow late",
            () if stuck => "yellow stuck",
            () if out_of_date => "yellow out_of_date",
            () => "green fresh",
        }
    }
}

/// When the sync of which entity writes into the database: `None` if it begins; whether it succeeded if it ends.
type Event = (DateTime<Utc>, usize, Option<bool>);

struct Week {
    world: Sandbox,
    cluster: Cluster,
    gate: Gate,
    disk: Mounted,
    random: fastrand::Rng,
    now: DateTime<Utc>,
    /// What has yet to happen.
    ahead: Vec<Event>,
    truth: Vec<Truth>,
    /// What was true at each build.
    known: BTreeMap<DateTime<Utc>, Vec<Truth>>,
    /// The newest build of which the program said that all is kept.
    kept: Option<DateTime<Utc>>,
    published: Option<DateTime<Utc>>,
    usual: Duration,
}

impl Week {
    /// After 91 days in which each sync ran every hour.
    fn begun() -> Week {
        let cluster = Cluster::start(&debian_binaries(), &[]);
        let world = Sandbox::postgres_in(&cluster).file("syncmon.toml", SETTINGS);
        let now: DateTime<Utc> = "2026-11-19T20:00:00Z".parse().unwrap();
        let names = ENTITIES.map(|name| format!("('{name}')")).join(", ");
        let moment = moment(now);
        world.execute(&format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
             select at, name, 'incremental_sync', 'completed', 120, 1086
             from (values {names}) as entity (name),
                 generate_series({moment}::timestamptz - interval '91 days', {moment}::timestamptz - interval '30 minutes', interval '1 hour') as at;
             insert into sync_state (entity_type, status, last_sync_time, updated_at)
             select entity_type, 'success', max(timestamp) + interval '2 minutes', max(timestamp) + interval '2 minutes'
             from sync_log group by entity_type;
             analyze sync_log"
        ));
        let green = Truth {
            success: Some(now - hours(1) + minutes(2)),
            ..Truth::default()
        };
        let gate = Gate::before(cluster.port);
        let (server, port) = (cluster.port.to_string(), gate.port.to_string());
        let url = world.url().replace(&server, &port);
        let world = world.with_url(&url);
        fs::create_dir(world.path("disk")).unwrap();
        let disk = Mounted::new(&world, &format!("-t tmpfs -o {ROOMY} tmpfs disk"));
        Week {
            cluster,
            gate,
            disk,
            random: fastrand::Rng::with_seed(20_261_119),
            now,
            ahead: Vec::new(),
            truth: vec![green; ENTITIES.len()],
            known: BTreeMap::new(),
            kept: None,
            published: None,
            usual: Duration::from_millis(300),
            world,
        }
    }

    /// Syncs begin and end, fail, die, and now and then one is silent for half a day.
    fn live_for_a_step(&mut self) {
        for entity in 0..ENTITIES.len() {
            let due = 7 * i64::try_from(entity).unwrap();
            for minute in 1..=STEP.num_minutes() {
                let at = self.now + minutes(minute);
                let silent = at.timestamp() / 3600 % 97 < 15 && entity % 3 == 1;
                if at.timestamp() / 60 % 60 == due && !silent {
                    self.begins(entity, at);
                }
            }
        }
        self.now += STEP;
        self.ahead.sort_by_key(|event| event.0);
        let happened = self.ahead.partition_point(|event| event.0 <= self.now);
        let events: Vec<Event> = self.ahead.drain(..happened).collect();
        let written: String = events
            .into_iter()
            .map(|event| self.happens(event))
            .collect();
        if !written.is_empty() {
            self.world.execute(&written);
        }
        self.known.insert(self.now, self.truth.clone());
    }

    fn begins(&mut self, entity: usize, at: DateTime<Utc>) {
        self.ahead.push((at, entity, None));
        let end = at + TimeDelta::seconds(self.random.i64(30..540));
        let outcome = self.random.u8(..40);
        if outcome > 0 {
            self.ahead.push((end, entity, Some(outcome >= 4)));
        }
    }

    /// What the sync writes, by its own clock; as scripts do, it sets `last_sync_time` after failures too.
    fn happens(&mut self, (happened, entity, ends): Event) -> String {
        let (name, at) = (ENTITIES[entity], moment(happened));
        let truth = &mut self.truth[entity];
        let Some(succeeded) = ends else {
            truth.open = Some(happened);
            return format!(
                "insert into sync_log (timestamp, entity_type, action, status) values ({at}, '{name}', 'incremental_sync', 'started');\n"
            );
        };
        truth.open = None;
        let (run, state) = if succeeded {
            truth.success = Some(happened);
            ("completed", "success")
        } else {
            truth.failure = Some(happened);
            ("failed", "failed")
        };
        format!(
            "update sync_log set status = '{run}', duration_seconds = extract(epoch from {at}::timestamptz - timestamp), records_processed = 1086
             where id = (select id from sync_log where entity_type = '{name}' and status = 'started' order by timestamp desc limit 1);
             update sync_state set status = '{state}', last_sync_time = {at}, updated_at = {at} where entity_type = '{name}';\n"
        )
    }

    /// A build. Its paths are absolute: its working directory is that of the test, which does not see the disk.
    fn command(&self) -> Command {
        let now = self.now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let [site, state] = ["disk/site", "disk/state"].map(|name| self.world.path(name));
        let mut command = self.world.command(&["build", "-q", "--now", &now]);
        command.arg("--out").arg(site).arg("--state-dir").arg(state);
        let mut command = self.disk.wrap(&command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A build with a fault around it, and what must hold afterwards. Returns its greatest memory, in KB.
    fn build(&mut self, fault: Fault) -> u64 {
        let mut company = None;
        match fault {
            Fault::Gate(manner) => self.gate.turn(manner),
            Fault::DiskFull(left) => self.resize(&format!("size={}k", self.taken_up().1 + left)),
            Fault::StateBent(seed) => {
                self.gate.turn(Manner::Refusing);
                self.bend_a_state_file(seed);
            }
            Fault::Company => company = Some(self.command().spawn().unwrap()),
            _ => {}
        }
        let started = Instant::now();
        let mut child = self.command().spawn().unwrap();
        match fault {
            Fault::Signal(signal, part) => {
                std::thread::sleep(self.usual.mul_f64(part));
                kill_process(Pid::from_child(&child), signal).unwrap();
            }
            Fault::Restart => self.cluster.control("-m immediate restart"),
            _ => {}
        }
        let peak = peak_of(&mut child);
        let ended = child.wait_with_output().unwrap();
        if fault == Fault::None {
            self.usual = started.elapsed();
        }
        let company = company.map(|company| company.wait_with_output().unwrap());
        let said = String::from_utf8(ended.stderr).unwrap();
        let code = ended.status.code();
        self.gate.turn(Manner::Open);
        self.resize(ROOMY);
        assert!(said.lines().count() <= 2, "{fault:?}: {said}");
        let expected: &[Option<i32>] = match fault {
            Fault::None | Fault::Company => &[Some(0)],
            Fault::Gate(_) | Fault::Restart => &[Some(0), Some(75)],
            Fault::StateBent(_) => &[Some(75)],
            Fault::DiskFull(_) => &[Some(0), Some(1)],
            Fault::Signal(_, _) => &[Some(0), None],
        };
        let at = self.now;
        let as_expected = expected.contains(&code);
        assert!(as_expected, "{fault:?} at {at}: {code:?}: {said}");
        let company = company.map(|company| company.status.code());
        assert_eq!(company.unwrap_or(Some(0)), Some(0));
        self.is_truthful(fault, code, &said);
        peak
    }

    /// What is published is from this build, or, where it was kept from publishing, from the one before; and says what
    /// was true at the moment whose data it shows.
    fn is_truthful(&mut self, fault: Fault, code: Option<i32>, said: &str) {
        let context = format!("{fault:?} at {}, {code:?}: {said}", self.now);
        is_whole(&self.seen("site"));
        let status: Value = serde_json::from_str(&self.page("status.json")).unwrap();
        let generated = read_moment(&status["generated_at"]).expect("a page has a date");
        let kept_from_publishing = ![Some(0), Some(75)].contains(&code);
        let before = kept_from_publishing && Some(generated) == self.published;
        assert!(generated == self.now || before, "{context}");
        self.published = Some(generated);
        let away = status["source"]["state"] != "ok";
        assert_eq!(away && generated == self.now, code == Some(75), "{context}");
        let as_of = read_moment(&status["as_of"]);
        assert!(away || as_of == Some(generated), "{context}");
        if matches!(fault, Fault::StateBent(_)) {
            // It is as good as none, unless another file was bent.
            self.kept = self.kept.filter(|_| as_of.is_some());
        }
        assert!(as_of >= self.kept, "what was kept last is shown: {context}");
        if code == Some(0) {
            self.kept = as_of;
        }
        let truth = as_of.map(|as_of| &self.known[&as_of]);
        let past_its_time = away && as_of.is_none_or(|as_of| generated > as_of + BELIEVED);
        let overview = self.page("index.html");
        for (at, name) in ENTITIES.iter().enumerate() {
            let expected = match truth {
                Some(truth) => truth[at].judged_at(generated, past_its_time),
                None => "red unconfirmed",
            };
            let entity = &status["entities"][at];
            let said = |key: &str| entity[key].as_str().unwrap();
            let verdict = format!("{} {}", said("health"), said("reason"));
            let truth = truth.map(|truth| &truth[at]);
            assert_eq!(verdict, expected, "{name}, {truth:?}: {context}");
            let row = format!("id=\"sync-{name}\"");
            let (_, shown) = overview.split_once(&row).unwrap();
            let (_, health) = shown.split_once("data-health=\"").unwrap();
            let (health, _) = health.split_once('"').unwrap();
            assert_eq!(health, said("health"), "{name}: {context}");
        }
        let green = status["overall"]["health"] == "green";
        assert!(!(away && green), "{context}");
    }

    /// The files of site, workplace and state, and the KB of the disk that they take.
    fn taken_up(&self) -> (u64, u64) {
        let disk = rustix::fs::statvfs(self.disk.path(&self.world.path("disk"))).unwrap();
        let kilobytes = (disk.f_blocks - disk.f_bfree) * disk.f_frsize / 1024;
        (disk.f_files - disk.f_ffree, kilobytes)
    }

    fn resize(&self, options: &str) {
        let mut command = Command::new("mount");
        command.args(["-o", &format!("remount,{options}"), "disk"]);
        command.current_dir(self.world.root());
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        let resized = self.disk.wrap(&command).status().unwrap();
        assert!(resized.success(), "{options}");
    }

    fn bend_a_state_file(&self, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut files = names(&self.seen("state"));
        files.retain(|name| name.contains(".json"));
        let path = self.seen("state").join(&files[random.usize(..files.len())]);
        let mut bytes = fs::read(&path).unwrap();
        let place = random.usize(..bytes.len());
        match random.u8(..3) {
            0 => bytes.truncate(place),
            1 => bytes.fill(0),
            _ => bytes[place] ^= 1 << random.u8(..8),
        }
        fs::write(path, bytes).unwrap();
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.seen("site").join(name)).unwrap()
    }

    fn seen(&self, name: &str) -> PathBuf {
        self.disk.path(&self.world.path("disk")).join(name)
    }
}

/// An SQL literal.
fn moment(at: DateTime<Utc>) -> String {
    format!("'{}'", at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn read_moment(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// The greatest memory that a process has had, in KB, seen until just before it ends.
fn peak_of(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while let Ok(None) = child.try_wait() {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        peak = kilobytes.unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}
