//! What is wrong with a template, in one line: file, line, what, and what is available.

use serde_json::Value;
use tera::ErrorKind;

use super::Sources;
use super::built_in::TEMPLATES;
use super::nearest::near;
use crate::failure::UsageError;

/// How much is repeated of what tera says about a template, in characters.
const LONGEST_ERROR: usize = 500;

/// How much is listed of what there would be, in characters.
const LONGEST_LIST: usize = 1000;

/// What tera has built in; it does not say so itself.
#[rustfmt::skip]
const FILTERS: &[&str] = &[
    "abs", "capitalize", "default", "escape", "escape_html", "escape_xml", "first", "float", "get",
    "group_by", "indent", "int", "join", "keys", "last", "length", "lower", "newlines_to_br", "nth", "pairs",
    "pluralize", "replace", "reverse", "round", "safe", "sort", "split", "str", "title", "trim", "trim_end",
    "trim_start", "truncate", "unique", "upper", "values", "wordcount",
];
#[rustfmt::skip]
const TESTS: &[&str] = &[
    "array", "bool", "containing", "defined", "divisible_by", "ending_with", "even", "float", "integer",
    "iterable", "map", "none", "number", "odd", "starting_with", "string", "undefined",
];
const FUNCTIONS: &[&str] = &["range", "throw"];

/// What tera found.
struct Finding {
    /// The template, where it is known.
    template: Option<String>,
    /// Where in it, where that is known.
    line: Option<usize>,
    problem: String,
    /// What is available in the place of what was written.
    available: Vec<String>,
}

/// A template that does not load, or does not render what is given to it: nothing is published.
pub fn refusal(sources: &Sources, error: &tera::Error, given: &Value) -> UsageError {
    let mut finding = Finding::of(sources, error);
    if finding.available.is_empty() && finding.problem.contains("undefined") {
        finding.available = beside(finding.written(), given);
    }
    let place = match &finding.template {
        None => format!("a template {}", sources.folder()),
        Some(template) => sources.place(template),
    };
    let line = finding
        .line
        .map_or_else(String::new, |line| format!(", line {line}"));
    UsageError::new(format!(
        "{place}{line}: {}, so nothing was published; {}",
        beginning(finding.problem.trim_end_matches('.'), LONGEST_ERROR),
        finding.remedy(sources)
    ))
}

impl Finding {
    fn of(sources: &Sources, error: &tera::Error) -> Finding {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                let line = report.span().start_line;
                let text = sources.text_of(report.filename());
                let written = path_at(text, report.span().range.start);
                let message = match report.message() {
                    // Tera does not say what is.
                    message if message.contains("undefined") && !written.is_empty() => {
                        format!("{message}: `{written}`")
                    }
                    message => message.to_owned(),
                };
                Finding::told(sources, Some(report.filename()), Some(line), &message)
            }
            ErrorKind::CircularExtend { tpl, .. } => {
                let line = sources.line_with(tpl, "extends");
                Finding::told(
                    sources,
                    Some(tpl),
                    line,
                    "the template extends itself in the end",
                )
            }
            ErrorKind::CircularInclude { tpl, .. } => {
                let line = sources.line_with(tpl, "include");
                Finding::told(
                    sources,
                    Some(tpl),
                    line,
                    "the template includes itself in the end",
                )
            }
            ErrorKind::MissingParent { current, parent } => {
                let line = sources.line_with(current, "extends");
                let problem = format!("Unknown template `{parent}`");
                Finding::told(sources, Some(current), line, &problem)
            }
            // What is unknown to tera is told as a report of many lines.
            _ => Finding::reported(sources, &error.to_string()),
        }
    }

    /// From "error: PROBLEM", and in the next line "--> TEMPLATE:LINE:COLUMN".
    fn reported(sources: &Sources, report: &str) -> Finding {
        let mut lines = report.lines();
        let problem = lines.next().unwrap_or_default();
        let place = lines
            .next()
            .and_then(|line| line.trim().strip_prefix("--> "));
        let mut parts = place.unwrap_or_default().rsplitn(3, ':').skip(1);
        let line = parts.next().and_then(|line| line.parse().ok());
        let problem = problem.strip_prefix("error: ").unwrap_or(problem);
        Finding::told(sources, parts.next(), line, problem)
    }

    /// What tera tells, and what is available apart from it.
    fn told(
        sources: &Sources,
        template: Option<&str>,
        line: Option<usize>,
        message: &str,
    ) -> Finding {
        let listed = ["Available variables: ", "Available fields: "]
            .iter()
            .find_map(|list| message.split_once(list));
        let (problem, available) = match listed {
            Some((problem, names)) => (problem, names.split(", ").map(str::to_owned).collect()),
            None => (message, known_instead(sources, message)),
        };
        Finding {
            template: template.map(str::to_owned),
            line,
            problem: problem.trim().to_owned(),
            available,
        }
    }

    /// What is wrong, as it is written. Before it may stand what kind of thing it is.
    fn written(&self) -> &str {
        let quoted = self.problem.split('`').skip(1).step_by(2);
        quoted.last().unwrap_or_default()
    }

    fn remedy(&self, sources: &Sources) -> String {
        if let Some(template) = &self.template
            && !sources.is_own(template)
        {
            return format!(
                "it does not go with the templates {}; compare those with what syncmon templates \
                 export writes",
                sources.folder()
            );
        }
        if self.available.is_empty() {
            return "correct it, or take the file away to use the built-in one".to_owned();
        }
        let list = beginning(&self.available.join(", "), LONGEST_LIST);
        let names = || self.available.iter().map(String::as_str);
        let written = self.written();
        let field = written.rsplit('.').next().unwrap_or_default();
        match near(written, names()).or_else(|| near(field, names())) {
            Some(meant) => format!("is `{meant}` meant? Available are {list}"),
            None => format!("available are {list}"),
        }
    }
}

/// The "name.of.something" that begins there.
fn path_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"_.".contains(c));
    &rest[..end.unwrap_or(rest.len())]
}

/// The names that are given in the place of the last of "one.of.these".
fn beside(path: &str, given: &Value) -> Vec<String> {
    let mut names: Vec<&str> = path.split('.').collect();
    names.pop();
    let place = names
        .iter()
        .try_fold(given, |place, name| place.get(name.trim()));
    let fields = place.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

/// What there is in the place of what tera does not know.
fn known_instead(sources: &Sources, message: &str) -> Vec<String> {
    let names = match message.split_whitespace().nth(1) {
        _ if !message.starts_with("Unknown ") => Vec::new(),
        Some("filter") => FILTERS.to_vec(),
        Some("test") => TESTS.to_vec(),
        Some("function") => FUNCTIONS.to_vec(),
        Some("template") => TEMPLATES.iter().map(|(name, _)| *name).collect(),
        Some("component") => sources.components(),
        Some(_) | None => Vec::new(),
    };
    names.into_iter().map(str::to_owned).collect()
}

/// It may quote from the template, and a name there may be endless.
fn beginning(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_available_is() {
        let mut tera = tera::Tera::new();
        let filters = FILTERS.iter().map(|name| format!("{{{{ 1 | {name} }}}}"));
        let tests = TESTS.iter().map(|name| format!("{{{{ 1 is {name} }}}}"));
        let functions = FUNCTIONS.iter().map(|name| format!("{{{{ {name}() }}}}"));
        let all: String = filters.chain(tests).chain(functions).collect();
        tera.add_raw_template("all.html", &all).unwrap();
    }
}
