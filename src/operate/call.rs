//! What an operator has asked for, and its record: told once when all of it is over, whether or not anybody has waited.

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use crate::events::{ManagementCalled, OwnedCaller, RecordRead, Recorder};
use crate::identity::RequestId;
use crate::session::{EndCause, SessionEnd};

/// What is told of a call whose caller has not waited.
const LEFT: u16 = 499;

/// A call. Its clones are the same call, whose record is told by the last one's end.
#[derive(Clone, Debug)]
pub struct Call(Arc<Record>);

/// What a call is about: the gateway, or what the record tells of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Gateway,
    Record,
}

#[derive(Debug)]
struct Record {
    about: About,
    operation: &'static str,
    operator: String,
    caller: OwnedCaller,
    recorder: Recorder,
    status: AtomicU16,
    told: Mutex<Told>,
}

/// What is told of a call beside its status.
#[derive(Debug, Default)]
struct Told {
    reason: Option<String>,
    ended: Option<u64>,
}

impl Call {
    /// A call of `operator`'s, by the request of `caller`.
    #[must_use]
    pub fn begin(operation: &'static str, operator: String, caller: OwnedCaller, recorder: Recorder) -> Self {
        Self::about(About::Gateway, operation, operator, (caller, recorder))
    }

    /// The same of a call that looks at the record.
    #[must_use]
    pub fn reading(
        operation: &'static str,
        operator: String,
        caller: OwnedCaller,
        recorder: Recorder,
    ) -> Self {
        Self::about(About::Record, operation, operator, (caller, recorder))
    }

    fn about(
        about: About,
        operation: &'static str,
        operator: String,
        (caller, recorder): (OwnedCaller, Recorder),
    ) -> Self {
        let status = AtomicU16::new(LEFT);
        Self(Arc::new(Record {
            about,
            operation,
            operator,
            caller,
            recorder,
            status,
            told: Mutex::default(),
        }))
    }

    /// The id under which it is recorded.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.0.caller.id
    }

    /// The address that it came from; none over the unix socket.
    #[must_use]
    pub fn client(&self) -> Option<std::net::IpAddr> {
        self.0.caller.client
    }

    /// Who calls, as the record names them.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.0.operator
    }

    /// What it came to.
    pub fn is_answered(&self, status: StatusCode) {
        self.0.status.store(status.as_u16(), Relaxed);
    }

    /// What ends the sign-ins that it is to end.
    pub(super) fn end(&self) -> EndCause {
        EndCause::by(SessionEnd::Administrator, &self.0.operator).asked_in(self.0.caller.clone())
    }

    /// What is asked for, and why.
    pub fn because(&self, reason: Option<&str>) {
        self.told().reason = reason.map(str::to_owned);
    }

    /// So many sign-ins have ended.
    pub(super) fn has_ended(&self, sign_ins: usize) {
        self.told().ended = u64::try_from(sign_ins).ok();
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let told = self.told.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (operator, operation, status) = (&*self.operator, self.operation, *self.status.get_mut());
        let (id, client, reason) =
            (Some(self.caller.id.as_str()), self.caller.client, told.reason.as_deref());
        match self.about {
            About::Record => {
                self.recorder.emit(&RecordRead { operator, operation, id, client, status, reason });
            }
            About::Gateway => {
                let (selected, ended) = (None, told.ended);
                let called =
                    ManagementCalled { operator, operation, id, client, status, reason, selected, ended };
                self.recorder.emit(&called);
            }
        }
    }
}
