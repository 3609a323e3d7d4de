//! Events listed.

use std::time::Duration;

use http::StatusCode;

use super::record_model::{EventEntry, EventList, ListEvents};
use super::{Management, Problem};
use crate::operate::Call;
use crate::segments::{
    AskError, Cursor, Filter, LARGEST, Page, Patience, Question, Reader, moment, read_apart,
};

/// How long a page is looked for.
const PATIENCE: Duration = Duration::from_secs(2);

/// One page of what is asked for. By what it is asked for is recorded as well.
pub(super) async fn list(
    management: &Management,
    asked: ListEvents,
    called: &Call,
) -> Result<EventList, Problem> {
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    if !(1..=LARGEST).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` must be a number from 1 to {LARGEST}")));
    }
    let (filter, names) = filter(management, &asked)?;
    let behind = asked.after.as_deref().map(cursor).transpose()?;
    let reader = (management.events)().map_err(|error| fault(&AskError::Store(error)))?;
    let reader = reader.ok_or_else(no_store)?;
    // Whom it is about stays out of it: names are personal, and the reason of a call is not.
    called.because((!names.is_empty()).then_some(&*names));
    page(reader, filter, behind, limit).await
}

/// What is asked for, and the names by which it is.
fn filter(management: &Management, asked: &ListEvents) -> Result<(Filter, String), Problem> {
    let ListEvents {
        since, until, kind, outcome, user, provider, route, client, id, session, status, ..
    } = asked;
    let given = [
        ("since", since),
        ("until", until),
        ("type", kind),
        ("outcome", outcome),
        ("user", user),
        ("provider", provider),
        ("route", route),
        ("client", client),
        ("id", id),
        ("session", session),
        ("status", status),
    ];
    let (mut filter, mut names, now) =
        (Filter::default(), Vec::new(), management.operations.recorder.clock().moment());
    for (name, value) in given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))) {
        filter.set(name, value, now).map_err(|error| Problem::bad_request(error.to_string()))?;
        names.push(name);
    }
    Ok((filter, names.join(", ")))
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    text.parse().map_err(|_| Problem::bad_request("`after` must be a `next` that a page has given"))
}

async fn page(
    reader: Reader,
    filter: Filter,
    behind: Option<Cursor>,
    limit: usize,
) -> Result<EventList, Problem> {
    let read = move |patience: &Patience| {
        let question = Question { filter: &filter, behind: behind.as_ref(), limit, personal: true };
        reader.page(question, patience).map(told)
    };
    match read_apart(PATIENCE, read).await {
        Ok(page) => page.map_err(|error| fault(&error)),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn told(page: Page) -> EventList {
    let events = page.events.iter().filter_map(|event| serde_json::from_str(&event.to_json()).ok());
    EventList {
        events: events.map(EventEntry).collect(),
        next: page.next.map(|next| next.to_string()),
        looked_back_to: page.looked_back_to.map(moment),
        damaged: page.damaged.into_iter().map(|damaged| damaged.reason).collect(),
    }
}

pub(super) fn no_store() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no store keeps events: see `[audit] store`")
}

pub(super) fn fault(error: &AskError) -> Problem {
    let status = match error {
        AskError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        AskError::Busy | AskError::TooLong | AskError::Left => StatusCode::SERVICE_UNAVAILABLE,
        AskError::Cursor => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, error.to_string())
}
