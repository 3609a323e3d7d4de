//! A person sees where they are signed in, and ends what they do not want; how many places there may be is the operator's
//! word.

use futures_util::StreamExt;
use http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{Answer, App, Browser, Gateway, Impostor, PATIENCE, between, logged, sockets, until};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/26.0 Mobile/15E148 Safari/604.1";

/// A gateway whose provider signs in whomever the test names.
struct Rig {
    gateway: Gateway,
    issuer: Impostor,
    _app: App,
}

impl Rig {
    async fn open(tables: &str) -> Self {
        let (issuer, app) = (Impostor::start().await, App::start().await);
        let routes = format!(
            "[[routes]]\nname = \"wiki\"\nupstream = \"{}\"\naccess = \"signed-in\"\n\n\
             [[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{}\"\naccess = \"signed-in\"\n",
            app.url(),
            sockets().await
        );
        let gateway = Gateway::start(&format!("{tables}\n{}\n{routes}", issuer.configuration()));
        Self { gateway, issuer, _app: app }
    }

    async fn signed_in(&self, sub: &str, agent: &'static str) -> Browser {
        self.issuer.now(|ways| ways.id_token = json!({"sub": sub}));
        let browser = Browser::with_agent(agent);
        assert_eq!(browser.visit(&self.gateway.url("/")).await.status, 200, "{}", self.gateway.log());
        browser
    }

    async fn is_in(&self, browser: &Browser) -> bool {
        browser.get(&self.gateway.url("/")).await.status == 200
    }

    fn page(&self) -> String {
        self.gateway.url("/.portcullis/sessions")
    }

    async fn shown(&self, browser: &Browser) -> Answer {
        let answer = browser.get(&self.page()).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
        answer
    }
}

/// The identifier in the form that ends `device`.
fn id_of(page: &Answer, device: &str) -> String {
    let row = page.body.split("<li class=\"session\">").find(|row| row.contains(device)).unwrap();
    between(row, "name=\"end\" value=\"", "\"")
}

#[tokio::test]
async fn invariant_8_a_person_ends_one_sign_in_and_its_websocket_is_cut_at_once() {
    let rig = Rig::open("").await;
    let (here, there) = (rig.signed_in("alice", FIREFOX).await, rig.signed_in("alice", IPHONE).await);
    let mut request = format!("ws://127.0.0.1:{}/stream", rig.gateway.port).into_client_request().unwrap();
    let cookie = format!("portcullis={}", there.cookie(&rig.gateway.url("/"), "portcullis").unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();

    let page = rig.shown(&here).await;
    for told in ["Firefox on Windows", "Safari on an iPhone", "127.0.0.1", "just now", "This browser"] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert_eq!(page.body.matches("name=\"end\"").count(), 1, "not the one of this browser");
    let ended = here.submit(&rig.page(), &format!("end={}", id_of(&page, "Safari on an iPhone"))).await;
    assert_eq!(ended.status, 200);
    assert!(
        ended.body.contains("That sign-in has ended") && ended.body.contains("not taken back"),
        "{}",
        ended.body
    );
    assert!(!ended.body.contains("Safari on an iPhone"));

    let told = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    let Message::Close(Some(frame)) = told else { panic!("{told:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "ended from another session"));
    let told = logged(&rig.gateway, "\"type\":\"session.ended\"");
    assert!(told.contains("\"why\":\"signed-out-elsewhere\"") && told.contains("\"cut\":1"), "{told}");
    assert!(rig.is_in(&here).await && !rig.is_in(&there).await);
    let told = there.get(&rig.gateway.url("/")).await;
    assert_eq!(told.status, 401);
    assert!(
        told.body.contains("ended from another browser") && told.body.contains("Sign in"),
        "{}",
        told.body
    );
    let sign_in = between(&told.body, "class=\"button\" href=\"", "\"");
    assert_eq!(there.visit(&rig.gateway.url(&sign_in)).await.status, 200, "and may come back");
}

#[tokio::test]
async fn invariant_8_a_person_ends_all_other_sign_ins_and_keeps_their_own() {
    let rig = Rig::open("").await;
    let here = rig.signed_in("alice", FIREFOX).await;
    let others = [rig.signed_in("alice", IPHONE).await, rig.signed_in("alice", FIREFOX).await];
    let bob = rig.signed_in("bob", FIREFOX).await;
    let ended = here.submit(&rig.page(), "others=yes").await;
    assert!(
        ended.body.contains("2 sign-ins have ended") && ended.body.contains("anywhere else"),
        "{}",
        ended.body
    );
    for other in &others {
        assert!(!rig.is_in(other).await);
    }
    assert!(rig.is_in(&here).await && rig.is_in(&bob).await);
    let metrics = Browser::new().get(&rig.gateway.admin_url("/metrics")).await.body;
    assert!(
        metrics.contains("portcullis_sessions_ended_total{reason=\"signed-out-elsewhere\"} 2"),
        "{metrics}"
    );
}

#[tokio::test]
async fn invariant_7_the_identifier_of_somebody_elses_session_changes_nothing() {
    let rig = Rig::open("").await;
    let (mallory, alice) = (rig.signed_in("mallory", FIREFOX).await, rig.signed_in("alice", IPHONE).await);
    let second = rig.signed_in("alice", FIREFOX).await;
    let page = rig.shown(&second).await;
    let id = id_of(&page, "Safari on an iPhone");
    assert!(!rig.shown(&mallory).await.body.contains(&id), "nobody else sees it");
    let unknown = "0".repeat(64);
    let both = format!("end={id}&others=yes");
    let forms =
        [format!("end={id}"), format!("end={unknown}"), format!("end={}", &id[..8]), "end=".into(), both];
    let mut told = Vec::new();
    for form in forms.iter().map(String::as_str).chain(["", "others=no", "END=1", "others=yes&others=yes"]) {
        let answer = mallory.submit(&rig.page(), form).await;
        assert_eq!(answer.status, 200, "{form}");
        told.push(answer.body.contains("It is gone"));
    }
    assert_eq!(told, vec![true; 9]);
    let long = format!("end={}", "a".repeat(5000));
    assert!(mallory.submit(&rig.page(), &long).await.body.contains("It is gone"));
    assert!(rig.is_in(&alice).await && rig.is_in(&second).await && rig.is_in(&mallory).await);
}

#[tokio::test]
async fn invariant_18_only_a_page_of_this_origin_ends_sessions() {
    let rig = Rig::open("").await;
    let (here, there) = (rig.signed_in("alice", FIREFOX).await, rig.signed_in("alice", IPHONE).await);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), form][..],
        &[("sec-fetch-site", "same-site"), form],
        &[("sec-fetch-site", "none"), form],
        &[("origin", "null"), form],
        &[form],
    ] {
        let answer = here.send(Method::POST, &rig.page(), headers, "others=yes").await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert!(rig.is_in(&there).await);
    let get = here.get(&format!("{}?others=yes", rig.page())).await;
    assert_eq!(get.status, 200);
    assert!(rig.is_in(&there).await, "a link ends nothing");
}

#[tokio::test]
async fn ending_ones_own_session_is_signing_out_and_asks_so() {
    let rig = Rig::open("").await;
    let here = rig.signed_in("alice", FIREFOX).await;
    let other = rig.signed_in("alice", IPHONE).await;
    let own = id_of(&rig.shown(&other).await, "Firefox on Windows");
    let answer = here.submit(&rig.page(), &format!("end={own}")).await;
    assert_eq!((answer.status, answer.next()), (303, Some(rig.gateway.url("/.portcullis/sign-out"))));
    assert!(rig.is_in(&here).await);
    let stranger = Browser::new().get(&rig.page()).await;
    assert!(stranger.status == 303 && stranger.next().unwrap().contains("/.portcullis/sign-in"));
}

#[tokio::test]
async fn a_person_who_holds_too_many_sessions_loses_the_oldest_and_is_told() {
    let rig = Rig::open("[session]\nmax_per_person = 2\n").await;
    let first = rig.signed_in("alice", FIREFOX).await;
    let second = rig.signed_in("alice", IPHONE).await;
    assert!(rig.is_in(&first).await);
    // Once more in the same browser: it counts once.
    second.visit(&rig.gateway.url("/.portcullis/sign-in?anew=1")).await;
    assert!(rig.is_in(&first).await && rig.is_in(&second).await);
    let third = rig.signed_in("alice", FIREFOX).await;
    assert!(rig.is_in(&second).await && rig.is_in(&third).await);
    let told = first.get(&rig.gateway.url("/")).await;
    assert_eq!(told.status, 401);
    assert!(told.body.contains("You have signed in elsewhere"), "{}", told.body);
    assert_eq!(
        first.send(Method::GET, &rig.gateway.url("/"), &[], "").await.status,
        401,
        "a program is told as ever"
    );
    let metrics = Browser::new().get(&rig.gateway.admin_url("/metrics")).await.body;
    assert!(
        metrics.contains("portcullis_sessions_ended_total{reason=\"signed-in-elsewhere\"} 1"),
        "{metrics}"
    );
    let why = "\"why\":\"signed-in-elsewhere\"";
    until("the end to be told", || rig.gateway.log().contains(why));
}
