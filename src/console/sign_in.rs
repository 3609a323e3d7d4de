//! One sign-in: whose, from where, on which hosts, with which claims.

use askama::Template;
use http::StatusCode;
use serde_json::Value;

use super::answer::Visit;
use super::message::Message;
use super::moment::Moment;
use super::place::Section;
use super::process::Process;
use super::sessions::Row;
use super::shell::Shell;
use super::text;
use crate::endpoints::EndpointError;
use crate::identity::{Gap, Gaps, Principal};
use crate::pages::Page;
use crate::session::{IdPrefix, Selector, SessionId, SessionOverview, Sessions, StoreUnavailable};

/// Sessions, groups and claims that are shown at most (invariant 14).
const MOST: usize = 100;

pub(super) async fn page(
    visit: Visit<'_>,
    process: &dyn Process,
    id: SessionId,
) -> Result<Page, EndpointError> {
    let Some(found) = find(process.sessions(), id).await? else {
        return Ok(Message::NoSignIn.page(visit, Some(Section::Sessions)));
    };
    let (shell, now) = (Shell::of(visit, Some(Section::Sessions)), process.now());
    let view = View {
        shell: &shell,
        row: Row::new(&found, visit.person, now),
        expires: Moment::new(found.expires, now),
        person: found.card.as_ref().map(|card| Person::new(&card.principal)),
        sessions: sessions(&found),
    };
    Ok(shell.page(StatusCode::OK, &view))
}

/// The sign-in with this very identifier, if it is not over.
pub(super) async fn find(
    sessions: &Sessions,
    id: SessionId,
) -> Result<Option<SessionOverview>, StoreUnavailable> {
    let Some(prefix) = IdPrefix::parse(&id.to_hex()) else { return Ok(None) };
    let found = sessions.list(&Selector::Id(prefix), None, 1).await?;
    Ok(found.into_iter().find(|found| !sessions.is_over(found)))
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct View<'a> {
    shell: &'a Shell,
    row: Row,
    expires: Moment,
    person: Option<Person>,
    sessions: Vec<SessionRow>,
}

/// Who signed in, in the provider's words.
pub(super) struct Person {
    issuer: String,
    subject: String,
    email: Option<(String, bool)>,
    groups: Vec<String>,
    more_groups: usize,
    acr: Option<String>,
    unknown: Option<String>,
    claims: Vec<(String, String)>,
    more_claims: usize,
}

impl Person {
    fn new(principal: &Principal) -> Self {
        let claim = |(name, value): (&String, &Value)| (text::short(name), written(value));
        Self {
            issuer: text::short(principal.issuer.as_str()),
            subject: text::short(principal.subject.as_str()),
            email: principal.email.as_ref().map(|email| (text::short(&email.address), email.verified)),
            groups: principal.groups.iter().take(MOST).map(|group| text::short(group)).collect(),
            more_groups: principal.groups.len().saturating_sub(MOST),
            acr: principal.acr.as_deref().map(text::short),
            unknown: unknown(principal),
            claims: principal.claims.iter().take(MOST).map(claim).collect(),
            more_claims: principal.claims.len().saturating_sub(MOST),
        }
    }
}

/// What is not known of somebody, for nobody has said it. That there may be other claims goes without saying.
pub(super) fn unknown(principal: &Principal) -> Option<String> {
    let told = Gap::ALL.into_iter().filter(|gap| *gap != Gap::Claims && principal.gaps.has(*gap));
    let told: Gaps = told.collect();
    (!told.is_empty()).then(|| told.to_string())
}

/// Text as it is, everything else as JSON.
fn written(value: &Value) -> String {
    match value {
        Value::String(written) => text::long(written),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            text::long(&value.to_string())
        }
    }
}

struct SessionRow {
    id: String,
    host: String,
    bound: bool,
}

fn sessions(found: &SessionOverview) -> Vec<SessionRow> {
    let row = |(id, host): &(SessionId, String)| SessionRow {
        id: id.to_string(),
        host: text::short(host),
        bound: found.bound.contains(id),
    };
    found.sessions.iter().take(MOST).map(row).collect()
}
