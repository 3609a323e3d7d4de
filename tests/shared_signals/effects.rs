//! From the signal to the next request, and to what is open.

use futures_util::{SinkExt, StreamExt};
use http::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Rig;
use crate::support::{Browser, PATIENCE, Transmitter, caep, sockets, told, until_async};

fn risen() -> Value {
    json!({"events": caep("risk-level-change", json!({"current_level": "HIGH", "previous_level": "LOW"}))})
}

fn claims_changed() -> Value {
    json!({"events": caep("token-claims-change", json!({"claims": {"groups": []}}))})
}

fn now() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

#[tokio::test]
async fn a_signal_that_asks_for_a_new_sign_in_lets_nobody_through_without_one() {
    let rig = Rig::open("").await;
    let before = now();
    let alice = rig.signed_in("alice", Some("s1")).await;
    let bob = rig.signed_in("bob", Some("s2")).await;
    rig.pushed(&risen()).await;
    let url = rig.gateway.url("/page?a=1");
    let by_program = alice.send(Method::GET, &url, &[("accept", "application/json")], "").await;
    assert_eq!(by_program.status, 401, "{}", by_program.body);
    let challenge = by_program.header("www-authenticate").to_owned();
    assert!(
        challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=\"0\""),
        "{challenge}"
    );
    let asked = alice.stop_before(&url, "/auth?").await;
    let asked: std::collections::BTreeMap<_, _> = asked.query_pairs().into_owned().collect();
    assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("login", "0"));
    // Whoever signs in by themselves is asked for the same.
    let own = alice.stop_before(&rig.gateway.url("/.portcullis/sign-in?anew=1"), "/auth?").await;
    assert!(own.query().unwrap().contains("max_age=0"), "{own}");
    // The provider remembers her and says when she last signed in: that is no new sign-in, and it is asked once.
    for auth_time in [json!(before - 3600), json!(before - 1), Value::Null] {
        rig.issuer.now(|ways| ways.id_token = json!({"sub": "alice", "auth_time": auth_time}));
        let page = alice.visit(&url).await;
        assert_eq!(page.status, 403, "{auth_time}: {}", page.body);
        assert!(page.body.contains("a new sign-in, later than"), "{}", page.body);
    }
    assert_eq!(alice.get(&url).await.status, 302, "she is still not let in");
    assert!(rig.is_in(&bob).await);
    until_async("a sign-in that is later than the signal", || async {
        rig.issuer.now(|ways| ways.id_token = json!({"sub": "alice", "auth_time": now()}));
        alice.visit(&url).await.status == 200
    })
    .await;
    assert!(rig.is_in(&alice).await, "it lasts");
    assert!(rig.counted("risk-level-change", "step-up").await.ends_with(" 1"));
    rig.logs("a signal of the provider's asks for a new sign-in").await;
}

#[tokio::test]
async fn nothing_is_let_through_by_claims_that_a_signal_says_have_changed() {
    let staff = "[[routes]]\nname = \"staff\"\npath = \"/staff\"\nupstream = \"{app}\"\nallow = [{ groups = [\"staff\"] }]\n";
    let rig = Rig::with("", staff).await;
    rig.issuer.now(|ways| ways.tokens = json!({"refresh_token": "r1"}));
    let alice = rig.signed_in("alice", None).await;
    let staff = rig.gateway.url("/staff");
    assert_eq!(alice.get(&staff).await.status, 200);
    let groups = |groups: Value| json!({"sub": "alice", "groups": groups});
    rig.issuer.now(|ways| ways.id_token = groups(json!(["guests"])));
    rig.pushed(&claims_changed()).await;
    assert_eq!(alice.get(&staff).await.status, 403, "{}", rig.gateway.log());
    let page = alice.get(&rig.gateway.url("/")).await;
    assert_eq!((page.status, told(&page, "x-groups")), (200, vec!["guests".to_owned()]));
    // While the provider is away, nobody knows what the claims are now.
    rig.issuer.now(|ways| drop(ways.instead.insert("/token", (500, "text/plain", String::new()))));
    rig.pushed(&claims_changed()).await;
    let home = rig.gateway.url("/");
    until_async("a word that it is away", || async { alice.get(&home).await.status == 503 }).await;
    // Its failure of a moment ago is no answer to what the claims are: nobody is sent away to sign in.
    for _ in 0..5 {
        assert_eq!(alice.get(&home).await.status, 503, "{}", rig.gateway.log());
    }
    rig.issuer.now(|ways| {
        ways.instead.clear();
        ways.id_token = groups(json!(["staff"]));
    });
    until_async("the provider's answer", || async { alice.get(&staff).await.status == 200 }).await;
}

/// Without a refresh token, or where a refresh brings no claims.
#[tokio::test]
async fn claims_that_no_refresh_renews_are_renewed_by_a_new_sign_in() {
    let rig = Rig::open("").await;
    for tokens in [json!({}), json!({"refresh_token": "r1", "id_token": null})] {
        rig.issuer.now(|ways| ways.tokens = json!({}));
        let alice = rig.signed_in("alice", None).await;
        if tokens["refresh_token"].is_string() {
            rig.issuer.now(|ways| ways.tokens = json!({"refresh_token": "r1"}));
            alice.visit(&rig.gateway.url("/.portcullis/sign-in?anew=1")).await;
        }
        rig.issuer.now(|ways| {
            ways.tokens = tokens.clone();
            ways.id_token = json!({"sub": "alice", "groups": ["new"]});
        });
        rig.pushed(&claims_changed()).await;
        let program =
            alice.send(Method::GET, &rig.gateway.url("/"), &[("accept", "application/json")], "").await;
        assert_eq!(program.status, 401, "{tokens}: {}", rig.gateway.log());
        rig.issuer.now(|ways| ways.tokens = json!({}));
        // A sign-in that began in the second of the signal, or before, makes no session.
        let home = rig.gateway.url("/");
        until_async("a sign-in that brings new claims", || async {
            let page = alice.visit(&home).await;
            page.status == 200 && told(&page, "x-groups") == ["new"]
        })
        .await;
    }
}

#[tokio::test]
async fn invariant_8_an_open_websocket_is_cut_by_each_signal_that_asks_for_anything() {
    for (changes, reason) in [
        (json!({}), "ended by a signal of the provider's"),
        (risen(), "a new sign-in is needed"),
        (claims_changed(), "to be judged anew: connect again"),
    ] {
        let stream = format!(
            "[[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{}\"\naccess = \"signed-in\"\n",
            sockets().await
        );
        let rig = Rig::with("", &stream).await;
        let (alice, bob) = (rig.signed_in("alice", None).await, rig.signed_in("bob", None).await);
        let (mut cut, mut goes_on) = (connected(&rig, &alice).await, connected(&rig, &bob).await);
        rig.pushed(&changes).await;
        let end = tokio::time::timeout(PATIENCE, cut.next()).await.expect("the WebSocket ends");
        let Some(Ok(Message::Close(Some(frame)))) = end else { panic!("{end:?}") };
        assert_eq!(frame.reason.as_str(), reason);
        goes_on.send("still".into()).await.unwrap();
        assert!(matches!(goes_on.next().await, Some(Ok(Message::Text(text))) if text.as_str() == "still"));
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connected(rig: &Rig, browser: &Browser) -> Socket {
    let mut request = format!("ws://127.0.0.1:{}/stream", rig.gateway.port).into_client_request().unwrap();
    let key = browser.cookie(&rig.gateway.url("/"), "portcullis").unwrap();
    request.headers_mut().insert("cookie", format!("portcullis={key}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket
}

/// The signal overtakes the person who is on the way back.
#[tokio::test]
async fn invariant_23_a_sign_in_under_way_while_its_account_is_disabled_makes_no_session() {
    let rig = Rig::open("").await;
    rig.issuer.now(|ways| ways.id_token = json!({"sub": "alice"}));
    let browser = Browser::new();
    let callback = browser.stop_before(&rig.gateway.url("/"), "/.portcullis/callback").await;
    let disabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    rig.pushed(&json!({"events": {disabled: {"reason": "hijacking"}}})).await;
    let answer = browser.get(callback.as_str()).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "{answer:?}");
}

#[tokio::test]
async fn what_a_signal_asks_outlives_the_process() {
    let mut rig = Rig::open("").await;
    let alice = rig.signed_in("alice", None).await;
    rig.pushed(&risen()).await;
    rig.gateway.kill();
    rig.gateway.start_again();
    assert_eq!(alice.get(&rig.gateway.url("/")).await.status, 302);
}

/// Of the transmitter there is a table for each provider of a file; who has none is told nothing.
#[tokio::test]
async fn an_action_of_the_configuration_takes_the_place_of_the_default() {
    let transmitter = Transmitter::start().await;
    let rig = Rig::unready(transmitter, "actions = { \"risk-level-change\" = \"end\" }", "").await;
    rig.is_verified().await;
    let alice = rig.signed_in("alice", None).await;
    rig.pushed(&risen()).await;
    assert_eq!(alice.get(&rig.gateway.url("/")).await.status, 302);
    assert!(rig.counted("risk-level-change", "ended").await.ends_with(" 1"));
}
