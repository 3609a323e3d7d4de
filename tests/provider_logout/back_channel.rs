//! Logout tokens, server to server (OpenID Connect Back-Channel Logout 1.0).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{FORM, ROUTE, Rig};
use crate::support::{
    Answer, Browser, Gateway, Impostor, PATIENCE, Provider, World, between, event, free_port, logged,
    sockets, until, until_async,
};

fn refused(what: &str, answer: &Answer, reason: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.body);
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("application/json", "no-store"),
        "{what}"
    );
    let said = answer.json();
    assert_eq!(said["error"], "invalid_request", "{what}");
    assert!(said["error_description"].as_str().unwrap().ends_with(reason), "{what}: {said}");
}

#[tokio::test]
async fn a_session_of_the_providers_ends_what_was_signed_in_by_it_and_nothing_else() {
    let rig = Rig::open("").await;
    let (one, same) = (rig.signed_in("alice", Some("s1")).await, rig.signed_in("alice", Some("s1")).await);
    let (other, bob) = (rig.signed_in("alice", Some("s2")).await, rig.signed_in("bob", Some("s3")).await);
    rig.is_done(json!({})).await;
    assert!(!rig.is_in(&one).await && !rig.is_in(&same).await);
    assert!(rig.is_in(&other).await && rig.is_in(&bob).await);
    assert_eq!(
        rig.counted("ended").await,
        "portcullis_logouts_total{provider=\"corp\",channel=\"back\",result=\"ended\"} 1"
    );
    rig.is_done(json!({"sid": "s2", "sub": null})).await;
    assert!(!rig.is_in(&other).await && rig.is_in(&bob).await);
    rig.is_done(json!({"sid": "unheard-of"})).await;
    rig.is_done(json!({"sid": null, "sub": "nobody"})).await;
    assert!(rig.counted("nothing-left").await.ends_with(" 2"));
    assert!(rig.is_in(&bob).await);
}

#[tokio::test]
async fn a_subject_alone_ends_all_of_its_sessions() {
    let rig = Rig::open("").await;
    let (one, two) = (rig.signed_in("alice", Some("s1")).await, rig.signed_in("alice", None).await);
    let bob = rig.signed_in("bob", Some("s3")).await;
    rig.is_done(json!({"sid": null})).await;
    assert!(!rig.is_in(&one).await && !rig.is_in(&two).await && rig.is_in(&bob).await);
}

/// The notice overtakes the person who is on the way back.
#[tokio::test]
async fn invariant_8_a_sign_in_that_began_before_its_end_makes_no_session() {
    let rig = Rig::open("").await;
    rig.issuer.now(|ways| ways.id_token = json!({"sub": "alice", "sid": "s1"}));
    let browser = Browser::new();
    let callback = browser.stop_before(&rig.gateway.url("/"), "/.portcullis/callback").await;
    rig.is_done(json!({"sid": null})).await;
    let answer = browser.get(callback.as_str()).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "{answer:?}");
    logged(&rig.gateway, "its sessions were ended while the sign-in was under way");
    // By the clock's next second a sign-in has begun after it.
    until_async("the person signs in anew", || async { rig.gateway_lets_in(&browser).await }).await;
}

#[tokio::test]
async fn a_session_that_no_sid_is_known_of_falls_to_its_subject() {
    let rig = Rig::open("").await;
    let (unknown, other) = (rig.signed_in("alice", None).await, rig.signed_in("alice", Some("s2")).await);
    let bob = rig.signed_in("bob", None).await;
    rig.is_done(json!({})).await;
    assert!(!rig.is_in(&unknown).await, "its sign-in may have been by that session");
    assert!(rig.is_in(&other).await && rig.is_in(&bob).await);
}

#[tokio::test]
async fn where_the_file_says_so_one_session_of_the_providers_ends_all_of_its_person() {
    let rig = Rig::open("logout_ends = \"subject\"\n").await;
    let (one, two) = (rig.signed_in("alice", Some("s1")).await, rig.signed_in("alice", Some("s2")).await);
    let bob = rig.signed_in("bob", Some("s3")).await;
    rig.is_done(json!({"sub": null})).await;
    assert!(!rig.is_in(&one).await && !rig.is_in(&two).await && rig.is_in(&bob).await);
}

#[tokio::test]
async fn invariant_5_forged_expired_and_foreign_logout_tokens_end_nothing() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", Some("s1")).await;
    let now = jsonwebtoken::get_current_timestamp();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for (what, changes, reason) in [
        ("expired", json!({"exp": now - 3600, "iat": now - 7200}), "expired"),
        ("without exp", json!({"exp": null}), "missing-claim"),
        ("from the future", json!({"iat": now + 3600}), "not-yet-valid"),
        ("another audience", json!({"aud": "other"}), "wrong-audience"),
        ("another issuer", json!({"iss": "https://evil.example"}), "unknown-issuer"),
        ("the issuer with a slash", json!({"iss": format!("{}/", rig.issuer.issuer())}), "unknown-issuer"),
        ("without issuer", json!({"iss": null}), "unknown-issuer"),
        ("without jti", json!({"jti": null}), "missing-claim"),
        ("without events", json!({"events": null}), "wrong-purpose"),
        ("another event", json!({"events": {"urn:other": {}}}), "wrong-purpose"),
        ("an event that is no object", json!({"events": {event: "x"}}), "wrong-purpose"),
        ("with nonce", json!({"nonce": "n"}), "wrong-purpose"),
        ("of nobody", json!({"sub": null, "sid": null}), "missing-claim"),
    ] {
        refused(what, &rig.told(&rig.issuer.logout_token(&changes)).await, reason);
    }
    let claims = rig.issuer.logout_claims(&json!({}));
    let mut head = Header::new(Algorithm::ES256);
    head.kid = Some("k1".into());
    let stranger = Impostor::start().await;
    refused("a stranger's key", &rig.told(&stranger.sign(&head, &claims)).await, "bad-signature");
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(json!({"alg": "none", "kid": "k1"})), part(claims.clone()));
    refused("alg: none", &rig.told(&none).await, "malformed");
    let symmetric =
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(b"k1")).unwrap();
    refused("a symmetric key", &rig.told(&symmetric).await, "malformed");
    head.typ = Some("at+jwt".into());
    refused("an access token's type", &rig.told(&rig.issuer.sign(&head, &claims)).await, "wrong-purpose");
    assert!(rig.is_in(&alice).await);
    let line = logged(&rig.gateway, "aud: expected our client_id portcullis, got other");
    assert!(line.contains("wrong-audience") && line.contains("\"provider\":\"corp\""), "{line}");
    assert!(rig.counted("wrong-audience").await.ends_with(" 1"));
    assert!(rig.counted("unknown-issuer").await.contains("provider=\"\""));
    rig.is_done(json!({})).await;
    assert!(!rig.is_in(&alice).await);
}

#[tokio::test]
async fn a_provider_ends_nothing_of_anothers() {
    let partner = Impostor::start().await;
    let table = partner.configuration().replace("[providers.corp]", "[providers.partner]");
    let rig = Rig::open(&table).await;
    rig.issuer.now(|ways| ways.id_token = json!({"sid": "s1"}));
    let alice = Browser::new();
    alice.visit(&rig.gateway.url("/.portcullis/sign-in?provider=corp")).await;
    assert!(rig.is_in(&alice).await, "{}", rig.gateway.log());
    for changes in [json!({}), json!({"sid": null}), json!({"sub": null})] {
        assert_eq!(rig.told(&partner.logout_token(&changes)).await.status, 200, "{changes}");
    }
    let theirs = partner.logout_token(&json!({"iss": rig.issuer.issuer()}));
    refused("in the other's name", &rig.told(&theirs).await, "bad-signature");
    assert!(rig.is_in(&alice).await, "the same sub and sid are others at another issuer");
    rig.is_done(json!({})).await;
    assert!(!rig.is_in(&alice).await);
}

#[tokio::test]
async fn a_logout_token_works_once() {
    let rig = Rig::open("").await;
    let token = rig.issuer.logout_token(&json!({"sid": null}));
    rig.signed_in("alice", Some("s1")).await;
    assert_eq!(rig.told(&token).await.status, 200);
    let again = Browser::new();
    // A sign-in that began in the second of the end, or before, makes no session.
    until_async("a new sign-in", || async { again.visit(&rig.gateway.url("/")).await.status == 200 }).await;
    refused("a replay", &rig.told(&token).await, "replayed");
    assert!(rig.is_in(&again).await, "whoever replays a token signs nobody out");
}

#[tokio::test]
async fn what_is_no_form_with_one_token_is_refused() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", Some("s1")).await;
    let (one, two) = (rig.issuer.logout_token(&json!({})), rig.issuer.logout_token(&json!({})));
    for (what, media_type, body) in [
        ("nothing", FORM, String::new()),
        ("an empty token", FORM, "logout_token=".into()),
        ("no token", FORM, "logout_token=a.b".into()),
        ("JSON", "application/json", format!("{{\"logout_token\":\"{one}\"}}")),
        ("a form of another type", "text/plain", format!("logout_token={one}")),
        ("two tokens", FORM, format!("logout_token={one}&logout_token={two}")),
        ("a long token", FORM, format!("logout_token={one}{}", "A".repeat(16 * 1024))),
        ("a long form", FORM, format!("logout_token={one}&more={}", "A".repeat(64 * 1024))),
    ] {
        refused(what, &rig.post(media_type, &body).await, "malformed");
    }
    let url = rig.gateway.url("/.portcullis/back-channel-logout");
    let by_get = Browser::new().get(&format!("{url}?logout_token={one}")).await;
    assert_eq!(by_get.status, 405);
    let head = [("content-type", FORM), ("host", "elsewhere.example")];
    let elsewhere = Browser::new().send(Method::POST, &url, &head, &format!("logout_token={one}")).await;
    assert_eq!(elsewhere.status, 404, "it is on the host of public_url alone");
    assert!(rig.is_in(&alice).await);
    rig.is_done(json!({})).await;
}

#[tokio::test]
async fn invariant_26_a_flood_of_forged_tokens_asks_a_provider_for_its_keys_once() {
    let rig = Rig::open("").await;
    rig.signed_in("alice", Some("s1")).await;
    let before = rig.issuer.asked("/jwks");
    let stranger = Impostor::start().await;
    let mut head = Header::new(Algorithm::ES256);
    for number in 0..200 {
        head.kid = Some(format!("unknown-{number}"));
        let token = stranger.sign(&head, &rig.issuer.logout_claims(&json!({})));
        refused("a forged one", &rig.told(&token).await, "bad-signature");
    }
    assert!(rig.issuer.asked("/jwks") <= before + 1, "{}", rig.issuer.asked("/jwks") - before);
}

#[tokio::test]
async fn a_token_that_cannot_be_judged_is_to_be_sent_again() {
    let rig = Rig::open("").await;
    rig.issuer.now(|ways| drop(ways.instead.insert("/jwks", (500, "text/plain", String::new()))));
    let rig = Rig {
        gateway: Gateway::start(
            &format!("{}{ROUTE}", rig.issuer.configuration()).replace("{app}", "http://127.0.0.1:1"),
        ),
        ..rig
    };
    let answer = rig.told(&rig.issuer.logout_token(&json!({}))).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty() && answer.header("cache-control") == "no-store");
    assert!(rig.counted("keys-unavailable").await.contains("provider=\"corp\""));
}

/// A rig of the certified provider, which is told where the back channel is.
async fn certified(app: &str, session: bool) -> World {
    let port = free_port();
    let gateway = format!("http://127.0.0.1:{port}");
    let mut provider = Provider::stopped(&gateway)
        .with_client("backchannel_logout_uri", format!("{gateway}/.portcullis/back-channel-logout").into())
        .with_client("backchannel_logout_session_required", session.into());
    provider.resume();
    let stream = format!(
        "{ROUTE}\n[[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n"
    );
    World::before(provider, port, &gateway, "", "", &stream).await
}

/// Signs out at the provider itself, as its own page does.
async fn leaves_the_provider(world: &World, browser: &Browser) {
    let asked = browser.get(&format!("{}/session/end", world.provider.issuer())).await;
    let xsrf = between(&asked.body, "name=\"xsrf\" value=\"", "\"");
    let action = format!("{}/session/end/confirm", world.provider.issuer());
    browser.submit(&action, &format!("xsrf={xsrf}&logout=yes")).await;
}

#[tokio::test]
async fn invariant_8_who_signs_out_at_a_certified_provider_is_out_here_and_an_open_websocket_ends() {
    for session in [true, false] {
        let world = certified(&sockets().await, session).await;
        let (browser, other) = (world.signed_in().await, world.signed_in().await);
        let address = format!("ws://127.0.0.1:{}/stream", world.gateway.port);
        let mut request = address.into_client_request().unwrap();
        let key = browser.cookie(&world.gateway.url("/"), "portcullis").unwrap();
        request.headers_mut().insert("cookie", format!("portcullis={key}").parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        socket.send("hello".into()).await.unwrap();
        socket.next().await.unwrap().unwrap();
        leaves_the_provider(&world, &browser).await;
        assert_eq!(browser.get(&world.gateway.url("/")).await.status, 302, "{}", world.gateway.log());
        let end = tokio::time::timeout(PATIENCE, socket.next()).await.expect("the WebSocket ends");
        assert!(matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
        let other = other.get(&world.gateway.url("/")).await.status;
        assert_eq!(other, if session { 200 } else { 302 }, "the same person in another browser");
        let told = event(&world.gateway, "logout-token.accepted");
        assert_eq!((&told["channel"], &told["provider"]), (&json!("back"), &json!("corp")), "{told}");
    }
}

/// Each piece of junk is recorded, up to what the record takes of strangers; the metrics count all of it.
#[tokio::test]
async fn junk_is_recorded_and_counted() {
    let rig = Rig::open("").await;
    let junk = encode(&Header::new(Algorithm::HS256), &json!({"iss": "x"}), &EncodingKey::from_secret(b"x"))
        .unwrap();
    for _ in 0..40 {
        assert_eq!(rig.told(&junk).await.status, 400);
        let front = rig.gateway.url("/.portcullis/front-channel-logout?iss=https://nobody.example&sid=1");
        assert_eq!(Browser::new().get(&front).await.status, 400);
    }
    for channel in ["back", "front"] {
        let told = format!("\"channel\":\"{channel}\"");
        let is_told = |line: &&str| line.contains("logout-token.refused") && line.contains(&told);
        until("each to be recorded", || rig.gateway.log().lines().filter(is_told).count() == 40);
    }
    let metrics = Browser::new().get(&rig.gateway.admin_url("/metrics")).await.body;
    let counted = metrics.lines().filter(|line| line.starts_with("portcullis_logouts_total{"));
    assert_eq!(counted.filter(|line| line.ends_with(" 40")).count(), 2, "{metrics}");
}

/// A token that names no key is tried with all that could have signed it: that is worth something to whoever wants to keep
/// the gateway busy. What names its key is never held up by it.
#[tokio::test]
async fn invariant_14_tokens_that_name_no_key_are_tried_only_so_often() {
    let rig = Rig::open("").await;
    let own = json!(rig.issuer.jwk());
    let mut second = own.clone();
    second["kid"] = json!("k2");
    rig.issuer.now(|ways| ways.keys = Some(vec![own, second]));
    let alice = rig.signed_in("alice", Some("s1")).await;
    let mut head = Header::new(Algorithm::ES256);
    head.typ = Some("logout+jwt".into());
    let unnamed =
        |sub: &str| rig.issuer.sign(&head, &rig.issuer.logout_claims(&json!({"sub": sub, "sid": null})));
    assert_eq!(rig.told(&unnamed("nobody")).await.status, 200, "as long as there are few");
    let mut last = rig.told(&unnamed("nobody")).await;
    for _ in 0..200 {
        if last.status == 429 {
            break;
        }
        last = rig.told(&unnamed("nobody")).await;
    }
    assert_eq!((last.status, last.header("cache-control")), (429, "no-store"), "{}", last.body);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds <= 2));
    assert!(rig.counted("limited").await.contains("provider=\"corp\""));
    rig.is_done(json!({})).await;
    assert!(!rig.is_in(&alice).await, "its provider is heard all the same");
}
