//! How programs write a value with a name: every notation in which a secret can turn up.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// How a program writes a value: where `{}` stands, which odd characters it can hold, and how.
#[derive(Debug, Clone, Copy)]
struct Notation {
    template: &'static str,
    odd: &'static str,
    write: fn(&str) -> String,
}

const fn notation(
    template: &'static str,
    odd: &'static str,
    write: fn(&str) -> String,
) -> Notation {
    Notation {
        template,
        odd,
        write,
    }
}

/// What a value can hold where it is written with quotation marks, and escaped.
pub(crate) const ANY: &str = " @:/?#[]%!$&'\"()*+,;=\\<>{}|^~`é€\t_.-";
/// What it can hold where only white space ends it.
const WORD: &str = "@:/?#%!$&()*+,;=<>{}|^~`é_.-";
/// What it can hold where it stands in a URL as it is.
const SLOPPY: &str = "@:/?#%!$&()*+,;={}|^~`é_.-";
/// What it can hold where it stands between quotation marks as it is.
const BARE: &str = " @:/?#[]%!$&()*+,;=<>{}|^~é_.-";
/// What headers and tokens can hold.
const TOKEN: &str = "._~+/=-";

const NOTATIONS: &[Notation] = &[
    notation(
        "connect to postgres://ro:{}@db.example.org:5432/app failed",
        ANY,
        percent,
    ),
    notation(
        "connect to postgres://ro:{}@db.example.org:5432/app failed",
        SLOPPY,
        as_it_is,
    ),
    notation(
        "GET https://user:{}@api.example.org/v1?page=2: 401",
        ANY,
        percent,
    ),
    notation(
        "GET https://user:{}@api.example.org/v1?page=2: 401",
        SLOPPY,
        as_it_is,
    ),
    notation(
        "redirected to https://x/?next=https%3A%2F%2Fu%3A{}%40h%2F",
        ANY,
        percent,
    ),
    notation("dsn=mysql%3A%2F%2Fu%3A{}%40h%2Fdb", ANY, |secret| {
        percent(&percent(secret))
    }),
    notation(
        "https://x.example.org/cb?state=1&access_token={}&x=1",
        ANY,
        percent,
    ),
    notation("https://x.example.org/cb?apikey={}", ANY, percent),
    notation(
        "{\"user\":\"ro\",\"password\":{},\"host\":\"h\"}",
        ANY,
        json,
    ),
    notation("{\"a\": [{\"api_key\": {}}]}", ANY, json),
    notation(
        "body {\\\"client_secret\\\": {}, \\\"a\\\": 1}",
        ANY,
        json_twice,
    ),
    notation("{'password': {}, 'user': 'ro'}", ANY, python),
    notation("connect(user='ro', password={}, host='h')", ANY, python),
    notation("headers={'X-Api-Key': {}, 'Accept': '*/*'}", ANY, python),
    notation("('Authorization', {})", ANY, python),
    notation(
        "DsnConfig { user: \"ro\", password: {}, port: 5432 }",
        ANY,
        rust,
    ),
    notation(
        "DsnConfig { user: \"ro\", password: Some({}), port: 5432 }",
        ANY,
        rust,
    ),
    notation("#<Config password={}, user=\"ro\">", ANY, rust),
    notation("{:password=>{}, :user=>\"ro\"}", ANY, rust),
    notation("password: {}\nuser: ro", ANY, doubled_single),
    notation("password: {}\nuser: ro", ANY, json),
    notation("password: |\n  {}\nuser: ro", BARE, as_it_is),
    notation("password: >-\n  {}\nuser: ro", BARE, as_it_is),
    notation("alter role ro password {}", ANY, doubled_single),
    notation("create user u identified by {}", ANY, doubled_single),
    notation("Driver=x;Password={};Server=h", ANY, doubled_double),
    notation(
        "Server=h;Pwd={};Driver=x",
        " @:/?#%!$&()*+,<>|^~é_.-",
        as_it_is,
    ),
    notation("host=h password={} user=ro", ANY, libpq),
    notation("host=h password={} user=ro", WORD, as_it_is),
    notation("PGPASSWORD={} psql -h h", ANY, shell),
    notation("PGPASSWORD={} psql -h h", ANY, shlex),
    notation("export DB_PASSWORD={}", ANY, shell),
    notation("DB_PASSWORD={}", WORD, as_it_is),
    notation("DB_PASSWORD=\"{}\"", BARE, as_it_is),
    notation("$env:DB_PASSWORD = {}", ANY, doubled_single),
    notation("Authorization: Bearer {}", TOKEN, as_it_is),
    notation("authorization: ApiKey {}", TOKEN, as_it_is),
    notation(
        "> Proxy-Authorization: Custom {}\r\n> Host: h",
        TOKEN,
        as_it_is,
    ),
    notation("X-Api-Key: {}", WORD, as_it_is),
    notation("Cookie: session={}; a=b", TOKEN, as_it_is),
    notation("curl -u user:{} https://h/", WORD, as_it_is),
    notation("curl --user {} https://h/", ANY, |secret| {
        shell(&format!("user:{secret}"))
    }),
    notation("curl -u {} https://h/", ANY, |secret| {
        shell(&format!("user:{secret}"))
    }),
    notation("curl -H {} https://h/", TOKEN, |secret| {
        shell(&format!("X-Api-Key: {secret}"))
    }),
    notation("tool --password {} --verbose", ANY, shell),
    notation("tool --password={} --verbose", ANY, shell),
    notation("['tool', '--token', {}]", ANY, python),
    notation("<password>{}</password>", ANY, xml),
    notation(
        "<config><apiKey><![CDATA[{}]]></apiKey></config>",
        ANY,
        as_it_is,
    ),
    notation("<add key=\"Password\" value=\"{}\"/>", ANY, xml),
    notation("<connection user='ro' password='{}'/>", ANY, xml),
    notation(
        "&quot;password&quot;: &quot;{}&quot;, &quot;a&quot;: 1",
        ANY,
        xml,
    ),
    notation("&#34;password&#34;: &#34;{}&#34;, &#34;a&#34;: 1", ANY, xml),
    notation(
        "{&#x27;password&#x27;: &#x27;{}&#x27;, &#x27;a&#x27;: 1}",
        ANY,
        xml,
    ),
    notation(
        "{&#39;password&#39;: &#39;{}&#39;, &#39;a&#39;: 1}",
        ANY,
        xml,
    ),
    notation(
        "  File \"sync.py\", line 9, in connect\n    self.password = {}\nOSError: no",
        ANY,
        python,
    ),
    notation(
        "at Connection(Connection.java:3) Properties{password={}, user=ro}",
        WORD,
        as_it_is,
    ),
    notation(
        "array(2) {\n  [\"password\"]=>\n  string(12) {}\n}",
        BARE,
        |s| format!("\"{s}\""),
    ),
    notation("&{Host:h Password:{} User:ro}", WORD, as_it_is),
    notation("{\n  \"password\":\n    {}\n}", ANY, json),
    notation("token: {}", WORD, as_it_is),
    notation("the password is {}", ANY, doubled_single),
];

pub(crate) fn as_it_is(secret: &str) -> String {
    secret.to_owned()
}

pub(crate) fn percent(secret: &str) -> String {
    let bytes = secret.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// Letters and digits as well.
pub(crate) fn percent_throughout(secret: &str) -> String {
    let bytes = secret.bytes().map(|byte| format!("%{byte:02x}"));
    bytes.collect::<Vec<_>>().concat()
}

pub(crate) fn json(secret: &str) -> String {
    serde_json::to_string(secret).unwrap()
}

/// JSON within JSON, without the outermost quotation marks.
pub(crate) fn json_twice(secret: &str) -> String {
    json(&json(secret)).trim_matches('"').to_owned() + "\\\""
}

pub(crate) fn rust(secret: &str) -> String {
    format!("{secret:?}")
}

pub(crate) fn python(secret: &str) -> String {
    let escaped = secret.replace('\\', "\\\\").replace('\t', "\\t");
    if secret.contains('\'') && !secret.contains('"') {
        format!("\"{escaped}\"")
    } else {
        format!("'{}'", escaped.replace('\'', "\\'"))
    }
}

pub(crate) fn doubled_single(secret: &str) -> String {
    format!("'{}'", secret.replace('\'', "''"))
}

fn doubled_double(secret: &str) -> String {
    format!("\"{}\"", secret.replace('"', "\"\""))
}

fn libpq(secret: &str) -> String {
    let escaped = secret.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

pub(crate) fn shell(secret: &str) -> String {
    format!("'{}'", secret.replace('\'', "'\\''"))
}

fn shlex(secret: &str) -> String {
    format!("'{}'", secret.replace('\'', "'\"'\"'"))
}

pub(crate) fn xml(secret: &str) -> String {
    secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Parts that are looked for afterwards, with odd characters between them.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub parts: Vec<String>,
    between: Vec<Index>,
}

impl Secret {
    /// As a user would have typed it, with no other odd characters than these.
    pub(crate) fn typed(&self, odd: &str) -> String {
        let odd: Vec<char> = odd.chars().collect();
        let mut text = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                text.push(*self.between[index % self.between.len()].get(&odd));
            }
            text.push_str(part);
        }
        text
    }
}

pub(crate) fn a_secret() -> impl Strategy<Value = Secret> {
    // Long enough to be told from what stands around it, even in lower case.
    let part = "[G-Z][0-9][G-Z][0-9][g-z]{3}[0-9]";
    (vec(part, 1..5), vec(any::<Index>(), 4)).prop_map(|(parts, between)| Secret { parts, between })
}

/// What may stand around it: noise, and what leads the patterns astray. No lone quotation marks: with
/// one before it, what is inside and what outside is anybody's guess.
#[rustfmt::skip]
const AROUND: &[&str] = &[
    "", "error: ", "[2026-11-22 02:00:01] ERROR ", "(", ") ", "{", "} ", "=", ": ", ", ", "; ", "<", "> ",
    "\n", "\r\n", "\t", "  ", "é", "\u{fffd}", "\u{200b}", "password=", "password: ", "password", "token:\n",
    "secret ", "Bearer ", "Basic ", "https://", "postgres://", "ro:", "@", "-u ", "<token>", "[masked]",
    "[masked", "null", "None", "%3A%2F%2F", "Traceback (most recent call last):\n", "| ",
    "-----BEGIN PRIVATE KEY-----", "'quoted' ", "\"quoted\": ", 
];

pub(crate) fn around() -> impl Strategy<Value = String> {
    vec(select(AROUND), 0..5).prop_map(|pieces| pieces.concat())
}

/// Characters that take no room.
const UNSEEN: &[&str] = &[
    "\u{200b}", "\u{ad}", "\u{0}", "\u{feff}", "\u{202e}", "\u{fffd}", "\u{7}",
];

#[derive(Debug, Clone)]
pub(crate) struct Planted {
    pub secret: Secret,
    pub text: String,
}

pub(crate) fn planted(
    noise: impl Strategy<Value = String> + Clone,
) -> impl Strategy<Value = Planted> {
    let unseen = prop_oneof![
        3 => Just(Vec::new()),
        1 => vec((any::<Index>(), select(UNSEEN)), 1..4),
    ];
    (noise.clone(), select(NOTATIONS), a_secret(), noise, unseen).prop_map(
        |(before, notation, secret, after, unseen)| {
            let value = (notation.write)(&secret.typed(notation.odd));
            let mut planted = notation.template.replace("{}", &value);
            for (at, character) in unseen {
                let at = planted.floor_char_boundary(at.index(planted.len() + 1));
                planted.insert_str(at, character);
            }
            Planted {
                secret,
                text: format!("{before} {planted} {after}"),
            }
        },
    )
}
