//! A sign-in that comes back and is not known any more: by the back button, from a bookmark, after too long a time,
//! or because the browser had begun too many. Nobody is signed in by it; but where it was to lead is known, and
//! whoever is signed in by now goes there, and whoever is not begins anew.

use http::HeaderMap;

use super::super::record::RequestRecord;
use super::super::rejection::{LostSignIn, Rejection};
use super::super::return_to::ReturnTo;
use super::super::snapshot::Snapshot;
use super::session;
use super::sign_in_request::AGAIN;

/// Where a lost sign-in was to lead.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) return_to: Option<ReturnTo>,
    /// Whether it had been begun anew already: a browser that keeps no cookies would go round for ever.
    pub(super) again: bool,
}

impl Lost {
    /// What is known of the sign-in with this `state`.
    pub(super) fn of_state(snapshot: &Snapshot, state: &str) -> Self {
        let Some(destination) = snapshot.flows.destination(state) else { return Self::nowhere() };
        let return_to = ReturnTo::parse(&destination.return_to, |url| snapshot.claims(url));
        Self { return_to, again: destination.again }
    }

    pub(super) const fn nowhere() -> Self {
        Self { return_to: None, again: false }
    }
}

/// Says no for `reason`, and where the browser goes instead.
pub(super) async fn sign_in(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    headers: &HeaderMap,
    lost: Lost,
    reason: String,
) -> Rejection {
    let stands = match session(snapshot, record, headers).await {
        Ok(found) => found.session().is_some(),
        Err(no) => return no,
    };
    let begun = |to: &ReturnTo| to.sign_in_address(&[(AGAIN, "1")]);
    let here = record.inbound.as_ref().map(super::super::inbound::Inbound::origin).unwrap_or_default();
    let onward = match (&lost.return_to, stands) {
        (Some(to), true) if to.origin() == here => Some(to.as_str().to_owned()),
        (Some(to), stands) if stands || !lost.again => Some(begun(to)),
        (None, true) => Some("/".to_owned()),
        (Some(_) | None, _) => None,
    };
    let retry = lost.return_to.as_ref().map(|to| to.sign_in_address(&[]));
    Rejection::NoSuchFlow(Box::new(LostSignIn { reason, onward, retry }))
}
