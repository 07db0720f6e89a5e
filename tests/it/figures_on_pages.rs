//! The figures on the pages next to those that PostgreSQL works out for itself from the same rows.

use crate::golden::Told;
use crate::history::listed::{between, words_of};
use crate::sandbox::{NOW, Sandbox};
use crate::sql::ask;

const ROWS: &str = include_str!("figures_on_pages/rows.sql");
const SPANS: &str = include_str!("figures_on_pages/spans.sql");
const SHARES: &str = include_str!("figures_on_pages/shares.sql");
const DAYS: &str = include_str!("figures_on_pages/days.sql");
const PROBLEMS: &str = include_str!("figures_on_pages/problems.sql");

/// Answers a question about every stretch of time with its health, as PostgreSQL works it out.
fn told(world: &Sandbox, question: &str, words: &[(&str, &str)]) -> Vec<String> {
    let mut sql = format!("{SPANS}{question}");
    for (word, meant) in [("NOW", NOW)].iter().chain(words) {
        sql = sql.replace(word, meant);
    }
    ask(world.owner_url(), &sql)
}

/// The texts between two marks, everywhere on a page.
fn all_between<'a>(page: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let parts = page.split(from).skip(1);
    parts.map(|rest| rest.split_once(to).unwrap().0).collect()
}

/// Minutes as the pages say them.
fn said(minutes: i64) -> String {
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 if minutes % 60 == 0 => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ if minutes % 1440 < 60 => format!("{} days", minutes / 1440),
        _ => format!("{} days {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

#[test]
fn every_figure_is_that_of_the_database() {
    let world = Sandbox::postgres().sql(ROWS);
    assert_eq!(world.build_at(NOW).stderr, "");
    shares_of_time_are_those_of_the_database(&world);
    each_days_numbers_are_those_of_the_database(&world);
    the_bars_of_the_charts_are_the_newest_runs_of_the_database(&world);
    the_problems_of_the_week_are_those_of_the_database(&world);
}

fn shares_of_time_are_those_of_the_database(world: &Sandbox) {
    for entity in ["sales", "products", "customers"] {
        let page = world.page(&format!("entities/{entity}.html"));
        let table = between(&page, "<table class=\"list shares\">", "</table>");
        let rows = all_between(table, "<tr><th scope=\"row\">", "</tr>");
        for (row, hours) in rows.into_iter().zip([24, 168, 720, 2160]) {
            let words = [("ENTITY", entity), ("HOURS", &hours.to_string())];
            let told = told(world, SHARES, &words);
            let millis: Vec<i64> = told.iter().map(|text| text.parse().unwrap()).collect();
            let whole = hours * 3_600_000;
            let unknown = whole - millis.iter().sum::<i64>();
            let share = |&part: &i64| {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let percent = 100.0 * part as f64 / whole as f64;
                match part {
                    0 => "0 % –".to_owned(),
                    _ if part == whole => format!("100 % {}", said(part / 60_000)),
                    _ => format!("{percent:.1} % {}", said(part / 60_000)),
                }
            };
            let expected: Vec<String> = millis.iter().chain([&unknown]).map(share).collect();
            let cells = all_between(row, "<td>", "</td>").into_iter();
            let shown: Vec<String> = cells.map(words_of).collect();
            assert_eq!(shown, expected, "{entity}, {hours} hours");
        }
    }
}

fn each_days_numbers_are_those_of_the_database(world: &Sandbox) {
    let besides = regex::Regex::new(", until 12:05 PST|Up to date |Overdue or failing |Late ");
    let besides = besides.unwrap();
    for entity in ["sales", "products", "customers"] {
        let told = told(world, DAYS, &[("ENTITY", entity)]);
        let as_said = told.iter().map(|line| {
            let parts: Vec<&str> = line.split('|').collect();
            let minutes = parts[1..4].iter().map(|many| match many.parse().unwrap() {
                -1 => "–".to_owned(),
                0 => "under 1 min".to_owned(),
                many => said(many),
            });
            let minutes = minutes.collect::<Vec<_>>().join(" ");
            format!("{} {minutes} {} {}", parts[0], parts[4], parts[5])
        });
        let expected: Vec<String> = as_said.collect();
        let page = world.page(&format!("entities/{entity}.html"));
        let days = between(&page, "<summary>Day by day</summary>", "</table>");
        let rows = all_between(days, "<tr><th scope=\"row\">", "</tr>").into_iter();
        let shown = rows.map(|row| besides.replace_all(&words_of(row), "").into_owned());
        let shown: Vec<String> = shown.collect();
        assert_eq!(shown, expected, "{entity}");
        assert!(shown.len() >= 4, "{entity}");
    }
}

fn the_bars_of_the_charts_are_the_newest_runs_of_the_database(world: &Sandbox) {
    let told = ask(
        world.owner_url(),
        "set timezone = 'America/Los_Angeles';
         select concat(to_char(\"timestamp\", 'Dy FMDD Mon YYYY, HH24:MI:SS TZ'), ': ',
                       case when status = 'started' then 'unfinished' else status end, ', ', records_processed, ' records')
         from (select * from sync_log where entity_type = 'sales' order by \"timestamp\" desc, id desc limit 50) newest
         order by \"timestamp\", id",
    );
    let page = world.page("entities/sales.html");
    let (_, records) = page.split_once("<h2>Records of each run</h2>").unwrap();
    let chart = between(records, "<svg class=\"chart\"", "</svg>");
    assert_eq!(all_between(chart, "<title>", "</title>"), told);
    let failed = told.iter().filter(|run| run.contains(": failed,")).count();
    assert_eq!(chart.matches("class=\"cross\"").count(), failed);
    assert!(failed > 0);
}

fn the_problems_of_the_week_are_those_of_the_database(world: &Sandbox) {
    let told = told(world, PROBLEMS, &[]);
    let page = world.page("index.html");
    let section = between(&page, "<section class=\"problems\">", "</section>");
    let items = all_between(section, "<li id=\"problem-", "</li>").into_iter();
    // What is wrong now without a beginning in the log stands before the problems that have one.
    let items = items.filter(|item| !item.contains("-now\" class"));
    let sentences = items.map(|item| words_of(between(item, "<p>", "</p>")));
    let sentences: Vec<String> = sentences.collect();
    assert!(told.len() > 10, "{}", told.len());
    // All that last, and with them ten.
    let lasts = |told: &&String| told.ends_with(" lasting");
    let mut ended = 10 - told.iter().filter(lasts).count();
    let listed = told.iter().filter(|told| {
        lasts(told) || {
            let is_listed = ended > 0;
            ended = ended.saturating_sub(1);
            is_listed
        }
    });
    let listed: Vec<&String> = listed.collect();
    assert_eq!(sentences.len(), listed.len());
    for (sentence, told) in sentences.iter().zip(&listed) {
        let (entity, when) = told.split_once(' ').unwrap();
        assert!(sentence.to_lowercase().starts_with(entity), "{sentence}");
        sentence.has(when.trim_end_matches(" lasting"));
        assert_eq!(sentence.contains(" has been "), lasts(told), "{sentence}");
    }
    let more = told.len() - listed.len();
    section.has(&format!("And {more} earlier problems: see the"));
}
