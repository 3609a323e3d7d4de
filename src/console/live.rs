//! What happens now: the last events, and more as they come. The page is complete by itself and can be looked at again; where
//! its script runs, it asks for the same address as an event stream (HTML Standard, "Server-sent events").

use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::answer::Visit;
use super::asked::Form;
use super::event_row::{EventRow, Row, Source, shares};
use super::message::Message;
use super::overview::Shares;
use super::place::Section;
use super::process::Process;
use super::reading::{self, Reading};
use super::seats::{Seat, Seats};
use super::shell::Shell;
use super::terms::Terms;
use super::text;
use crate::endpoints::{Content, ContentStream};
use crate::events::{Field, Seen};
use crate::pages::Page;
use crate::sinks::{Tail, TailLine};

/// Rows of a page, and lines that are looked at for one piece of a stream (invariant 14).
const ROWS: usize = 200;
const AT_ONCE: usize = 64;

/// How often a silent stream says that it is there.
const BEAT: Duration = Duration::from_secs(15);

/// How long a stream goes on: whoever asks again is asked again who they are, and which role they have.
const LONGEST: Duration = Duration::from_secs(300);

/// Whether the request asks for the stream.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|field| field.to_str().ok());
    accepts.is_some_and(|accepts| accepts.split(',').any(|kind| kind.trim() == EVENT_STREAM))
}

const EVENT_STREAM: &str = "text/event-stream";

pub(super) fn page(visit: Visit<'_>, process: &dyn Process, query: &str) -> Page {
    let terms = match Terms::read(query) {
        Ok(terms) => terms,
        Err(why) => return Message::Unclear(why).page(visit, Some(Section::Live)),
    };
    reading::record(visit, process, Reading::Live, query);
    let shell = Shell::of(visit, Some(Section::Live));
    let lines = process.tail().lines();
    let mut found: Vec<_> = lines.iter().filter_map(|line| Seen::read(line.text.as_bytes()).ok()).collect();
    let looked_at = found.len();
    found.retain(|seen| terms.mean(seen));
    let shares = shares(found.iter());
    let base = format!("{}/{}", shell.mount, Section::Live.path());
    let row = |seen| Row::new(&shell, Source::Tail, &base, String::new(), &terms, EventRow::of(seen));
    let rows = found.iter().rev().take(ROWS).map(row).collect();
    let since = found.first().and_then(|seen| seen.text(Field::Time)).and_then(|time| time.get(11..19));
    let view = View {
        shell: &shell,
        terms: &terms,
        form: Form::of(&terms, Source::Tail, ""),
        base: &base,
        rows,
        shares,
        found: found.len(),
        looked_at,
        since: since.map(str::to_owned),
        last: format!("{}-{}", process.tail().process(), process.tail().next()),
    };
    shell.page(StatusCode::OK, &view)
}

#[derive(Template)]
#[template(path = "console/live.html")]
struct View<'a> {
    shell: &'a Shell,
    terms: &'a Terms,
    form: Form,
    base: &'a str,
    rows: Vec<Row<'a>>,
    shares: Shares,
    /// Events that are meant, of those that are here.
    found: usize,
    looked_at: usize,
    since: Option<String>,
    /// Where the stream goes on.
    last: String,
}

/// Groups of events that are asked for by one link.
const GROUPS: [(&str, &str); 6] = [
    ("access.*", "Requests"),
    ("sign-in.*", "Sign-ins"),
    ("session.*", "Sessions"),
    ("credential.*", "Credentials"),
    ("management.*", "Operators"),
    ("record.*", "Record"),
];

impl View<'_> {
    /// The groups: words, the query of each, and whether it is the one that is asked for.
    fn groups(&self) -> Vec<(&'static str, String, bool)> {
        let asked =
            |pattern: &str| self.terms.iter().any(|term| term.field == Field::Type && term.value == pattern);
        let group = |(pattern, words): (&str, &'static str)| {
            (words, self.terms.only(Field::Type, pattern), asked(pattern))
        };
        GROUPS.map(group).to_vec()
    }
}

/// The stream, or why there is none.
pub(super) fn stream(
    visit: Visit<'_>,
    process: &dyn Process,
    seats: &Seats,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response<Content>, Message> {
    let terms = Terms::read(query).map_err(Message::Unclear)?;
    let seat = seats.take(visit.session).ok_or(Message::TooMany)?;
    reading::record(visit, process, Reading::Live, query);
    let tail = process.tail().clone();
    let from = asked_from(headers, query).and_then(|asked| number(&tail, &asked));
    let shell = Shell::of(visit, Some(Section::Live));
    let watching = Watching {
        next: from.unwrap_or_else(|| tail.next()),
        news: tail.news(),
        tail,
        terms,
        base: format!("{}/{}", shell.mount, Section::Live.path()),
        shell,
        begun: false,
        ends: Instant::now() + LONGEST,
        _seat: seat,
    };
    let mut response = Response::new(Content::Stream(ContentStream::new(watching.pieces())));
    let fields = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // Proxies that hold answers back until they are whole would show nothing (nginx).
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    response.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(response)
}

/// Where the browser was: in the header of a stream that broke off, or in the address of one that the page begins.
fn asked_from(headers: &HeaderMap, query: &str) -> Option<String> {
    let last = headers.get("last-event-id").and_then(|field| field.to_str().ok()).map(str::to_owned);
    let in_query = || {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "after")
            .map(|(_, value)| value.into_owned())
    };
    last.filter(|last| !last.is_empty()).or_else(in_query)
}

/// The number in `process-number`; the beginning of what is here where that was another process.
fn number(tail: &Tail, id: &str) -> Option<u64> {
    let (process, number) = id.rsplit_once('-')?;
    let number = number.parse().ok()?;
    Some(if process == tail.process() { number } else { 0 })
}

/// Somebody who watches.
struct Watching {
    tail: Tail,
    news: watch::Receiver<u64>,
    next: u64,
    terms: Terms,
    base: String,
    shell: Shell,
    begun: bool,
    ends: Instant,
    _seat: Seat,
}

impl Watching {
    /// Piece by piece, as fast as they are read: what comes meanwhile waits in the tail, and makes room there for others.
    fn pieces(self) -> impl Stream<Item = Bytes> {
        stream::unfold(self, |mut watching| async { Some((watching.piece().await?, watching)) })
    }

    async fn piece(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(format!("retry: 2000\n{}\n", self.id()).into());
        }
        loop {
            self.news.borrow_and_update();
            let (text, looked_at) = self.look();
            if !text.is_empty() {
                return Some(text.into());
            }
            let left = self.ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            if looked_at {
                // Nothing of it was meant: there may be more. Others have their turn in between.
                tokio::task::yield_now().await;
                continue;
            }
            match timeout(left.min(BEAT), self.news.changed()).await {
                Ok(changed) => changed.ok()?,
                // A comment, so that nobody on the way takes it for dead.
                Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
            }
        }
    }

    /// What has come, as text, and whether anything was there.
    fn look(&mut self) -> (String, bool) {
        let news = self.tail.since(self.next, AT_ONCE);
        self.next = news.next;
        let mut text = String::new();
        if news.missed > 0 {
            text = format!("event: gap\ndata: {}\n\n", text::grouped(news.missed));
        }
        for line in &news.lines {
            text.push_str(&self.message(line).unwrap_or_default());
        }
        (text, !news.lines.is_empty())
    }

    fn message(&self, line: &TailLine) -> Option<String> {
        let seen = Seen::read(line.text.as_bytes()).ok()?;
        if !self.terms.mean(&seen) {
            return None;
        }
        let (shell, row) = (&self.shell, EventRow::of(&seen));
        let row = Row::new(shell, Source::Tail, &self.base, String::new(), &self.terms, row).render().ok()?;
        let row = row.replace(['\n', '\r'], " ");
        Some(format!("id: {}-{}\ndata: {row}\n\n", self.tail.process(), line.number + 1))
    }

    /// Where it goes on, told without an event.
    fn id(&self) -> String {
        format!("id: {}-{}\n", self.tail.process(), self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_where_it_was_and_of_another_process_from_the_beginning() {
        let tail = Tail::new("p1");
        assert_eq!(number(&tail, "p1-7"), Some(7));
        assert_eq!(number(&tail, "p2-7"), Some(0));
        for nonsense in ["", "p1", "p1-", "p1-x", "p1-99999999999999999999999"] {
            assert_eq!(number(&tail, nonsense), None, "{nonsense}");
        }
        let headers = |last: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static("last-event-id"), HeaderValue::from_static(last))])
        };
        assert_eq!(asked_from(&headers("p1-7"), "after=p1-3").as_deref(), Some("p1-7"));
        assert_eq!(asked_from(&headers(""), "user=a&after=p1-3").as_deref(), Some("p1-3"));
    }

    #[test]
    fn a_page_and_a_stream_are_told_apart_by_what_is_accepted() {
        let accepts = |kinds: &'static str| {
            is_asked_for(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(kinds))]))
        };
        assert!(accepts("text/event-stream") && accepts("text/html, text/event-stream"));
        assert!(!accepts("text/html") && !accepts("*/*"));
    }
}
