//! What is remembered of an exchange, and how it is judged by it.

use http::{HeaderValue, Method, Request};

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::gate::origins::Sender;
use crate::gate::settings::{OriginSettings, Preflight, RouteSettings, SentFrom};
use crate::gate::tests::{principal, route, settings, snapshot_over, transport};
use crate::identity::{Issuer, Principal};
use crate::policy::AccessSettings;
use crate::request::Scheme;
use crate::session::{Concerned, Demand, Possession, Selector, Sessions, testing};

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_000))
}

/// What a judgement comes to of an exchange of somebody's on this route, which it was let in by.
async fn judged(route: RouteSettings, method: Method, grounds: Grounds, upgraded: bool) -> &'static str {
    let clock = clock();
    judged_over(testing::away(&clock), clock, route, method, grounds, upgraded).await
}

async fn judged_over(
    sessions: Sessions,
    clock: Clock,
    route: RouteSettings,
    method: Method,
    grounds: Grounds,
    upgraded: bool,
) -> &'static str {
    let mut settings = settings(vec![route]);
    // Who is signed in comes from there; nobody answers at its address.
    let corp = crate::oidc::fixtures::provider("http://127.0.0.1:1");
    settings.relying_party.providers = vec![corp];
    let snapshot = Arc::new(snapshot_over(&settings, sessions, clock));
    let transport = transport(Scheme::Https);
    let request = Request::builder().method(method).uri("/").header("host", "wiki.example").body(()).unwrap();
    let inbound = Inbound::read(&transport, &snapshot.trusted, &request).unwrap();
    let route = Arc::clone(snapshot.routing.route(&inbound).unwrap());
    judge(Arc::clone(&snapshot), OwnedExchange { inbound, route, grounds, upgraded }).await.label()
}

fn nobodys(sender: Sender) -> Grounds {
    Grounds { authentication: Authentication::Anonymous, sender, destination: None }
}

/// Somebody who is signed in, and what an exchange of theirs was let in by.
async fn somebody(clock: &Clock, sessions: &Sessions) -> Grounds {
    let of_corp = Principal { issuer: Issuer::new("http://127.0.0.1:1"), ..(*principal("staff")).clone() };
    let root = testing::sign_in("wiki.example", Arc::new(of_corp), clock);
    let (key, session) = sessions.create(root).await.unwrap();
    let authentication = Authentication::of_session(key, session, Possession::Unbound(clock.now()));
    Grounds { authentication, sender: Sender::Unasked, destination: None }
}

/// A request would wait for new claims; what goes on meanwhile was let in by the old ones.
#[tokio::test]
async fn invariant_8_an_exchange_of_somebody_whose_claims_have_changed_ends() {
    let clock = clock();
    let sessions = testing::sessions(&clock);
    let grounds = somebody(&clock, &sessions).await;
    let signed_in = || route("wiki.example", "/", &[], AccessSettings::SignedIn);
    let judged =
        |grounds| judged_over(sessions.clone(), clock.clone(), signed_in(), Method::GET, grounds, false);
    assert_eq!(judged(grounds.clone()).await, "permitted");
    let everybody = Concerned {
        selector: Selector::All,
        includes: Box::new(|_| true),
        signalled: clock.now(),
        made_until: clock.now(),
        by: "transmitter corp".into(),
    };
    assert_eq!(sessions.demand(Demand::Renewal, everybody).await.unwrap(), 1);
    assert_eq!(judged(grounds).await, "cut");
}

#[tokio::test]
async fn where_the_store_is_away_an_exchange_goes_on() {
    let clock = clock();
    let sessions = testing::sessions(&clock);
    let grounds = somebody(&clock, &sessions).await;
    let signed_in = route("wiki.example", "/", &[], AccessSettings::SignedIn);
    assert_eq!(judged(signed_in, Method::GET, grounds, false).await, "unknown");
}

#[tokio::test]
async fn invariant_18_a_stream_of_a_page_that_may_not_open_it_any_more_ends() {
    let origins = OriginSettings {
        readers: vec!["https://spa.example".into()],
        sent_from: SentFrom::SameHost,
        ..OriginSettings::default()
    };
    let strict = || RouteSettings {
        origins: origins.clone(),
        ..route("wiki.example", "/", &[], AccessSettings::Public)
    };
    let elsewhere = |origin| Sender::Elsewhere(HeaderValue::from_static(origin));
    for (sender, expected) in [
        (Sender::Here, "permitted"),
        (elsewhere("https://spa.example"), "permitted"),
        (elsewhere("https://evil.example"), "cut"),
        (Sender::Unknown, "cut"),
        // Nobody asked when it came, and now it counts.
        (Sender::Unasked, "cut"),
    ] {
        for (method, upgraded) in [(Method::GET, true), (Method::POST, false)] {
            let grounds = nobodys(sender.clone());
            assert_eq!(judged(strict(), method, grounds, upgraded).await, expected, "{sender:?}");
        }
        assert_eq!(judged(strict(), Method::GET, nobodys(sender), false).await, "permitted", "it only reads");
    }
}

#[tokio::test]
async fn a_preflight_goes_on_for_as_long_as_its_app_answers_preflights() {
    for (preflight, expected) in [(Preflight::Pass, "permitted"), (Preflight::Judge, "cut")] {
        let origins = OriginSettings { preflight, ..OriginSettings::default() };
        let signed_in = route("wiki.example", "/", &[], AccessSettings::SignedIn);
        let route = RouteSettings { origins, ..signed_in };
        assert_eq!(judged(route, Method::OPTIONS, nobodys(Sender::Preflight), false).await, expected);
    }
}
