//! One request by its id: all that is known of it, in the order in which it happened, in the words of the page that refused it,
//! of the log and of `explain`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use http::StatusCode;
use url::form_urlencoded;

use super::answer::Visit;
use super::event_row::EventRow;
use super::fields::Fields;
use super::message::Message;
use super::place::Section;
use super::process::Process;
use super::reading::{self, Reading};
use super::record::{self, Unanswered};
use super::shell::Shell;
use super::text;
use crate::clock::Moment;
use crate::events::{Field, Kind, Seen, Value};
use crate::pages::Page;
use crate::segments::{AskError, Filter, Patience, Question, Reader};

/// Events of a request (invariant 14).
const MOST: usize = 200;
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn page(visit: Visit<'_>, process: &Arc<dyn Process>, query: &str) -> Page {
    let section = Some(Section::Events);
    let id = match Fields::read(query.as_bytes()).and_then(|fields| fields.text("id")) {
        Ok(Some(id)) => id,
        Ok(None) => return Message::Unclear("“id” must be the id of a request.".into()).page(visit, section),
        Err(why) => return Message::Unclear(why).page(visit, section),
    };
    reading::record(visit, &**process, Reading::Story, query);
    let mut lines = latest(&**process, &id);
    let mut filter = Filter::default();
    if let Err(why) = filter.set("id", &id, Moment::from_micros(0)) {
        return Message::Unclear(why.to_string()).page(visit, section);
    }
    let asked = record::ask(process, PATIENCE, move |reader, patience| kept(reader, &filter, patience)).await;
    let unread = match asked {
        Ok(kept) => {
            lines.extend(kept);
            None
        }
        Err(Unanswered::NoStore) => None,
        Err(Unanswered::NotRead(why)) => Some(why),
    };
    let seen: Vec<_> = lines.values().filter_map(|line| Seen::read(line.as_bytes()).ok()).collect();
    let shell = Shell::of(visit, section);
    let access = seen.iter().find(|seen| seen.kind().is_some_and(is_access));
    let view = View {
        shell: &shell,
        id: text::short(&id),
        explain: access.and_then(explain),
        missing: access
            .map(|seen| seen.texts(Field::Missing).iter().map(|text| text::long(text)).collect())
            .unwrap_or_default(),
        verdict: access.map(EventRow::of),
        steps: seen.iter().take(MOST).map(Step::of).collect(),
        unread,
    };
    shell.page(if view.steps.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK }, &view)
}

const fn is_access(kind: Kind) -> bool {
    matches!(kind, Kind::AccessGranted | Kind::AccessRefused | Kind::AccessOpened | Kind::AccessOpen)
}

/// What is still in memory, by time and id: the record may not have it yet.
fn latest(process: &dyn Process, id: &str) -> BTreeMap<(String, String), String> {
    let lines = process.tail().lines();
    let of_it = lines.iter().filter_map(|line| {
        let seen = Seen::read(line.text.as_bytes()).ok()?;
        (seen.text(Field::Id) == Some(id)).then(|| (place(&seen), line.text.to_string()))
    });
    of_it.collect()
}

fn kept(
    reader: &Reader,
    filter: &Filter,
    patience: &Patience,
) -> Result<BTreeMap<(String, String), String>, AskError> {
    let page = reader.page(Question { filter, behind: None, limit: MOST, personal: true }, patience)?;
    let lines = page.events.iter().map(crate::segments::Event::to_json);
    Ok(lines.filter_map(|line| Some((place(&Seen::read(line.as_bytes()).ok()?), line.clone()))).collect())
}

fn place(seen: &Seen<'_>) -> (String, String) {
    let text = |field| seen.text(field).unwrap_or_default().to_owned();
    (text(Field::Time), text(Field::Event))
}

/// The question to the explorer about the same request.
fn explain(seen: &Seen<'_>) -> Option<String> {
    let (host, path) = (seen.text(Field::Host)?, seen.text(Field::Path)?);
    let url = format!("https://{host}{path}");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("method", seen.text(Field::Method)?).append_pair("url", &url);
    if let Some(client) = seen.text(Field::Client) {
        query.append_pair("client", client);
    }
    Some(query.finish())
}

/// Something that happened to the request.
struct Step {
    row: EventRow,
    fields: Vec<(String, String)>,
}

impl Step {
    fn of(seen: &Seen<'_>) -> Self {
        let fields = seen.members().filter(|(name, _)| *name != "v");
        let fields = fields.map(|(name, value)| (text::short(name), written(value)));
        Self { row: EventRow::of(seen), fields: fields.collect() }
    }
}

fn written(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text::long(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Texts(texts) => text::long(&texts.join(", ")),
        Value::Other(other) => text::long(other),
    }
}

#[derive(Template)]
#[template(path = "console/story.html")]
struct View<'a> {
    shell: &'a Shell,
    id: String,
    /// What became of it.
    verdict: Option<EventRow>,
    missing: Vec<String>,
    explain: Option<String>,
    steps: Vec<Step>,
    /// Why the record could not be read.
    unread: Option<String>,
}
