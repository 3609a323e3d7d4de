//! The page of a report. Its head is there at once; where the answer takes a while, how far it has come follows line by line,
//! and then the answer, all in one document that needs no script.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

use super::asked::Asked;
use super::found::Found;
use super::title;
use crate::clock::Moment;
use crate::console::answer::Visit;
use crate::console::message::Message;
use crate::console::place::Section;
use crate::console::process::Process;
use crate::console::reading::{self, Reading};
use crate::console::record::Unanswered;
use crate::console::review;
use crate::console::seats::{Seat, Seats};
use crate::console::shell::Shell;
use crate::endpoints::{Content, ContentStream};
use crate::identity::Principal;
use crate::reports::{Frame, Question, Report};
use crate::segments::{AskError, Asker, Patience};

/// How long a report may take.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// How long an answer is waited for before the page is begun without it, and how often it is told how far it has come.
const SOON: Duration = Duration::from_millis(200);
const STEP: Duration = Duration::from_millis(400);

/// Where the answer stands in the page.
const HERE: &str = "<!--here-->";

/// The present moment.
pub(super) fn now(process: &dyn Process) -> Moment {
    process.operations().recorder.clock().moment()
}

/// The page of a report, or what is said in its place.
pub(in crate::console) async fn answer(
    visit: Visit<'_>,
    process: &Arc<dyn Process>,
    seats: &Seats,
    (report, query): (Report, &str),
) -> Result<Response<Content>, Message> {
    let asked = Asked::read(report, query, now(&**process)).map_err(Message::Unclear)?;
    let seat = seats.take(visit.session).ok_or(Message::TooMany)?;
    reading::record(visit, &**process, Reading::Report(report), query);
    let shell = Shell::of(visit, Some(Section::Reports));
    let page = View::new(&shell, &asked, &**process).page();
    let own = review::own_names(visit.person, &**process);
    let question = asked.question.clone();
    let telling = Telling { shell, asked, reader: Arc::clone(visit.person), own };
    let mut asking = Asking::begin(process, question, telling);
    let (before, behind) = page.html.split_once(HERE).unwrap_or((&page.html, ""));
    let content = match timeout(SOON, &mut asking.task).await {
        Ok(read) => {
            let found = Unanswered::or(read)?;
            Content::Whole(format!("{before}{found}{behind}").into())
        }
        Err(_) => {
            let (head, tail) = (Some(format!("{before}{BEGUN}")), behind.to_owned());
            let coming = Coming { head, asking, tail, told: (0, 0), is_over: false, _seat: seat };
            Content::Stream(ContentStream::new(coming.pieces()))
        }
    };
    let mut response = Response::new(content);
    *response.headers_mut() = page.headers;
    // Proxies that hold answers back until they are whole would show nothing (nginx).
    let unheld = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().extend([unheld]);
    Ok(response)
}

/// The answer, as it stands in the page.
type Told = Result<Option<String>, AskError>;

/// What is on the way; it is broken off when this is dropped.
struct Asking {
    task: JoinHandle<Told>,
    patience: Patience,
    _asker: Asker,
}

impl Asking {
    /// What it says is written there as well: with many rows that is work, for which no other request shall wait.
    fn begin(process: &Arc<dyn Process>, question: Question, telling: Telling) -> Self {
        let patience = Patience::of(LONGEST);
        let (process, own) = (Arc::clone(process), patience.clone());
        let read = move || Ok(process.report(&question, &own)?.map(|frame| telling.told(&frame)));
        let task = tokio::task::spawn_blocking(read);
        Self { task, _asker: patience.asker(), patience }
    }
}

/// What an answer is told with.
struct Telling {
    shell: Shell,
    asked: Asked,
    /// Who looks, and at which providers.
    reader: Arc<Principal>,
    own: Vec<String>,
}

impl Telling {
    fn told(&self, frame: &Frame) -> String {
        let found = Found::new(&self.shell, &self.asked, frame, (&self.reader, &self.own));
        // A template fails only where its writer does, and a `String` does not.
        found.render().unwrap_or_default()
    }
}

/// What stands in the place of the answer where the page has begun: it, or a fault.
fn told_late(read: Result<Told, JoinError>) -> String {
    match Unanswered::or(read) {
        Ok(text) => text,
        Err(Unanswered::NoStore) => Fault { why: "no sink of this gateway is a store" }.text(),
        Err(Unanswered::NotRead(why)) => Fault { why: &why }.text(),
    }
}

/// A page that comes piece by piece.
struct Coming {
    head: Option<String>,
    asking: Asking,
    tail: String,
    /// How far it has told that it has come.
    told: (usize, usize),
    is_over: bool,
    _seat: Seat,
}

/// What stands there before there is anything to tell.
const BEGUN: &str = "<ol class=\"progress\" role=\"status\"><li>The record is being read.</li>";

impl Coming {
    fn pieces(self) -> impl Stream<Item = Bytes> {
        stream::unfold(self, |mut coming| async { Some((coming.piece().await?, coming)) })
    }

    async fn piece(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return Some(head.into());
        }
        while !self.is_over {
            if let Ok(read) = timeout(STEP, &mut self.asking.task).await {
                self.is_over = true;
                return Some(format!("</ol>{}{}", told_late(read), self.tail).into());
            }
            let come = self.asking.patience.progress();
            if std::mem::replace(&mut self.told, come) != come {
                return Some(step(come).into());
            }
        }
        None
    }
}

fn step((read, of): (usize, usize)) -> String {
    format!(
        "<li><progress value=\"{read}\" max=\"{of}\" aria-label=\"Files read\"></progress> {read} of {of} files of the \
         record</li>\n"
    )
}

#[derive(Template)]
#[template(
    source = "<p class=\"banner bad\"><span><b>The record cannot be read:</b> {{ why }}.</span></p>",
    ext = "html"
)]
struct Fault<'a> {
    why: &'a str,
}

impl Fault<'_> {
    fn text(&self) -> String {
        self.render().unwrap_or_default()
    }
}

/// All that stands around the answer.
#[derive(Template)]
#[template(path = "console/report.html")]
struct View<'a> {
    shell: &'a Shell,
    asked: &'a Asked,
    title: &'static str,
    base: String,
    routes: Vec<String>,
    providers: Vec<String>,
}

impl<'a> View<'a> {
    fn new(shell: &'a Shell, asked: &'a Asked, process: &dyn Process) -> Self {
        let report = asked.question.report;
        Self {
            shell,
            asked,
            title: title(report),
            base: format!("{}/reports/{}", shell.mount, report.word()),
            routes: with(process.apps().into_iter().map(|app| app.name), asked.of("route")),
            providers: with(process.providers().into_iter().map(|one| one.name), asked.of("provider")),
        }
    }

    fn page(&self) -> crate::pages::Page {
        self.shell.page(StatusCode::OK, self)
    }
}

/// The names to choose from; what is asked for is one of them, whether or not the configuration still has it.
fn with(names: impl Iterator<Item = String>, asked: &str) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    if !asked.is_empty() && !names.iter().any(|name| name == asked) {
        names.push(asked.to_owned());
    }
    names
}

#[cfg(test)]
mod tests;
