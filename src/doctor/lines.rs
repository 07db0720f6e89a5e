//! The findings for people: a line a link, and what to do below what is wrong.

use super::{Condition, Link, Seen, listed};
use crate::views::counted;

/// What the findings are written on.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// How wide it is, in characters.
    pub columns: usize,
    pub colours: bool,
}

/// So wide are the first two columns, each with a gap behind it.
const CONDITION: usize = 9;
const NAME: usize = 15;

/// Nothing is squeezed into less.
const NARROWEST: usize = 20;

pub fn text(links: &[Seen], paper: Paper) -> String {
    let mut page = String::new();
    for seen in links {
        let condition = seen.condition();
        let head = format!(
            "{}{:<NAME$}",
            coloured(condition, paper.colours),
            seen.link.name()
        );
        let mut column: Vec<String> = Vec::new();
        let mut add = |mark: &str, words: &str| {
            let width = paper
                .columns
                .saturating_sub(CONDITION + NAME + mark.chars().count())
                .max(NARROWEST);
            for (number, line) in wrapped(words, width).into_iter().enumerate() {
                let blank = " ".repeat(mark.chars().count());
                let mark = if number == 0 { mark } else { &blank };
                column.push(format!("{mark}{line}"));
            }
        };
        if !seen.summary.is_empty() {
            add("", &seen.summary);
        }
        for finding in &seen.findings {
            add("", &finding.says);
            if let Some(remedy) = &finding.remedy {
                add("→ ", remedy);
            }
        }
        let indent = " ".repeat(CONDITION + NAME);
        for (number, line) in column.iter().enumerate() {
            page.push_str(if number == 0 { &head } else { &indent });
            page.push_str(line);
            page.push('\n');
        }
    }
    page.push('\n');
    for line in wrapped(&conclusion(links), paper.columns) {
        page.push_str(&line);
        page.push('\n');
    }
    page
}

/// "No problem.", "1 problem: Role. 2 notes: State and Output."
pub(super) fn conclusion(links: &[Seen]) -> String {
    let of = |condition: Condition| -> Vec<&Seen> {
        links
            .iter()
            .filter(|seen| seen.condition() == condition)
            .collect()
    };
    let names = |seen: &[&Seen]| {
        let names: Vec<String> = seen
            .iter()
            .map(|seen| seen.link.name().to_owned())
            .collect();
        listed(&names)
    };
    let number = |seen: &[&Seen], one, many| {
        counted(i64::try_from(seen.len()).unwrap_or(i64::MAX), one, many)
    };
    let (problems, notes) = (of(Condition::Problem), of(Condition::Note));
    let mut sentences = Vec::new();
    if problems.is_empty() {
        sentences.push("No problem.".to_owned());
    } else {
        sentences.push(format!(
            "{}: {}.",
            number(&problems, "problem", "problems"),
            names(&problems)
        ));
    }
    if !notes.is_empty() {
        sentences.push(format!(
            "{}: {}.",
            number(&notes, "note", "notes"),
            names(&notes)
        ));
    }
    let skipped = of(Condition::Skipped);
    if !skipped.is_empty() {
        sentences.push(format!("Not looked at: {}.", names(&skipped)));
    }
    sentences.join(" ")
}

/// What is being looked at, for somebody who waits.
pub fn progress(link: Link) -> String {
    format!("looking at: {}", link.name())
}

fn coloured(condition: Condition, colours: bool) -> String {
    let word = format!("{:<CONDITION$}", condition.word());
    if !colours {
        return word;
    }
    let colour = match condition {
        Condition::Ok => "32",
        Condition::Note => "33",
        Condition::Problem => "1;31",
        Condition::Skipped => "2",
    };
    format!("\u{1b}[{colour}m{word}\u{1b}[0m")
}

/// Lines of at most so many characters, broken between words; a longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_paper() {
        let links = [
            Seen::new(Link::Configuration, "syncmon.toml: 6 entities"),
            Seen::broken(
                Link::Role,
                "postgres is a superuser: whoever learns its password owns the server",
                "connect as syncmon_ro, which syncmon init-db makes: put it in place of the role in DATABASE_URL",
            ),
            Seen::skipped(Link::Served, "no address was given with --url"),
        ];
        let paper = Paper {
            columns: 80,
            colours: false,
        };
        assert_eq!(
            text(&links, paper),
            "\
ok       Configuration  syncmon.toml: 6 entities
problem  Role           postgres is a superuser: whoever learns its password
                        owns the server
                        → connect as syncmon_ro, which syncmon init-db makes:
                          put it in place of the role in DATABASE_URL
skipped  Served page    not looked at, because no address was given with --url

1 problem: Role. Not looked at: Served page.
"
        );
    }

    #[test]
    fn colour_changes_no_word() {
        let links = [Seen::new(Link::Clock, "here").note("there")];
        let plain = |colours| {
            text(
                &links,
                Paper {
                    columns: 80,
                    colours,
                },
            )
        };
        let coloured = plain(true);
        assert_ne!(coloured, plain(false));
        let bare = coloured.replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
        assert_eq!(bare, plain(false));
    }
}
