//! The first page: how the gateway is.

mod hour;
mod shares;
#[cfg(test)]
mod tests;

use std::cmp::{Ordering, Reverse};

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::moment::Moment;
use super::place::{Act, Section};
use super::process::{
    Counted, Process, ProcessOverview, ProviderShown, ServerCondition, ServerShown, SinkShown,
};
use super::shell::Shell;
use super::text;
use crate::clock::Timestamp;
use crate::pages::Page;
use crate::session::SessionEnd;
use hour::Hour;

pub(super) use shares::{Kind, Shares, kind, outcome_in_words};

/// Rows of a table at most (invariant 14).
const MOST: usize = 100;

pub(super) fn page(visit: Visit<'_>, process: &dyn Process) -> Page {
    shown(&Shell::of(visit, Some(Section::Overview)), &process.overview(), process.now())
}

fn shown(shell: &Shell, overview: &ProcessOverview, now: Timestamp) -> Page {
    let begun =
        Moment::new(Timestamp::from_seconds(now.seconds().saturating_sub(overview.up.as_secs())), now);
    let mut routes: Vec<_> = overview.requests.iter().filter(|counted| total(counted) > 0).collect();
    routes.sort_by_key(|counted| Reverse(total(counted)));
    let busiest = routes.first().map_or(0, |counted| total(counted));
    let view = View {
        shell,
        begun,
        up: text::span(overview.up),
        version: env!("CARGO_PKG_VERSION"),
        hour: Hour::of(&overview.minutes),
        hidden: routes.len().saturating_sub(MOST),
        routes: routes.iter().take(MOST).map(|counted| RouteRow::new(counted, busiest)).collect(),
        providers: overview.providers.iter().map(|provider| ProviderRow::new(provider, now)).collect(),
        servers: overview.servers.iter().take(MOST).map(ServerRow::new).collect(),
        away: overview.servers.iter().filter(|server| server.condition != ServerCondition::Up).count(),
        under_way: overview.servers.iter().map(|server| server.active as u64).sum(),
        ends: ends(overview),
        keys: keys(&overview.assertion_keys, now),
        sinks: overview.sinks.iter().map(SinkRow::new).collect(),
        overview,
    };
    shell.page(StatusCode::OK, &view)
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct View<'a> {
    shell: &'a Shell,
    overview: &'a ProcessOverview,
    begun: Moment,
    up: String,
    version: &'static str,
    hour: Hour,
    routes: Vec<RouteRow>,
    hidden: usize,
    providers: Vec<ProviderRow>,
    servers: Vec<ServerRow>,
    /// Servers that requests are not sent to.
    away: usize,
    under_way: u64,
    ends: Vec<(&'static str, String)>,
    keys: Vec<KeyRow>,
    sinks: Vec<SinkRow>,
}

struct RouteRow {
    route: String,
    shares: Shares,
}

impl RouteRow {
    fn new(counted: &Counted, busiest: u64) -> Self {
        let route = if counted.route == "none" { "no route" } else { &counted.route };
        Self { route: text::short(route), shares: Shares::of(counted, busiest) }
    }
}

fn total(counted: &Counted) -> u64 {
    counted.counts.iter().sum()
}

struct ProviderRow {
    name: String,
    issuer: String,
    since: Moment,
    trouble: Option<String>,
    keys: Option<String>,
}

impl ProviderRow {
    fn new(provider: &ProviderShown, now: Timestamp) -> Self {
        Self {
            name: text::short(&provider.name),
            issuer: text::short(&provider.issuer),
            since: Moment::new(provider.since, now),
            trouble: provider.trouble.as_deref().map(text::long),
            keys: provider.keys_age.map(text::span),
        }
    }
}

struct ServerRow {
    server: String,
    class: &'static str,
    state: &'static str,
    active: u64,
    idle: u64,
}

impl ServerRow {
    fn new(shown: &ServerShown) -> Self {
        let (class, state) = match shown.condition {
            ServerCondition::Up => ("good", "up"),
            ServerCondition::Ejected => ("warn", "put aside"),
            ServerCondition::Down => ("bad", "down"),
        };
        let (active, idle) = (shown.active as u64, shown.idle as u64);
        Self { server: text::short(&shown.server), class, state, active, idle }
    }
}

/// Who keeps events.
struct SinkRow {
    name: String,
    class: &'static str,
    state: &'static str,
    /// Where it writes, or why it does not.
    told: Option<String>,
    written: u64,
    lost: u64,
    behind: String,
}

impl SinkRow {
    fn new(shown: &SinkShown) -> Self {
        let (class, state) = match (&shown.trouble, shown.lost) {
            (Some(_), _) => ("bad", "cannot write"),
            (None, 1..) => ("warn", "has lost some"),
            (None, 0) => ("good", "writes"),
        };
        let told = shown.trouble.as_ref().or(shown.file.as_ref()).or(shown.last_error.as_ref());
        Self {
            name: text::short(&shown.name),
            class,
            state,
            told: told.map(|told| text::long(told)),
            written: shown.written,
            lost: shown.lost,
            behind: behind(shown),
        }
    }
}

fn behind(shown: &SinkShown) -> String {
    let span = if shown.behind.as_secs() == 0 { "no".into() } else { text::span(shown.behind) };
    match shown.waiting {
        Some((bytes @ 1.., bound)) => {
            format!("{span}; its room on disk is {} full", hour::percent(shares::thousandths(bytes, bound)))
        }
        Some((0, _)) | None => span,
    }
}

/// A key of assertions.
struct KeyRow {
    kid: String,
    class: &'static str,
    word: &'static str,
    from: Moment,
}

/// The last one whose time has come signs; the first, where a clock has been set back.
fn keys(keys: &[(String, Timestamp)], now: Timestamp) -> Vec<KeyRow> {
    let signing = keys.iter().rposition(|(_, from)| *from <= now).unwrap_or_default();
    let row = |(at, (kid, from)): (usize, &(String, Timestamp))| {
        let (class, word) = match at.cmp(&signing) {
            Ordering::Less => ("off", "still published"),
            Ordering::Equal => ("good", "signs"),
            Ordering::Greater => ("warn", "next"),
        };
        KeyRow {
            kid: format!("{}…", kid.chars().take(10).collect::<String>()),
            class,
            word,
            from: Moment::new(*from, now),
        }
    };
    keys.iter().enumerate().map(row).collect()
}

fn ends(overview: &ProcessOverview) -> Vec<(&'static str, String)> {
    let happened = overview.ended.iter().filter(|(_, count)| *count > 0);
    happened.map(|(why, count)| (end_in_words(*why), text::grouped(*count))).collect()
}

const fn end_in_words(why: SessionEnd) -> &'static str {
    match why {
        SessionEnd::SignedOut => "signed out",
        SessionEnd::Revoked => "no longer vouched for by the provider",
        SessionEnd::Expired => "expired",
        SessionEnd::Administrator => "ended by an operator",
        SessionEnd::SignedOutAtProvider => "signed out at the provider",
        SessionEnd::SignedOutElsewhere => "ended by their person from elsewhere",
        SessionEnd::SignedInElsewhere => "signed in elsewhere, over the bound",
        SessionEnd::Signalled => "ended by a signal",
        SessionEnd::StepUp => "a new sign-in asked for by a signal",
        SessionEnd::StaleClaims => "claims changed by a signal",
        SessionEnd::Unconfirmed => "not confirmed by the shared store",
    }
}
