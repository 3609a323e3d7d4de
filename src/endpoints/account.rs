//! The page on which a person sees what their provider says of them, and how they are signed in.

use http::{HeaderMap, StatusCode};

use super::answer::Answer;
use super::context::RequestContext;
use super::home::shell;
use super::paths::{ACCOUNT, SESSIONS};
use super::response::{redirect, show};
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use crate::authn::Authentication;
use crate::portal::{AccountPage, Moment, SignedIn};
use crate::session::{Bind, Session};

/// The account of whoever is signed in. On the sign-in host alone: on an app's host the app's own scripts are of the same
/// origin, and would read all that the provider has said.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
) -> Answer {
    let here = endpoints.hosts.is_public(context.authority, context.forwarding.scheme);
    if !mutant!(here, "account-shown-to-apps" => true) {
        return redirect(StatusCode::SEE_OTHER, &endpoints.hosts.address(ACCOUNT)).into();
    }
    let found = match endpoints.session(context, headers).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let Some(opened) = endpoints.good_session(context, &found) else {
        let sign_in = SignInRequest::back_to(context, ACCOUNT);
        return redirect(StatusCode::SEE_OTHER, &sign_in.address()).into();
    };
    let page = AccountPage {
        shell: shell(endpoints, context, &opened.session.principal, (SESSIONS, ACCOUNT)),
        signed_in: signed_in(endpoints, &opened.session, &found),
    };
    Answer::to(found.principal().cloned(), Ok(show(page.page())))
}

fn signed_in(endpoints: &Endpoints, session: &Session, found: &Authentication) -> SignedIn {
    let now = endpoints.resources.clock.now();
    let bound = found.is_bound(now) == Some(true);
    SignedIn {
        at: Moment::new(session.created, now),
        proved: session.principal.auth_time.map(|at| Moment::new(at, now)),
        ends: Moment::new(session.expires, now),
        bound: (endpoints.binding.bind != Bind::Off).then_some(bound),
    }
}
