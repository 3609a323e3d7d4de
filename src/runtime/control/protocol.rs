//! What is said on the control socket.
//!
//! A process that connects sends one [`ControlRequest`]. A take-over then goes in steps, each a frame that
//! the other side waits for:
//!
//! ```text
//! new                       old
//!  ├─ TakeOver ──────────────▶ its user is ours (SO_PEERCRED)
//!  ◀── Offer, descriptors ───┤ serves on
//!  ├─ Release ───────────────▶ store operations wait; writes, closes the state file
//!  ◀── Released ─────────────┤
//!  │  opens the state file, accepts
//!  ├─ Serving ───────────────▶ tells systemd whose the service is now; drains
//!  ◀── Draining ─────────────┤
//!  ◀── calls of the store ───┤ until its last stream has ended
//!  ├─ answers, endings ──────▶
//! ```
//!
//! Where the socket is lost before `Serving`, the old process opens the state file again and goes on as if
//! nothing had been; afterwards it ends.

use serde::{Deserialize, Serialize};

use crate::session::{
    Bound, ChildInserted, Ending, Inserted, LateCard, Marking, NewBinding, RecordUpdate, RememberedEnd,
    RemovedFamily, SessionEnd, SessionId, SignInUnderWay, StoredFamily, StoredOverview, StoredSelector,
    StoredSession, Touch, Updated,
};

/// The version of the take-over that this gateway speaks.
pub(super) const VERSION: u32 = 3;

/// The first frame of a connection: what it is for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub(super) enum ControlRequest {
    /// To go on in this process's place.
    TakeOver {
        /// The version of the protocol.
        version: u32,
    },
}

/// What the old process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub(super) enum TakeOverReply {
    /// It will not; why, for the terminal.
    Refused {
        /// A sentence for the terminal of the new process.
        why: String,
    },
    /// So many sockets of each kind follow, in this order.
    Offer {
        /// Of `[server] listen`.
        listeners: usize,
        /// Given by systemd.
        inherited: usize,
        /// Of `[admin] listen`.
        admin: usize,
    },
    /// The state file is free.
    Released,
    /// It takes no new request.
    Draining,
}

/// What the new process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum TakeOverStep {
    /// It wants the state file.
    Release,
    /// It answers requests.
    Serving,
}

/// An operation on the store of the new process.
#[expect(clippy::large_enum_variant, reason = "it is read and used at once, one at a time")]
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoreCall {
    InsertRoot(StoredFamily, StoredSession, SignInUnderWay),
    InsertChild(StoredSession),
    Load(SessionId),
    UpdateRecord(RecordUpdate),
    Mark(Marking),
    AddCard(LateCard),
    Bind(NewBinding),
    CountProof(SessionId, u32),
    Touch(Vec<Touch>),
    RemoveFamily(SessionId, SessionEnd),
    RemoveFamilies(Vec<SessionId>, SessionEnd),
    Find(StoredSelector, Option<SessionId>, u32),
    RememberEnd(RememberedEnd),
    RecordEnding(SessionId),
}

/// What came of it.
#[expect(clippy::large_enum_variant, reason = "it is read and used at once, one at a time")]
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoreAnswer {
    Done,
    Inserted(Inserted),
    ChildInserted(ChildInserted),
    Loaded(Option<(StoredFamily, StoredSession)>),
    Updated(Updated),
    Bound(Bound),
    Counted(bool),
    Removed(Option<RemovedFamily>),
    RemovedFamilies(Vec<RemovedFamily>),
    Found(Vec<StoredOverview>),
    Sessions(Vec<SessionId>),
    /// The store is away; why, for the log.
    Failed(String),
}

/// A call and the number that its answer carries.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Numbered<T> {
    pub(super) number: u64,
    pub(super) message: T,
}

/// What the new process sends after `Draining`.
#[expect(clippy::large_enum_variant, reason = "it is read and used at once, one at a time")]
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromSuccessor {
    StoreAnswer(Numbered<StoreAnswer>),
    /// The family with this root has ended: its streams are cut.
    Ended(Ending),
}
