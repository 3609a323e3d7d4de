//! What operators do to a running gateway, whichever way they come: over the management API or in the console. Each act is
//! done here, and here its line in the log and its event are written, so that no way can forget them.

mod sessions;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::events::{ManagementCalled, Recorder};
use crate::session::Sessions;

/// What operators act on. Cheap to clone.
#[derive(Clone)]
pub struct Operations {
    /// The sessions of this process and its store.
    pub sessions: Sessions,
    /// Where each act is recorded.
    pub recorder: Recorder,
    /// Has the next key of assertions published.
    pub rotate: mpsc::Sender<RotationRequest>,
    /// Asks the process for what a signal asks for; `false` where it has no ear for it, as at its end.
    pub process: Arc<dyn Fn(ProcessRequest) -> bool + Send + Sync>,
}

/// Who acts, and by which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// As the log names them.
    pub operator: String,
    /// Whose word that is, where it is a provider's.
    pub provider: Option<String>,
    /// The request by which they do it, where it came through the gate.
    pub request: Option<String>,
    /// Where they are, where that is known.
    pub client: Option<IpAddr>,
    /// The way.
    pub way: Way,
}

/// By which way an operator comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The management API.
    ManagementApi,
    /// The console.
    Console,
}

/// The words of the log for it.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ManagementApi => "the management API",
            Self::Console => "the console",
        })
    }
}

/// Who did it, in one word for the record.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.provider, self.way) {
            (Some(provider), Way::Console) => write!(f, "{} ({provider}), in the console", self.operator),
            (_, Way::Console) => write!(f, "{}, in the console", self.operator),
            (_, Way::ManagementApi) => f.write_str(&self.operator),
        }
    }
}

/// What can be asked of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessRequest {
    /// As SIGHUP.
    Reload,
    /// As SIGTERM.
    Drain,
}

impl ProcessRequest {
    /// What the record calls the act.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Drain => "drain",
        }
    }
}

/// Where the answer to a rotation goes: the key whose turn comes next, or why there is none.
pub type RotationRequest = oneshot::Sender<Result<NextAssertionKey, String>>;

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

const ENDING: &str = "the process is about to end";

impl Operations {
    /// Asks the process, and says so.
    ///
    /// # Errors
    /// Where it has no ear for it.
    pub fn ask(&self, request: ProcessRequest, by: &Actor, reason: Option<&str>) -> Result<(), NotDone> {
        if !(self.process)(request) {
            return Err(NotDone("the process is busy or about to end".to_owned()));
        }
        let (operator, provider, id) = (&by.operator, by.provider.as_deref(), by.request.as_deref());
        let operation = request.operation();
        tracing::info!(id, operator, provider, operation, reason, "the process was asked over {}", by.way);
        self.record(by, operation, reason);
        Ok(())
    }

    /// Has the next key of assertions published, and says so.
    ///
    /// # Errors
    /// In words, where it cannot be.
    pub async fn rotate(&self, by: &Actor, reason: Option<&str>) -> Result<NextAssertionKey, NotDone> {
        let (answer, answered) = oneshot::channel();
        self.rotate.send(answer).await.map_err(|_| NotDone(ENDING.to_owned()))?;
        let next = answered.await.map_err(|_| NotDone(ENDING.to_owned()))?.map_err(NotDone)?;
        let (operator, provider, id) = (&by.operator, by.provider.as_deref(), by.request.as_deref());
        let (kid, signs_from) = (&next.kid, &next.signs_from);
        tracing::info!(
            id,
            operator,
            provider,
            kid,
            signs_from,
            reason,
            "the next assertion key is published, over {}",
            by.way
        );
        self.record(by, "rotate-assertion-key", reason);
        Ok(next)
    }

    fn record(&self, by: &Actor, operation: &str, reason: Option<&str>) {
        if mutant!(false, "console-act-unrecorded" => true) {
            return;
        }
        self.recorder.emit(&ManagementCalled {
            operator: &by.to_string(),
            operation,
            client: by.client,
            status: 200,
            reason,
            selected: None,
            ended: None,
        });
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_says_who_it_was_and_by_which_way() {
        let actor = |way, provider: Option<&str>| Actor {
            operator: "olga".into(),
            provider: provider.map(str::to_owned),
            request: None,
            client: None,
            way,
        };
        assert_eq!(actor(Way::Console, Some("corp")).to_string(), "olga (corp), in the console");
        assert_eq!(actor(Way::ManagementApi, None).to_string(), "olga");
    }
}
