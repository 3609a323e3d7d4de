//! Why a stream does not do its work.

use http::StatusCode;

use crate::oidc::http::HttpError;

/// Why a stream does not do its work, in words for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The transmitter gave no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Its metadata cannot be used (Shared Signals Framework 1.0, section 7.1).
    #[error("the transmitter's metadata: {0}")]
    Metadata(String),
    /// It refused a call of its management API.
    #[error("the transmitter answered {status} when {doing}{hint}", hint = hint(*.status))]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// Its answer.
        status: StatusCode,
    },
    /// It answered something else than was asked for.
    #[error("the transmitter's answer when {doing} cannot be used: {why}")]
    Answer {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it; nothing of it that is not made printable.
        why: String,
    },
    /// It makes no stream beside those that are there, and which of them could be changed is not clear.
    #[error(
        "the transmitter makes no further stream, and has {0} of which none is described as {1:?}: delete there what nobody \
         uses, or describe one so"
    )]
    Conflict(usize, String),
    /// It does as it is told later (202).
    #[error("the transmitter has taken the stream's settings and not applied them yet")]
    Pending,
    /// The access token for it could not be had.
    #[error("no access token for the transmitter: {0}")]
    Token(String),
    /// The stream is not to be had on.
    #[error("the transmitter keeps the stream {0}")]
    NotEnabled(String),
    /// No verification came.
    #[error("no verification has come in {} minutes since it was asked for", .0 / 60)]
    Unverified(u64),
    /// Nothing has been done yet.
    #[error("the stream is being set up")]
    Starting,
    /// What came could not be kept here.
    #[error("what came could not be followed here; it is asked for again")]
    Unkept,
}

const fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "; does `token`, or the client, have the right to manage streams (`ssf.manage`)?",
        _ => "",
    }
}
