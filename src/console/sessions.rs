//! Who is signed in.

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::fields::Fields;
use super::filter::Filter;
use super::message::Message;
use super::moment::Moment;
use super::place::Section;
use super::process::Process;
use super::shell::Shell;
use super::text;
use crate::clock::Timestamp;
use crate::endpoints::{EndpointError, device_in_words};
use crate::identity::Principal;
use crate::pages::Page;
use crate::session::{SessionId, SessionOverview, Sessions, StoreUnavailable, Wanted};

/// Sign-ins of a page, and those that are looked at for one where a filter leaves some out.
const PAGE: usize = 50;
const LOOKED_AT: u32 = 500;

/// Hosts that are shown in a row (invariant 14).
const FEW: usize = 3;

/// What the list is asked for.
fn asked(query: &str) -> Result<(Filter, Option<SessionId>), String> {
    let fields = Fields::read(query.as_bytes())?;
    let after = fields.text("after")?.map(|id| SessionId::from_hex(&id).ok_or("“after” is no identifier."));
    Ok((Filter::read(&fields)?, after.transpose()?))
}

pub(super) async fn page(
    visit: Visit<'_>,
    process: &dyn Process,
    query: &str,
) -> Result<Page, EndpointError> {
    let providers = process.providers();
    let read = asked(query).and_then(|(filter, after)| Ok((filter.wanted(&providers)?, filter, after)));
    let (wanted, filter, after) = match read {
        Ok(read) => read,
        Err(why) => return Ok(Message::Unclear(why).page(visit, Some(Section::Sessions))),
    };
    let (found, next) = list(process.sessions(), &wanted, after).await?;
    let (shell, now) = (Shell::of(visit, Some(Section::Sessions)), process.now());
    let view = View {
        shell: &shell,
        rows: found.iter().map(|found| Row::new(found, visit.person, now)).collect(),
        next: next.map(|id| filter.query().append_pair("after", &id.to_hex()).finish()),
        first: after.map(|_| filter.query().finish()),
        end: filter.query().finish(),
        providers: providers.iter().map(|provider| provider.name.clone()).collect(),
        filter: &filter,
    };
    Ok(shell.page(StatusCode::OK, &view))
}

/// The sign-ins of a page, and from behind which one the next page begins.
pub(super) async fn list(
    sessions: &Sessions,
    wanted: &Wanted,
    after: Option<SessionId>,
) -> Result<(Vec<SessionOverview>, Option<SessionId>), StoreUnavailable> {
    let (mut found, mut next) = wanted.list(sessions, after, LOOKED_AT).await?;
    found.retain(|overview| !sessions.is_over(overview));
    if found.len() > PAGE {
        found.truncate(PAGE);
        next = found.last().map(|last| last.id);
    }
    Ok((found, next))
}

#[derive(Template)]
#[template(path = "console/sessions.html")]
struct View<'a> {
    shell: &'a Shell,
    filter: &'a Filter,
    providers: Vec<String>,
    rows: Vec<Row>,
    /// The queries of the next page, of the first one where this is another, and of the page that ends them all.
    next: Option<String>,
    first: Option<String>,
    end: String,
}

impl View<'_> {
    fn is_chosen(&self, provider: &str) -> bool {
        self.filter.provider.as_deref() == Some(provider)
    }
}

/// What a table says of a sign-in.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) is_oneself: bool,
    pub(super) provider: String,
    pub(super) device: String,
    pub(super) address: Option<String>,
    hosts: Vec<String>,
    more_hosts: usize,
    pub(super) since: Moment,
    pub(super) last_seen: Moment,
    pub(super) bound: bool,
}

impl Row {
    /// The beginning of its identifier, as the log names it.
    pub(super) fn start(&self) -> &str {
        self.id.get(..8).unwrap_or_default()
    }

    pub(super) fn new(found: &SessionOverview, visitor: &Principal, now: Timestamp) -> Self {
        let card = found.card.as_ref();
        let mut hosts: Vec<_> = found.sessions.iter().map(|(_, host)| text::short(host)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let more_hosts = hosts.len().saturating_sub(FEW);
        hosts.truncate(FEW);
        Self {
            id: found.id.to_hex(),
            user: card.map_or_else(|| "unknown".to_owned(), |card| text::short(&card.principal.user)),
            is_oneself: card.is_some_and(|card| is_oneself(&card.principal, visitor)),
            provider: text::short(&found.provider),
            device: card
                .map_or_else(|| device_in_words(&Default::default()), |card| device_in_words(&card.origin)),
            address: card.and_then(|card| card.origin.address).map(|address| address.to_string()),
            hosts,
            more_hosts,
            since: Moment::new(found.created, now),
            last_seen: Moment::new(found.last_seen, now),
            bound: !found.bound.is_empty(),
        }
    }
}

fn is_oneself(principal: &Principal, visitor: &Principal) -> bool {
    principal.issuer == visitor.issuer && principal.subject == visitor.subject
}
