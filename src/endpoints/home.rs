//! Who is signed in at this host, and which apps are open to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use url::Position;

use super::answer::Answer;
use super::context::RequestContext;
use super::hosts::Hosts;
use super::paths::{SESSIONS, SIGN_OUT};
use super::response::{redirect, show};
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::pages::{Home, Link};
use crate::request::ClientAddress;
use crate::route::HostPattern;

/// The most apps that the page lists.
const MOST: usize = 100;

/// The person's own page, or the way to sign in.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
) -> Answer {
    let found = match endpoints.session(context, headers).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    match endpoints.good_session(context, &found) {
        Some(opened) => of(endpoints, context, &opened.session.principal),
        None => {
            let sign_in = SignInRequest::back_to(context, context.path.raw());
            redirect(StatusCode::SEE_OTHER, &sign_in.address()).into()
        }
    }
}

/// The page of `principal`.
pub(super) fn of(endpoints: &Endpoints, context: RequestContext<'_>, principal: &Arc<Principal>) -> Answer {
    let now = endpoints.resources.clock.now();
    let open = open_to(&endpoints.hosts, principal, context.forwarding.client, now);
    let apps: Vec<_> = open.iter().map(|(name, href)| Link { name, href }).collect();
    let page = Home {
        principal,
        provider: endpoints.display_name(&principal.provider),
        apps: &apps,
        sessions: SESSIONS,
        sign_out: SIGN_OUT,
    };
    Answer::to(Some(Arc::clone(principal)), Ok(show(page.page())))
}

/// Hosts with an app that the person may see, each with its shortest path.
fn open_to(
    hosts: &Hosts,
    principal: &Arc<Principal>,
    client: ClientAddress,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let public = hosts.public.as_ref();
    let scheme = public.map_or("http", |public| public.url.scheme());
    let mut apps: BTreeMap<String, String> = BTreeMap::new();
    let here = public.map(|public| &public.url[Position::BeforeHost..Position::AfterPort]);
    let port = public.and_then(|public| public.url.port());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    for pattern in hosts.routes.open_to(principal, client, now) {
        let host = match (&pattern.host, here) {
            (HostPattern::Exact(host, None), _) => format!("{host}{port}"),
            (HostPattern::Exact(_, Some(_)), _) => pattern.host.to_string(),
            (HostPattern::Any, Some(here)) => here.to_owned(),
            (HostPattern::Any | HostPattern::Wildcard(..), _) => continue,
        };
        let (name, href) = (host.clone(), format!("{scheme}://{host}{}", pattern.path));
        let known = apps.get(&name).is_none_or(|known| known.len() > href.len());
        if known && (apps.len() < MOST || apps.contains_key(&name)) {
            apps.insert(name, href);
        }
    }
    apps
}
