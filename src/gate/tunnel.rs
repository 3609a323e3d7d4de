//! What goes on behind a `101`: for as long as the credential lives that opened it (invariant 8), and on record until
//! it ends.

use std::future::poll_fn;
use std::task::Poll;

use super::credential_end::CredentialEnd;
use super::record::RequestRecord;
use super::review::{Cut, ExchangeEnd};
use crate::forward::{CloseFrame, TunnelEnd, UpgradeTunnel};
use crate::session::SessionEnd;
use crate::telemetry::Outcome;

/// Lets an upgraded connection run. It keeps its place among the route's requests (invariant 14).
pub(super) fn start(tunnel: UpgradeTunnel, mut record: Box<RequestRecord>) {
    tokio::spawn(async move {
        // Set where the tunnel is cut off; the record is told after the tunnel has let go of it.
        let mut why = None;
        let end = {
            let credential = &record.notes.credential;
            let exchange = mutant!(record.exchange(true), "websocket-outlives-its-session" => None);
            let mut ending = exchange.map(|exchange| (ExchangeEnd::of(exchange.route, credential), exchange));
            let mut ended = poll_fn(|cx| {
                record.tell_open();
                match &mut ending {
                    Some((ending, exchange)) => ending.poll(cx, credential, *exchange),
                    None => Poll::Pending,
                }
            });
            let cut = async { close_frame(why.insert((&mut ended).await)) };
            tunnel.run(cut, || credential.used()).await
        };
        note_end(&mut record, &end, why.as_ref());
    });
}

fn note_end(record: &mut RequestRecord, end: &TunnelEnd, why: Option<&Cut>) {
    match (end, why) {
        (TunnelEnd::Closed { received, .. }, _) => record.notes.bytes = *received,
        (TunnelEnd::Cut, Some(why)) => record.notes.cut_off(why),
        (TunnelEnd::Cut, None) => {}
        (TunnelEnd::Silent, _) => {
            record.notes.broke_off(Outcome::Aborted, "neither side said anything for `timeout.idle`");
        }
        (TunnelEnd::Broken(error), _) => {
            tracing::debug!(id = %record.id, %error, "an upgraded connection broke");
        }
    }
}

/// What a WebSocket is told (RFC 6455, section 7.4.1): that its app goes away by itself, or that it may not go on.
const fn close_frame(cut: &Cut) -> CloseFrame {
    match cut {
        Cut::Credential(end) => end_of_credential(*end),
        Cut::Unpermitted(no) if no.is_about_sign_in() => {
            CloseFrame { code: 1008, reason: "a new sign-in is needed" }
        }
        Cut::Unpermitted(_) => CloseFrame { code: 1008, reason: "no longer permitted" },
    }
}

const fn end_of_credential(end: CredentialEnd) -> CloseFrame {
    match end {
        CredentialEnd::Session(SessionEnd::SignedOut) => CloseFrame { code: 1008, reason: "signed out" },
        CredentialEnd::Session(SessionEnd::Revoked) => CloseFrame { code: 1008, reason: "session revoked" },
        CredentialEnd::Session(SessionEnd::Administrator) => {
            CloseFrame { code: 1008, reason: "ended by an administrator" }
        }
        CredentialEnd::Session(SessionEnd::SignedOutAtProvider) => {
            CloseFrame { code: 1008, reason: "signed out at the provider" }
        }
        CredentialEnd::Session(SessionEnd::SignedOutElsewhere) => {
            CloseFrame { code: 1008, reason: "ended from another session" }
        }
        CredentialEnd::Session(SessionEnd::SignedInElsewhere) => {
            CloseFrame { code: 1008, reason: "signed in elsewhere" }
        }
        CredentialEnd::Session(SessionEnd::Signalled) => {
            CloseFrame { code: 1008, reason: "ended by a signal of the provider's" }
        }
        CredentialEnd::Session(SessionEnd::StepUp) => {
            CloseFrame { code: 1008, reason: "a new sign-in is needed" }
        }
        CredentialEnd::Session(SessionEnd::StaleClaims) => {
            CloseFrame { code: 1008, reason: "to be judged anew: connect again" }
        }
        CredentialEnd::Session(SessionEnd::Unconfirmed) => {
            CloseFrame { code: 1013, reason: "session cannot be confirmed now" }
        }
        CredentialEnd::Session(SessionEnd::Expired) => CloseFrame { code: 1001, reason: "session expired" },
        CredentialEnd::TokenExpired => CloseFrame { code: 1008, reason: "access token expired" },
    }
}
