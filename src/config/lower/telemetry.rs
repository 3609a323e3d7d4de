//! `[telemetry]`, and collectors of OpenTelemetry: metrics and traces go to one, events to those of sinks of the kind `otlp`.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::secret::Secret;
use crate::sinks::{ExportSettings, OtlpSettings, TlsSettings};
use crate::telemetry::TelemetrySettings;
use crate::trace::Sampler;

use super::Lowering;
use super::value::{is_loopback, url};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{SecretSource, Sink, Telemetry};

/// How often a collector is told what is measured where nothing is said.
const INTERVAL: Duration = Duration::from_secs(15);
pub(super) const COLLECTOR: &str = "https://collector.corp.example:4318";

impl Lowering<'_> {
    pub(super) fn telemetry(&mut self, at: Located<'_, Option<Telemetry>>) -> Option<TelemetrySettings> {
        let at = at.given()?;
        Some(TelemetrySettings { traces: self.sampler(at!(at.sample)) })
    }

    fn sampler(&mut self, at: Located<'_, Option<f64>>) -> Sampler {
        let share = at.value.unwrap_or_default();
        if !(0.0..=1.0).contains(&share) {
            self.fault(
                Diagnostic::new(at.place, "not a share of all traces")
                    .expected("expected a number from 0 (none) to 1 (all), such as 0.01"),
            );
        }
        Sampler::new(share)
    }

    /// Where metrics and traces go.
    pub(super) fn exports(&mut self, at: Located<'_, Option<Telemetry>>) -> Option<ExportSettings> {
        let at = at.given()?;
        let range = Duration::from_secs(1)..=Duration::from_secs(3600);
        let every = self.span(at!(at.interval), INTERVAL, range);
        let headers = self.headers(at!(at.headers));
        let ca = at!(at.ca).given().and_then(|ca| {
            let pem = self.certificates(ca);
            self.keep(pem)
        });
        let Some(address) = at!(at.otlp).given() else {
            self.only_with_a_collector(at);
            return None;
        };
        let found = self.keep(url(address.value, address.place, &["https", "http"], COLLECTOR))?;
        let is_clear = found.scheme() == "http" && !is_loopback(&found);
        if is_clear && at.value.insecure != Some(true) {
            let what = "what the gateway measures and records would go over the network in clear text";
            let expected = "expected `https://`, or `insecure = true` beside it";
            self.fault(Diagnostic::new(address.place, what).expected(expected));
        }
        let tls = TlsSettings { ca, client: None };
        Some(ExportSettings { collector: OtlpSettings { url: found.into(), headers, tls }, every })
    }

    fn only_with_a_collector(&mut self, at: Located<'_, Telemetry>) {
        let keys = [
            ("headers", at.value.headers.is_some(), at!(at.headers).place),
            ("ca", at.value.ca.is_some(), at!(at.ca).place),
            ("interval", at.value.interval.is_some(), at!(at.interval).place),
            ("insecure", at.value.insecure.is_some(), at!(at.insecure).place),
        ];
        for (key, _, place) in keys.into_iter().filter(|(_, given, _)| *given) {
            let expected = format!("expected `otlp = \"{COLLECTOR}\"` or the like beside it");
            self.fault(Diagnostic::new(place, format!("`{key}` without a collector")).expected(expected));
        }
    }

    /// A sink of the kind `otlp`; what holds of all far ends is checked with them.
    pub(super) fn otlp_sink(
        &mut self,
        at: Located<'_, Sink>,
        tls: TlsSettings,
        found: Option<String>,
    ) -> Option<OtlpSettings> {
        let headers = self.headers(at!(at.headers));
        Some(OtlpSettings { url: found?, headers, tls })
    }

    fn headers(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, SecretSource>>>,
    ) -> Vec<(HeaderName, Secret)> {
        let written = at.given().map(Located::entries).unwrap_or_default();
        written.into_iter().filter_map(|(name, at)| self.header(name, at)).collect()
    }

    fn header(&mut self, name: &str, at: Located<'_, SecretSource>) -> Option<(HeaderName, Secret)> {
        let secret = self.secret(at);
        let secret = self.keep(secret)?;
        let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
            let what = format!("{} is no name of a field of HTTP", quoted(name));
            self.fault(Diagnostic::new(at.place, what).expected("expected a name such as `authorization`"));
            return None;
        };
        if HeaderValue::from_str(secret.expose()).is_err() {
            let what = "what stands there cannot be the value of a field of HTTP";
            self.fault(Diagnostic::new(at.place, what).expected("expected one line of printable letters"));
        }
        Some((known, secret))
    }
}
