//! What happens to a permitted request.

use std::sync::Arc;
use std::time::Duration;

use crate::listener::Content;
use http::{HeaderMap, HeaderValue, Request, Response, header};

use super::body::Body;
use super::exchange::Exchange;
use super::house::House;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::{Action, Route};
use super::settings::RedirectSettings;
use crate::authn::Authentication;
use crate::clock::Timestamp;
use crate::forward::{Passage, UpgradeTunnel, UpstreamBody, forward};
use crate::policy::Permit;
use crate::session::Session;

/// Forwards, redirects, or answers from the gateway's own endpoints.
#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` holds its arguments twice, and every connection keeps room for this future"
)]
pub(super) fn act(
    house: &House,
    route: &Route,
    exchange: &mut Exchange,
    permit: Permit,
    authentication: &Authentication,
    request: Request<Content>,
) -> impl Future<Output = Result<Response<Body>, Rejection>> + Send {
    async move {
        match &route.action {
            Action::Forward(upstream, plan) => {
                let personal = permit.principal().is_some();
                let passage = passage(house, exchange, authentication)?;
                let response = forward(upstream, plan, &permit, passage, request).await?;
                Ok(forwarded(house, exchange, authentication, personal, response))
            }
            Action::Redirect(redirect) => redirected(redirect, route, exchange.inbound()?, &request),
            // Boxed: a sign-in is rare and large, and every request carries the room for its future.
            Action::Own(endpoint) => Box::pin(endpoint.answer(house, exchange, request)).await,
        }
    }
}

fn passage<'a>(
    house: &'a House,
    exchange: &'a Exchange,
    authentication: &'a Authentication,
) -> Result<Passage<'a>, Rejection> {
    let inbound = exchange.inbound()?;
    Ok(Passage {
        transport: &exchange.transport,
        forwarding: &inbound.forwarding,
        authority: &inbound.authority,
        path: &inbound.path,
        request_id: &exchange.id,
        bearer: matches!(authentication, Authentication::Bearer(_)),
        tokens: authentication.tokens(),
        own_cookies: house,
        asserter: Some(&house.foundations.asserter),
        audience: inbound.authority.host(),
    })
}

fn forwarded(
    house: &House,
    exchange: &mut Exchange,
    authentication: &Authentication,
    personal: bool,
    mut response: Response<UpstreamBody>,
) -> Response<Body> {
    if let Some(tunnel) = response.body_mut().take_tunnel() {
        let left = left(authentication, house.foundations.clock.now());
        open(tunnel, exchange, left);
    } else if personal {
        keep_from_others(response.headers_mut());
    }
    response.map(Body::upstream)
}

/// A cache in front of the gateway may keep what says nothing, and give it to anybody (invariant 17; RFC 9111,
/// section 4.2.2): the app need not know that it is protected.
fn keep_from_others(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
}

/// How long an access token is still good.
fn left(authentication: &Authentication, now: Timestamp) -> Option<Duration> {
    match authentication {
        Authentication::Bearer(verified) => Some(verified.expires.since(now)),
        Authentication::Session(..) | Authentication::Anonymous | Authentication::Ended => None,
    }
}

/// Lets an upgraded stream run for as long as the credential lives that opened it (invariant 8). It keeps its
/// place among the route's requests at once (invariant 14).
fn open(tunnel: UpgradeTunnel, exchange: &mut Exchange, left: Option<Duration>) {
    let (id, slot) = (exchange.id.clone(), exchange.slot.take());
    let over = over(exchange.session.clone(), left);
    tokio::spawn(async move {
        let end = tunnel.run(over).await;
        drop(slot);
        tracing::debug!(%id, ?end, "an upgraded stream has ended");
    });
}

/// Resolves when the session has ended, or the token's time is over; never for who needs neither.
async fn over(session: Option<Arc<Session>>, left: Option<Duration>) {
    match (session, left) {
        (Some(session), _) => session.ended().await,
        (None, Some(left)) => tokio::time::sleep(left).await,
        (None, None) => std::future::pending().await,
    }
}

fn redirected<B>(
    redirect: &RedirectSettings,
    route: &Route,
    inbound: &Inbound,
    request: &Request<B>,
) -> Result<Response<Body>, Rejection> {
    let location = HeaderValue::try_from(location(redirect, inbound, request));
    let location =
        location.map_err(|_| Rejection::Internal("a redirect to an address that cannot be written"))?;
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = redirect.status;
    response.headers_mut().insert(header::LOCATION, location);
    if !route.access.is_public() {
        // 301 and 308 are kept by any cache that is not told otherwise (RFC 9110, section 15.4).
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn location<B>(redirect: &RedirectSettings, inbound: &Inbound, request: &Request<B>) -> String {
    let scheme = redirect.scheme.unwrap_or(inbound.forwarding.scheme);
    let asked = match redirect.scheme {
        // The port belonged to the other scheme.
        Some(_) => {
            let port = redirect.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", inbound.authority.host())
        }
        None => inbound.authority.to_string(),
    };
    let host = redirect.host.as_deref().unwrap_or(&asked);
    let path = redirect.path.as_deref().unwrap_or_else(|| inbound.path.raw());
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::session::NewSession;

    fn is_over(over: impl Future<Output = ()>) -> bool {
        futures_util::FutureExt::now_or_never(over).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_8_an_upgraded_stream_lives_no_longer_than_what_opened_it() {
        let hour = Duration::from_secs(3600);
        let started = tokio::time::Instant::now();
        over(None, Some(hour)).await;
        assert!(started.elapsed() >= hour, "a token's stream ends with the token");
        assert!(!is_over(over(None, None)), "a public one has nothing to outlive");

        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let sessions = crate::session::testing::sessions(&clock);
        let root = NewSession::Root {
            host: "wiki.example".into(),
            principal: crate::gate::tests::principal("staff"),
            tokens: crate::session::Tokens::default(),
            sid: None,
        };
        let (key, session) = sessions.create(root).await.unwrap();
        assert!(!is_over(over(Some(Arc::clone(&session)), None)));
        sessions.end(key.id()).await.unwrap();
        assert!(is_over(over(Some(session), None)));
    }

    #[test]
    fn invariant_17_what_the_app_says_nothing_of_is_for_its_reader_alone() {
        let kept = |said: Option<&'static str>| {
            let said = said.map(|said| (header::CACHE_CONTROL, HeaderValue::from_static(said)));
            let mut headers: HeaderMap = said.into_iter().collect();
            keep_from_others(&mut headers);
            headers[header::CACHE_CONTROL].to_str().unwrap().to_owned()
        };
        assert_eq!(kept(None), "private");
        assert_eq!(kept(Some("public, max-age=60")), "public, max-age=60", "the app's word counts");
    }
}
