//! What the console is told by the process that it is part of.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::history::Minute;
use crate::identity::Principal;
use crate::operate::Operations;
use crate::policy::{AccessSettings, Explanation};
use crate::reports::{Access, Frame, Question};
use crate::segments::{AskError, Patience, Reader, StoreError, Who};
use crate::session::{SessionEnd, Sessions};
use crate::sinks::Tail;
use crate::telemetry::Outcome;

/// The process, as the console sees it.
pub trait Process: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How it is now.
    fn overview(&self) -> ProcessOverview;

    /// The configured providers, in the order of the configuration.
    fn providers(&self) -> Vec<ProviderShown>;

    /// Requests since the start, by what they were counted under.
    fn requests(&self) -> Vec<Counted>;

    /// What it serves, in the order of the configuration.
    fn apps(&self) -> Vec<AppShown>;

    /// What it would do with a request that nobody sends, by the configuration in force.
    ///
    /// # Errors
    /// In words, where the question cannot be answered.
    fn judge(&self, asked: &Asked) -> Result<Judged, String>;

    /// The configuration in force.
    fn configuration(&self) -> ConfigurationShown;

    /// The configuration as the file has it now. It reads the file, and changes nothing.
    fn on_disk(&self) -> OnDisk;

    /// What operators do.
    fn operations(&self) -> &Operations;

    /// What has happened last.
    fn tail(&self) -> &Tail;

    /// The store that keeps events, for reading; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn store(&self) -> Result<Option<Reader>, StoreError>;

    /// A report of what the store keeps, by the configuration in force; none where there is no store.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    fn report(&self, question: &Question, patience: &Patience) -> Result<Option<Frame>, AskError>;

    /// Where somebody may go by the configuration in force, as far as it is known who they are.
    fn reach(&self, who: &Who) -> Vec<Access>;

    /// The sign-ins of this process and its store.
    fn sessions(&self) -> &Sessions {
        &self.operations().sessions
    }
}

/// How a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessOverview {
    /// For how long it has been running.
    pub up: Duration,
    /// What cannot do its work, each with why, in words for operators.
    pub troubles: Vec<(String, String)>,
    /// The configured providers, in the order of the configuration.
    pub providers: Vec<ProviderShown>,
    /// The servers of all upstreams.
    pub servers: Vec<ServerShown>,
    /// Requests since the start, by what they were counted under.
    pub requests: Vec<Counted>,
    /// Sign-ins that have ended since the start, by reason.
    pub ended: Vec<(SessionEnd, u64)>,
    /// Ends that hold and that the session store has not taken.
    pub endings_waiting: usize,
    /// The published keys of assertions by name, in the order of their turns, each with when it begins to sign.
    pub assertion_keys: Vec<(String, Timestamp)>,
    /// The store that gateways share; `None` where this one is alone.
    pub shared: Option<SharedShown>,
    /// The last hour, minute by minute, the oldest one first.
    pub minutes: Vec<Minute>,
    /// What is wrong with the state file, each in words.
    pub state: Vec<String>,
    /// Who keeps events, the log first.
    pub sinks: Vec<SinkShown>,
    /// Whether it takes no new connections and is about to end.
    pub draining: bool,
}

/// Who keeps events, and how that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkShown {
    /// Its name in the configuration.
    pub name: String,
    /// Events that it has written.
    pub written: u64,
    /// Events that it has lost.
    pub lost: u64,
    /// How long the oldest event that is not written has waited.
    pub behind: Duration,
    /// Bytes that lie on disk until the far end takes them, where it has one, and those that there is room for.
    pub waiting: Option<(u64, u64)>,
    /// Why it cannot write now, where it cannot.
    pub trouble: Option<String>,
    /// What it failed by last, though it may write again.
    pub last_error: Option<String>,
    /// The file that it writes.
    pub file: Option<String>,
}

/// A provider and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderShown {
    /// Its name in the configuration.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why it cannot do its work; `None` where it can.
    pub trouble: Option<String>,
    /// How long ago its keys were fetched.
    pub keys_age: Option<Duration>,
}

/// A server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerShown {
    /// Its address.
    pub server: String,
    /// Whether requests are sent to it.
    pub condition: ServerCondition,
    /// Requests under way.
    pub active: usize,
    /// Connections that wait for a request.
    pub idle: usize,
}

/// Whether requests are sent to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerCondition {
    /// They are.
    Up,
    /// Failures have put it aside for now.
    Ejected,
    /// Its health checks fail.
    Down,
}

/// Requests that were counted under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The route's name; `none` for what no route claims.
    pub route: String,
    /// So many of each outcome, in the order of [`Outcome::ALL`].
    pub counts: [u64; Outcome::ALL.len()],
}

/// The store that gateways share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedShown {
    /// Why it does not answer; `None` where it does.
    pub trouble: Option<String>,
    /// Commands that were done since the start, and that were not.
    pub commands: (u64, u64),
    /// How long ago it was heard what other gateways end.
    pub unheard: Duration,
    /// How often some of that was missed.
    pub gaps: u64,
}

/// What one route does.
#[derive(Clone, Debug, PartialEq)]
pub struct AppShown {
    /// Its name.
    pub name: String,
    /// The hosts that it is for.
    pub host: String,
    /// What their paths begin with.
    pub path: String,
    /// Which methods; all where empty.
    pub methods: Vec<String>,
    /// An address that leads there, where one can be told.
    pub address: Option<String>,
    /// What happens to what is let in, in words.
    pub action: String,
    /// Who may use it.
    pub access: AccessSettings,
    /// What it asks of sessions beside the rules, in words.
    pub session: Option<String>,
    /// Its rates, and what is counted for them.
    pub limits: Vec<LimitShown>,
    /// Requests at once; no bound where not given.
    pub concurrency: Option<usize>,
}

/// A rate of a route, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitShown {
    /// Whom it counts: `address`, `principal`, `route`, `header`.
    pub name: String,
    /// Requests that may come at once.
    pub burst: u32,
    /// Seconds in which so many come back.
    pub window: u64,
    /// How many are at their bound now.
    pub at_bound: usize,
    /// Requests refused since the start.
    pub refused: u64,
}

/// A request that nobody sends.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is asked for, as it was written.
    pub url: String,
    /// How.
    pub method: Method,
    /// From where.
    pub client: IpAddr,
    /// By whom.
    pub person: PersonAsked,
    /// Whether by a session that is bound to its device.
    pub bound: bool,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum PersonAsked {
    /// Somebody who is imagined; nobody where nothing is said of them.
    Imagined {
        /// The provider that vouches; the first one where not given.
        provider: Option<String>,
        /// The user's name.
        user: Option<String>,
        /// Their verified e-mail address.
        email: Option<String>,
        /// Their groups.
        groups: Vec<String>,
        /// The level of their sign-in.
        acr: Option<String>,
    },
    /// Somebody who has signed in.
    Known(Arc<Principal>),
}

/// What would come of a request.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Who was taken to ask.
    pub principal: Option<Arc<Principal>>,
    /// What came of it.
    pub judgement: Judgement,
}

/// What would come of a request.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// It would be refused before any route: why.
    Refused(String),
    /// The gateway itself would answer.
    Own,
    /// A route claims it.
    Route {
        /// Its name.
        route: String,
        /// Its hosts and paths.
        pattern: String,
        /// What it asks of sessions beside the rules, in words.
        session: Option<String>,
        /// Who may, and why.
        decision: Box<Explanation>,
        /// What would follow where it is let in.
        next: String,
        /// The headers that would tell the app who asks.
        headers: Vec<String>,
    },
}

/// A configuration and the one before it.
#[derive(Clone, Debug)]
pub struct ConfigurationShown {
    /// When it was read.
    pub loaded: Timestamp,
    /// The file as it may be shown: no secret is in it.
    pub written: Arc<Value>,
    /// The one that it took the place of in this process, and when that one was read.
    pub before: Option<(Timestamp, Arc<Value>)>,
    /// The reload that was refused last, since this one is in force.
    pub refused: Option<RefusedShown>,
}

/// A reload that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedShown {
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// What is wrong with the file: lines, from 1 (0: the whole file), and words.
    pub findings: Vec<(usize, String)>,
}

/// A configuration as its file has it, whether or not it is in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnDisk {
    /// The file as it may be shown; `None` where it cannot be loaded.
    pub written: Option<Arc<Value>>,
    /// What is doubtful about it, or why it cannot be loaded: lines, from 1 (0: the whole file), and words.
    pub findings: Vec<(usize, String)>,
}
