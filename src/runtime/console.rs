//! What the console is told of this process.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use super::observe::ReadinessSources;
use crate::console::{Process, ProcessOverview, ProviderShown};
use crate::gate::ProviderCondition;

/// This process.
pub(super) struct ThisProcess {
    begun: Instant,
    sources: Arc<ReadinessSources>,
}

impl ThisProcess {
    /// It begins now.
    pub(super) fn new(sources: Arc<ReadinessSources>) -> Self {
        Self { begun: Instant::now(), sources }
    }
}

impl Process for ThisProcess {
    fn overview(&self) -> ProcessOverview {
        ProcessOverview {
            up: self.begun.elapsed(),
            troubles: self.sources.missing().into_iter().map(|missing| (missing.what, missing.why)).collect(),
            providers: self.sources.gate.providers().into_iter().map(shown).collect(),
        }
    }
}

fn shown(provider: ProviderCondition) -> ProviderShown {
    let ProviderCondition { name, issuer, reason, keys_age, .. } = provider;
    ProviderShown { name: name.to_string(), issuer: issuer.to_string(), trouble: reason, keys_age }
}

impl fmt::Debug for ThisProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThisProcess").finish_non_exhaustive()
    }
}
