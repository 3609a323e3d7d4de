//! What is good once: each thing is kept under a name of its own until it is taken, or its time is over.

use std::fmt;
use std::time::Duration;

use crate::session::StoreFuture;

/// Kinds of things that are good once. They are kept apart: many of one kind push out none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OneTimeKind {
    /// What a ticket between hosts opens, by its number.
    Ticket,
    /// A sign-in that has come back, by its `state`.
    SignInState,
    /// A logout token that was accepted, by issuer and `jti`.
    LogoutToken,
}

impl OneTimeKind {
    /// The word for it in names of rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::SignInState => "state",
            Self::LogoutToken => "logout-token",
        }
    }

    /// How many are kept at most; of more, those whose time is over first are given up. Nobody gets a ticket without a
    /// session, and a provider has signed each logout token: this bounds what is kept and keeps nobody out.
    pub(super) const fn most(self) -> u32 {
        match self {
            Self::Ticket => 10_000,
            Self::SignInState | Self::LogoutToken => 100_000,
        }
    }
}

/// What something is kept under: its kind, and SHA-256 of what names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OneTimeName {
    /// Its kind.
    pub kind: OneTimeKind,
    /// Of what names it.
    pub digest: [u8; 32],
}

/// What became of a [`OneTimeStore::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is kept: nothing was under the name.
    Kept,
    /// Nothing was changed: this is what is kept there.
    Occupied(Vec<u8>),
}

/// Where things that are good once are kept. Every operation is atomic: of several callers at once, on whichever
/// replica, one puts and one takes.
///
/// # Errors
/// Each operation fails where the store is away. Whether it has changed anything is then unknown.
pub trait OneTimeStore: fmt::Debug + Send + Sync {
    /// Keeps `value` under `name` for `span`, unless something is kept there.
    fn put(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, Put>;

    /// Keeps `value` under `name` for `span`, whatever is kept there.
    fn replace(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, ()>;

    /// Takes what is kept under `name`; it is gone afterwards.
    fn take(&self, name: OneTimeName) -> StoreFuture<'_, Option<Vec<u8>>>;
}
