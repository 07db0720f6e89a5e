//! The figures on the pages next to those that PostgreSQL works out for itself from the same rows.

use crate::sandbox::Sandbox;
use crate::sql::ask;

/// On 1 November clocks went back in Los Angeles.
const NOW: &str = "2026-11-22T20:05:00Z";

/// A hundred days of three entities: hourly with failures and gaps, nightly, and one that began lately.
const ROWS: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select timestamptz '2026-11-22T19:40:00Z' - n * interval '1 hour' - (n * 37 % 600) * interval '1 second', 'sales', 'incremental_sync',
           case when n % 23 = 5 or n between 700 and 712 then 'failed' when n % 41 = 7 then 'started' else 'completed' end,
           10 + n % 50 + 0.25, 200 + n * 7 % 90, case when n % 23 = 5 then '429 Client Error: Too Many Requests' end
    from generate_series(0, 2400) n where n not between 300 and 330 and n % 97 not between 3 and 6;
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select timestamptz '2026-11-22T10:00:00Z' - n * interval '1 day', 'products', 'incremental_sync',
           case when n in (0, 9, 10) then 'error' else 'ok' end, 1800, 5000 + n
    from generate_series(0, 99) n;
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select timestamptz '2026-11-22T19:50:00Z' - n * interval '90 minutes', 'customers', 'incremental_sync', 'Completed', 4.5, n
    from generate_series(0, 60) n;
    insert into sync_state (entity_type, last_sync_time, status) values
        ('products', '2026-11-22T15:00:00Z', 'success'), ('customers', '2026-11-22T19:50:04.5Z', 'success');
";

/// Every stretch of time with its health, by the rules of docs/verdict.md.
fn spans(question: &str) -> String {
    format!(
        "set timezone = 'America/Los_Angeles';
         with evidence as (
             select entity_type, \"timestamp\" + duration_seconds * interval '1 second' as at,
                    lower(status) in ('completed', 'ok') as good
             from sync_log where lower(status) in ('completed', 'ok', 'failed', 'error')
             union all
             select entity_type, last_sync_time, true from sync_state
         ),
         reigns as (
             select *, coalesce(lead(at) over (partition by entity_type order by at, good), '{NOW}') as until from evidence
         ),
         spans as (
             select entity_type, 'green' as health, at as since, least(until, at + interval '2 hours') as until from reigns where good
             union all
             select entity_type, 'yellow', at + interval '2 hours', least(until, at + interval '12 hours') from reigns where good
             union all
             select entity_type, 'red', at + interval '12 hours', until from reigns where good
             union all
             select entity_type, 'red', at, until from reigns where not good
         ),
         true_spans as (select * from spans where until > since)
         {question}"
    )
}

fn world() -> Sandbox {
    let world = Sandbox::postgres().sql(ROWS);
    assert_eq!(world.build_at(NOW).stderr, "");
    world
}

/// The texts between two marks, everywhere on a page, without tags.
fn between<'a>(page: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    page.split(from)
        .skip(1)
        .map(|rest| rest.split_once(to).unwrap().0)
        .collect()
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
fn shares_of_time_are_those_of_the_database() {
    let world = world();
    for entity in ["sales", "products", "customers"] {
        let page = world.page(&format!("entities/{entity}.html"));
        let table = between(&page, "<table class=\"list shares\">", "</table>")[0];
        let rows = between(table, "<tr><th scope=\"row\">", "</tr>");
        for (row, hours) in rows.into_iter().zip([24, 168, 720, 2160]) {
            let told = ask(
                world.owner_url(),
                &spans(&format!(
                    "select (extract(epoch from coalesce(sum(least(until, '{NOW}') - greatest(since, '{NOW}'::timestamptz - interval '{hours} hours'))
                         filter (where true_spans.health = wanted.health), interval '0')) * 1000)::bigint::text
                     from (values (1, 'green'), (2, 'yellow'), (3, 'red')) wanted (place, health)
                     left join true_spans on entity_type = '{entity}' and until > '{NOW}'::timestamptz - interval '{hours} hours'
                     group by place, wanted.health order by place"
                )),
            );
            let millis: Vec<i64> = told.iter().map(|text| text.parse().unwrap()).collect();
            let whole = hours * 3_600_000;
            let unknown = whole - millis.iter().sum::<i64>();
            let expected: Vec<String> = millis
                .iter()
                .chain([&unknown])
                .map(|&part| {
                    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                    let percent = 100.0 * part as f64 / whole as f64;
                    match part {
                        0 => "0 % –".to_owned(),
                        _ if part == whole => format!("100 % {}", said(part / 60_000)),
                        _ => format!("{percent:.1} % {}", said(part / 60_000)),
                    }
                })
                .collect();
            let shown: Vec<String> = between(row, "<td>", "</td>")
                .into_iter()
                .map(without_tags)
                .collect();
            assert_eq!(shown, expected, "{entity}, {hours} hours");
        }
    }
}

#[test]
fn each_days_numbers_are_those_of_the_database() {
    let world = world();
    for entity in ["sales", "products", "customers"] {
        let told = ask(
            world.owner_url(),
            &spans(&format!(
                ", days as (
                     select day::date, day as begins, least(day + interval '1 day', '{NOW}') as ends
                     from generate_series('{NOW}'::timestamptz::date - 89, '{NOW}'::timestamptz::date, interval '1 day') day
                 ),
                 minutes as (
                     select day, health, floor(extract(epoch from sum(least(until, ends) - greatest(since, begins))) / 60)::bigint as many
                     from days join true_spans on until > begins and since < ends and entity_type = '{entity}'
                     group by day, health
                 ),
                 ended as (
                     select (at at time zone 'America/Los_Angeles')::date as day, count(*) filter (where good) as completed, count(*) filter (where not good) as failed
                     from (select \"timestamp\" + duration_seconds * interval '1 second' as at, lower(status) in ('completed', 'ok') as good
                           from sync_log where entity_type = '{entity}' and lower(status) in ('completed', 'ok', 'failed', 'error')) runs
                     group by 1
                 )
                 select concat_ws('|', to_char(day, 'FMDy FMDD Mon YYYY'), coalesce(max(many) filter (where health = 'green'), -1),
                                  coalesce(max(many) filter (where health = 'yellow'), -1), coalesce(max(many) filter (where health = 'red'), -1),
                                  coalesce(max(completed), 0), coalesce(max(failed), 0))
                 from minutes left join ended using (day) group by day order by day desc"
            )),
        );
        let expected: Vec<String> = told
            .iter()
            .map(|line| {
                let parts: Vec<&str> = line.split('|').collect();
                let minutes = parts[1..4].iter().map(|many| match many.parse().unwrap() {
                    -1 => "–".to_owned(),
                    0 => "under 1 min".to_owned(),
                    many => said(many),
                });
                let minutes: Vec<String> = minutes.collect();
                format!(
                    "{} {} {} {}",
                    parts[0],
                    minutes.join(" "),
                    parts[4],
                    parts[5]
                )
            })
            .collect();
        let page = world.page(&format!("entities/{entity}.html"));
        let days = between(&page, "<summary>Day by day</summary>", "</table>")[0];
        let shown: Vec<String> = between(days, "<tr><th scope=\"row\">", "</tr>")
            .into_iter()
            .map(|row| {
                let text = without_tags(row);
                [
                    ", until 12:05 PST",
                    "Up to date ",
                    "Overdue or failing ",
                    "Late ",
                ]
                .iter()
                .fold(text, |text, word| text.replace(word, ""))
            })
            .collect();
        assert_eq!(shown, expected, "{entity}");
        assert!(shown.len() >= 4, "{entity}");
    }
}

#[test]
fn the_bars_of_the_charts_are_the_newest_runs_of_the_database() {
    let world = world();
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
    let chart = between(records, "<svg class=\"chart\"", "</svg>")[0];
    assert_eq!(between(chart, "<title>", "</title>"), told);
    let failed = told.iter().filter(|run| run.contains(": failed,")).count();
    assert_eq!(chart.matches("class=\"cross\"").count(), failed);
    assert!(failed > 0);
}

#[test]
fn the_problems_of_the_week_are_those_of_the_database() {
    let world = world();
    let told = ask(
        world.owner_url(),
        &spans(&format!(
            ", marked as (
                 select *, health <> 'green' as bad,
                        lag(health <> 'green', 1, false) over (partition by entity_type order by since) as bad_before
                 from true_spans
             ),
             numbered as (
                 select *, count(*) filter (where bad and not bad_before) over (partition by entity_type order by since) as problem
                 from marked
             ),
             problems as (
                 select entity_type, min(since) as since, max(until) as until from numbered where bad group by entity_type, problem
             )
             select concat(entity_type, ' ', to_char(since, 'Dy FMDD Mon, HH24:MI'), case when until = '{NOW}' then ' lasting' end)
             from problems where until > ('{NOW}'::timestamptz::date - 6)::timestamptz
             order by since desc"
        )),
    );
    let page = world.page("index.html");
    let section = between(&page, "<section class=\"problems\">", "</section>")[0];
    let sentences: Vec<String> = between(section, "<li id=\"problem-", "</li>")
        .into_iter()
        // What is wrong now without a beginning in the log stands before the problems that have one.
        .filter(|item| !item.contains("-now\" class"))
        .map(|item| between(item, "<p>", "</p>")[0])
        .map(without_tags)
        .collect();
    assert!(told.len() > 10, "{}", told.len());
    // All that last, and with them ten.
    let lasting = told
        .iter()
        .filter(|told| told.ends_with(" lasting"))
        .count();
    let ended = told
        .iter()
        .filter(|told| !told.ends_with(" lasting"))
        .take(10 - lasting);
    let listed: Vec<&String> = told
        .iter()
        .filter(|told| told.ends_with(" lasting") || ended.clone().any(|ended| ended == *told))
        .collect();
    assert_eq!(sentences.len(), listed.len());
    for (sentence, told) in sentences.iter().zip(&listed) {
        let (entity, when) = told.split_once(' ').unwrap();
        let lasting = when.ends_with(" lasting");
        let when = when.trim_end_matches(" lasting");
        assert!(
            sentence.to_lowercase().starts_with(entity),
            "{sentence}: {told}"
        );
        assert!(sentence.contains(when), "{sentence}: {told}");
        assert_eq!(
            sentence.contains(" has been "),
            lasting,
            "{sentence}: {told}"
        );
    }
    let more = format!(
        "And {} earlier problems: see the",
        told.len() - listed.len()
    );
    assert!(section.contains(&more), "{more}");
}
