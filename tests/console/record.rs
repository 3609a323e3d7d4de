//! What the record has, as pages.

use serde_json::{Value, json};

use crate::support::{Answer, Browser, between, logged, until_async};

use super::rig::Rig;

/// A page that tells of this, once the store has it.
async fn tells(rig: &Rig, browser: &Browser, path: &str, word: &str) -> Answer {
    until_async("the store has it", || async { browser.visit(&rig.at(path)).await.body.contains(word) })
        .await;
    rig.page(browser, path).await
}

#[tokio::test]
async fn what_is_asked_for_stands_in_the_address_and_every_value_leads_to_its_like() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    let refused = alice.get(&rig.on("wiki", "/admin/x")).await;
    assert_eq!(refused.status, 403);
    let page = tells(&rig, &auditor, "/events?user=alice&outcome=forbidden", "/admin/x").await.body;
    assert_eq!(page.matches("<tr class=\"event\"").count(), 1, "{page}");
    for link in [
        "/at/here/events?outcome=forbidden&user=alice\"",
        "/at/here/events?user=alice&outcome=forbidden&route=admin\"",
        "/at/here/events?span=week&user=alice&outcome=forbidden\"",
        "/at/here/events?outcome=forbidden\"",
        "/at/here/events.csv?user=alice&outcome=forbidden\"",
        "portcullis events --since ",
    ] {
        let escaped = link.replace('&', "&#38;");
        assert!(page.contains(&escaped), "{escaped}: {page}");
    }
    assert!(page.contains("Events over time") && page.contains("1 event"), "{page}");
    let left_out = rig.page(&auditor, "/events?user=alice&-outcome=forbidden").await.body;
    assert!(!left_out.contains("/admin/x"), "{left_out}");
    for (wrong, why) in [
        ("-user=alice", "can leave out types and outcomes"),
        ("method=GET", "asked for by"),
        ("span=moon", "is no span"),
        ("until=x", "seconds since 1970"),
        ("behind=x", "no place on a page"),
    ] {
        let page = auditor.visit(&rig.at(&format!("/events?{wrong}"))).await;
        assert!(page.status == 400 && page.body.contains(why), "{wrong}: {}", page.body);
    }
    let past = rig.page(&auditor, "/events?user=alice&until=1700000000").await.body;
    assert!(past.contains("Nothing of what is asked for") && past.contains("up to now"), "{past}");
}

#[tokio::test]
async fn a_view_is_a_file_as_well_in_which_nothing_is_calculated() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    let mallory = json!({ "sub": "m", "preferred_username": "=cmd|' /C calc'!A1", "groups": ["staff"] });
    let mallory = rig.somebody(mallory).await;
    assert_eq!(mallory.get(&rig.on("wiki", "/admin/y")).await.status, 403);
    tells(&rig, &auditor, "/events?user=m", "/admin/y").await;
    let csv = auditor.get(&rig.at("/events.csv?user=m&outcome=forbidden")).await;
    assert!(csv.header("content-disposition").contains("events.csv"), "{:?}", csv.headers);
    let mut lines = csv.body.lines();
    assert!(lines.next().unwrap().starts_with("v,time,event,type"), "{}", csv.body);
    assert!(lines.next().unwrap().contains("\"'=cmd|"), "{}", csv.body);
    let lines = auditor.get(&rig.at("/events.json?user=m&outcome=forbidden")).await.body;
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&line["path"], &line["status"]), (&json!("/admin/y"), &json!(403)), "{line}");
    assert_eq!(auditor.submit(&rig.at("/events.csv"), "").await.status, 405);
}

#[tokio::test]
async fn one_id_opens_the_story_of_its_request() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    let refused = alice.get(&rig.on("wiki", "/admin/x?secret=1")).await;
    let id = refused.header("x-request-id").to_owned();
    let page = tells(&rig, &auditor, &format!("/request?id={id}"), "/admin/x").await.body;
    for told in ["refused", "403", "one of the groups: ops", "access.refused", "alice", "explain?method=GET"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(refused.body.contains("one of the groups: ops"), "in the words of the page: {}", refused.body);
    assert!(!page.contains("secret"), "a query is in no record");
    let nothing = auditor.visit(&rig.at("/request?id=0000000000000000")).await;
    assert!(nothing.status == 404 && nothing.body.contains("Nothing of this request"), "{}", nothing.body);
    assert_eq!(auditor.visit(&rig.at("/request")).await.status, 400);
}

#[tokio::test]
async fn people_are_found_and_each_has_a_page_with_what_they_use() {
    let rig = Rig::open().await;
    let (operator, alice) = (rig.of("olga", "ops").await, rig.of("alice", "staff").await);
    assert_eq!(alice.get(&rig.on("wiki", "/admin")).await.status, 403);
    let list = tells(&rig, &operator, "/people?name=ALI", ">alice<").await.body;
    assert!(!list.contains(">olga</a>"), "{list}");
    let link = between(&list, "/at/here/person?", "\"").replace("&#38;", "&");
    let page = tells(&rig, &operator, &format!("/person?{link}"), "<bdi>admin</bdi>").await.body;
    for told in ["Firefox on Windows", "Apps used", "1 refused", "sessions/end?", "Last events"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let users = tells(&rig, &operator, "/app?route=admin", ">alice<").await.body;
    assert!(users.contains("Who uses") && users.contains("1 refused"), "{users}");
    let apps = rig.page(&operator, "/apps").await.body;
    assert!(apps.contains("/at/here/app?route=admin"), "{apps}");
    for wrong in ["/person", "/person?provider=corp", "/app"] {
        assert_eq!(operator.visit(&rig.at(wrong)).await.status, 400, "{wrong}");
    }
    let nobody = rig.page(&operator, "/person?provider=gone&subject=nobody").await.body;
    assert!(nobody.contains("Not signed in"), "{nobody}");
}

#[tokio::test]
async fn who_reads_the_record_is_in_the_record() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    rig.page(&auditor, "/people?name=alice").await;
    let line = logged(&rig.gateway, "\"operation\":\"list-people\"");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["operator"], "anna (corp), in the console", "{line}");
    assert_eq!((&line["type"], &line["reason"]), (&json!("record.read"), &json!("name")), "{line}");
    rig.page(&auditor, "/reports/people?user=alice").await;
    let line = logged(&rig.gateway, "\"operation\":\"show-report\"");
    let line: Value = serde_json::from_str(&line).unwrap();
    // Which report, and by what it was asked for; not for whom.
    assert_eq!((&line["type"], &line["reason"]), (&json!("record.read"), &json!("people, user")), "{line}");
}
