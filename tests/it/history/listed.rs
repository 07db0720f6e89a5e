//! What a page of the history shows, read from its markup.

/// A row of it.
#[derive(Debug)]
pub struct Row {
    pub id: String,
    /// Of the section in which it stands.
    pub day: String,
    pub started_at: String,
    pub time: String,
    pub entity_type: String,
    pub status: String,
    pub action: String,
    pub records: String,
    /// What is unusual about it.
    pub unusual: Vec<String>,
    pub error: String,
}

/// A day of it.
#[derive(Debug)]
pub struct Day {
    pub date: String,
    pub heading: String,
    pub runs: usize,
}

pub fn days(page: &str) -> Vec<Day> {
    sections(page)
        .map(|section| {
            let (_, heading) = section.split_once("<h2>").unwrap();
            Day {
                date: section.split('"').next().unwrap().to_owned(),
                heading: text_of(heading.split("</h2>").next().unwrap()),
                runs: section.matches("<tbody id=").count(),
            }
        })
        .collect()
}

pub fn rows(page: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for section in sections(page) {
        let day = section.split('"').next().unwrap();
        for body in section.split("<tbody id=\"run-").skip(1) {
            let body = body.split("</tbody>").next().unwrap();
            let (body, unusual) = without_unusual(body);
            let body = body.as_str();
            let cells: Vec<&str> = body.split("<td").skip(1).collect();
            let text = |place: usize| text_of(&format!("<td{}", cells[place]));
            rows.push(Row {
                id: body.split('"').next().unwrap().to_owned(),
                day: day.to_owned(),
                started_at: between(body, "datetime=\"", "\"").to_owned(),
                time: text_of(between(body, "\">", "</time>").rsplit('>').next().unwrap()),
                entity_type: entity_type(cells[0], &text(0)),
                status: text(1),
                action: text(2),
                records: text(4),
                unusual,
                error: match cells.get(5) {
                    Some(cell) if cell.contains("<pre") => {
                        text_of(between(cell, "text\">", "</pre>"))
                    }
                    Some(_) => text(5),
                    None => String::new(),
                },
            });
        }
    }
    rows
}

/// A row as it would be if nothing about the run were unusual, and what is.
fn without_unusual(body: &str) -> (String, Vec<String>) {
    let marked = body.replace(" <span class=\"unusual\">unusual</span>", "");
    let mut sentences = Vec::new();
    let mut plain = String::new();
    for part in marked.split_inclusive("</tr>") {
        let said: Vec<_> = part.split("<p>Unusual: ").skip(1).collect();
        if said.is_empty() {
            plain.push_str(part);
        }
        let texts = said.iter().map(|text| text.split(".</p>").next().unwrap());
        sentences.extend(texts.map(text_of));
    }
    assert_eq!(marked.len() < body.len(), !sentences.is_empty(), "{body}");
    (plain, sentences)
}

/// The targets of its links.
pub fn links(page: &str) -> Vec<&str> {
    page.split("<a href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

/// What a reader sees of markup, with a blank where there was a tag.
pub fn words_of(markup: &str) -> String {
    let tag = regex::Regex::new("<[^>]*>").unwrap();
    let text = tag.replace_all(markup, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is left of markup without its tags.
pub fn text_of(markup: &str) -> String {
    let mut text = String::new();
    for part in markup.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let text = marks
        .iter()
        .fold(text, |text, (written, meant)| text.replace(written, meant));
    text.trim().to_owned()
}

fn sections(page: &str) -> impl Iterator<Item = &str> {
    page.split("<section class=\"day\" data-day=\"").skip(1)
}

/// The first text between two marks.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap()
}

/// Its page is named after it, unless its name is not plain enough for a file.
fn entity_type(cell: &str, name: &str) -> String {
    let stem = between(cell, "entities/", ".html");
    if stem.contains('.') {
        name.to_lowercase()
    } else {
        stem.to_owned()
    }
}
