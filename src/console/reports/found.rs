//! What a report has found: what can be drawn of it, and its rows.

use askama::Template;
use url::form_urlencoded;

use super::asked::{Asked, ROWS};
use super::columns::{Column, Shown};
use super::drawn::{Drawn, drawn};
use super::file::FileFormat;
use crate::console::people;
use crate::console::range::Range;
use crate::console::shell::Shell;
use crate::console::text;
use crate::events::Field;
use crate::identity::Principal;
use crate::reports::{Cell, Frame, Lead, Report};

#[derive(Template)]
#[template(path = "console/report_found.html")]
pub(super) struct Found<'a> {
    asked: &'a Asked,
    base: String,
    drawn: Option<Drawn>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Rows of the whole report.
    all: u64,
    /// The numbers of the first and the last row of this page.
    place: (u64, u64),
    notes: Vec<String>,
    zone: String,
    /// From when to when, in that zone.
    time: (String, String),
    earlier: Option<String>,
    later: Option<String>,
}

/// A row.
struct Row {
    cells: Vec<Vec<Shown>>,
    /// What it is called, for whoever hears its links alone.
    name: String,
    /// Where its events are, and whom it is about.
    events: Option<String>,
    person: Option<String>,
    mark: Option<Mark>,
}

/// How a row of an access review is marked.
enum Mark {
    /// There.
    At(String),
    /// By somebody else: it is about whoever looks.
    ByOthers,
}

impl<'a> Found<'a> {
    /// `reader`: who looks, and the providers at which a subject is theirs.
    pub(super) fn new(
        shell: &'a Shell,
        asked: &'a Asked,
        frame: &Frame,
        reader: (&Principal, &[String]),
    ) -> Self {
        let columns = Column::of(frame);
        let begin = asked.page.saturating_mul(ROWS).min(frame.rows.len());
        let end = (begin + ROWS).min(frame.rows.len());
        let base = format!("{}/reports/{}", shell.mount, frame.report.word());
        let turned = |page: usize| format!("{base}?{}", asked.turned(page));
        let telling = Telling { frame, columns: &columns, mount: &shell.mount, reader };
        let rows = frame.rows.iter().zip(&frame.leads).skip(begin).take(ROWS);
        Self {
            asked,
            drawn: drawn(frame, |lead| telling.events(lead)),
            rows: rows.map(|(row, lead)| telling.row(row, lead)).collect(),
            all: frame.rows.len() as u64,
            place: (begin as u64 + 1, end as u64),
            notes: frame.notes.iter().map(|note| text::long(note)).collect(),
            zone: frame.zone_name().to_owned(),
            time: (frame.clock(frame.since), frame.clock(frame.until)),
            earlier: (begin > 0).then(|| turned(asked.page.min(frame.rows.len() / ROWS + 1) - 1)),
            later: (end < frame.rows.len()).then(|| turned(asked.page + 1)),
            columns,
            base,
        }
    }

    fn here(&self) -> String {
        format!("{} to {}", text::grouped(self.place.0), text::grouped(self.place.1))
    }

    fn column(&self, at: &usize) -> Column {
        self.columns.get(*at).cloned().unwrap_or_default()
    }

    /// A moment with its distance from UTC, for programs (HTML Standard, "valid global date and time string").
    #[expect(clippy::unused_self, reason = "templates reach it through the view")]
    fn machine(&self, exact: &str) -> String {
        exact.replacen(' ', "T", 1)
    }

    /// The files: what people call them, and where they are.
    fn files(&self) -> Vec<(&'static str, String)> {
        let file = |format: FileFormat| {
            (format.ending(), format!("{}.{}?{}", self.base, format.ending(), self.asked.query(true)))
        };
        FileFormat::ALL.map(file).to_vec()
    }
}

/// What rows are told with.
struct Telling<'a> {
    frame: &'a Frame,
    columns: &'a [Column],
    mount: &'a str,
    reader: (&'a Principal, &'a [String]),
}

impl Telling<'_> {
    fn row(&self, row: &[Cell], lead: &Lead) -> Row {
        let cells: Vec<_> = self.columns.iter().map(|column| column.cells(self.frame, row)).collect();
        let name = cells.iter().take(2).filter_map(|cell| Some(cell.first()?.text.clone()));
        let mark = (self.frame.report == Report::AccessReview).then(|| self.mark(lead)).flatten();
        Row {
            name: name.collect::<Vec<_>>().join(", "),
            cells,
            events: self.events(lead),
            person: lead.person.as_ref().map(|(provider, subject)| {
                format!("{}/person?{}", self.mount, people::link(provider, subject))
            }),
            mark,
        }
    }

    fn mark(&self, lead: &Lead) -> Option<Mark> {
        let (provider, subject) = lead.person.as_ref()?;
        let (reader, own) = self.reader;
        if *subject == reader.subject.as_str() && own.contains(provider) {
            return Some(Mark::ByOthers);
        }
        let (_, route) = lead.terms.iter().find(|(field, _)| *field == Field::Route)?;
        let mut query = form_urlencoded::Serializer::new(people::link(provider, subject));
        query.append_pair("route", route);
        Some(Mark::At(format!("{}/reports/access-review/mark?{}", self.mount, query.finish())))
    }

    /// Where the events of a row are.
    fn events(&self, lead: &Lead) -> Option<String> {
        if lead.terms.is_empty() && lead.time.is_none() {
            return None;
        }
        let time = lead.time.clone().unwrap_or(self.frame.since..self.frame.until);
        let range = Range::covering(time.start / 1_000_000, time.end.div_ceil(1_000_000));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(lead.terms.iter().map(|(field, value)| (field.row().name, value)));
        Some(format!("{}/events?{}{}", self.mount, range.query(), query.finish()))
    }
}
