//! The metrics registry, in the OpenMetrics text that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Lookups, Outcome, RequestStats};
use portcullis_rules::identity::RouteName;

type Labels = Vec<(&'static str, String)>;

/// All that is counted. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    routes: Routes,
    caches: Caches,
    scrapes: Scrapes,
    sign_ins: Family<Labels, Counter>,
    logouts: Family<Labels, Counter>,
    revocations: Family<Labels, Counter>,
    token_checks: Family<Labels, Counter>,
    limits: Family<Labels, Counter>,
    counted_here: Family<Labels, Counter>,
    reloads: Family<Labels, Counter>,
    reauthorizations: Family<Labels, Counter>,
    management_calls: Family<Labels, Counter>,
    bound_sessions: Family<Labels, Counter>,
    signals: Family<Labels, Counter>,
}

/// A value read at the moment of a scrape: JWKS age, upstream state.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// Metric name without the `portcullis_` prefix; one that ends in `_total` is counted since the start.
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
        let mut registry = Registry::with_prefix("portcullis");
        let mut family = |name: &str, help: &str| {
            let family = Family::<Labels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let sign_ins = family("sign_ins", "Sign-ins by provider and result");
        let logouts = family("logouts", "Sign-outs that providers told of, by channel and result");
        let revocations =
            family("token_revocations", "Calls to take tokens back at sign-out by provider and result");
        let token_checks = family("token_checks", "Bearer tokens by result of their check");
        let limits = family("limits_hit", "Requests over a limit by route and limit");
        let counted_here = family(
            "limits_counted_here",
            "Requests that this gateway counted alone, for the shared counts were not at hand, by route and reason",
        );
        let reloads = family("reloads", "Configuration reloads by result");
        let reauthorizations = family("reauthorizations", "Streams judged anew by what came of it");
        let management_calls =
            family("management_calls", "Calls of the management API by operation and status");
        let bound_sessions = family(
            "bound_sessions",
            "What browsers show of the devices of bound sessions, by step and result",
        );
        let signals = family("signals", "Security event tokens by transmitter, event and result");
        let (routes, caches, scrapes) = (Routes::default(), Caches::default(), Scrapes::default());
        registry.register_collector(Box::new(routes.clone()));
        registry.register_collector(Box::new(caches.clone()));
        registry.register_collector(Box::new(scrapes.clone()));
        let registry = Arc::new(registry);
        Self {
            registry,
            routes,
            caches,
            scrapes,
            sign_ins,
            logouts,
            revocations,
            token_checks,
            limits,
            counted_here,
            reloads,
            reauthorizations,
            management_calls,
            bound_sessions,
            signals,
        }
    }

    /// The counts of a route: those that are there already under its name, or new ones.
    #[must_use]
    pub fn route(&self, name: &RouteName, workers: usize) -> Arc<RequestStats> {
        let mut routes = self.routes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = routes.entry(name.clone());
        Arc::clone(stats.or_insert_with(|| Arc::new(RequestStats::new(name.clone(), workers))))
    }

    /// Where values that are read at each scrape come from; replaces the former source of that name.
    pub fn scrape_from(&self, name: &'static str, source: impl Fn() -> Vec<Scrape> + Send + Sync + 'static) {
        self.scrapes.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(source));
    }

    /// Counts a sign-in, by its provider and the word for its result.
    pub fn sign_in(&self, provider: &str, result: &str) {
        self.sign_ins.get_or_create(&labels(("provider", provider), ("result", result))).inc();
    }

    /// Counts a sign-out that a provider tells of, by its name (empty where no provider's is known), by how it was told,
    /// and by the word for what came of it.
    pub fn logout(&self, provider: &str, channel: LogoutChannel, result: &str) {
        let mut labels = labels(("provider", provider), ("channel", channel.as_str()));
        labels.push(("result", result.to_owned()));
        self.logouts.get_or_create(&labels).inc();
    }

    /// Counts a call to take tokens back, by its provider and the word for its result.
    pub fn revocation(&self, provider: &str, result: &str) {
        self.revocations.get_or_create(&labels(("provider", provider), ("result", result))).inc();
    }

    /// Counts the check of a bearer token, by the word for its result.
    pub fn token_check(&self, result: &str) {
        self.token_checks(result).inc();
    }

    /// The counter of one result of checks, to be kept by who checks.
    #[must_use]
    pub fn token_checks(&self, result: &str) -> Counter {
        self.token_checks.get_or_create(&vec![("result", result.to_owned())]).clone()
    }

    /// The look-ups of the cache called `name`: those that are there already, or new ones.
    #[must_use]
    pub fn lookups(&self, name: &'static str) -> Arc<Lookups> {
        Arc::clone(self.caches.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default())
    }

    /// Counts a request over a limit, by its route and the limit's label.
    pub fn limit_hit(&self, route: &str, limit: &str) {
        self.limits.get_or_create(&labels(("route", route), ("limit", limit))).inc();
    }

    /// Counts a request that this replica has counted for itself though all are to count together, by its route and the
    /// word for why.
    pub fn counted_here(&self, route: &str, why: &str) {
        self.counted_here.get_or_create(&labels(("route", route), ("reason", why))).inc();
    }

    /// Counts a reload, by the word for its result.
    pub fn reload(&self, result: &str) {
        self.reloads.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    /// Counts a stream that was judged anew, by the word for what came of it.
    pub fn reauthorization(&self, result: &str) {
        self.reauthorizations.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    /// Counts a call of the management API, by its operation and the status of its answer.
    pub fn management_call(&self, operation: &str, status: &str) {
        self.management_calls.get_or_create(&labels(("operation", operation), ("status", status))).inc();
    }

    /// Counts what a browser shows of the device of a bound session, by the step (`registration`, `refresh`, `request`) and
    /// the word for its result.
    pub fn bound_session(&self, step: &str, result: &str) {
        self.bound_sessions.get_or_create(&labels(("step", step), ("result", result))).inc();
    }

    /// Counts a security event token, by its transmitter, its event (empty where it was not accepted), and the word for what
    /// came of it.
    pub fn signal(&self, transmitter: &str, event: &str, result: &str) {
        let mut labels = labels(("transmitter", transmitter), ("event", event));
        labels.push(("result", result.to_owned()));
        self.signals.get_or_create(&labels).inc();
    }

    /// The OpenMetrics text.
    ///
    /// # Errors
    /// Where a collector cannot be written.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn labels(first: (&'static str, &str), second: (&'static str, &str)) -> Labels {
    vec![(first.0, first.1.to_owned()), (second.0, second.1.to_owned())]
}

impl Collector for Routes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let routes: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        self.encode_counts(&routes, &mut encoder)?;
        let help = "Time from a request's head to the end of its response";
        let mut metric = encoder.encode_descriptor(
            "request_duration",
            help,
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        routes.iter().try_for_each(|stats| {
            let buckets = stats.buckets();
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_family(&[("route", stats.route().as_str())])?.encode_histogram::<NoLabelSet>(
                stats.seconds(),
                count,
                &buckets,
                None,
            )
        })
    }
}

impl Routes {
    fn encode_counts(
        &self,
        routes: &[Arc<RequestStats>],
        encoder: &mut DescriptorEncoder<'_>,
    ) -> Result<(), fmt::Error> {
        let help = "Requests by route and outcome";
        let mut metric = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        let counted = routes.iter().flat_map(|stats| Outcome::ALL.map(|outcome| (stats, outcome)));
        counted.filter(|(stats, outcome)| stats.count(*outcome) > 0).try_for_each(|(stats, outcome)| {
            let labels = [("route", stats.route().as_str()), ("outcome", outcome.as_str())];
            ConstCounter::new(stats.count(outcome)).encode(metric.encode_family(&labels)?)
        })
    }
}

impl Collector for Caches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let caches = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let help = "Lookups by cache and result";
        let mut metric = encoder.encode_descriptor("cache_lookups", help, None, MetricType::Counter)?;
        caches.iter().try_for_each(|(cache, lookups)| {
            let (hits, misses) = lookups.totals();
            [("hit", hits), ("miss", misses)].iter().try_for_each(|(result, count)| {
                ConstCounter::new(*count)
                    .encode(metric.encode_family(&[("cache", *cache), ("result", *result)])?)
            })
        })
    }
}

impl Collector for Scrapes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut values: Vec<Scrape> = sources.values().flat_map(|source| source()).collect();
        // OpenMetrics wants all values of one metric together.
        values.sort_by_key(|scrape| scrape.name);
        values.chunk_by(|a, b| a.name == b.name).try_for_each(|family| {
            let (name, kind) = match family[0].name.strip_suffix("_total") {
                Some(name) => (name, MetricType::Counter),
                None => (family[0].name, MetricType::Gauge),
            };
            let mut metric = encoder.encode_descriptor(name, family[0].help, None, kind)?;
            family.iter().try_for_each(|scrape| {
                if matches!(kind, MetricType::Counter) {
                    let labels: Vec<_> = scrape.labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
                    return ConstCounter::new(scrape.value).encode(metric.encode_family(&labels)?);
                }
                if scrape.labels.is_empty() {
                    return metric.encode_gauge(&scrape.value); // a family would write empty braces
                }
                let labels: Vec<_> = scrape.labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
                ConstGauge::new(scrape.value).encode(metric.encode_family(&labels)?)
            })
        })
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
        metrics.scrape_from("providers", || {
            vec![Scrape {
                name: "jwks_age_seconds",
                help: "Age",
                labels: vec![("provider", "corp".into())],
                value: 7.0,
            }]
        });
        let text = metrics.render().unwrap();
        for line in [
            "portcullis_requests_total{route=\"wiki\",outcome=\"allowed\"} 1",
            "portcullis_request_duration_seconds_count{route=\"wiki\"} 1",
            "portcullis_request_duration_seconds_bucket{le=\"+Inf\",route=\"wiki\"} 1",
            "portcullis_sign_ins_total{provider=\"corp\",result=\"ok\"} 1",
            "portcullis_jwks_age_seconds{provider=\"corp\"} 7",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
