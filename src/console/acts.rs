//! What operators do to the process: a page that says what it would do, and the act.

use std::sync::Arc;

use askama::Template;
use http::{Request, StatusCode};

use super::answer::Visit;
use super::configuration::{Row, changes, texts};
use super::fields::Fields;
use super::message::Message;
use super::place::{Act, Place};
use super::process::{OnDisk, Process};
use super::shell::Shell;
use super::text;
use super::written::lines;
use crate::endpoints::{EndpointError, read_form};
use crate::events::OwnedCaller;
use crate::listener::RequestBody;
use crate::operate::{Call, ProcessRequest};
use crate::pages::Page;

/// Bytes of a form at most.
const LARGEST: usize = 16 * 1024;

/// Lines of a change that are shown (invariant 14).
const MOST: usize = 400;

/// What somebody asks for, to be recorded with their name.
pub(super) fn call(visit: Visit<'_>, process: &dyn Process, operation: &'static str) -> Call {
    let (operator, caller) = caller(visit);
    Call::begin(operation, operator, caller, process.operations().recorder.clone())
}

/// Who asks, as the record names them, and by which request.
pub(super) fn caller(visit: Visit<'_>) -> (String, OwnedCaller) {
    let (user, provider) = (&visit.person.user, &visit.person.provider);
    let client = Some(visit.context.forwarding.client.ip());
    (format!("{user} ({provider}), in the console"), OwnedCaller { id: visit.context.id.clone(), client })
}

/// What an act would do.
struct Effect {
    /// The heading, and what the button says.
    title: &'static str,
    button: &'static str,
    /// What comes of it, in sentences.
    sentences: Vec<String>,
    /// What it changes.
    changed: Option<Vec<Row>>,
    /// What is wrong, or doubtful, with what it would put in force.
    findings: Vec<(usize, String)>,
    /// Whether it can be done.
    may: bool,
    /// Whether it takes something away.
    danger: bool,
}

/// The page that says what `act` would do, and asks.
pub(super) async fn ask(visit: Visit<'_>, process: &Arc<dyn Process>, act: Act) -> Page {
    let effect = match act {
        Act::Reload => reload(process).await,
        Act::Rotate => rotate(&**process),
        Act::Drain => drain(&**process),
    };
    let shell = Shell::of(visit, Some(Place::Act(act).section()));
    shell.page(StatusCode::OK, &AskView { shell: &shell, act, effect })
}

/// Reads the file, which may take a moment, without holding up anybody.
async fn reload(process: &Arc<dyn Process>) -> Effect {
    let reader = Arc::clone(process);
    let read = tokio::task::spawn_blocking(move || reader.on_disk()).await.unwrap_or_default();
    let in_force = process.configuration();
    let OnDisk { written, findings } = read;
    let may = written.is_some();
    let changed = written.as_ref().map(|written| {
        let mut rows = changes(&texts(&lines(&in_force.written)), &texts(&lines(written)));
        rows.truncate(MOST);
        rows
    });
    let sentence = match &changed {
        None => {
            "The file has faults. As long as it has them nothing changes, and the gateway goes on as it is."
        }
        Some(rows) if rows.is_empty() => {
            "The file says what is in force already. Certificates, keys and secrets in other files are read again."
        }
        Some(_) => {
            "What has changed is in force at once and whole. Requests under way go on by the rules that let them in, \
             and are cut where the new ones would not."
        }
    };
    Effect {
        title: "Read the configuration again?",
        button: "Reload",
        sentences: vec![sentence.to_owned()],
        changed,
        findings: findings.into_iter().take(MOST).map(|(line, words)| (line, text::long(&words))).collect(),
        may,
        danger: false,
    }
}

fn rotate(process: &dyn Process) -> Effect {
    let (now, keys) = (process.now(), process.overview().assertion_keys);
    let next = keys.iter().find(|(_, from)| *from > now);
    let sentence = match next {
        Some((_, from)) => format!(
            "The next key is published already and signs from {}. Nothing is added before that.",
            from.rfc3339().replace('T', " ").replace('Z', " UTC")
        ),
        None => "A new key is published now and signs in an hour, so that every app and every gateway knows it by then. \
                 The one that signs now stays published for a day after that."
            .to_owned(),
    };
    Effect {
        title: "Publish the next assertion key?",
        button: "Rotate the key",
        sentences: vec![sentence],
        changed: None,
        findings: Vec::new(),
        may: true,
        danger: false,
    }
}

fn drain(process: &dyn Process) -> Effect {
    let overview = process.overview();
    let under_way: u64 = overview.servers.iter().map(|server| server.active as u64).sum();
    let sentences = vec![
        format!(
            "This process takes no new connections from then on, and ends when what it has under way is done: {} to apps now.",
            text::many(under_way, "request")
        ),
        "Nobody is signed out. Where nothing starts it again, nobody is served: the console goes away with it."
            .to_owned(),
    ];
    Effect {
        title: "Drain and end this process?",
        button: "Drain",
        sentences,
        changed: None,
        findings: Vec::new(),
        may: !overview.draining,
        danger: true,
    }
}

/// Does it.
pub(super) async fn act(
    visit: Visit<'_>,
    process: &dyn Process,
    act: Act,
    request: Request<RequestBody>,
) -> Result<Page, EndpointError> {
    let section = Some(Place::Act(act).section());
    let (head, body) = request.into_parts();
    let form = match read_form(&head.headers, body, LARGEST).await {
        Ok(form) => form,
        Err(unread) => return Ok(Message::Unread(unread).page(visit, section)),
    };
    let reason = match Fields::read(&form).and_then(|fields| fields.text("reason")) {
        Ok(reason) => reason,
        Err(why) => return Ok(Message::Unclear(why).page(visit, section)),
    };
    let (call, operations) = (call(visit, process, act.operation()), process.operations());
    let reason = reason.as_deref();
    let done = match act {
        Act::Reload => operations.ask(ProcessRequest::Reload, reason, &call).map(|()| None),
        Act::Drain => operations.ask(ProcessRequest::Drain, reason, &call).map(|()| None),
        Act::Rotate => operations.rotate(reason, &call).await.map(Some),
    };
    let status = if done.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    mutant!(call.is_answered(status), "console-act-unrecorded" => std::mem::forget(call.clone()));
    let next = match done {
        Ok(next) => next.map(|next| (text::short(&next.kid), text::short(&next.signs_from))),
        Err(why) => return Ok(Message::NotDone(why.to_string()).page(visit, section)),
    };
    let shell = Shell::of(visit, section);
    Ok(shell.page(StatusCode::OK, &DoneView { shell: &shell, act, next }))
}

#[derive(Template)]
#[template(path = "console/act.html")]
struct AskView<'a> {
    shell: &'a Shell,
    act: Act,
    effect: Effect,
}

#[derive(Template)]
#[template(path = "console/done.html")]
struct DoneView<'a> {
    shell: &'a Shell,
    act: Act,
    /// The key that comes next, and from when on.
    next: Option<(String, String)>,
}
