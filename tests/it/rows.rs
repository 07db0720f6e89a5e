//! Rows in SQL that both databases understand, and the one site that they must give.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::sandbox::{NOW, Sandbox};

pub fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

/// One row of `sync_log`; every value but the entity's name is SQL.
pub fn log_row(entity_type: &str, status: &str, timestamp: &str, duration: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ({timestamp}, {}, 'incremental_sync', {status}, {duration}, 1086);\n",
        quoted(entity_type)
    )
}

/// One row of `sync_state`; every value but the entity's name is SQL.
pub fn state_row(entity_type: &str, status: &str, synced: &str, updated: &str) -> String {
    format!(
        "insert into sync_state (entity_type, status, last_sync_time, updated_at)
         values ({}, {status}, {synced}, {updated});\n",
        quoted(entity_type)
    )
}

/// An SQL literal.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The moment that lies this long before [`NOW`], in SQL and to the microsecond.
pub fn moment(ago: TimeDelta) -> String {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    quoted(&(now - ago).to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Builds from the same rows in both databases, expects the same site from both, and returns one.
pub fn built_from_both(rows: &str) -> Sandbox {
    let [postgres, sqlite] = Sandbox::both().map(|sandbox| sandbox.sql(rows));
    postgres.build();
    sqlite.build();
    let (ours, theirs) = (postgres.status(), sqlite.status());
    let pairs = ours["entities"].as_array().unwrap().iter();
    for (ours, theirs) in pairs.zip(theirs["entities"].as_array().unwrap()) {
        assert_eq!(ours, theirs, "PostgreSQL is left, SQLite right");
    }
    assert_eq!(ours, theirs);
    assert!(postgres.site() == sqlite.site(), "the pages differ");
    postgres
}

/// Entities, one a line. Between bars stand its name, its verdict, the rows that its writers left (see [`row`]), and
/// perhaps the one notice, or `no notice`.
pub struct Table<'a>(Vec<Vec<&'a str>>);

impl Table<'_> {
    pub fn of(text: &str) -> Table<'_> {
        let lines = text.lines().filter(|line| line.contains('|'));
        let cells = lines.map(|line| line.split('|').map(str::trim).collect());
        Table(cells.collect())
    }

    pub fn sql(&self) -> String {
        let rows = |cells: &Vec<&str>| {
            let rows = cells[2].split("; ").map(|text| row(cells[0], text));
            rows.collect::<String>()
        };
        self.0.iter().map(rows).collect()
    }

    /// A build from these rows has come to what was expected.
    pub fn is_judged_in(&self, sandbox: &Sandbox) {
        let wrong = self.0.iter().filter_map(|cells| {
            let verdict = sandbox.verdict(cells[0]);
            let notices = notices(sandbox, cells[0]);
            let said = match cells.get(3) {
                None => true,
                Some(&"no notice") => notices.is_empty(),
                Some(said) => notices.contains(said) && notices.lines().count() == 1,
            };
            let expected = verdict == cells[1] && said;
            (!expected).then(|| format!("{cells:?}: {verdict}, {notices}"))
        });
        let wrong: Vec<String> = wrong.collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// All entities of a table in one world: both databases agree on them, and on what was expected.
pub fn judged_as_expected(text: &str) {
    let table = Table::of(text);
    table.is_judged_in(&built_from_both(&table.sql()));
}

/// SQL of `completed 2h-1us lasting 60`, a run recorded as started so long ago, or of `state success 1h updated 5min`.
/// What stands between quotes is SQL, and so are numbers and `null`.
fn row(entity_type: &str, text: &str) -> String {
    let in_state = text.starts_with("state ");
    let tokens = regex::Regex::new(r"'[^']*'|\S+").unwrap();
    let tokens = tokens.find_iter(text).map(|token| token.as_str());
    let mut tokens = tokens.skip(usize::from(in_state));
    let value = |text: &str, otherwise: fn(&str) -> String| {
        let is_sql = text.starts_with('\'') || text == "null" || text.parse::<f64>().is_ok();
        if is_sql {
            text.to_owned()
        } else {
            otherwise(text)
        }
    };
    let at = |text: &str| value(text, |text| moment(ago(text)));
    let word = value(tokens.next().unwrap(), quoted);
    let (first, more) = (at(tokens.next().unwrap()), tokens.nth(1));
    if in_state {
        state_row(entity_type, &word, &first, &at(more.unwrap_or("null")))
    } else {
        log_row(entity_type, &word, &first, more.unwrap_or("0"))
    }
}

/// `2h-1us` is a microsecond less than two hours.
fn ago(text: &str) -> TimeDelta {
    let terms = regex::Regex::new("([+-]?[0-9]+)(us|s|min|h|d)").unwrap();
    let terms = terms.captures_iter(text).map(|term| {
        let count: i64 = term[1].parse().unwrap();
        match &term[2] {
            "us" => TimeDelta::microseconds(count),
            "s" => TimeDelta::seconds(count),
            "min" => minutes(count),
            "h" => hours(count),
            _ => hours(24 * count),
        }
    });
    terms.sum()
}

/// All that is said of an entity besides its verdict.
pub fn notices(sandbox: &Sandbox, entity_type: &str) -> String {
    let notices = sandbox.entity(entity_type)["notices"].clone();
    let notices = notices.as_array().unwrap().iter();
    notices
        .map(|notice| notice.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}
