//! Secret masking: a planted secret never comes through, whatever notation it stands in.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

use super::{mask, mask_known};
use crate::generators::campaign::Campaign;
use crate::generators::mutations::bent_text;
use crate::generators::notations::{
    ANY, Secret, a_secret, around, as_it_is, doubled_single, json, json_twice, percent,
    percent_throughout, planted, python, rust, shell, xml,
};
use crate::generators::{Volume, fuzz};
use crate::text::{error_text, excerpt, file_stem, misleads, name_of, word};

const PLANTED: Volume = Volume {
    sampled: 1_000,
    whole: 200_000,
};
const BENT: Volume = Volume {
    sampled: 1_000,
    whole: 200_000,
};
/// Texts of 4000 characters.
const CUT_SHORT: Volume = Volume {
    sampled: 100,
    whole: 20_000,
};
const KNOWN: Volume = Volume {
    sampled: 300,
    whole: 200_000,
};

/// No part of the secret can be read, not even across what takes no room.
fn hidden(secret: &Secret, shown: &str) -> TestCaseResult {
    let read: String = shown
        .chars()
        .filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation())
        .collect::<String>()
        .to_lowercase();
    for part in &secret.parts {
        prop_assert!(!read.contains(&part.to_lowercase()), "shown: {shown}");
    }
    Ok(())
}

#[test]
fn a_secret_in_any_notation_is_masked() {
    let nothing = Just(String::new()).boxed();
    fuzz(
        "masking, a secret in every notation",
        PLANTED,
        &planted(nothing),
        |planted| hidden(&planted.secret, &mask(&planted.text)),
    );
}

#[test]
fn a_secret_is_masked_whatever_stands_around_it() {
    fuzz(
        "masking, a secret among distractions",
        PLANTED,
        &planted(around().boxed()),
        |planted| hidden(&planted.secret, &mask(&planted.text)),
    );
}

/// Where a secret without odd characters can be told from whatever stands around it: `{}` stands for it.
const PLACES: &[&str] = &[
    "password={}",
    "Password: {}",
    "PGPASSWORD={}",
    "db_pwd={}",
    "apikey={}",
    "\"access_token\": \"{}\"",
    "\\\"api_key\\\": \\\"{}\\\"",
    "'client_secret': '{}'",
    "postgres://ro:{}@db.example.org:5432/app",
    "https://user:{}@api.example.org/",
    "postgres%3A%2F%2Fro%3A{}%40h",
    "ro:{}@db.example.org",
    "Authorization: Bearer {}",
    "<secret>{}</secret>",
    "--password {}",
    "password '{}'",
    "eyJhbGciOiJIUzI1NiJ9.{}.c2ln",
];

/// What may stand around it, to lead the patterns astray: lone quotation marks too.
const DISTRACTIONS: &[&str] = &[
    "password=",
    "password: ",
    "token:\n",
    "secret",
    "Bearer ",
    "Basic ",
    "eyJ",
    "https://",
    "postgres://",
    "ro:",
    "@",
    "-u ",
    "<token>",
    "<",
    ">",
    "&quot;",
    "[masked",
    "]",
    "\"",
    "'",
    "\\",
    "`",
    "=",
    ":",
    ",",
    ";",
    "(",
    ")",
    "{",
    "}",
    " ",
    "\n",
    "\t",
    "\u{fffd}",
    "\u{200b}",
    "é",
    "word",
    "null",
    "-----BEGIN PRIVATE KEY-----",
    "%3A%2F%2F",
    "%40",
];

#[test]
fn a_plain_secret_is_masked_among_lone_quotation_marks_and_noise() {
    let around = || {
        let distractions = vec(select(DISTRACTIONS), 0..8).prop_map(|pieces| pieces.concat());
        prop_oneof![distractions, "(?s).{0,80}"]
    };
    let inputs = (around(), select(PLACES), "[A-Za-z0-9_-]{8,24}Z9", around());
    fuzz(
        "masking, a plain secret among noise",
        PLANTED,
        &inputs,
        |(before, place, secret, after)| {
            let text = format!("{before} {} {after}", place.replace("{}", &secret));
            let shown = mask(&text);
            prop_assert!(!shown.contains(&secret), "{} -> {}", text, shown);
            Ok(())
        },
    );
}

/// Where the database cuts error texts, in characters.
const CUT: usize = 4000;

#[test]
fn no_cut_through_a_secret_shows_its_beginning() {
    let nothing = Just(String::new()).boxed();
    let cut = (planted(nothing), 0_usize..200, prop::bool::ANY);
    fuzz(
        "masking, a secret cut at the limits",
        CUT_SHORT,
        &cut,
        |(planted, offset, short)| {
            // Masking shortens the text, so that what stood beyond the limit of the page moves into it.
            let masked = format!("password={}", "k".repeat(if short { 2500 } else { 10 }));
            let length =
                CUT.saturating_sub(masked.len() + planted.text.chars().count() / 2 + offset);
            let filler = "many words ".repeat(length / 11);
            let whole = format!("{masked} {filler} {}", planted.text);
            let kept: String = whole.chars().take(CUT).collect();
            let shown = error_text(&kept, whole.chars().count() as u64);
            hidden(&planted.secret, &shown)?;
            hidden(&planted.secret, &excerpt(&shown))?;
            for name in [
                word(&planted.text),
                name_of(&planted.text),
                file_stem(&planted.text),
            ] {
                hidden(&planted.secret, &name)?;
            }
            Ok(())
        },
    );
}

/// Texts with and without secrets, to be bent.
const SEEDS: &[&str] = &[
    "could not connect to postgres://ro:S3cretPw@db.example.org:5432/app?sslmode=require now",
    "GET /x?dsn=postgres%3A%2F%2Fro%3AS3cretPw%40h%2Fdb failed: https://user:a@b@h/x",
    r#"{"password": "S3 \" Pw", "a": null, "token": null, "b": [1, {"api_key": 5}]}"#,
    r#"{\"password\": \"S3cretPw\"} {'password': b'it\'s'} password: 'it''s' x"#,
    "password: |\n  S3cretPw\n  more\nuser: ro\npassword=\"\"\"S3\"\"\" pwd=;pass=none, jwt:true}",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw\r\nCookie: a=b; sid=S3",
    "<password>S3</password><add key=\"secret\" value=\"x\"/><token><![CDATA[a<b]]></token>",
    "&quot;password&quot;: &quot;S3 Pw&quot;, &#39;secret&#39;: &#39;x&#39;",
    "-----BEGIN RSA PRIVATE KEY-----\nS3cretPw\n-----END RSA PRIVATE KEY-----\nand more",
    "curl -u user:S3 --user 'a:b c' -H 'X-Api-Key: S3' --password S3 basic UzNjcmV0UHc=",
    "Driver=x;Password=a b;Server=h; sb_secret_S3cretPwS3cretPw sk_test_S3cretPwS3cretPw",
    "HTTPSConnectionPool(host='x.example', port=443): Read timed out. (read timeout=30)",
    "password=[masked] [masked connection string] token: [masked], secret=[masked",
];

/// What the patterns look for, and what ends or escapes it.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "password", "pass", "pwd", "token", "secret", "api key", "jwt", "authorization", "cookie:", "=",
    ":", "=>", "->", "%3D", "'", "\"", "''", "\"\"", "'''", "\"\"\"", "`", "\\", "\\\"", r#"\\\""#,
    r"'\''", "&quot;", "&amp;quot;", "&#39;", "&#x27;", "[masked]", "[masked connection string]",
    "[masked", "]", "postgres://", r"mysql:\/\/", "https://", "%3A%2F%2F", "%253A%252F%252F", "@",
    "%40", "a:b@c", "null,", "none}", "true", "bearer ", "basic ", "digest ", "eyJ", "eyJhbGciOi.",
    "sk_live_", "AKIA", "a://", "a:b@", "secret='", "-----BEGIN ", "-u ", "--token ", "<", ">", "</", "<![CDATA[", "]]>", "|\n ", ">-\n\t",
    "-----BEGIN PRIVATE KEY-----", "\\\n", "Some(", "f(1) ", "\u{0}", "\u{200b}", "\u{fffd}",
    "\u{ad}", "\u{202e}", "\r\n", "\n", "\t", " ", ";", ",", "{", "}", "(", ")", "é", "\u{1f469}",
    "\u{130}", "\u{212a}ey=", "\u{17f}ecret=",
];

/// Nothing that cannot be seen but misleads.
fn is_plain(shown: &str) -> TestCaseResult {
    let misleading = |c: char| (c.is_control() && c != '\n' && c != '\t') || misleads(c);
    prop_assert!(!shown.contains(misleading), "{:?}", shown);
    Ok(())
}

#[test]
fn any_text_is_masked_once_and_for_all_and_made_publishable() {
    let length = prop_oneof![Just(0), 0_u64..10_000, any::<u64>()];
    let inputs = (bent_text(SEEDS, WORDS), length);
    fuzz("masking, bent texts", BENT, &inputs, |(text, length)| {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once, "masked again, it changes");
        let shown = error_text(&text, length);
        prop_assert!(shown.chars().count() <= 2100);
        is_plain(&shown)?;
        prop_assert!(excerpt(&shown).chars().count() <= 520);
        for name in [word(&text), name_of(&text)] {
            prop_assert!(name.chars().count() <= 140);
            is_plain(&name)?;
        }
        let stem = file_stem(&text);
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        prop_assert!(stem.len() <= 64 && stem.chars().all(safe), "{}", stem);
        prop_assert!(!stem.starts_with('.') && !stem.contains(".."), "{}", stem);
        Ok(())
    });
}

/// How a known password can come back in somebody's error text.
const FORMS: &[fn(&str) -> String] = &[
    as_it_is,
    percent,
    |secret| {
        percent(secret)
            .replace("%2F", "%2f")
            .replace("%C3%A9", "%c3%a9")
    },
    percent_throughout,
    |secret| percent(&percent(secret)),
    |secret| percent(secret).replace("%20", "+"),
    json,
    json_twice,
    rust,
    |secret| rust(&rust(secret)),
    python,
    doubled_single,
    shell,
    xml,
    |secret| {
        xml(secret)
            .replace("&#39;", "&apos;")
            .replace("&quot;", "&#34;")
    },
    |secret| {
        xml(secret)
            .replace("&#39;", "&#x27;")
            .replace("&quot;", "&#x22;")
    },
    |secret| {
        json(secret)
            .replace('<', "\\u003c")
            .replace('>', "\\u003E")
            .replace('&', "\\u0026")
    },
    |secret| {
        json(secret)
            .replace('/', "\\/")
            .replace('é', "\\u00e9")
            .replace('€', "\\u20AC")
    },
    |secret| secret.escape_default().to_string(),
    |secret| secret.as_bytes().escape_ascii().to_string(),
];

#[test]
fn a_known_secret_never_survives_in_any_form() {
    let fragment = prop::sample::select(vec![
        "", " ", "x", "://u:", "@h/", "=", "'", "\"", "\n", "é",
    ]);
    let more = vec(a_secret(), 0..3);
    let inputs = (
        a_secret(),
        more,
        select(FORMS),
        fragment.clone(),
        fragment,
        any::<Index>(),
    );
    fuzz(
        "masking, known secrets",
        KNOWN,
        &inputs,
        |(secret, more, form, before, after, cut)| {
            let typed = secret.typed(ANY);
            let text = format!("said{before}{}{after}done", form(&typed));
            // Others that are known as well, among them parts of this one, must not get in its way.
            let part: String = typed
                .chars()
                .take(cut.index(typed.chars().count()) + 1)
                .collect();
            let mut known: Vec<String> = more.iter().map(|other| other.typed(ANY)).collect();
            known.extend([part, percent(&typed), typed, String::new()]);
            let shown = mask_known(&text, &known);
            hidden(&secret, &shown)?;
            hidden(&secret, &mask_known(&shown, &known))
        },
    );
}

/// What grows with the square of the text takes many minutes for a megabyte.
#[test]
fn a_megabyte_of_what_keeps_patterns_busy_takes_seconds() {
    let campaign = Campaign::named("fuzz", "masking, what keeps patterns busy");
    let length = campaign.size(20_000, 1_000_000);
    let known = ["S3cretPw".to_owned()];
    let mut slowest = Duration::ZERO;
    let pieces = WORDS.iter().chain(SEEDS);
    for piece in pieces.clone() {
        let started = Instant::now();
        mask(&piece.repeat(length / piece.len()));
        mask_known(&piece.repeat(length / 10 / piece.len()), &known);
        let elapsed = started.elapsed();
        assert!(elapsed.as_secs() < 60, "{piece:?}: {elapsed:?}");
        slowest = slowest.max(elapsed);
    }
    campaign.ends(&format!(
        "{} texts of {length} bytes, the slowest took {} ms",
        pieces.count(),
        slowest.as_millis()
    ));
}
