//! Secrets inside error texts, masked before anything is published or kept.

mod known;

use std::sync::OnceLock;

use regex::{Captures, Regex};

pub use known::{passwords_in, percent_decoded};

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";

/// Replaces everything that looks like a secret: connection strings and other URLs with a password,
/// credentials in headers, JSON web tokens, private keys, vendors' keys, `password=…` and its
/// relatives in every notation that error texts come in.
///
/// Rather too much than too little: a text may lose a harmless word, never keep a password.
pub fn mask(text: &str) -> String {
    let mut masked = masked_once(text);
    let mut before = text.to_owned();
    // What is masked can make room for another form to match; it comes to rest within a few rounds.
    for _ in 0..MOST_ROUNDS {
        if masked == before {
            break;
        }
        before = masked;
        masked = masked_once(&before);
    }
    masked
}

/// After so many rounds masking has come to rest, or never will.
const MOST_ROUNDS: usize = 100;

fn masked_once(text: &str) -> String {
    let masked = replaced(text);
    if !text.contains(unseen) {
        return masked;
    }
    // What cannot be seen may split a name or an escape, or it may stand between two words: the
    // text is read either way.
    let bare = text.replace(unseen, "");
    let bare_masked = replaced(&bare);
    let masked_bare = masked.replace(unseen, "");
    if bare_masked == bare {
        masked
    } else if masked_bare == bare || masked_bare == bare_masked {
        bare_masked
    } else {
        // The readings find different secrets: nothing is shown beyond what they agree on.
        let agreed = masked_bare
            .char_indices()
            .zip(bare_masked.chars())
            .find(|((_, one), other)| one != other)
            .map_or(0, |((at, _), _)| at);
        format!("{} {MASK}", masked_bare[..agreed].trim_end())
    }
}

/// Characters that take no room, and the one that [`crate::text`] puts in place of such.
fn unseen(c: char) -> bool {
    matches!(
        c,
        '\u{fffd}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    ) || (c.is_control() && !c.is_whitespace())
}

fn replaced(text: &str) -> String {
    let mut masked = text.to_owned();
    let mut lower = masked.to_ascii_lowercase();
    for likely in &LIKELY_SECRETS {
        if !likely.signs.iter().any(|sign| lower.contains(sign)) {
            continue;
        }
        let changed = likely
            .regex()
            .replace_all(&masked, |found: &Captures| {
                expand(found, likely.replacement)
            })
            .into_owned();
        if changed != masked {
            lower = changed.to_ascii_lowercase();
            masked = changed;
        }
    }
    masked
}

/// `text` without any of these secrets, in whatever form it repeats them, and with everything masked
/// that looks like one.
pub fn mask_known(text: &str, secrets: &[String]) -> String {
    let masked = mask(&known::without(text, secrets));
    // What stood between two parts may have been masked, and the parts have met.
    known::without(&masked, secrets)
}

/// The replacement, filled in; but what was masked before keeps its own words.
fn expand(found: &Captures, replacement: &str) -> String {
    if found.name("kept").is_some() {
        return found[0].to_owned();
    }
    let mut expanded = String::new();
    found.expand(replacement, &mut expanded);
    expanded
}

/// What a secret is called, anywhere in a longer name; short words only where they stand alone.
const NAME: &str = r"(?:
    (?: passwo?r?d | passwd | passphrase | passwort | secret | token | api[\s_-]?key | access[\s_-]?key
      | service[\s_-]?role (?: [\s_-]?key )? | private[\s_-]?key | anon[\s_-]?key | authorization
      | credential | session[_-]?id | cookie ) [a-z0-9_-]{0,20}
    | (?: (?-u:\b) | _ ) (?: pwd | pass | pw | jwt ) (?: [0-9_-] [a-z0-9_-]{0,20} )?
    | (?-i: [a-z0-9] (?: Pass | Pwd | Jwt ) )
    )";

/// Something between quotation marks of any kind, escaped ones too; a missing end is the text's.
const QUOTED: &str = r#"(?: [bruf]{0,2} (?:
      """ .*? (?: """ | $ )
    | ''' .*? (?: ''' | $ )
    | \\" (?: [^"\\] | \\\\\\" | \\\\ | \\[^"\\] )* (?: \\?" | \\?$ )
    | \\' (?: [^'\\] | \\\\\\' | \\\\ | \\[^'\\] )* (?: \\?' | \\?$ )
    | " (?: [^"\\] | \\. | "" )* (?: " | \\?$ )
    | ' (?: [^'\\] | \\. | '\\'' | '"'"' | '' )* (?: ' | \\?$ )
    | ` [^`]* (?: ` | $ )
    | &(?:amp;)*(?: quot | \#0*34 | \#x0*22 ); (?: \\. | . )*? (?: &(?:amp;)*(?: quot | \#0*34 | \#x0*22 ); | $ )
    | &(?:amp;)*(?: apos | \#0*39 | \#x0*27 ); (?: \\. | . )*? (?: &(?:amp;)*(?: apos | \#0*39 | \#x0*27 ); | $ )
    ) )"#;

/// A value with or without quotation marks, or the indented lines of a block. What looks like a name
/// or a call instead is one, and its own value follows. A word that says "nothing" ends where its
/// list goes on.
const VALUE: &str = r#"(?:
      (?P<kept> \[masked (?: \ connection\ string )? \] (?: [\s,;)}\]] | $ ) )
    | (?: null | none | true | false ) (?P<next> [,;}\])] )
    | (?: QUOTED \s* [:=]+ \s* | [a-z_] [a-z0-9_.:]* \( (?: [0-9]+ \) \s* )? | \S* (?: [:=] | [\ \t]+ [:=]+ >? ) \s+ | [^\s"']+ [:=]+ >? | \\ \r? \n \s* | (?: bearer | basic | token | digest ) \s+ )* (?: QUOTED | BLOCK | \S+ )
    )"#;

/// Something between quotation marks; if it is a name instead, with its own value.
const LITERAL: &str = r"(?: (?: QUOTED \s* [:=]+ \s* )+ (?: QUOTED | \S+ ) | QUOTED )";

/// The indented lines of a block, as YAML has it.
const BLOCK: &str = r"(?: [|>] [0-9+-]{0,2} [\ \t]* \r? (?: \n [\ \t]+ [^\n]* )+ )";

/// The schemes of connection strings.
const DATABASE: &str = r"(?: postgres(?:ql)? | mysql | mariadb | mongodb | rediss? | amqps? | mssql | sqlserver | clickhouse )";

/// One form in which secrets come.
struct Likely {
    /// A text without any of these, in lower case, cannot match: the pattern is not even compiled.
    signs: &'static [&'static str],
    /// Regardless of case, white space and line ends, with the names above standing for themselves.
    pattern: &'static str,
    replacement: &'static str,
    compiled: OnceLock<Regex>,
}

impl Likely {
    const fn new(
        signs: &'static [&'static str],
        pattern: &'static str,
        replacement: &'static str,
    ) -> Likely {
        Likely {
            signs,
            pattern,
            replacement,
            compiled: OnceLock::new(),
        }
    }

    fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let pattern = self
                .pattern
                .replace("VALUE", VALUE)
                .replace("LITERAL", LITERAL)
                .replace("QUOTED", QUOTED)
                .replace("BLOCK", BLOCK)
                .replace("NAME", NAME)
                .replace("DATABASE", DATABASE);
            Regex::new(&format!("(?xis){pattern}")).expect("the patterns are part of the program")
        })
    }
}

/// Signs of a [`NAME`].
const NAME_SIGNS: &[&str] = &[
    "pass",
    "pw",
    "secret",
    "token",
    "key",
    "role",
    "authorization",
    "credential",
    "session",
    "cookie",
    "jwt",
];

/// Signs of a URL, as it is, escaped in JSON, and encoded in another URL.
const URL_SIGNS: &[&str] = &["://", ":\\"];
const ENCODED_URL_SIGNS: &[&str] = &["3a%"];

/// In this order: the later patterns see what the earlier ones left.
static LIKELY_SECRETS: [Likely; 27] = [
    Likely::new(
        &["-----begin"],
        r"-----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|$)",
        "[masked]",
    ),
    // A connection string, whole: user names and hosts are nobody's business either.
    Likely::new(
        URL_SIGNS,
        r#"DATABASE (?: \+\w+ )? : \\*/ \\*/ [^\s"'<>]+ (?: ["'<>] \S* @ [^\s"'<>]* )?"#,
        "[masked connection string]",
    ),
    Likely::new(
        ENCODED_URL_SIGNS,
        r#"DATABASE (?: (?: \+ | %2b ) \w+ )? %(?:25)*3a (?: %(?:25)*2f ){2} [^\s"'<>]+"#,
        "[masked connection string]",
    ),
    // Any other URL that names a user or a password, even if its end was cut off.
    Likely::new(
        URL_SIGNS,
        r#"( [a-z][a-z0-9+.-]{0,20} : \\*/ \\*/ ) [^\s/@:"'<>]* (?: : [^\s"'<>]* )? @"#,
        "${1}[masked]@",
    ),
    Likely::new(
        ENCODED_URL_SIGNS,
        r#"( [a-z][a-z0-9+.-]{0,20} %(?:25)*3a (?: %(?:25)*2f ){2} ) [^\s"'<>]* ( %(?:25)*40 | @ )"#,
        "${1}[masked]${2}",
    ),
    Likely::new(
        URL_SIGNS,
        r#"( [a-z][a-z0-9+.-]{0,20} : \\*/ \\*/ ) [^\s/@:"'<>]+ : [0-9]* [^\s/@0-9.,;:)\]}"'<>] [^\s"'<>]* $"#,
        "${1}[masked]",
    ),
    // Credentials in headers.
    Likely::new(
        &["cookie"],
        r"(?-u:\b) ( (?: set- )? cookie \s* : \s* ) [^\r\n]+",
        "${1}[masked]",
    ),
    Likely::new(
        &["authorization"],
        r"( authorization \s* : \s* (?: digest | oauth | hmac [a-z0-9-]* | aws4 [a-z0-9-]* ) \s ) [^\r\n]+",
        "${1}[masked]",
    ),
    Likely::new(
        &["authorization"],
        r#"( authorization \s* [:=] \s* ) [a-z] [a-z0-9_-]* [\ \t]+ [^\s"',;]+"#,
        "${1}[masked]",
    ),
    // JSON web tokens, whole or cut.
    Likely::new(
        &["eyj"],
        r"( (?-u:\b) | _ ) (?-i: eyJ ) [a-z0-9_+/=\x{fffd}-]{6,} (?: \. [a-z0-9_+/=\x{fffd}-]* ){0,4}",
        "${1}[masked]",
    ),
    // Keys that name their issuer.
    Likely::new(
        &[
            "sb_",
            "sbp_",
            "lsxs_",
            "k_live_",
            "k_test_",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "shpat_",
            "shpca_",
            "shppa_",
            "shpss_",
            "xox",
            "akia",
            "asia",
            "aiza",
            "sk-",
            "sg.",
        ],
        r"( (?-u:\b) | _ ) (?-i: sb_(?:secret|publishable)_ | sbp_ | lsxs_[a-z]{2}_ | [sr]k_(?:live|test)_
          | gh[pousr]_ | github_pat_ | glpat- | shp(?:at|ca|pa|ss)_ | xox[abprs]- | AKIA | ASIA | AIza
          | sk-(?:[a-z]+-)?[A-Za-z0-9]{10} | SG\.[A-Za-z0-9_-]{10} ) [a-z0-9_-]{6,}",
        "${1}[masked]",
    ),
    Likely::new(
        &["key=", "sig=", "signature=", "code=", "auth="],
        r#"( [?&;] (?: key | sig | signature | code | auth ) = ) [^\s&"'<>]+"#,
        "${1}[masked]",
    ),
    // Names and values set apart in particular ways, then name = value in every notation.
    Likely::new(
        NAME_SIGNS,
        r#"( NAME \\? ["'] [^<>{}]{0,60}? (?-u:\b) value \\? ["']? \s* [:=] \s* ) VALUE"#,
        "${1}[masked]${next}",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"( NAME \\? ["'] \s* , \s* ) LITERAL"#,
        "${1}[masked]",
    ),
    Likely::new(
        &["cdata["],
        r"( < [a-z0-9_:.-]* NAME [^<>]{0,200} > \s* ) <!\[CDATA\[ .*? (?: \]\]> | $ )",
        "${1}[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r"( < [a-z0-9_:.-]* NAME [^<>]{0,200} > ) (?: [^<] | < [^/!] )+",
        "${1}[masked]",
    ),
    Likely::new(
        &["pass", "identified"],
        r"( (?-u:\b) (?: passwo?r?d | passphrase | identified \s+ by ) \s+ (?: (?: is | to | was ) \s+ )? ) LITERAL",
        "${1}[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r"( (?: ^ | \s ) --? [a-z0-9-]*? (?: password | passwd | passphrase | pass | pwd | token | secret | api-?key ) [a-z0-9-]*
          \s+ ) VALUE",
        "${1}[masked]${next}",
    ),
    // Where both are quoted, there is no doubt about the end; first, for a longer value could hide them.
    Likely::new(
        NAME_SIGNS,
        r#"( NAME \\{0,3} ["'`] \s* [=:]{1,3} >? \s* ) QUOTED"#,
        "${1}[masked]",
    ),
    // The same between semicolons, where spaces do not end a value.
    Likely::new(
        NAME_SIGNS,
        r#"( ; \s* [a-z0-9_]{0,20} NAME \s* = \s* ) [^;\s"'=:\[]+ [\ \t] [^;\r\n"'=:]* ( ; | $ )"#,
        "${1}[masked]${2}",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"( NAME (?: \\{0,3} ["'`] | &(?:amp;)*(?: quot | apos | \#\d+ | \#x[0-9a-f]+ ); )? [\])]{0,2}
           \s* (?: [=:]{1,3} >? | -> | %3[ad] ) \s* ) VALUE"#,
        "${1}[masked]${next}",
    ),
    // What may be longer than a word comes after the above, for it could swallow the name of another
    // value. Where semicolons end values, these may hold spaces.
    Likely::new(
        &["-u", "-user"],
        r#"( (?: ^ | \s ) (?: -u \s* | -- (?: proxy- )? user [\s=]+ ) ) (?: LITERAL | [^\s:'"]+ : \S+ (?: [\ \t]+ [:=]+ >? \s+ (?: QUOTED | \S+ ) )? )"#,
        "${1}[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"( NAME \s* = \s* ) [^;\s"'=]+ [\ \t] [^;\r\n"'=]* ( ; \s* [a-z] [a-z0-9_\ ]* = )"#,
        "${1}[masked]${2}",
    ),
    Likely::new(
        &["@"],
        r#"[a-z0-9_.%+-]+ : [^\s"'<>/\[] [^\s"'<>]* ( @ [a-z0-9_\[] )"#,
        "[masked]${1}",
    ),
    // Last, because the word after "bearer" could be the name in one of the above.
    Likely::new(
        &["bearer"],
        r"(?-u:\b) (bearer) (?: \s | %20 | \x{fffd} )+ [a-z0-9._~+/=-]{6,}",
        "${1} [masked]",
    ),
    Likely::new(
        &["basic", "token"],
        r"(?-u:\b) (basic|token) (?: \s | %20 | \x{fffd} )+ [a-z0-9._~+/=-]{16,}",
        "${1} [masked]",
    ),
    Likely::new(
        &["basic"],
        r"(?-u:\b) (basic) (?: \s | %20 | \x{fffd} )+ [a-z0-9+/]{3,} (?-i: [A-Z0-9] ) [a-z0-9+/=]{2,}",
        "${1} [masked]",
    ),
];

#[cfg(test)]
mod tests;
