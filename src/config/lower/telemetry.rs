//! `[telemetry]`.

use crate::telemetry::TelemetrySettings;
use crate::trace::Sampler;

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::Telemetry;

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
}
