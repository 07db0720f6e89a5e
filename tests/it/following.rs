//! A page that is left open follows later builds: the real Chromium, the real nginx, the program.

use std::fs;

use crate::browser::{AGEING, TITLE, WELL, check};
use crate::sandbox::{SYNCMON, Sandbox};
use crate::web::Nginx;

const OVERVIEW: &str = include_str!("../../templates/overview.html");
const STYLE: &str = include_str!("../../templates/assets/syncmon.css");

/// What a reader may have filled in and unfolded.
const FORM: &str = "<form><input id=\"filter\" value=\"\"><select id=\"kind\"><option>all</option>\
    <option>failed</option></select></form><details id=\"more\"><summary>More</summary>\
    <p>{{ frame.generated_at }}</p></details>{% endblock main %}";

/// With which an entity has a chart.
const EARLIER: &str = "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    values ('2026-11-21T10:00:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086);";

#[test]
fn a_page_left_open_follows_later_builds() {
    let form = OVERVIEW.replace("{% endblock main %}", FORM);
    let world = Sandbox::sqlite()
        .sql(&(WELL.to_owned() + EARLIER))
        .file("syncmon.toml", TITLE)
        .file("form/overview.html", &form)
        .file("other/assets/syncmon.css", &format!("{STYLE}/* new */\n"));
    let ill = Sandbox::sqlite().sql(&(AGEING.to_owned() + EARLIER));
    world.build();
    let nginx = Nginx::with_its_own_clock(&world);
    // Whoever changes them writes them anew.
    let passwords = fs::read_to_string(nginx.passwords()).unwrap();
    let given = serde_json::json!({
        "url": nginx.url(),
        "clock": nginx.clock(),
        "log": nginx.access_log(),
        "passwords": {"file": nginx.passwords(), "right": passwords},
        "program": SYNCMON,
        "folder": world.root(),
        "databases": {"well": world.url(), "ill": ill.url()},
    });
    check("following", &[&given.to_string()]);
}
