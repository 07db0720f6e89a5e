//! Which pages the history has, and what each says of its rows.

use super::super::parts::frame;
use super::super::runs::RunResult;
use super::super::times::counted;
use super::super::{Site, page_path};
use super::listing::{Day, Listing};
use super::{
    Download, Filter, HistoryPage, HistoryView, Link, MOST_ROWS, NAMED_EVERYWHERE, Spreadsheet,
    spreadsheet, title,
};
use crate::health::{Assessment, EntityAssessment};
use crate::text::{apart, file_stem, grouped};

/// What the runs of a page have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    Everything,
    Entity(&'a str),
    Day(Day),
    Result(RunResult),
}

/// Everything that all pages are made from.
pub struct Source<'a> {
    pub assessment: &'a Assessment,
    pub listing: Option<&'a Listing<'a>>,
    pub site: Site<'a>,
}

pub fn pages(assessment: &Assessment, listing: Option<&Listing>, site: Site) -> Vec<HistoryPage> {
    let source = Source {
        assessment,
        listing,
        site,
    };
    let mut pages = Vec::new();
    for (index, entity) in assessment.entities.iter().enumerate() {
        let runs = listing.map_or(&[][..], |listing| &listing.by_entity[index]);
        let subject = Subject::Entity(&entity.policy.entity_type);
        pages.push(source.page(subject, entity.policy.name.clone(), Some(entity), runs));
    }
    if let Some(listing) = listing {
        for (&day, runs) in &listing.by_day {
            pages.push(source.page(Subject::Day(day), listing.name_of(day), None, runs));
        }
        for (&result, runs) in &listing.by_result {
            let subject = Subject::Result(result);
            if subject.has_page() {
                pages.push(source.page(subject, result.heading().to_owned(), None, runs));
            }
        }
    }
    let all: Vec<usize> = (0..listing.map_or(0, |listing| listing.runs.len())).collect();
    let heading = title(source.days());
    pages.push(source.page(Subject::Everything, heading, None, &all));
    pages
}

impl Subject<'_> {
    /// Its page below `history/`, without the ending.
    pub fn stem(self) -> String {
        match self {
            Subject::Everything => "index".to_owned(),
            Subject::Entity(entity_type) => format!("entities/{}", file_stem(entity_type)),
            Subject::Day(day) => format!("days/{}", day.key()),
            Subject::Result(result) => format!("status/{}", result.key()),
        }
    }

    /// Completed runs are by far the most, and have no page of their own: it would be the page of all
    /// runs over again.
    fn has_page(self) -> bool {
        self != Subject::Result(RunResult::Completed)
    }

    fn spreadsheet(self) -> String {
        match self {
            Subject::Everything => "runs".to_owned(),
            Subject::Entity(_) | Subject::Day(_) | Subject::Result(_) => self.stem(),
        }
    }
}

impl Source<'_> {
    fn page(
        &self,
        subject: Subject,
        name: String,
        entity: Option<&EntityAssessment>,
        runs: &[usize],
    ) -> HistoryPage {
        let top = subject == Subject::Everything;
        let (root, here) = if top { ("../", "") } else { ("../../", "../") };
        let heading = match subject {
            Subject::Entity(_) | Subject::Day(_) => format!("Runs of {}", apart(&name)),
            Subject::Everything | Subject::Result(_) => name,
        };
        let entities = &self.assessment.entities;
        let named = top || entities.len() <= NAMED_EVERYWHERE;
        let links = entities.iter().filter(|_| named).map(|entity| {
            let of = Subject::Entity(&entity.policy.entity_type);
            let key = file_stem(&entity.policy.entity_type);
            link(entity.policy.name.clone(), key, of, subject, here)
        });
        HistoryPage {
            path: format!("history/{}.html", subject.stem()),
            root,
            spreadsheet: self.listing.map(|_| Spreadsheet {
                path: format!("history/{}.csv", subject.spreadsheet()),
                head: spreadsheet::HEAD,
            }),
            days: self.days_of(subject, here, runs),
            view: HistoryView {
                frame: frame(self.assessment, self.site),
                heading,
                shown: self.shown(subject, runs),
                missing: self.missing(subject, runs),
                entities: links.collect(),
                more_entities: (!named)
                    .then(|| format!("All {} syncs", grouped(entities.len() as u64))),
                days: self.day_links(subject, here),
                results: self.result_links(subject, here),
                all: link(
                    title(self.days()),
                    String::new(),
                    Subject::Everything,
                    subject,
                    here,
                ),
                entity_page: entity.map(|entity| Link {
                    name: apart(&entity.policy.name),
                    href: Some(format!("{root}{}", page_path(&entity.policy.entity_type))),
                    key: String::new(),
                    current: false,
                }),
                download: self.download(subject, here, runs.len().min(MOST_ROWS)),
                filter: self.listing.filter(|_| top).map(|listing| Filter {
                    first_day: listing.first_day.to_string(),
                    last_day: listing.last_day.to_string(),
                }),
            },
        }
    }

    fn day_links(&self, from: Subject, here: &str) -> Vec<Link> {
        let days = self
            .listing
            .iter()
            .flat_map(|listing| listing.by_day.keys().rev());
        days.map(|&day| {
            let name = match day {
                Day::Of(date) => date.format("%a %-d %b").to_string(),
                Day::Later => "Later".to_owned(),
            };
            link(name, day.key(), Subject::Day(day), from, here)
        })
        .collect()
    }

    /// With the number of runs where all of them are listed; elsewhere only those that have a page.
    fn result_links(&self, from: Subject, here: &str) -> Vec<Link> {
        let results = self.listing.iter().flat_map(|listing| &listing.by_result);
        results
            .filter(|&(&result, _)| {
                from == Subject::Everything || Subject::Result(result).has_page()
            })
            .map(|(&result, runs)| {
                let name = match from {
                    Subject::Everything => {
                        format!("{} ({})", result.word(), grouped(runs.len() as u64))
                    }
                    Subject::Entity(_) | Subject::Day(_) | Subject::Result(_) => {
                        result.word().to_owned()
                    }
                };
                let key = result.key().to_owned();
                link(name, key, Subject::Result(result), from, here)
            })
            .collect()
    }

    fn download(&self, subject: Subject, here: &str, rows: usize) -> Option<Download> {
        let as_of = self.assessment.as_of.filter(|_| rows > 0)?;
        let stem = subject.spreadsheet();
        let read = as_of
            .with_timezone(&self.site.speaker.zone)
            .format("%Y-%m-%d-%H%M");
        Some(Download {
            href: format!("{here}{stem}.csv"),
            file: format!("{}-read-{read}.csv", stem.replace('/', "-")),
            label: format!(
                "Download as CSV ({})",
                counted(i64::try_from(rows).unwrap_or(i64::MAX), "row", "rows")
            ),
        })
    }

    /// How many days are listed.
    pub fn days(&self) -> i64 {
        self.listing.map_or_else(
            || i64::from(self.site.policy.history_days),
            |listing| listing.days().num_days(),
        )
    }
}

fn link(name: String, key: String, to: Subject, from: Subject, here: &str) -> Link {
    Link {
        name,
        href: to.has_page().then(|| format!("{here}{}.html", to.stem())),
        key,
        current: to == from,
    }
}
