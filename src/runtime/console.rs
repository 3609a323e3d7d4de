//! What the console is told of this process.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::assertion_keys::KeyTurns;
use super::in_force::InForce;
use super::observe::ReadinessSources;
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Finding, Settings, SystemSources};
use crate::console::{
    AppShown, Asked, ConfigurationShown, Counted, Judged, Judgement, LimitShown, OnDisk, PersonAsked,
    Process, ProcessOverview, ProviderShown, RefusedShown, ServerCondition, ServerShown, SinkShown,
};
use crate::forward::ServerState;
use crate::gate::{
    Explained, Explainer, GateSettings, Imagined, ImaginedPerson, ProviderCondition, RouteSettings, path_of,
};
use crate::history::{Counters, History, until_next_minute};
use crate::limit::LimitUsage;
use crate::operate::Operations;
use crate::reports::{self, Access, Frame, Question, Reach};
use crate::route::HostPattern;
use crate::segments::{AskError, Patience, Reader, StoreError, Who};
use crate::sinks::{SinkHealth, Tail};
use crate::telemetry::{Metrics, Outcome, RequestStats};

/// The settings in force, and the ones before them.
#[derive(Debug)]
pub(super) struct Loaded {
    at: Timestamp,
    file: PathBuf,
    gate: Explainer,
    written: Arc<Value>,
    before: Option<(Timestamp, Arc<Value>)>,
    /// The reload that was refused last, since these are in force.
    refused: Mutex<Option<RefusedShown>>,
}

impl Loaded {
    /// Those that the process begins with.
    pub(super) fn first(settings: &Settings) -> Self {
        let (at, gate) = (Clock::system().now(), Explainer::new(settings.gate()));
        let (file, written) = (settings.file.clone(), Arc::clone(&settings.written));
        Self { at, file, gate, written, before: None, refused: Mutex::default() }
    }

    /// A reload was refused, for this reason; what is wrong with the file is read off it once more.
    pub(super) fn refuse(&self, reason: &str) {
        let findings = self.on_disk().findings;
        let refused = RefusedShown { at: Clock::system().now(), reason: reason.to_owned(), findings };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
    }

    /// The configuration as its file has it now.
    fn on_disk(&self) -> OnDisk {
        match config::load(&self.file, &SystemSources) {
            Ok((settings, report)) => OnDisk {
                written: Some(settings.written),
                findings: report.warnings.iter().map(finding).collect(),
            },
            Err(report) => OnDisk { written: None, findings: report.faults.iter().map(finding).collect() },
        }
    }

    /// Those that a reload puts in the place of these. Where the file says the same, as after a new certificate, those
    /// before these are still the last that were others.
    pub(super) fn replaced_by(&self, settings: &Settings) -> Self {
        let before = match settings.written == self.written {
            true => self.before.clone(),
            false => Some((self.at, Arc::clone(&self.written))),
        };
        Self { before, ..Self::first(settings) }
    }

    /// Answers a question to a store by these settings; none where there is no store.
    pub(super) fn report(
        &self,
        question: &Question,
        reader: Option<Reader>,
        patience: &Patience,
    ) -> Result<Option<Frame>, AskError> {
        let in_force = self.in_force();
        let answer = |reader| reports::answer(question, &reader, &in_force.known(None), patience);
        reader.map(answer).transpose()
    }

    fn in_force(&self) -> InForce {
        InForce::new(self.gate.settings(), Clock::system().now())
    }
}

/// This process.
pub(super) struct ThisProcess {
    begun: Instant,
    sources: Arc<ReadinessSources>,
    operations: Operations,
    loaded: watch::Receiver<Arc<Loaded>>,
    assertion_keys: watch::Receiver<KeyTurns>,
    history: Arc<History>,
    tail: Tail,
}

impl ThisProcess {
    /// It begins now.
    pub(super) fn new(
        sources: Arc<ReadinessSources>,
        operations: Operations,
        (loaded, assertion_keys, history): (
            watch::Receiver<Arc<Loaded>>,
            watch::Receiver<KeyTurns>,
            Arc<History>,
        ),
    ) -> Self {
        let tail = sources.audit.tail();
        Self { begun: Instant::now(), sources, operations, loaded, assertion_keys, history, tail }
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.borrow())
    }
}

impl Process for ThisProcess {
    fn now(&self) -> Timestamp {
        Clock::system().now()
    }

    fn overview(&self) -> ProcessOverview {
        let gate = &self.sources.gate;
        ProcessOverview {
            up: self.begun.elapsed(),
            troubles: self.sources.missing().into_iter().map(|missing| (missing.what, missing.why)).collect(),
            providers: self.providers(),
            servers: gate.servers().into_iter().map(server).collect(),
            requests: self.requests(),
            ended: self.operations.sessions.ends().collect(),
            endings_waiting: self.operations.sessions.endings_waiting(),
            minutes: self.history.minutes(self.now(), &counters(&gate.metrics())),
            state: self.sources.state.troubles(),
            sinks: self.sources.audit.health().into_iter().map(sink).collect(),
            draining: self.sources.draining.has_begun(),
            assertion_keys: self.assertion_keys.borrow().clone(),
            shared: self.sources.shared.as_ref().map(|shared| shared.shown()),
        }
    }

    fn providers(&self) -> Vec<ProviderShown> {
        self.sources.gate.providers().into_iter().map(provider).collect()
    }

    fn requests(&self) -> Vec<Counted> {
        self.sources.gate.counts().iter().map(|stats| counted(stats)).collect()
    }

    fn apps(&self) -> Vec<AppShown> {
        let (loaded, mut limits) = (self.loaded(), self.sources.gate.limits());
        let gate = loaded.gate.settings();
        gate.routes.iter().map(|route| app(route, gate, limits.remove(route.name.as_str()))).collect()
    }

    fn judge(&self, asked: &Asked) -> Result<Judged, String> {
        judge(&self.loaded().gate, asked)
    }

    fn configuration(&self) -> ConfigurationShown {
        let loaded = self.loaded();
        let (written, before) = (Arc::clone(&loaded.written), loaded.before.clone());
        let refused = loaded.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ConfigurationShown { loaded: loaded.at, written, before, refused }
    }

    fn on_disk(&self) -> OnDisk {
        self.loaded().on_disk()
    }

    fn operations(&self) -> &Operations {
        &self.operations
    }

    fn tail(&self) -> &Tail {
        &self.tail
    }

    fn store(&self) -> Result<Option<Reader>, StoreError> {
        self.sources.audit.store()
    }

    fn report(&self, question: &Question, patience: &Patience) -> Result<Option<Frame>, AskError> {
        self.loaded().report(question, self.store()?, patience)
    }

    fn reach(&self, who: &Who) -> Vec<Access> {
        self.loaded().in_force().reach(who)
    }
}

/// Without the line itself, which may hold a secret.
fn finding(finding: &Finding) -> (usize, String) {
    let Finding { message, expected, help, line, .. } = finding;
    let more = Some(expected).filter(|expected| !expected.is_empty()).into_iter().chain(help);
    (*line, more.fold(message.clone(), |all, more| all + "; " + more))
}

/// Notes what has been counted whenever a minute begins.
pub(super) async fn keep(history: Arc<History>, metrics: Metrics) {
    let clock = Clock::system();
    loop {
        tokio::time::sleep(until_next_minute(&clock)).await;
        history.note(clock.now(), counters(&metrics));
    }
}

fn counters(metrics: &Metrics) -> Counters {
    let mut all = Counters { sign_ins: metrics.sign_ins(), ..Counters::default() };
    for stats in metrics.routes() {
        let counts = Outcome::ALL.map(|outcome| stats.count(outcome));
        all.outcomes.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        all.latencies.iter_mut().zip(stats.latencies()).for_each(|(all, count)| *all += count);
    }
    all
}

fn sink(sink: SinkHealth) -> SinkShown {
    let SinkHealth { name, written, lost, behind, trouble, waiting, last_error, file, since: _ } = sink;
    let waiting = waiting.map(|waiting| (waiting.bytes, waiting.bound));
    let file = file.map(|file| file.to_string_lossy().into_owned());
    SinkShown { name: name.to_string(), written, lost, behind, waiting, trouble, last_error, file }
}

fn provider(provider: ProviderCondition) -> ProviderShown {
    let ProviderCondition { name, issuer, since, reason, keys_age, .. } = provider;
    ProviderShown { name: name.to_string(), issuer: issuer.to_string(), since, trouble: reason, keys_age }
}

fn server(state: ServerState) -> ServerShown {
    let ServerState { server, up, ejected, active, idle } = state;
    let condition = match (up, ejected) {
        (false, _) => ServerCondition::Down,
        (true, true) => ServerCondition::Ejected,
        (true, false) => ServerCondition::Up,
    };
    ServerShown { server: server.to_string(), condition, active, idle }
}

fn counted(stats: &RequestStats) -> Counted {
    Counted { route: stats.route().to_string(), counts: Outcome::ALL.map(|outcome| stats.count(outcome)) }
}

fn app(route: &RouteSettings, gate: &GateSettings, limits: Option<Vec<LimitUsage>>) -> AppShown {
    let limit = |LimitUsage { name, burst, window, at_bound, refused, keys: _ }| LimitShown {
        name,
        burst,
        window,
        at_bound,
        refused,
    };
    AppShown {
        name: route.name.to_string(),
        host: route.pattern.host.to_string(),
        path: route.pattern.path.to_string(),
        methods: route.pattern.methods.iter().map(Method::to_string).collect(),
        address: address(route, gate),
        action: route.action_in_words(),
        access: route.access.clone(),
        session: route.session_in_words(),
        limits: limits.unwrap_or_default().into_iter().map(limit).collect(),
        concurrency: route.concurrency,
    }
}

/// By the scheme of `public_url`, and by its port where the route names none.
fn address(route: &RouteSettings, gate: &GateSettings) -> Option<String> {
    let public = gate.relying_party.public_url.as_ref();
    let scheme = public.map_or("http", Url::scheme);
    let host = match (&route.pattern.host, public) {
        (HostPattern::Any, Some(public)) => public.host_str()?.to_owned(),
        (HostPattern::Any | HostPattern::Wildcard(..), _) => return None,
        (HostPattern::Exact(host, _), _) => host.clone(),
    };
    let port = match &route.pattern.host {
        HostPattern::Exact(_, Some(port)) => Some(*port),
        HostPattern::Exact(_, None) | HostPattern::Any | HostPattern::Wildcard(..) => {
            public.and_then(Url::port)
        }
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}{}", route.pattern.path))
}

fn judge(gate: &Explainer, asked: &Asked) -> Result<Judged, String> {
    let imagined = imagined(gate.settings(), asked)?;
    let judgement = match gate.explain(&imagined) {
        Explained::Refused(why) => Judgement::Refused(why),
        Explained::Own => Judgement::Own,
        Explained::Route { route, decision, action } => Judgement::Route {
            route: route.name.to_string(),
            pattern: format!("{}{}", route.pattern.host, route.pattern.path),
            session: route.session_in_words(),
            decision: Box::new(decision),
            next: action.in_words(),
            headers: action.headers(&imagined),
        },
    };
    Ok(Judged { principal: imagined.principal, judgement })
}

fn imagined(gate: &GateSettings, asked: &Asked) -> Result<Imagined, String> {
    let url = Url::parse(&asked.url).map_err(|error| format!("{}: not an address: {error}", asked.url))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{}: not an address of http or https", asked.url));
    }
    let now = Clock::system().now();
    let principal = match &asked.person {
        PersonAsked::Known(principal) => Some(Arc::clone(principal)),
        PersonAsked::Imagined { provider, user, email, groups, acr } => {
            let person = ImaginedPerson {
                user: user.clone(),
                email: email.clone(),
                groups: groups.clone(),
                acr: acr.clone(),
                provider: provider.clone(),
                ..ImaginedPerson::default()
            };
            person.principal(&gate.relying_party.providers, now)?.map(Arc::new)
        }
    };
    let (path, method) = (path_of(&asked.url).to_owned(), asked.method.clone());
    Ok(Imagined { url, path, method, client: asked.client, principal, now, bound: Some(asked.bound) })
}

impl fmt::Debug for ThisProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThisProcess").finish_non_exhaustive()
    }
}
