//! Sign-ins are ended over the console.

use futures_util::StreamExt;
use http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PATIENCE, event};

use super::rig::Rig;

#[tokio::test]
async fn invariant_8_an_operator_ends_a_sign_in_its_stream_is_cut_and_the_log_says_who_and_why() {
    let rig = Rig::open().await;
    let (operator, alice) = (rig.of("olga", "ops").await, rig.of("alice", "staff").await);
    let bob = rig.of("bob", "staff").await;
    let mut stream = rig.stream(&alice).await;
    let id = rig.id_of(&operator, "alice").await;
    let page = rig.page(&operator, &format!("/sessions/{id}")).await;
    assert!(page.body.contains("End this sign-in") && page.body.contains("wiki.localhost"), "{}", page.body);

    let form = format!("id={id}&reason=left+the+company");
    let ended = operator.submit(&rig.at("/sessions/end"), &form).await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    assert!(ended.body.contains("1 sign-in has ended"), "{}", ended.body);
    let end = tokio::time::timeout(PATIENCE, stream.next()).await.expect("the stream ends with its session");
    assert!(matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
    assert!(!rig.is_in(&alice).await && rig.is_in(&bob).await);

    let line = event(&rig.gateway, "management.called");
    assert_eq!(line["operator"], "olga (corp), in the console", "{line}");
    assert_eq!((&line["ended"], &line["operation"]), (&json!(1), &json!("end-sessions")), "{line}");
    assert_eq!(line["reason"], json!(format!("{{\"id\":\"{id}\"}}: left the company")), "{line}");
    let end = event(&rig.gateway, "session.ended");
    let by = json!(ended.header("x-request-id"));
    assert_eq!((&line["id"], &end["id"], &end["by"]), (&by, &by, &line["operator"]), "{end}");
    assert_eq!(operator.visit(&rig.at(&format!("/sessions/{id}"))).await.status, 404);
    let again = operator.submit(&rig.at("/sessions/end"), &form).await;
    assert!(again.status == 200 && again.body.contains("nothing to end"), "{}", again.body);
}

#[tokio::test]
async fn what_a_filter_finds_is_ended_after_one_more_question() {
    let rig = Rig::open().await;
    let operator = rig.of("olga", "ops").await;
    let (first, second) = (rig.of("alice", "staff").await, rig.of("alice", "staff").await);
    let bob = rig.of("bob", "staff").await;
    let list = rig.page(&operator, "/sessions?user=alice&provider=corp").await;
    assert!(list.body.contains("End all that match") && !list.body.contains(">bob<"), "{}", list.body);
    let ask = rig.page(&operator, "/sessions/end?user=alice&provider=corp").await;
    assert!(ask.body.contains("End 2 sign-ins?") && ask.body.contains("value=\"corp\""), "{}", ask.body);
    assert!(rig.is_in(&first).await, "a page that is looked at ends nothing");

    let ended = operator.submit(&rig.at("/sessions/end"), "user=alice&provider=corp").await;
    assert!(ended.body.contains("2 sign-ins have ended"), "{}", ended.body);
    assert!(!rig.is_in(&first).await && !rig.is_in(&second).await && rig.is_in(&bob).await);
    let all = rig.page(&operator, "/sessions/end").await;
    assert!(
        all.body.contains("name=\"all\" value=\"yes\"") && all.body.contains("you as well"),
        "{}",
        all.body
    );
    let ended = operator.submit(&rig.at("/sessions/end"), "all=yes").await;
    assert!(ended.status == 200 && ended.body.contains("have ended"), "{}", ended.body);
    assert!(!rig.is_in(&bob).await && !rig.is_in(&operator).await);
}

#[tokio::test]
async fn invariant_14_a_form_is_small_is_a_form_and_says_what_it_means() {
    let rig = Rig::open().await;
    let (operator, alice) = (rig.of("olga", "ops").await, rig.of("alice", "staff").await);
    rig.page(&operator, "/").await;
    let end = rig.at("/sessions/end");
    let large = format!("user=alice&pad={}", "x".repeat(16 * 1024));
    for (form, status) in [
        (large.as_str(), 413),
        ("", 400),
        ("reason=none", 400),
        ("user=alice&user=bob", 400),
        ("user=alice&all=yes", 400),
        ("id=xyz", 400),
        ("user=al%0Aice", 400),
        ("subject=1&provider=nobody", 400),
    ] {
        let answer = operator.submit(&end, form).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let json = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    assert_eq!(operator.send(Method::POST, &end, &json, "{\"user\":\"alice\"}").await.status, 415);
    for (path, status) in [("/", 405), ("/sessions", 405), ("/explain", 405), ("/nothing", 404)] {
        let answer = operator.submit(&rig.at(path), "user=alice").await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("allow"), if status == 405 { "GET, HEAD" } else { "" }, "{path}");
    }
    assert!(rig.is_in(&alice).await, "nothing of it ends anything");
}
