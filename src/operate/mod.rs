//! What operators do to a running gateway, whichever way they come: over the management API or in the console. Each act is
//! done here, and each is a [`Call`] that records itself, so that no way can forget to.

mod call;
mod people;
mod sessions;

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::events::Recorder;
use crate::session::Sessions;
use crate::sinks::Audit;

pub use call::Call;
pub use people::{
    ErasedBefore, ErasedPerson, FoundPeople, PersonAsked, PersonError, PersonOverview, Pseudonyms,
    ReceivedInClear, SegmentShare,
};

/// What operators act on. Cheap to clone.
#[derive(Clone)]
pub struct Operations {
    /// The sessions of this process and its store.
    pub sessions: Sessions,
    /// Where each act is recorded.
    pub recorder: Recorder,
    /// What keeps the record.
    pub audit: Arc<Audit>,
    /// Has the next key of assertions published.
    pub rotate: mpsc::Sender<RotationRequest>,
    /// Asks the process for what a signal asks for; `false` where it has no ear for it, as at its end.
    pub process: Arc<dyn Fn(ProcessRequest) -> bool + Send + Sync>,
}

/// What can be asked of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessRequest {
    /// As SIGHUP.
    Reload,
    /// As SIGTERM.
    Drain,
}

/// Somebody wants the next key of assertions published.
#[derive(Debug)]
pub struct RotationRequest {
    /// The operator.
    pub by: String,
    /// Where the answer goes: the key whose turn comes next, or why there is none.
    pub answer: oneshot::Sender<Result<NextAssertionKey, String>>,
}

/// A key of assertions that is published and does not sign yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextAssertionKey {
    /// Its name among the published keys (RFC 7638 thumbprint).
    pub kid: String,
    /// From when on it signs (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub signs_from: String,
}

/// Why an act is not done: in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotDone(pub String);

impl Operations {
    /// Asks the process.
    ///
    /// # Errors
    /// Where it has no ear for it.
    pub fn ask(&self, request: ProcessRequest, reason: Option<&str>, call: &Call) -> Result<(), NotDone> {
        call.because(reason);
        let heard = (self.process)(request);
        heard.then_some(()).ok_or_else(|| NotDone("the process is busy or about to end".to_owned()))
    }

    /// Has the next key of assertions published.
    ///
    /// # Errors
    /// In words, where it cannot be.
    pub async fn rotate(&self, reason: Option<&str>, call: &Call) -> Result<NextAssertionKey, NotDone> {
        call.because(reason);
        let ending = || NotDone("the process is about to end".to_owned());
        let (answer, answered) = oneshot::channel();
        let asked = RotationRequest { by: call.operator().to_owned(), answer };
        self.rotate.send(asked).await.map_err(|_| ending())?;
        answered.await.map_err(|_| ending())?.map_err(NotDone)
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
