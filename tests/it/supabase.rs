//! What Supabase's pooler says when it refuses: each is understood, and docs/supabase.md tells the same.

use std::io::Write;

use crate::golden;
use crate::impostor::{Impostor, error};
use crate::outage::{FIRST_FAILURE, filled, only_line, through, told};
use crate::sandbox::Sandbox;

/// SQLSTATE and words, as they come over the wire; `PROJECT` stands for the project's reference.
const REFUSALS: [&str; 18] = [
    "XX000 Tenant or user not found",
    "XX000 (ENOTFOUND) tenant/user syncmon_ro.PROJECT not found",
    "XX000 (ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname required)",
    "XX000 (EINVALIDUSERINFO) Authentication error, reason: \"Invalid format for user or db_name\"",
    "28P01 password authentication failed for user \"syncmon_ro\"",
    "XX000 (EAUTHQUERY) user not found in the database",
    "XX000 (EAUTHQUERY) authentication query failed: connection to database not available",
    "XX000 (ECIRCUITBREAKER) Too many authentication errors",
    "XX000 (ECIRCUITBREAKER) Unable to establish connection to upstream database",
    "XX000 (EADDRNOTALLOWED) address not in tenant allow_list: {203, 0, 113, 7}",
    "XX000 (EBANNED) tenant is banned: unusual load",
    "XX000 (ESSLREQUIRED) SSL connection is required for user: syncmon_ro",
    "XX000 (ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms in Transaction mode",
    "XX000 (EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15",
    "XX000 (EMAXCONN) max client connections reached, limit: 200",
    "XX000 (EDBHANDLEREXITED) connection to database closed. Check logs for more information",
    "08006 (EAUTHTIMEOUT) timeout while waiting for message",
    "57P01 terminating connection due to administrator command",
];

#[test]
fn what_the_pooler_says_is_understood_and_documented() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/supabase.md")).unwrap();
    let world = filled(Sandbox::postgres());
    let mut all = Vec::new();
    for refusal in REFUSALS {
        let (code, words) = refusal.split_once(' ').unwrap();
        let pooler = Impostor::new(move |client| {
            let fields = [(b'S', "FATAL"), (b'C', code), (b'M', words)];
            let fields = fields.map(|(kind, text)| (kind, text.as_bytes()));
            let _ = client.write_all(&error(&fields));
        });
        let world = through(Sandbox::bare().with_url(world.url()), pooler.port);
        let away = world.build_at(FIRST_FAILURE);
        assert_eq!(away.code, 75, "{away:?}");
        let line = only_line(&away);
        let (_, remedy) = line.rsplit_once("; ").unwrap();
        assert!(!remedy.contains("psql"), "it is not understood: {line}");
        let shown = words.split(" {").next().unwrap();
        let row = guide.lines().find(|row| row.contains(shown));
        assert!(
            row.is_some_and(|row| row.contains(remedy)),
            "docs/supabase.md does not say of {words}: {remedy}"
        );
        all.push(told(&world, &away));
    }
    golden::section("messages.txt", "Supabase's pooler refuses", &all.join("\n"));
}
