//! `syncmon doctor`: a chain in order is all ok; with one link broken, that link is named, and how to mend it.

mod cadence;
mod database;
mod directories;
mod served;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::golden::Told;
use crate::init_db::newest;
use crate::one_statement::statements;
use crate::pooler::Pooler;
use crate::sandbox::{Ended, Sandbox};
use crate::sql::ask;
use crate::web::{Nginx, PASSWORD, USER};

/// As basic authentication sends it.
const ENCODED: &str = "Y2ZvOmxvbmcgcmFuZG9tIHBhc3N3b3Jk";

/// All six entities have synced every half hour for days, the last time ten minutes ago.
pub const HALF_HOURLY: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select now() - interval '10 minutes' - n * interval '30 minutes', e, 'incremental_sync', 'completed', 4.5, 10
    from generate_series(0, 200) n,
        unnest(array['customers', 'outlets', 'products', 'sales', 'sale_line_items', 'inventory']) e;
    insert into sync_state (entity_type, status, last_sync_time)
    select distinct entity_type, 'success', now() - interval '10 minutes' from sync_log;";

/// A database in order, and a site that was just built from it.
pub fn healthy() -> Sandbox {
    built(Sandbox::postgres().sql(HALF_HOURLY))
}

pub fn built(world: Sandbox) -> Sandbox {
    world.build_now().exits(0);
    world
}

/// The same, served by nginx as it is shipped. The doctor has the key.
pub fn served() -> (Sandbox, Nginx) {
    let world = with_key(healthy());
    let nginx = Nginx::serving(&world);
    (world, nginx)
}

pub fn with_key(world: Sandbox) -> Sandbox {
    world
        .env("SYNCMON_DOCTOR_USER", USER)
        .env("SYNCMON_DOCTOR_PASSWORD", PASSWORD)
}

/// What the doctor said, twice: for people and for programs.
#[derive(Debug)]
pub struct Diagnosis {
    pub text: String,
    pub json: Value,
}

/// Runs the doctor over `site` and `state`, unless the arguments name others.
pub fn diagnosis(world: &Sandbox, arguments: &[&str]) -> Diagnosis {
    let mut all = vec!["doctor"];
    for (option, usual) in [("--out", "site"), ("--state-dir", "state")] {
        if !arguments.contains(&option) {
            all.extend([option, usual]);
        }
    }
    all.extend(arguments);
    let text = world.run(&all);
    all.push("--json");
    let json = world.run(&all);
    Diagnosis::of(&text, &json)
}

impl Diagnosis {
    /// Both agree, neither holds a secret, and the exit code tells whether there is a problem.
    pub fn of(text: &Ended, json: &Ended) -> Diagnosis {
        for ended in [text, json] {
            assert_eq!(ended.stderr, "", "{ended:?}");
            for secret in [PASSWORD, ENCODED, "S3cret"] {
                ended.stdout.lacks(secret);
            }
        }
        let diagnosis = Diagnosis {
            text: text.stdout.clone(),
            json: serde_json::from_str(&json.stdout).unwrap(),
        };
        let code = i32::from(!diagnosis.problems().is_empty());
        assert_eq!((text.code, json.code), (code, code), "{}", text.stdout);
        diagnosis.agrees();
        diagnosis
    }

    /// The ids of the links that do not hold.
    pub fn problems(&self) -> Vec<&str> {
        let problems = self.json["problems"].as_array().unwrap();
        problems.iter().map(|id| id.as_str().unwrap()).collect()
    }

    /// No link is broken.
    #[track_caller]
    pub fn holds(&self) {
        assert_eq!(self.problems(), [""; 0], "{}", self.text);
    }

    pub fn link(&self, id: &str) -> &Value {
        let links = self.json["links"].as_array().unwrap();
        links.iter().find(|link| link["link"] == id).unwrap()
    }

    /// "ok", "note", "problem" or "skipped".
    pub fn state(&self, id: &str) -> &str {
        self.link(id)["state"].as_str().unwrap()
    }

    pub fn summary(&self, id: &str) -> &str {
        self.link(id)["summary"].as_str().unwrap()
    }

    /// What was found on a link, in one text with what to do about it.
    pub fn findings(&self, id: &str) -> String {
        let findings = self.link(id)["findings"].as_array().unwrap().iter();
        let told = findings.map(|finding| {
            let remedy = finding["remedy"].as_str().unwrap_or_default();
            format!("{} → {remedy}", finding["says"].as_str().unwrap())
        });
        told.collect::<Vec<_>>().join("\n")
    }

    /// What it says to do about the first thing that was found on a link.
    pub fn remedy(&self, id: &str) -> String {
        let findings = self.findings(id);
        findings.split_once(" → ").unwrap().1.to_owned()
    }

    /// This very link does not hold, and is told of in these words; an ellipsis stands for others.
    #[track_caller]
    pub fn only(&self, id: &str, words: &str) {
        assert_eq!(self.problems(), [id], "{}", self.text);
        let findings = self.findings(id);
        for part in words.split(" … ") {
            findings.has(part);
        }
        for finding in self.link(id)["findings"].as_array().unwrap() {
            assert!(finding["kind"] != "problem" || finding["remedy"].is_string());
        }
    }

    /// Every word of the one is in the other, in the same order.
    fn agrees(&self) {
        let words = |text: &str| -> String {
            let words = text.split_whitespace().filter(|word| *word != "→");
            words.collect::<Vec<_>>().join(" ")
        };
        let mut told = Vec::new();
        for link in self.json["links"].as_array().unwrap() {
            for key in ["state", "name", "summary"] {
                told.extend(link[key].as_str());
            }
            for finding in link["findings"].as_array().unwrap() {
                told.extend(finding["says"].as_str());
                told.extend(finding["remedy"].as_str());
            }
        }
        told.extend(self.json["summary"].as_str());
        // Times of day and durations may differ between two runs.
        let digits = regex::Regex::new(
            r"less than a minute|within a second|(within |under )?[0-9]+([.:][0-9]+)*( (ms|s|min|h)\b)?",
        )
        .unwrap();
        let blurred = |text: &str| digits.replace_all(&words(text), "#").into_owned();
        assert_eq!(blurred(&self.text), blurred(&told.join(" ")));
    }
}

/// In the order in which they are told.
const ALL: &str = "configuration database connection role tables index rows clock thresholds output state \
                   last_publish served_page";

/// Insists on all links but those of the web server.
#[track_caller]
fn are_ok_up_to_the_directory(seen: &Diagnosis) {
    for id in ALL.split(' ').filter(|id| *id != "served_page") {
        assert_eq!(seen.state(id), "ok", "{}", seen.text);
    }
}

#[test]
fn a_chain_in_order_is_all_ok() {
    let (world, nginx) = served();
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    are_ok_up_to_the_directory(&seen);
    assert_eq!(seen.state("served_page"), "ok", "{}", seen.text);
    assert!(seen.text.ends_with("\n\nNo problem.\n"), "{}", seen.text);
    assert_eq!(seen.json["ok"], true);
    assert_eq!(seen.json["schema_version"], 1);
    for line in seen.text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let links = seen.json["links"].as_array().unwrap().iter();
    let ids: Vec<&str> = links.map(|link| link["link"].as_str().unwrap()).collect();
    assert_eq!(ids.join(" "), ALL);

    // The address of the configuration is visited where no other is given.
    let world = built(world.file("syncmon.toml", &format!("url = {:?}", nginx.url())));
    assert_eq!(diagnosis(&world, &[]).state("served_page"), "ok");
}

#[test]
fn an_sqlite_chain_in_order_is_all_ok() {
    let world = Sandbox::sqlite().sql(
        "with recursive n (n) as (select 0 union all select n + 1 from n where n < 100)
         insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         select strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || (10 + 30 * n) || ' minutes'), e.value, 'sync', 'completed', 4
         from n, json_each('[\"customers\", \"outlets\", \"products\", \"sales\", \"sale_line_items\", \"inventory\"]') e",
    );
    let seen = diagnosis(&built(world), &[]);
    are_ok_up_to_the_directory(&seen);
    assert_eq!(seen.state("served_page"), "skipped");
    seen.summary("connection").has("read-only");
}

#[test]
fn a_refused_configuration_is_told_as_a_build_tells_it_and_the_rest_is_looked_at() {
    let world = healthy().file("syncmon.toml", "title = \"x\"\nlate_affter = \"2h\"\n");
    let refused = world.build_now().exits(2);
    let seen = diagnosis(&world, &[]);
    let remedy = "take it away or correct its spelling";
    let words = format!("syncmon.toml, line 2, late_affter … {remedy}");
    seen.only("configuration", &words);
    let told = seen.findings("configuration").replace(" → ", "; ");
    assert_eq!(refused.stderr.trim(), format!("syncmon: {told}"));
    let states = ["thresholds", "rows", "output"].map(|id| seen.state(id));
    assert_eq!(states, ["skipped", "ok", "ok"]);

    let world = healthy().file(".env.local", "DATABASE_URL='x'\nS3cret and more\n");
    let words = ".env.local, line 2 … put values with spaces";
    diagnosis(&world, &[]).only("configuration", words);
}

#[test]
fn a_connection_string_that_others_may_read_is_worth_a_word() {
    let world = healthy();
    let line = format!("DATABASE_URL='{}'\n", world.url());
    let seen = diagnosis(&world.without_url().file(".env", &line), &[]);
    seen.holds();
    assert!(seen.summary("database").ends_with(", from .env"));
    let advice = seen.findings("configuration");
    assert!(advice.ends_with("→ chmod 600 .env"), "{advice}");
}

#[test]
fn without_a_database_everything_else_is_looked_at() {
    let seen = diagnosis(&Sandbox::bare(), &[]);
    let words = "no database … set DATABASE_URL to postgres://USER:PASSWORD@HOST";
    seen.only("database", words);
    for id in "connection role tables index rows clock thresholds".split(' ') {
        assert_eq!(seen.state(id), "skipped", "{id}");
    }
    assert_eq!(seen.state("output"), "ok");
    assert_eq!(seen.state("last_publish"), "note");

    let world = Sandbox::bare().with_url("postgres://ro:S3cret@db.example.org/app?sslmode=disable");
    diagnosis(&world, &[]).only("database", "is not local … add ?sslmode=verify-full");
}

/// Each of these repeats what it was given in some message of its own.
#[test]
fn no_secret_is_told_however_it_comes() {
    let refused = Sandbox::bare().with_url("postgres://ro:S3cret@127.0.0.1:1/app");
    let words = "connection refused … check that the server runs";
    diagnosis(&refused, &[]).only("connection", words);

    let world = healthy().env("SYNCMON_DOCTOR_PASSWORD", "S3cret");
    let nobody = ["--url", "http://127.0.0.1:1/"];
    diagnosis(&world, &nobody).only("served_page", "set both or neither");
    let world = world.env("SYNCMON_DOCTOR_USER", "cfo");
    diagnosis(&world, &nobody).only("served_page", "connection refused");
    let with_key = "https://cfo:S3cret@status.example.org/";
    let ended = world.run(&["doctor", "--url", with_key]).exits(2);
    ended.lacks("S3cret");
}

/// Every path below the sandbox with all that a look could change of it but the time of access.
fn traces(world: &Sandbox) -> BTreeMap<PathBuf, String> {
    let entries = walkdir::WalkDir::new(world.root()).into_iter();
    let seen = entries.map(|entry| {
        let entry = entry.unwrap();
        let m = entry.metadata().unwrap();
        let changed = (m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec());
        let seen = format!("{} {} {} {changed:?}", m.ino(), m.len(), m.mode());
        (entry.into_path(), seen)
    });
    seen.collect()
}

#[test]
fn nothing_is_written_anywhere() {
    let (world, nginx) = served();
    let rows = "select md5(string_agg(l::text, '' order by id)) from sync_log l
                union all select md5(string_agg(s::text, '' order by entity_type)) from sync_state s";
    let count = || ask(world.owner_url(), rows);
    let (before, counted) = (traces(&world), count());
    let told = statements(&world, "syncmon_ro").len();
    let url = nginx.url();
    for _ in 0..2 {
        diagnosis(&world, &["--url", &url]);
    }
    // What is missing is not made either.
    diagnosis(&world, &["--out", "new/site", "--state-dir", "new/state"]);
    assert_eq!(traces(&world), before);
    assert_eq!(count(), counted);

    let asked = &statements(&world, "syncmon_ro")[told..];
    assert_eq!(asked.len(), 12, "{asked:?}");
    for statement in asked {
        let (_, text) = statement.split_once("syncmon: LOG:  statement: ").unwrap();
        let first = text.lines().find(|line| !line.starts_with("--")).unwrap();
        let known = ["with tables as (", "with recursive"].contains(&first);
        assert!(known, "{statement}");
    }
}

#[test]
fn a_transaction_pooler_in_between_changes_nothing() {
    let world = healthy();
    let pooler = Pooler::before(Cluster::shared().port);
    let (port, name) = (pooler.port, world.database());
    let url = format!("postgres://syncmon_ro@127.0.0.1:{port}/{name}");
    let world = built(world.with_url(&url));
    for _ in 0..2 {
        let seen = diagnosis(&world, &[]);
        are_ok_up_to_the_directory(&seen);
    }
}

#[test]
fn the_newest_postgresql_is_examined_alike() {
    let server = newest();
    let world = built(Sandbox::postgres_in(&server).sql(HALF_HOURLY));
    let seen = diagnosis(&world, &[]);
    are_ok_up_to_the_directory(&seen);
    let admin = server.url("postgres", &world.database());
    diagnosis(&world.with_url(&admin), &[]).only("role", "postgres is a superuser");
}
