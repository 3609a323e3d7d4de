//! What is sent to the addresses of bound sessions: forged, foreign and replayed proofs, and what browsers make of the
//! answers.

use super::*;
use crate::support::device::{name, registration, send};

/// What changes nothing, is told by its reason, and leaves the browser its session: 403, with another challenge.
#[tokio::test]
async fn invariant_5_forged_foreign_and_replayed_proofs_are_refused() {
    let world = world().await;
    let (browser, device, session) = bound(&world).await;
    let (url, id) = (refresh_url(&session).to_owned(), name(&session).to_owned());
    let challenge = asked(&send(&browser, &url, Some(&id), None).await);
    let (_, other_device, other_session) = bound(&world).await;
    let foreign = asked(&send(&browser, &url, Some(name(&other_session)), None).await);
    let header = |typ: &str, alg: &str| json!({ "typ": typ, "alg": alg });
    let claims = json!({ "jti": challenge });
    let unsigned = |alg: &str| {
        let text = device.signed(&header("dbsc+jwt", alg), &claims);
        format!("{}.", text.rsplit_once('.').unwrap().0)
    };
    let tampered =
        challenge.replacen(&challenge[60..61], if &challenge[60..61] == "A" { "B" } else { "A" }, 1);
    for (proof, reason) in [
        (other_device.proof(&challenge, false), "bad-signature"),
        (device.proof(&foreign, false), "another-session"),
        (device.proof(&tampered, false), "foreign-challenge"),
        (device.proof("made up", false), "foreign-challenge"),
        (unsigned("none"), "wrong-algorithm"),
        (device.signed(&header("dbsc+jwt", "HS256"), &claims), "wrong-algorithm"),
        (device.signed(&header("dbsc+jwt", "ES384"), &claims), "wrong-algorithm"),
        (device.signed(&header("dbsc+jwt", "RS256"), &claims), "wrong-algorithm"),
        (device.proof(&challenge, true), "unexpected-key"),
        (device.signed(&json!({ "alg": "ES256" }), &claims), "wrong-type"),
        (device.signed(&header("JWT", "ES256"), &claims), "wrong-type"),
        (device.signed(&header("dbsc+jwt", "ES256"), &json!({})), "no-challenge"),
        ("not-a-token".to_owned(), "malformed"),
        (format!("\"{}\"", "x".repeat(9000)), "bad-field"),
        ("\"unfinished".to_owned(), "bad-field"),
    ] {
        let answer = send(&browser, &url, Some(&id), Some(&proof)).await;
        assert_eq!(answer.status, 403, "{reason}: {}", answer.body);
        assert_eq!(answer.json()["error"], json!(reason));
        assert!(answer.set_cookies().is_empty(), "{reason}");
        assert_ne!(asked(&answer), challenge, "another one each time: {reason}");
        assert!(
            logged(&world.gateway, &format!("\"refresh, {reason}: ")).contains("session.binding-refused"),
            "{reason}"
        );
    }
    let good = device.proof(&challenge, false);
    assert_eq!(
        send(&browser, &url, Some(&id), Some(&good)).await.status,
        200,
        "nothing has changed by all that"
    );
    let replayed = send(&browser, &url, Some(&id), Some(&format!("\"{good}\""))).await;
    assert_eq!((replayed.status, &replayed.json()["error"]), (403, &json!("replayed")));
    assert_eq!(
        device.refresh(&browser, &session, Some(&challenge)).await.status,
        200,
        "an old challenge costs one more"
    );
    assert_eq!(counted(&world, "refresh", "replayed").await, 2);
}

#[tokio::test]
async fn invariant_27_a_session_is_bound_once_by_who_was_asked_to() {
    let world = world().await;
    let browser = Browser::behind_tls(world.gateway.port);
    let offer = offered(&browser, &at("/")).await.unwrap();
    let (url, challenge) = registration(&offer);
    let other = Browser::behind_tls(world.gateway.port);
    let theirs = offered(&other, &at("/")).await.unwrap();
    let device = Device::new();
    let claims = json!({ "jti": challenge });
    let jwk = device.jwk();
    let with_jwk =
        |jwk: &Value| device.signed(&json!({ "typ": "dbsc+jwt", "alg": "ES256", "jwk": jwk }), &claims);
    let mut private = jwk.clone();
    private["d"] = json!("AAAA");
    for (who, proof, reason) in [
        (&browser, device.proof(&challenge, false), "no-key"),
        (&browser, with_jwk(&Device::new().jwk()), "bad-signature"),
        (&browser, with_jwk(&private), "bad-key"),
        (&browser, with_jwk(&json!({ "kty": "oct", "k": "AAAA" })), "bad-key"),
        (&browser, device.proof(&registration(&theirs).1, true), "another-session"),
        (&browser, device.proof("made up", true), "foreign-challenge"),
    ] {
        let answer = send(who, &url, None, Some(&proof)).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(reason)));
        assert!(answer.set_cookies().is_empty());
        let line = logged(&world.gateway, &format!("\"registration, {reason}: "));
        assert!(line.contains("session.binding-refused"), "{line}");
    }
    let elsewhere = url.replace("login.", "app.");
    let answer = send(&other, &elsewhere, None, Some(&device.proof(&challenge, true))).await;
    assert_eq!(answer.json(), json!({ "continue": false }), "on another host it is nobody's");
    // Without the session's cookie: a browser leaves it out where another site's page began the sign-in.
    let answer =
        send(&Browser::behind_tls(world.gateway.port), &url, None, Some(&device.proof(&challenge, true)))
            .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let session = answer.json();
    let thief = Device::new();
    let again = send(&browser, &url, None, Some(&thief.proof(&challenge, true))).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("bound-before")));
    let refresh = send(&browser, refresh_url(&session), Some(name(&session)), None).await;
    let registered_with = thief.proof(&asked(&refresh), true);
    assert_eq!(
        send(&browser, &url, None, Some(&registered_with)).await.json()["error"],
        "foreign-challenge",
        "for another purpose"
    );
    assert_eq!(device.refresh(&browser, &session, None).await.status, 200);
}

/// Of any other status below 500 a browser forgets its session, and comes without its device from then on.
#[tokio::test]
async fn only_200_a_challenge_and_5xx_leave_the_refresh_address() {
    let limit = format!("{PROXY}\nsign_in_limits = [{{ per = \"route\", rate = \"1/h\", burst = 3 }}]");
    let world = World::at(PUBLIC, &limit, "", ROUTES).await;
    let (browser, device, session) = bound(&world).await;
    let url = refresh_url(&session);
    for _ in 0..10 {
        assert_eq!(send(&browser, url, Some(name(&session)), None).await.status, 403);
    }
    assert_eq!(device.refresh(&browser, &session, None).await.status, 200);
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(browser.get(&at("/.portcullis/sign-in")).await.status);
    }
    assert_eq!(others.last(), Some(&429), "others are limited: {others:?}");
    let over = json!({ "continue": false });
    for id in [
        None,
        Some("s1"),
        Some("s0000000000000000000000000000000000000000000000000000000000000000"),
        Some("\\"),
    ] {
        let answer = send(&browser, url, id, Some("x")).await;
        assert_eq!((answer.status, answer.json()), (200, over.clone()), "{id:?}");
    }
    let bare = [("sec-secure-session-id", name(&session))];
    assert_eq!(browser.send(Method::POST, url, &bare, "").await.status, 403, "bare, as browsers write it");
}

#[tokio::test]
async fn who_has_signed_out_is_told_that_the_bound_session_is_over() {
    let world = world().await;
    let (browser, device, session) = bound(&world).await;
    let page = browser.submit(&at("/.portcullis/sign-out"), "").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        page.set_cookies().iter().any(|set| set.starts_with(&format!("{BOUND}=;"))),
        "{:?}",
        page.set_cookies()
    );
    let answer = device.refresh(&browser, &session, None).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "continue": false })));
}
