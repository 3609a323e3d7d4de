//! The apps that are open to whoever is signed in at this host.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, Uri};
use url::Position;

use super::answer::Answer;
use super::context::RequestContext;
use super::hosts::Hosts;
use super::paths::{ACCOUNT, HOME, SESSIONS, SIGN_OUT};
use super::response::{redirect, show};
use super::sign_in_request::{SignInRequest, parameter};
use super::state::Endpoints;
use crate::identity::Principal;
use crate::portal::{self, AppsPage, QUERY, Shell};

/// The person's own page, or the way to sign in.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    (headers, uri): (&HeaderMap, &Uri),
) -> Answer {
    let found = match endpoints.session(context, headers).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    match endpoints.good_session(context, &found) {
        Some(opened) => of(endpoints, context, &opened.session.principal, uri),
        None => {
            let sign_in = SignInRequest::back_to(context, context.path.raw());
            redirect(StatusCode::SEE_OTHER, &sign_in.address()).into()
        }
    }
}

/// The page of `principal`.
pub(super) fn of(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    principal: &Arc<Principal>,
    uri: &Uri,
) -> Answer {
    let now = endpoints.resources.clock.now();
    let open = endpoints.hosts.routes.open_to(principal, context.forwarding.client, now);
    let (sessions, account) = (endpoints.hosts.address(SESSIONS), endpoints.hosts.address(ACCOUNT));
    let page = AppsPage {
        shell: Shell {
            apps: context.path.raw(),
            ..shell(endpoints, context, principal, (&sessions, &account))
        },
        apps: portal::listed(open, places(&endpoints.hosts)),
        query: &parameter(uri, QUERY).unwrap_or_default(),
    };
    Answer::to(Some(Arc::clone(principal)), Ok(show(page.page())))
}

/// What stands around a page of `principal`'s, with where their sign-ins and their account are.
pub(super) fn shell<'a>(
    endpoints: &'a Endpoints,
    context: RequestContext<'a>,
    principal: &'a Principal,
    (sessions, account): (&'a str, &'a str),
) -> Shell<'a> {
    let provider = endpoints.display_name(&principal.provider);
    Shell { look: context.look, principal, provider, apps: HOME, sessions, account, sign_out: SIGN_OUT }
}

/// Where apps are.
fn places(hosts: &Hosts) -> portal::Hosts<'_> {
    let public = hosts.public.as_ref().map(|public| &public.url);
    portal::Hosts {
        scheme: public.map_or("http", |url| url.scheme()),
        here: public.map(|url| &url[Position::BeforeHost..Position::AfterPort]),
        port: public.and_then(url::Url::port),
    }
}
