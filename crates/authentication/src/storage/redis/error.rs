//! What can go wrong with Redis, and what follows from it.

use std::sync::Arc;

use ::redis::{ErrorKind, ServerErrorKind};

/// Why Redis did not do what it was asked. The text names the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// It cannot be reached, or says that it cannot serve now.
    #[error("{server} is away: {cause}")]
    Away {
        /// Which.
        server: Arc<str>,
        /// What was tried last, and what came of it.
        cause: Arc<str>,
    },
    /// It did not answer in time. What was asked may have been done.
    #[error("{server} has not answered for {} seconds", super::COMMAND.as_secs())]
    Late {
        /// Which.
        server: Arc<str>,
    },
    /// It does not let the gateway in.
    #[error("{server} refuses the login: {refused}")]
    Login {
        /// Which.
        server: Arc<str>,
        /// What is wrong with it.
        refused: RefusedLogin,
    },
    /// Its user lacks a right.
    #[error(
        "{server} refuses this to the user of `[state] redis`: {cause}; docs/scaling.md has the line for its access list"
    )]
    Refused {
        /// Which.
        server: Arc<str>,
        /// What it said.
        cause: Arc<str>,
    },
    /// It has no room, and evicts nothing.
    #[error("{server} is full: {cause}; give it more `maxmemory`")]
    Full {
        /// Which.
        server: Arc<str>,
        /// What it said.
        cause: Arc<str>,
    },
    /// A key holds what this version of the gateway does not write.
    #[error("{server} holds what this gateway cannot read, and leaves as it is: {cause}")]
    Unreadable {
        /// Which.
        server: Arc<str>,
        /// Which key, and what is wrong with it.
        cause: Arc<str>,
    },
    /// Anything else that it says.
    #[error("{server}: {cause}")]
    Failed {
        /// Which.
        server: Arc<str>,
        /// What it said.
        cause: Arc<str>,
    },
}

/// Why a server lets nobody in by what the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedLogin {
    /// It knows no such user, or another password.
    #[error(
        "user or password is wrong; see `username` and `password` of `[state] redis` (`sentinel_password` for Sentinels)"
    )]
    Wrong,
    /// It lets nobody in without.
    #[error("it asks for a password; see `password` of `[state] redis` (`sentinel_password` for Sentinels)")]
    Missing,
}

/// What follows from an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The connection leads nowhere, or to a server that is no master any more: connect anew, and try again.
    Reconnect,
    /// It will serve later: wait, and try again.
    Wait,
    /// Trying again changes nothing.
    GiveUp,
}

impl RedisError {
    /// Whether somebody must change something before another try can succeed.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Login { .. } | Self::Refused { .. })
    }

    /// A fault of what is stored under `key`.
    pub(crate) fn unreadable(server: &Arc<str>, key: &str, why: &str) -> Self {
        Self::Unreadable { server: Arc::clone(server), cause: format!("{key}: {why}").into() }
    }

    /// It leads nowhere, because of `cause`.
    #[must_use]
    pub fn away(server: &Arc<str>, cause: impl ToString) -> Self {
        Self::Away { server: Arc::clone(server), cause: cause.to_string().into() }
    }

    pub(super) fn of(server: &Arc<str>, error: &::redis::RedisError) -> Self {
        let (server, cause) = (Arc::clone(server), error.to_string().into());
        if error.is_timeout() {
            return Self::Late { server };
        }
        match Class::of(error) {
            Class::Connection | Class::Later => Self::Away { server, cause },
            Class::Login(refused) => Self::Login { server, refused },
            Class::Refused => Self::Refused { server, cause },
            Class::Full => Self::Full { server, cause },
            Class::Unreadable => Self::Unreadable { server, cause },
            Class::Other => Self::Failed { server, cause },
        }
    }
}

pub(super) fn consequence(error: &::redis::RedisError) -> Consequence {
    match Class::of(error) {
        Class::Connection => Consequence::Reconnect,
        Class::Later => Consequence::Wait,
        Class::Login(_) | Class::Refused | Class::Full | Class::Unreadable | Class::Other => {
            Consequence::GiveUp
        }
    }
}

enum Class {
    Connection,
    Later,
    Login(RefusedLogin),
    Refused,
    Full,
    Unreadable,
    Other,
}

impl Class {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library may add kinds at any time")]
    fn of(error: &::redis::RedisError) -> Self {
        match error.kind() {
            // A Cluster that no node lets in says so within a text.
            ErrorKind::Io if says(error, "AuthenticationFailed") => Self::Login(RefusedLogin::Wrong),
            ErrorKind::Io if says(error, "NOAUTH") => Self::Login(RefusedLogin::Missing),
            ErrorKind::Io
            | ErrorKind::Parse
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Self::Connection,
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::NoScript,
            ) => Self::Later,
            ErrorKind::AuthenticationFailed => Self::Login(RefusedLogin::Wrong),
            ErrorKind::Server(ServerErrorKind::NoPerm) => Self::Refused,
            ErrorKind::UnexpectedReturnType => Self::Unreadable,
            _ => Self::of_code(error),
        }
    }

    /// By the first word of what the server said.
    fn of_code(error: &::redis::RedisError) -> Self {
        match error.code() {
            Some("UNREADABLE" | "WRONGTYPE") => Self::Unreadable,
            Some("OOM") => Self::Full,
            Some("NOAUTH") => Self::Login(RefusedLogin::Missing),
            Some("WRONGPASS") => Self::Login(RefusedLogin::Wrong),
            Some("BUSY" | "NOREPLICAS" | "UNBLOCKED") => Self::Later,
            // What Redis says of a command within a script.
            Some("ERR") if says(error, "can't run this command") => Self::Refused,
            _ => Self::Other,
        }
    }
}

fn says(error: &::redis::RedisError, words: &str) -> bool {
    error.detail().is_some_and(|detail| detail.contains(words))
}
