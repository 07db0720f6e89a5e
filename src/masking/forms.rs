//! The forms in which secrets come, as patterns, and where a text has them.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

/// A part of a text that is not shown, and what stands in its place.
pub struct Hidden {
    pub range: Range<usize>,
    pub mask: &'static str,
}

/// What a secret is called, anywhere in a longer name; short words only where they stand alone.
const NAME: &str = r"(?:
    (?: passwo?r?d | passwd | passphrase | passwort | secret | token | api[\s_-]?key | access[\s_-]?key
      | service[\s_-]?role (?: [\s_-]?key )? | private[\s_-]?key | anon[\s_-]?key | authorization
      | credential | session[_-]?id | cookie ) [a-z0-9_-]{0,20}
    | (?: (?-u:\b) | _ ) (?: pwd | pass | pw | jwt ) (?: [0-9_-] [a-z0-9_-]{0,20} )?
    | (?-i: [a-z0-9] (?: Pass | Pwd | Jwt ) )
    )";

/// Something between quotation marks of any kind, escaped ones too; a missing end is the text's. Written as an entity,
/// only the same entity ends it.
const QUOTED: &str = r#"(?: [bruf]{0,2} (?:
      """ .*? (?: """ | $ )
    | ''' .*? (?: ''' | $ )
    | \\" (?: [^"\\] | \\\\\\" | \\\\ | \\[^"\\] )* (?: \\?" | \\?$ )
    | \\' (?: [^'\\] | \\\\\\' | \\\\ | \\[^'\\] )* (?: \\?' | \\?$ )
    | " (?: [^"\\] | \\. | "" )* (?: " | \\?$ )
    | ' (?: [^'\\] | \\. | '\\'' | '"'"' | '' )* (?: ' | \\?$ )
    | ` [^`]* (?: ` | $ )
    | &(?:amp;)* quot ; (?: \\. | . )*? (?: &(?:amp;)* quot ; | $ )
    | &(?:amp;)* \#0*34 ; (?: \\. | . )*? (?: &(?:amp;)* \#0*34 ; | $ )
    | &(?:amp;)* \#x0*22 ; (?: \\. | . )*? (?: &(?:amp;)* \#x0*22 ; | $ )
    | &(?:amp;)* apos ; (?: \\. | . )*? (?: &(?:amp;)* apos ; | $ )
    | &(?:amp;)* \#0*39 ; (?: \\. | . )*? (?: &(?:amp;)* \#0*39 ; | $ )
    | &(?:amp;)* \#x0*27 ; (?: \\. | . )*? (?: &(?:amp;)* \#x0*27 ; | $ )
    ) )"#;

/// A value with or without quotation marks, or the indented lines of a block. What looks like a name
/// or a call instead is one, and its own value follows. A word that says "nothing" ends where its
/// list goes on.
const VALUE: &str = r#"(?:
      (?P<kept> \[masked (?: \ connection\ string )? \] (?: [\s,;)}\]] | $ ) )
    | (?: null | none | true | false ) (?P<rest> [,;}\])] )
    | (?: QUOTED \s* [:=]+ \s* | [a-z_] [a-z0-9_.:]* \( (?: [0-9]+ \) \s* )? | \S* (?: [:=] | [\ \t]+ [:=]+ >? ) \s+ | [^\s"']+ [:=]+ >? | \\ \r? \n \s* | (?: bearer | basic | token | digest ) \s+ )* (?: QUOTED | BLOCK | \S+ )
    )"#;

/// Something between quotation marks; if it is a name instead, with its own value.
const LITERAL: &str = r"(?: (?: QUOTED \s* [:=]+ \s* )+ (?: QUOTED | \S+ ) | QUOTED )";

/// The indented lines of a block, as YAML has it.
const BLOCK: &str = r"(?: [|>] [0-9+-]{0,2} [\ \t]* \r? (?: \n [\ \t]+ [^\n]* )+ )";

/// The schemes of connection strings.
const DATABASE: &str = r"(?: postgres(?:ql)? | mysql | mariadb | mongodb | rediss? | amqps? | mssql | sqlserver | clickhouse )";

/// One form in which secrets come.
pub struct Likely {
    /// A text without any of these, in lower case, cannot match: the pattern is not even compiled.
    pub signs: &'static [&'static str],
    /// Regardless of case, white space and line ends, with the names above standing for themselves.
    /// What matches is hidden, but for the group `lead` at its beginning and `rest` at its end;
    /// where `kept` matches, nothing is.
    pattern: &'static str,
    mask: &'static str,
    compiled: OnceLock<Regex>,
}

impl Likely {
    const fn new(
        signs: &'static [&'static str],
        pattern: &'static str,
        mask: &'static str,
    ) -> Likely {
        Likely {
            signs,
            pattern,
            mask,
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

    /// Every part of the text that has this form, even where one lies within another: no value hides
    /// the name of another.
    pub fn found_in(&self, text: &str) -> Vec<Hidden> {
        let mut found = Vec::new();
        let mut from = 0;
        let mut read = 0;
        while let Some(captures) = self.regex().captures_at(text, from) {
            let whole = captures.get_match();
            let start = captures
                .name("lead")
                .map_or(whole.start(), |lead| lead.end());
            let end = captures
                .name("rest")
                .map_or(whole.end(), |rest| rest.start());
            if captures.name("kept").is_none() {
                found.push(Hidden {
                    range: start..end,
                    mask: self.mask,
                });
            }
            // With a name before it, what is hidden may hold other names.
            from = if start > whole.start() {
                start
            } else {
                whole.end()
            };
            read += whole.len();
            if read > MOST_READINGS * text.len() {
                found.push(Hidden {
                    range: start..text.len(),
                    mask: self.mask,
                });
                break;
            }
        }
        found
    }
}

/// A text whose parts lie within each other so often is not taken apart any further, and hidden.
const MOST_READINGS: usize = 16;

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
pub static LIKELY_SECRETS: [Likely; 30] = [
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
        r#"(?P<lead> [a-z][a-z0-9+.-]{0,20} : \\*/ \\*/ ) [^\s/@:"'<>]* (?: : [^\s"'<>]* )? (?P<rest> @ )"#,
        "[masked]",
    ),
    Likely::new(
        ENCODED_URL_SIGNS,
        r#"(?P<lead> [a-z][a-z0-9+.-]{0,20} %(?:25)*3a (?: %(?:25)*2f ){2} ) [^\s"'<>]* (?P<rest> %(?:25)*40 | @ )"#,
        "[masked]",
    ),
    Likely::new(
        URL_SIGNS,
        r#"(?P<lead> [a-z][a-z0-9+.-]{0,20} : \\*/ \\*/ ) [^\s/@:"'<>]+ : [0-9]* [^\s/@0-9.,;:)\]}"'<>] [^\s"'<>]* $"#,
        "[masked]",
    ),
    // Credentials in headers.
    Likely::new(
        &["cookie"],
        r"(?-u:\b) (?P<lead> (?: set- )? cookie \s* : \s* ) [^\r\n]+",
        "[masked]",
    ),
    Likely::new(
        &["authorization"],
        r"(?P<lead> authorization \s* : \s* (?: digest | oauth | hmac [a-z0-9-]* | aws4 [a-z0-9-]* ) \s ) [^\r\n]+",
        "[masked]",
    ),
    Likely::new(
        &["authorization"],
        r#"(?P<lead> authorization \s* [:=] \s* ) [a-z] [a-z0-9_-]* [\ \t]+ [^\s"',;]+"#,
        "[masked]",
    ),
    // JSON web tokens, whole or cut.
    Likely::new(
        &["eyj"],
        r"(?P<lead> (?-u:\b) | _ ) (?-i: eyJ ) [a-z0-9_+/=\x{fffd}-]{6,} (?: \. [a-z0-9_+/=\x{fffd}-]* ){0,4}",
        "[masked]",
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
        r"(?P<lead> (?-u:\b) | _ ) (?-i: sb_(?:secret|publishable)_ | sbp_ | lsxs_[a-z]{2}_ | [sr]k_(?:live|test)_
          | gh[pousr]_ | github_pat_ | glpat- | shp(?:at|ca|pa|ss)_ | xox[abprs]- | AKIA | ASIA | AIza
          | sk-(?:[a-z]+-)?[A-Za-z0-9]{10} | SG\.[A-Za-z0-9_-]{10} ) [a-z0-9_-]{6,}",
        "[masked]",
    ),
    Likely::new(
        &["key=", "sig=", "signature=", "code=", "auth="],
        r#"(?P<lead> [?&;] (?: key | sig | signature | code | auth ) = ) [^\s&"'<>]+"#,
        "[masked]",
    ),
    // Names and values set apart in particular ways, then name = value in every notation.
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> NAME \\? ["'] [^<>{}]{0,60}? (?-u:\b) value \\? ["']? \s* [:=] \s* ) VALUE"#,
        "[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> NAME \\? ["'] \s* , \s* ) LITERAL"#,
        "[masked]",
    ),
    Likely::new(
        &["cdata["],
        r"(?P<lead> < [a-z0-9_:.-]* NAME [^<>]{0,200} > \s* ) <!\[CDATA\[ .*? (?: \]\]> | $ )",
        "[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r"(?P<lead> < [a-z0-9_:.-]* NAME [^<>]{0,200} > ) (?: [^<] | < [^/!] )+",
        "[masked]",
    ),
    Likely::new(
        &["pass", "identified"],
        r"(?P<lead> (?-u:\b) (?: passwo?r?d | passphrase | identified \s+ by ) \s+ (?: (?: is | to | was ) \s+ )? ) LITERAL",
        "[masked]",
    ),
    Likely::new(
        &["pass"],
        r#"(?P<lead> (?-u:\b) (?: with | using | by ) \s+ (?: the \s+ )? (?: passwo?r?d | passphrase ) \s+ ) [^\s"',;.:()]+"#,
        "[masked]",
    ),
    Likely::new(
        &["auth"],
        r"(?P<lead> (?-u:\b) auth \s* [=:] \s* ) \( \s* QUOTED \s* , \s* QUOTED \s* \)?",
        "[masked]",
    ),
    // A name that nothing but a secret has, and after it a word that is none of a language.
    Likely::new(
        &["key", "token"],
        r"(?P<lead> (?-u:\b) (?: x-[a-z-]{0,20}(?:key|token) | api[_-]key | (?:access|refresh|auth|bearer)_token ) \s+ )
          (?: [a-z._~+/-]* [0-9] [a-z0-9._~+/=-]{11,} | [a-z._~+/-]{1,30} [0-9] [a-z0-9._~+/=-]{5,} )",
        "[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r"(?P<lead> (?: ^ | \s ) --? [a-z0-9-]*? (?: password | passwd | passphrase | pass | pwd | token | secret | api-?key ) [a-z0-9-]*
          \s+ ) VALUE",
        "[masked]",
    ),
    // Where both are quoted, there is no doubt about the end; first, for a longer value could hide them.
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> NAME (?: \\{0,3} ["'`] | &(?:amp;)*(?: quot | apos | \#\d+ | \#x[0-9a-f]+ ); ) \s* [=:]{1,3} >? \s* ) QUOTED"#,
        "[masked]",
    ),
    // The same between semicolons, where spaces do not end a value.
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> ; \s* [a-z0-9_]{0,20} NAME \s* = \s* ) [^;\s"'=:\[]+ [\ \t] [^;\r\n"'=:]* (?P<rest> ; | $ )"#,
        "[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> NAME (?: \\{0,3} ["'`] | &(?:amp;)*(?: quot | apos | \#\d+ | \#x[0-9a-f]+ ); )? [\])]{0,2}
           \s* (?: [=:]{1,3} >? | -> | %3[ad] ) \s* ) VALUE"#,
        "[masked]",
    ),
    // What may be longer than a word comes after the above, for it could swallow the name of another
    // value. Where semicolons end values, these may hold spaces.
    Likely::new(
        &["-u", "-user"],
        r#"(?P<lead> (?: ^ | \s ) (?: -u \s* | -- (?: proxy- )? user [\s=]+ ) ) (?: LITERAL | [^\s:'"]+ : \S+ (?: [\ \t]+ [:=]+ >? \s+ (?: QUOTED | \S+ ) )? )"#,
        "[masked]",
    ),
    Likely::new(
        NAME_SIGNS,
        r#"(?P<lead> NAME \s* = \s* ) [^;\s"'=]+ [\ \t] [^;\r\n"'=]* (?P<rest> ; \s* [a-z] [a-z0-9_\ ]* = )"#,
        "[masked]",
    ),
    Likely::new(
        &["@"],
        r#"[a-z0-9_.%+-]+ : [^\s"'<>/\[] [^\s"'<>]* (?P<rest> @ [a-z0-9_\[] )"#,
        "[masked]",
    ),
    // Last, because the word after "bearer" could be the name in one of the above.
    Likely::new(
        &["bearer"],
        r"(?-u:\b) (?P<lead> bearer (?: \s | %20 | \x{fffd} )+ ) [a-z0-9._~+/=-]{6,}",
        "[masked]",
    ),
    Likely::new(
        &["basic", "token"],
        r"(?-u:\b) (?P<lead> (?: basic | token ) (?: \s | %20 | \x{fffd} )+ ) [a-z0-9._~+/=-]{16,}",
        "[masked]",
    ),
    Likely::new(
        &["basic"],
        r"(?-u:\b) (?P<lead> basic (?: \s | %20 | \x{fffd} )+ ) [a-z0-9+/]{3,} (?-i: [A-Z0-9] ) [a-z0-9+/=]{2,}",
        "[masked]",
    ),
];
