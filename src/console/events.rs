//! What has happened, as the record has it: found by what is asked for, counted over time, turned over page by page.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use http::{Response, StatusCode};

use super::answer::Visit;
use super::asked::Form;
use super::chart::Bars;
use super::counts::Counting;
use super::event_row::{EventRow, Row, Source};
use super::export::{self, Format};
use super::message::Message;
use super::place::Section;
use super::process::Process;
use super::range::{Range, Span};
use super::reading::{self, Reading};
use super::record;
use super::shell::Shell;
use super::terms::Terms;
use super::text;
use crate::clock::{Moment, Timestamp};
use crate::events::{Field, Seen};
use crate::pages::Page;
use crate::segments::{AskError, Cursor, Filter, Patience, Question, Reader};

/// Events of a page (invariant 14).
const ROWS: usize = 100;

/// How long the record is asked for the rows, and for what is drawn above them.
const PATIENCE: Duration = Duration::from_secs(2);
const DRAWN: Duration = Duration::from_millis(1_200);

/// What an address asks for.
struct Asked {
    terms: Terms,
    filter: Filter,
    range: Range,
    behind: Option<Cursor>,
    now: Timestamp,
    base: String,
}

/// What the record says.
struct Found {
    rows: Vec<EventRow>,
    next: Option<String>,
    looked_back_to: Option<String>,
    damaged: usize,
    chart: Option<Bars>,
}

impl Asked {
    /// # Errors
    /// In words, where it makes no sense.
    fn read(query: &str, now: Timestamp, base: String) -> Result<Self, String> {
        let (terms, range, behind) = (Terms::read(query)?, Range::read(query)?, behind(query)?);
        let (since, until) = range.micros(now);
        let filter = filter(&terms)?.since(since).until(until);
        Ok(Self { terms, filter, range, behind, now, base })
    }

    fn answer(&self, reader: &Reader, patience: &Patience) -> Result<Found, AskError> {
        let question =
            Question { filter: &self.filter, behind: self.behind.as_ref(), limit: ROWS, personal: true };
        let page = reader.page(question, patience)?;
        let rows = page.events.iter().filter_map(|event| {
            let json = event.to_json();
            Seen::read(json.as_bytes()).ok().map(|seen| EventRow::of(&seen))
        });
        let (terms, filter, range, now) = (&self.terms, &self.filter, self.range, self.now);
        let link = |closer: Range| format!("{}?{}{}", self.base, closer.query(), self.terms.query());
        let counting = Counting { filter, terms, range, now };
        Ok(Found {
            rows: rows.collect(),
            next: page.next.map(|next| next.to_string()),
            looked_back_to: page.looked_back_to.map(crate::segments::moment),
            damaged: page.damaged.len(),
            chart: counting.chart(reader, &Patience::of(DRAWN), link)?,
        })
    }
}

pub(super) async fn page(visit: Visit<'_>, process: &Arc<dyn Process>, query: &str) -> Page {
    let section = Some(Section::Events);
    let shell = Shell::of(visit, section);
    let asked = match Asked::read(query, process.now(), format!("{}/events", shell.mount)) {
        Ok(asked) => Arc::new(asked),
        Err(why) => return Message::Unclear(why).page(visit, section),
    };
    reading::record(visit, &**process, Reading::Events, query);
    let question = Arc::clone(&asked);
    let found =
        match record::ask(process, PATIENCE, move |reader, patience| question.answer(reader, patience)).await
        {
            Ok(found) => found,
            Err(why) => return Message::from(why).page(visit, section),
        };
    shown(&shell, &asked, found)
}

fn shown(shell: &Shell, asked: &Asked, found: Found) -> Page {
    let Asked { terms, range, base, .. } = asked;
    let row = |row| Row::new(shell, Source::Record, base, range.query(), terms, row);
    let here = format!("{}{}", range.query(), terms.query());
    let view = View {
        shell,
        terms,
        range: *range,
        base,
        older: found.next.map(|next| format!("{here}&behind={next}")),
        newest: asked.behind.as_ref().map(|_| here.clone()),
        command: command(terms, *range, asked.now),
        form: Form::of(terms, Source::Record, &range.query()),
        rows: found.rows.into_iter().map(row).collect(),
        chart: found.chart,
        looked_back_to: found.looked_back_to,
        damaged: found.damaged,
        here,
    };
    shell.page(StatusCode::OK, &view)
}

/// The same as a file.
///
/// # Errors
/// What is said in place of it.
pub(super) async fn export(
    visit: Visit<'_>,
    process: &Arc<dyn Process>,
    format: Format,
    query: &str,
) -> Result<Response<Bytes>, Message> {
    let asked = Asked::read(query, process.now(), String::new()).map_err(Message::Unclear)?;
    reading::record(visit, &**process, Reading::Export, query);
    let read =
        move |reader: &Reader, patience: &Patience| export::file(format, &asked.filter, reader, patience);
    Ok(export::response(format, record::ask(process, PATIENCE, read).await?))
}

/// The cursor in a query.
fn behind(query: &str) -> Result<Option<Cursor>, String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let cursor = pairs.find(|(name, _)| name == "behind").map(|(_, value)| value.into_owned());
    cursor.map(|cursor| cursor.parse().map_err(|_| "“behind” is no place on a page.".to_owned())).transpose()
}

/// What the record is asked for.
///
/// # Errors
/// In words, where it has no such question.
pub(super) fn filter(terms: &Terms) -> Result<Filter, String> {
    let mut filter = Filter::default();
    for term in terms.iter() {
        if !term.holds && !Source::Record.leaves_out(term.field) {
            return Err(format!(
                "The record can leave out types and outcomes, and not “{}”; the live view can.",
                term.name()
            ));
        }
        let name = if term.field == Field::Subject { "user" } else { term.name() };
        let sign = if term.holds { "" } else { "-" };
        let set = filter.set(&format!("{sign}{name}"), &term.value, Moment::from_micros(0));
        set.map_err(|error| error.to_string())?;
    }
    Ok(filter)
}

/// The same question for a terminal; what is left out cannot be asked there.
fn command(terms: &Terms, range: Range, now: Timestamp) -> Option<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let (since, until) = range.micros(now);
    let moment = |micros: u64| Timestamp::from_seconds(micros / 1_000_000).rfc3339();
    let mut command = format!("portcullis events --since {}", moment(since));
    if !range.is_now() {
        command += &format!(" --until {}", moment(until));
    }
    for term in terms.iter() {
        let name = if term.field == Field::Subject { "user" } else { term.name() };
        command += &format!(" --{name} {}", quoted(&text::short(&term.value)));
    }
    terms.iter().all(|term| term.holds).then_some(command)
}

#[derive(Template)]
#[template(path = "console/events.html")]
struct View<'a> {
    shell: &'a Shell,
    terms: &'a Terms,
    range: Range,
    base: &'a str,
    rows: Vec<Row<'a>>,
    chart: Option<Bars>,
    /// The queries of the page behind this one, and of the first one where this is another.
    older: Option<String>,
    newest: Option<String>,
    looked_back_to: Option<String>,
    damaged: usize,
    /// The same on the command line, where it can be asked there.
    command: Option<String>,
    form: Form,
    /// The query of this view.
    here: String,
}

impl View<'_> {
    /// The spans: words, the query of each, and whether it is this one.
    fn spans(&self) -> Vec<(&'static str, String, bool)> {
        let span = |span: Span| {
            let query = format!("{}{}", self.range.of(span).query(), self.terms.query());
            (span.title(), query, self.range.span == span)
        };
        Span::ALL.map(span).to_vec()
    }
}
