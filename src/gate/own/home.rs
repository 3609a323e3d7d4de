//! Who is signed in at this host, and which apps are open to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode};
use url::Position;

use super::super::body::Body;
use super::super::record::RequestRecord;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, show};
use super::super::route::{Action, Route};
use super::super::snapshot::Snapshot;
use super::{SIGN_IN, SIGN_OUT, session};
use crate::authn::{Accepted, OpenedSession};
use crate::identity::Principal;
use crate::pages::{Form, Home, Link};
use crate::policy::{Question, Verdict, explain};
use crate::request::{ClientAddress, RequestPath};
use crate::route::{HostPattern, RoutePattern};

/// Apps on the page; whoever has more knows their way.
const MOST: usize = 100;

/// The person's own page, or the way to sign in.
pub(super) async fn answer(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    headers: &HeaderMap,
) -> Result<Response<Body>, Rejection> {
    match session(snapshot, record, headers).await?.session() {
        Some(OpenedSession { session, .. }) => Ok(show_home(snapshot, record, &session.principal)),
        None => redirect(StatusCode::SEE_OTHER, SIGN_IN),
    }
}

fn show_home(snapshot: &Snapshot, record: &RequestRecord, principal: &Arc<Principal>) -> Response<Body> {
    let client = record.inbound.as_ref().map(|inbound| inbound.forwarding.client);
    let open = client.map(|client| open_to(snapshot, principal, client)).unwrap_or_default();
    let apps: Vec<_> = open.iter().map(|(name, href)| Link { name, href }).collect();
    let page = Home {
        principal,
        provider: snapshot.display_name(&principal.provider),
        apps: &apps,
        sign_out: Form { action: SIGN_OUT, fields: &[] },
    };
    show(page.page())
}

/// Hosts with an app that the person may see, each with its shortest path.
fn open_to(
    snapshot: &Snapshot,
    principal: &Arc<Principal>,
    client: ClientAddress,
) -> BTreeMap<String, String> {
    let scheme = snapshot.public.as_ref().map_or("http", |public| public.url.scheme());
    let mut apps: BTreeMap<String, String> = BTreeMap::new();
    let here = snapshot.public.as_ref().map(|public| &public.url[Position::BeforeHost..Position::AfterPort]);
    let port = snapshot.public.as_ref().and_then(|public| public.url.port());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let rows = snapshot.routes.iter().filter(|(pattern, route)| is_open(pattern, route, principal, client));
    for (pattern, _) in rows {
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

fn is_open(pattern: &RoutePattern, route: &Route, principal: &Arc<Principal>, client: ClientAddress) -> bool {
    let Ok(path) = RequestPath::parse(&pattern.path.to_string()) else { return false };
    let question = Question { principal: Some(principal), method: &Method::GET, path: &path, client };
    let people = route.accept.has(Accepted::Session) && matches!(route.action, Action::Forward(..));
    people && explain(&route.access, &question).verdict == Verdict::Permitted
}
