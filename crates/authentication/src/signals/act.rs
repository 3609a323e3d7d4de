//! What an event does to sign-ins.

use super::event_type::EventType;
use super::subject::Subject;
use super::subject_match::{names, selectors};
use super::transmitter::Transmitter;
use crate::clock::Timestamp;
use crate::session::{Concerned, Demand, StoreUnavailable};

impl Transmitter {
    /// What an event asks, as the configuration has it.
    pub(super) fn demand(
        &self,
        kind: EventType,
        said: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<Demand> {
        let asked = kind.asks(said)?;
        Some(self.settings.actions.get(&kind).copied().unwrap_or(asked))
    }

    /// Asks `demand` of the sign-ins that `subject` names and that were made no later than the signal, by whichever clock.
    /// Answers how many; `None` where it can name none.
    pub(super) async fn act(
        &self,
        demand: Demand,
        kind: EventType,
        subject: &Subject,
        issued: Timestamp,
    ) -> Result<Option<usize>, StoreUnavailable> {
        let of_a_session = kind.is_of_a_session();
        let selectors = selectors(&self.settings, subject, of_a_session);
        if selectors.is_empty() {
            return Ok(None);
        }
        let mut met = 0;
        for selector in selectors {
            let (settings, subject, by) = (self.settings.clone(), subject.clone(), selector.clone());
            let includes = move |sign_in: &_| names(&settings, &subject, of_a_session, &by, sign_in);
            let concerned = Concerned {
                selector,
                includes: Box::new(includes),
                signalled: issued,
                made_until: issued + self.settings.leeway,
                by: format!("transmitter {}", self.settings.name),
            };
            met += self.sessions.demand(demand, concerned).await?;
        }
        Ok(Some(met))
    }
}
