//! Secrets inside error texts: in no byte of the site and of the state directory.

use crate::rows::quoted;
use crate::sandbox::Sandbox;
use crate::secrets::are_nowhere;

/// The secret that every text here holds, or holds a part of.
const SECRET: &str = "S3cretPw";

/// Error texts as writers leave them.
const ERRORS: &[&str] = &[
    "could not connect to postgres://ro:S3cretPw@db.example.org:5432/app?sslmode=require",
    "POSTGRESQL://RO:S3cretPw@DB.EXAMPLE.ORG/APP refused",
    "dsn=postgres%3A%2F%2Fro%3AS3cretPw%40db.example.org%2Fapp",
    "GET https://user:S3cretPw@api.example.org/x failed",
    "cannot resolve ro:S3cretPw@db.example.org",
    "401 with headers {'Authorization': 'Bearer S3cretPw12345678', 'Accept': '*/*'}",
    "Authorization: Bearer S3cretPw12345678",
    "token eyJhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw expired",
    "password=S3cretPw",
    "Password: S3cretPw",
    "PASSWORD = 'S3cretPw with spaces'",
    "MYSQL_PWD=S3cretPw",
    "pwd:S3cretPw;",
    "{\"password\": \"S3cretPw\", \"user\": \"ro\"}",
    "{\"body\": \"{\\\"api_key\\\": \\\"S3cretPw\\\"}\"}",
    "first line\npassword:\n    S3cretPw\nlast line",
    "apikey=S3cretPw&page=2",
    "sb_secret_S3cretPwS3cretPw",
    "pass\u{1}word=S3cretPw",
    "pass\u{200b}word=S3cretPw",
    "pass\u{202e}word: S3cretPw",
];

/// One entity per error text, with it in every column that holds free text.
fn rows(errors: &[String]) -> String {
    let rows = errors.iter().enumerate().map(|(index, error)| {
        let error = quoted(error);
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, error_details)
             values ('2026-11-22T19:22:00Z', 'entity {index}', {error}, 'failed', {error}),
                    ('2026-11-22T19:20:00Z', 'entity {index}', 'sync', {error}, {error});
             insert into sync_state (entity_type, last_sync_time, status, error_message, updated_at)
             values ('entity {index}', '2026-11-22T19:22:00Z', {error}, {error}, null);"
        )
    });
    rows.collect()
}

/// No file of the site or the state directory holds the secret, nor does what was printed.
fn is_built_without_it(sandbox: &Sandbox) {
    are_nowhere(
        sandbox,
        &sandbox.build(),
        &[SECRET.to_owned()],
        &["sync.sqlite"],
    );
}

#[test]
fn no_secret_of_an_error_text_is_published_or_kept() {
    let ordinary = "500 Server Error for url: https://x.retail.lightspeed.app/api/2.0/sales?page=3 after 12 tries";
    let errors = ERRORS.iter().chain([&ordinary]);
    let errors: Vec<String> = errors.map(|&error| error.to_owned()).collect();
    for sandbox in Sandbox::both() {
        let sandbox = sandbox.sql(&rows(&errors));
        is_built_without_it(&sandbox);
        let error = |number: usize| {
            let entity = sandbox.entity(&format!("entity {number}"));
            entity["last_run"]["error"].clone()
        };
        assert_eq!(error(13), "{\"password\": [masked], \"user\": \"ro\"}");
        assert_eq!(error(ERRORS.len()), ordinary, "stays readable");
    }
}

#[test]
fn no_secret_survives_where_a_text_is_cut() {
    // The statement cuts texts at 4000 characters, the program at 2000; words at 200 and 120.
    let mut errors = Vec::new();
    for cut in [120, 200, 2000, 4000] {
        for (index, error) in ERRORS.iter().enumerate() {
            let offset = [1, 4, 9, 14, 20, 27][index % 6];
            errors.push(format!("{} {error}", "x".repeat(cut - offset)));
        }
        for part in 0..ERRORS[0].len() {
            errors.push(format!("{} {}", "x".repeat(cut - part), ERRORS[0]));
        }
    }
    for sandbox in Sandbox::both() {
        is_built_without_it(&sandbox.sql(&rows(&errors)));
    }
}

#[test]
fn a_secret_in_a_name_is_masked_on_the_pages() {
    let name = "password=S3cretPw";
    let sandbox = Sandbox::sqlite().sql(&format!(
        "insert into sync_log (timestamp, entity_type, action, status)
         values ('2026-11-22T19:22:00Z', '{name}', 'sync', 'completed')"
    ));
    let ended = sandbox.build();
    assert!(!ended.stdout.contains(SECRET), "{}", ended.stdout);
    for (path, bytes) in sandbox.site() {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!path.to_lowercase().contains("s3cretpw"), "{path}");
        assert!(!text.contains("s3cretpw"), "{path}");
    }
}
