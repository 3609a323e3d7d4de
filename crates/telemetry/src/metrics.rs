//! All that is counted and measured, and where it is gathered for a scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::counter::LabelledCounter;
use super::family::{Family, Histogram, Labels, Points, as_value};
use super::{Counter, Exposition, Lookups, Outcome, RequestStats};
use portcullis_rules::identity::RouteName;

/// All that is counted. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    routes: Routes,
    caches: Caches,
    scrapes: Scrapes,
    sign_ins: LabelledCounter,
    sign_in_counts: Arc<SignInCounts>,
    logouts: LabelledCounter,
    revocations: LabelledCounter,
    token_checks: LabelledCounter,
    limits: LabelledCounter,
    counted_here: LabelledCounter,
    reloads: LabelledCounter,
    reauthorizations: LabelledCounter,
    management_calls: LabelledCounter,
    bound_sessions: LabelledCounter,
    signals: LabelledCounter,
}

/// A value read at the moment of a scrape: JWKS age, upstream state.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// Metric name without the `portcullis_` prefix. What only grows since the start ends with `_total`.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Names and values of labels, besides the metric's name.
    pub labels: Vec<(&'static str, String)>,
    /// The value at the moment of the scrape.
    pub value: f64,
}

/// How a provider tells of a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutChannel {
    /// Server to server (OpenID Connect Back-Channel Logout 1.0).
    Back,
    /// Through the person's browser (OpenID Connect Front-Channel Logout 1.0).
    Front,
}

impl LogoutChannel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Front => "front",
        }
    }
}

/// Sign-ins of all providers together.
#[derive(Debug, Default)]
struct SignInCounts {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

type ScrapeSource = Arc<dyn Fn() -> Vec<Scrape> + Send + Sync>;

#[derive(Clone, Debug, Default)]
struct Routes(Arc<Mutex<BTreeMap<RouteName, Arc<RequestStats>>>>);

#[derive(Clone, Debug, Default)]
struct Caches(Arc<Mutex<BTreeMap<&'static str, Arc<Lookups>>>>);

#[derive(Clone, Default)]
struct Scrapes(Arc<Mutex<BTreeMap<&'static str, ScrapeSource>>>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let family = LabelledCounter::new;
        Self {
            routes: Routes::default(),
            caches: Caches::default(),
            scrapes: Scrapes::default(),
            sign_ins: family("sign_ins", "Sign-ins by provider and result"),
            sign_in_counts: Arc::default(),
            logouts: family("logouts", "Sign-outs that providers told of, by channel and result"),
            revocations: family(
                "token_revocations",
                "Calls to take tokens back at sign-out by provider and result",
            ),
            token_checks: family("token_checks", "Bearer tokens by result of their check"),
            limits: family("limits_hit", "Requests over a limit by route and limit"),
            counted_here: family(
                "limits_counted_here",
                "Requests that this gateway counted alone, for the shared counts were not at hand, by route and reason",
            ),
            reloads: family("reloads", "Configuration reloads by result")
                .with_zeros("result", ["ok", "refused"]),
            reauthorizations: family("reauthorizations", "Streams judged anew by what came of it"),
            management_calls: family(
                "management_calls",
                "Calls of the management API by operation and status",
            ),
            bound_sessions: family(
                "bound_sessions",
                "What browsers show of the devices of bound sessions, by step and result",
            ),
            signals: family("signals", "Security event tokens by transmitter, event and result"),
        }
    }

    /// The counts of a route: those that are there already under its name, or new ones.
    #[must_use]
    pub fn route(&self, name: &RouteName, workers: usize) -> Arc<RequestStats> {
        let mut routes = self.routes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = routes.entry(name.clone());
        Arc::clone(stats.or_insert_with(|| Arc::new(RequestStats::new(name.clone(), workers))))
    }

    /// The counts of every route that has ever been counted, those that a reload has taken away with them.
    #[must_use]
    pub fn routes(&self) -> Vec<Arc<RequestStats>> {
        self.routes.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Where values that are read at each scrape come from; replaces the former source of that name.
    pub fn scrape_from(&self, name: &'static str, source: impl Fn() -> Vec<Scrape> + Send + Sync + 'static) {
        self.scrapes.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(source));
    }

    /// Counts a sign-in, by its provider and the word for its result.
    pub fn sign_in(&self, provider: &str, result: &str) {
        self.sign_ins.of(labels(("provider", provider), ("result", result))).inc();
        let SignInCounts { succeeded, failed } = &*self.sign_in_counts;
        (if result == "ok" { succeeded } else { failed }).fetch_add(1, Relaxed);
    }

    /// Sign-ins that succeeded since the start, and those that failed, with all providers.
    #[must_use]
    pub fn sign_ins(&self) -> (u64, u64) {
        let SignInCounts { succeeded, failed } = &*self.sign_in_counts;
        (succeeded.load(Relaxed), failed.load(Relaxed))
    }

    /// Counts a sign-out that a provider tells of, by its name (empty where no provider's is known), by how it was told,
    /// and by the word for what came of it.
    pub fn logout(&self, provider: &str, channel: LogoutChannel, result: &str) {
        let mut labels = labels(("provider", provider), ("channel", channel.as_str()));
        labels.push(("result", result.to_owned()));
        self.logouts.of(labels).inc();
    }

    /// Counts a call to take tokens back, by its provider and the word for its result.
    pub fn revocation(&self, provider: &str, result: &str) {
        self.revocations.of(labels(("provider", provider), ("result", result))).inc();
    }

    /// Counts the check of a bearer token, by the word for its result.
    pub fn token_check(&self, result: &str) {
        self.token_checks(result).inc();
    }

    /// The counter of one result of checks, to be kept by who checks.
    #[must_use]
    pub fn token_checks(&self, result: &str) -> Counter {
        self.token_checks.of(vec![("result", result.to_owned())])
    }

    /// The look-ups of the cache called `name`: those that are there already, or new ones.
    #[must_use]
    pub fn lookups(&self, name: &'static str) -> Arc<Lookups> {
        Arc::clone(self.caches.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default())
    }

    /// Counts a request over a limit, by its route and the limit's label.
    pub fn limit_hit(&self, route: &str, limit: &str) {
        self.limits.of(labels(("route", route), ("limit", limit))).inc();
    }

    /// Counts a request that this replica has counted for itself though all are to count together, by its route and the
    /// word for why.
    pub fn counted_here(&self, route: &str, why: &str) {
        self.counted_here.of(labels(("route", route), ("reason", why))).inc();
    }

    /// Counts a reload, by the word for its result.
    pub fn reload(&self, result: &str) {
        self.reloads.of(vec![("result", result.to_owned())]).inc();
    }

    /// Counts a stream that was judged anew, by the word for what came of it.
    pub fn reauthorization(&self, result: &str) {
        self.reauthorizations.of(vec![("result", result.to_owned())]).inc();
    }

    /// Counts a call of the management API, by its operation and the status of its answer.
    pub fn management_call(&self, operation: &str, status: &str) {
        self.management_calls.of(labels(("operation", operation), ("status", status))).inc();
    }

    /// Counts what a browser shows of the device of a bound session, by the step (`registration`, `refresh`, `request`) and
    /// the word for its result.
    pub fn bound_session(&self, step: &str, result: &str) {
        self.bound_sessions.of(labels(("step", step), ("result", result))).inc();
    }

    /// Counts a security event token, by its transmitter, its event (empty where it was not accepted), and the word for what
    /// came of it.
    pub fn signal(&self, transmitter: &str, event: &str, result: &str) {
        let mut labels = labels(("transmitter", transmitter), ("event", event));
        labels.push(("result", result.to_owned()));
        self.signals.of(labels).inc();
    }

    /// Everything that there is to tell now.
    #[must_use]
    pub fn gather(&self) -> Vec<Family> {
        let counted = [
            &self.sign_ins,
            &self.logouts,
            &self.revocations,
            &self.token_checks,
            &self.limits,
            &self.counted_here,
            &self.reloads,
            &self.reauthorizations,
            &self.management_calls,
            &self.bound_sessions,
            &self.signals,
        ];
        let counted = counted.into_iter().map(LabelledCounter::family);
        let measured = self.routes.families().into_iter().chain([self.caches.family()]);
        counted.chain(measured).chain(self.scrapes.families()).collect()
    }

    /// The text of it.
    ///
    /// # Errors
    /// Never: it is written to memory.
    pub fn render(&self, exposition: Exposition) -> Result<String, fmt::Error> {
        exposition.write(&self.gather())
    }
}

fn labels(first: (&'static str, &str), second: (&'static str, &str)) -> Labels {
    vec![(first.0, first.1.to_owned()), (second.0, second.1.to_owned())]
}

impl Routes {
    fn families(&self) -> [Family; 2] {
        let routes: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        [
            Family {
                name: "requests",
                help: "Requests by route and outcome",
                points: Points::Counter(routes.iter().flat_map(|stats| outcomes(stats)).collect()),
            },
            Family {
                name: "request_duration_seconds",
                help: "Time from a request's head to the end of its response",
                points: Points::Histogram(routes.iter().map(|stats| duration(stats)).collect()),
            },
        ]
    }
}

/// What has come of a route's requests, where anything has.
fn outcomes(stats: &RequestStats) -> impl Iterator<Item = (Labels, f64)> {
    let counts = Outcome::ALL.map(|outcome| (outcome, stats.count(outcome)));
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(outcome, count)| {
        (labels(("route", stats.route().as_str()), ("outcome", outcome.as_str())), as_value(count))
    })
}

fn duration(stats: &RequestStats) -> (Labels, Histogram) {
    let histogram = Histogram { buckets: stats.buckets(), sum: stats.seconds() };
    (vec![("route", stats.route().to_string())], histogram)
}

impl Caches {
    fn family(&self) -> Family {
        let caches = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let results = caches.iter().flat_map(|(cache, lookups)| {
            let (hits, misses) = lookups.totals();
            [("hit", hits), ("miss", misses)]
                .map(|(result, count)| (labels(("cache", cache), ("result", result)), as_value(count)))
        });
        let points = Points::Counter(results.collect());
        Family { name: "cache_lookups", help: "Lookups by cache and result", points }
    }
}

impl Scrapes {
    /// All values of one metric together, whichever sources they come from.
    fn families(&self) -> Vec<Family> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut values: Vec<Scrape> = sources.values().flat_map(|source| source()).collect();
        values.sort_by_key(|scrape| scrape.name);
        values.chunk_by(|a, b| a.name == b.name).map(family).collect()
    }
}

fn family(values: &[Scrape]) -> Family {
    let (name, help) = (values[0].name, values[0].help);
    let values = values.iter().map(|scrape| (scrape.labels.clone(), scrape.value)).collect();
    match name.strip_suffix("_total") {
        Some(name) => Family { name, help, points: Points::Counter(values) },
        None => Family { name, help, points: Points::Gauge(values) },
    }
}

impl fmt::Debug for Scrapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrapes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let metrics = Metrics::new();
        let route = metrics.route(&RouteName::new("wiki"), 2);
        route.record(1, Outcome::Allowed, Duration::from_millis(3));
        assert!(Arc::ptr_eq(&route, &metrics.route(&RouteName::new("wiki"), 2)), "a reload keeps the counts");
        metrics.sign_in("corp", "ok");
        metrics.sign_in("corp", "expired");
        metrics.sign_in("partner", "ok");
        assert_eq!(metrics.sign_ins(), (2, 1));
        metrics.scrape_from("providers", || {
            vec![Scrape {
                name: "jwks_age_seconds",
                help: "Age",
                labels: vec![("provider", "corp".into())],
                value: 7.0,
            }]
        });
        metrics.scrape_from("sinks", || {
            vec![Scrape { name: "sink_lost_total", help: "Lost", labels: Vec::new(), value: 2.0 }]
        });
        let text = metrics.render(Exposition::Text).unwrap();
        for line in [
            "portcullis_requests_total{route=\"wiki\",outcome=\"allowed\"} 1",
            "portcullis_request_duration_seconds_count{route=\"wiki\"} 1",
            "portcullis_request_duration_seconds_bucket{route=\"wiki\",le=\"+Inf\"} 1",
            "portcullis_sign_ins_total{provider=\"corp\",result=\"ok\"} 1",
            "portcullis_jwks_age_seconds{provider=\"corp\"} 7",
            "# TYPE portcullis_sink_lost_total counter\nportcullis_sink_lost_total 2",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
