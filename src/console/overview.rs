//! The first page: how the gateway is.

use std::cmp::{Ordering, Reverse};

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::moment::Moment;
use super::place::Section;
use super::process::{Counted, Process, ProcessOverview, ProviderShown, ServerCondition, ServerShown};
use super::shell::Shell;
use super::text;
use crate::clock::Timestamp;
use crate::pages::Page;
use crate::session::SessionEnd;
use crate::telemetry::Outcome;

/// Rows of a table at most (invariant 14).
const MOST: usize = 100;

pub(super) fn page(visit: Visit<'_>, process: &dyn Process) -> Page {
    let (shell, overview) = (Shell::of(visit, Some(Section::Overview)), process.overview());
    let now = process.now();
    let begun =
        Moment::new(Timestamp::from_seconds(now.seconds().saturating_sub(overview.up.as_secs())), now);
    let mut routes: Vec<_> = overview.requests.iter().filter(|counted| total(counted) > 0).collect();
    routes.sort_by_key(|counted| Reverse(total(counted)));
    let busiest = routes.first().map_or(0, |counted| total(counted));
    let view = View {
        shell: &shell,
        begun,
        up: text::span(overview.up),
        version: env!("CARGO_PKG_VERSION"),
        all: Shares::of(&sum(&overview.requests), 0),
        hidden: routes.len().saturating_sub(MOST),
        routes: routes.iter().take(MOST).map(|counted| RouteRow::new(counted, busiest)).collect(),
        outcomes: outcomes(&sum(&overview.requests)),
        providers: overview.providers.iter().map(|provider| ProviderRow::new(provider, now)).collect(),
        servers: overview.servers.iter().take(MOST).map(ServerRow::new).collect(),
        away: overview.servers.iter().filter(|server| server.condition != ServerCondition::Up).count(),
        under_way: overview.servers.iter().map(|server| server.active as u64).sum(),
        ends: overview
            .ended
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(why, count)| end(*why, *count))
            .collect(),
        ended: overview.ended.iter().map(|(_, count)| count).sum(),
        keys: keys(&overview.assertion_keys, now),
        overview: &overview,
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
    all: Shares,
    routes: Vec<RouteRow>,
    hidden: usize,
    outcomes: Vec<OutcomeRow>,
    providers: Vec<ProviderRow>,
    servers: Vec<ServerRow>,
    /// Servers that requests are not sent to.
    away: usize,
    under_way: u64,
    ends: Vec<(&'static str, String)>,
    ended: u64,
    keys: Vec<KeyRow>,
}

/// Requests by what has become of them, and how long their parts of a bar are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shares {
    /// Let in, or answered by the gateway.
    pub(super) let_in: u64,
    /// Refused, or asked to sign in.
    pub(super) refused: u64,
    /// Failed by somebody else's fault than the client's.
    pub(super) failed: u64,
    /// Left by the client.
    pub(super) left: u64,
    /// Requests that fill the bar.
    full: u64,
}

impl Shares {
    /// `full` requests fill the bar; all of these where that is 0.
    pub(super) fn of(counted: &Counted, full: u64) -> Self {
        let mut shares = Self { full, ..Self::default() };
        for (outcome, count) in Outcome::ALL.into_iter().zip(counted.counts) {
            *shares.part(outcome) += count;
        }
        if full == 0 {
            shares.full = shares.total();
        }
        shares
    }

    const fn part(&mut self, outcome: Outcome) -> &mut u64 {
        match kind(outcome) {
            Kind::LetIn => &mut self.let_in,
            Kind::Refused => &mut self.refused,
            Kind::Failed => &mut self.failed,
            Kind::Left => &mut self.left,
        }
    }

    pub(super) const fn total(&self) -> u64 {
        self.let_in + self.refused + self.failed + self.left
    }

    /// The bar's parts: a class, where it begins and how wide it is, in thousandths of the bar.
    pub(super) fn parts(&self) -> Vec<(&'static str, u64, u64)> {
        let scale = |count: u64| thousandths(count, self.full);
        let (mut before, mut parts) = (0, Vec::new());
        let counts =
            [("ok", self.let_in), ("refused", self.refused), ("failed", self.failed), ("left", self.left)];
        for (class, count) in counts {
            let (begin, end) = (scale(before), scale(before + count));
            parts.push((class, begin, end - begin));
            before += count;
        }
        parts.retain(|(_, _, width)| *width > 0);
        parts
    }

    /// The share of `count` in all, such as `12.5 %`.
    fn percent(&self, count: &u64) -> String {
        let tenths = thousandths(*count, self.total());
        if tenths.is_multiple_of(10) {
            format!("{} %", tenths / 10)
        } else {
            format!("{}.{} %", tenths / 10, tenths % 10)
        }
    }
}

fn thousandths(count: u64, of: u64) -> u64 {
    u64::try_from(u128::from(count) * 1000 / u128::from(of.max(1))).unwrap_or(1000)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    LetIn,
    Refused,
    Failed,
    Left,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::LetIn => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

const fn kind(outcome: Outcome) -> Kind {
    match outcome {
        Outcome::Allowed | Outcome::Public | Outcome::Own => Kind::LetIn,
        Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::Limited
        | Outcome::BadRequest
        | Outcome::NotFound => Kind::Refused,
        Outcome::UpstreamError | Outcome::ProviderError | Outcome::Unavailable => Kind::Failed,
        Outcome::Aborted => Kind::Left,
    }
}

/// What an outcome is called here.
pub(super) const fn outcome_in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "let in by the rules",
        Outcome::Public => "let in, open to anybody",
        Outcome::Own => "answered by the gateway",
        Outcome::Unauthenticated => "asked to sign in",
        Outcome::Forbidden => "forbidden by the rules",
        Outcome::Limited => "over a limit",
        Outcome::BadRequest => "malformed or ambiguous",
        Outcome::NotFound => "no such route or method",
        Outcome::UpstreamError => "the app failed",
        Outcome::ProviderError => "the provider failed",
        Outcome::Unavailable => "could not be decided",
        Outcome::Aborted => "left by the client",
    }
}

struct OutcomeRow {
    words: &'static str,
    class: &'static str,
    count: u64,
    width: u64,
}

fn outcomes(all: &Counted) -> Vec<OutcomeRow> {
    let most = all.counts.iter().copied().max().unwrap_or_default();
    let row = |(outcome, count): (Outcome, u64)| OutcomeRow {
        words: outcome_in_words(outcome),
        class: kind(outcome).class(),
        count,
        width: thousandths(count, most),
    };
    Outcome::ALL.into_iter().zip(all.counts).filter(|(_, count)| *count > 0).map(row).collect()
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

fn sum(all: &[Counted]) -> Counted {
    let mut sum = Counted::default();
    for counted in all {
        sum.counts.iter_mut().zip(counted.counts).for_each(|(sum, count)| *sum += count);
    }
    sum
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

fn end(why: SessionEnd, count: u64) -> (&'static str, String) {
    let words = match why {
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
    };
    (words, text::grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(counts: &[(Outcome, u64)]) -> Counted {
        let mut counted = Counted::default();
        counts.iter().for_each(|(outcome, count)| counted.counts[*outcome as usize] = *count);
        counted
    }

    #[test]
    fn bars_are_as_long_as_their_counts_and_add_up() {
        let some = counted(&[(Outcome::Allowed, 5), (Outcome::Forbidden, 2), (Outcome::UpstreamError, 1)]);
        let shares = Shares::of(&some, 16);
        assert_eq!(shares.parts(), [("ok", 0, 312), ("refused", 312, 125), ("failed", 437, 63)]);
        let whole = Shares::of(&some, 0);
        assert_eq!(whole.parts().iter().map(|(_, _, width)| width).sum::<u64>(), 1000);
        assert_eq!((whole.percent(&5), whole.percent(&0)), ("62.5 %".into(), "0 %".into()));
        assert!(Shares::of(&counted(&[]), 0).parts().is_empty());
        let many = Shares::of(&counted(&[(Outcome::Allowed, u64::MAX)]), 0);
        assert_eq!(many.parts(), [("ok", 0, 1000)]);
    }

    #[test]
    fn one_key_signs_at_a_time() {
        let key = |from| ("k".to_owned(), Timestamp::from_seconds(from));
        let words = |now| {
            let rows = keys(&[key(10), key(20), key(30)], Timestamp::from_seconds(now));
            rows.iter().map(|row| row.word).collect::<Vec<_>>()
        };
        assert_eq!(words(20), ["still published", "signs", "next"]);
        assert_eq!(words(5), ["signs", "next", "next"]);
        assert!(keys(&[], Timestamp::default()).is_empty());
    }

    #[test]
    fn everything_that_is_counted_is_in_one_of_the_parts() {
        let all = Counted { counts: [1; Outcome::ALL.len()], ..Counted::default() };
        assert_eq!(Shares::of(&all, 0).total(), 12);
        assert_eq!(outcomes(&all).len(), 12);
        assert_eq!(sum(&[all.clone(), all]).counts, [2; 12]);
    }
}
