//! Thresholds and schedules against runs that come once a day.

use super::{built, diagnosis};
use crate::golden::Told;
use crate::sandbox::Sandbox;

/// All six entities have synced for twenty days, at 02:00 in Los Angeles.
const DAILY: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select started, e, 'incremental_sync', 'completed', 68, 4900
    from (
        select (date_trunc('day', now() at time zone 'America/Los_Angeles') - n * interval '1 day'
            + interval '2 hours 3 seconds') at time zone 'America/Los_Angeles' as started
        from generate_series(0, 20) n
    ) s,
    unnest(array['customers', 'outlets', 'products', 'sales', 'sale_line_items', 'inventory']) e
    where started < now() - interval '2 minutes'";

fn daily() -> Sandbox {
    built(Sandbox::postgres().sql(DAILY))
}

#[test]
fn daily_runs_need_a_schedule_which_is_suggested_and_fits() {
    let world = daily();
    let seen = diagnosis(&world, &[]);
    let words = "the runs of Customers, Inventory and 4 more come once a day, at about 02:00 … \
                 with late_after = \"2h\" a perfect system is green for 2 h of every 24 h … \
                 set schedule = \"0 2 * * *\" in syncmon.toml";
    seen.only("thresholds", words);
    let world = world.file("syncmon.toml", "schedule = \"0 2 * * *\"\n");
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.state("thresholds"), "ok", "{}", seen.text);

    let world = world.file("syncmon.toml", "schedule = \"0 14 * * *\"\n");
    let words =
        "and not when schedule = \"0 14 * * *\" expects them … set schedule = \"0 2 * * *\"";
    diagnosis(&world, &[]).only("thresholds", words);

    // Long thresholds hide a missing run, which is worth a word.
    let long = "late_after = \"3days\"\noverdue_after = \"9days\"\n";
    let seen = diagnosis(&world.file("syncmon.toml", long), &[]);
    seen.holds();
    let advice = seen.findings("thresholds");
    advice.has("2 missing runs in a row would not be noticed");
    advice.has("→ set schedule = \"0 2 * * *\" in syncmon.toml");
}

#[test]
fn where_one_entity_is_daily_only_that_one_is_named() {
    let world = built(Sandbox::postgres().sql(DAILY).sql(
        "delete from sync_log where entity_type <> 'inventory';
         insert into sync_log (timestamp, entity_type, action, status)
         select now() - n * interval '20 minutes', e, 'sync', 'completed'
         from generate_series(0, 50) n, unnest(array['sales', 'outlets', 'customers', 'products', 'sale_line_items']) e",
    ));
    let words =
        "the runs of Inventory come once a day … in syncmon.toml, in the [[entities]] of inventory";
    diagnosis(&world, &[]).only("thresholds", words);
}
