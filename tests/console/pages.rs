//! What the pages say.

use http::Method;
use serde_json::json;

use crate::support::between;

use super::rig::Rig;

#[tokio::test]
async fn the_overview_counts_what_the_gateway_did() {
    let rig = Rig::open().await;
    let viewer = rig.of("vera", "staff").await;
    for _ in 0..3 {
        assert_eq!(viewer.get(&rig.on("wiki", "/")).await.status, 200);
        assert_eq!(viewer.get(&rig.on("wiki", "/admin")).await.status, 403);
    }
    let page = rig.page(&viewer, "/").await;
    let row = between(&page.body, "<bdi>wiki</bdi>", "</tr>");
    assert!(row.contains("data-label=\"Let in\">"), "{row}");
    let forbidden = between(&page.body, "<bdi>admin</bdi>", "</tr>");
    assert!(forbidden.contains("data-label=\"Refused\">3<") && forbidden.contains("<rect"), "{forbidden}");
    for told in [
        "forbidden by the rules",
        "Everything can do its work",
        "corp",
        rig.issuer.issuer(),
        "Ready",
        "signs",
    ] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert!(page.body.contains(env!("CARGO_PKG_VERSION")) && page.body.contains("This gateway is alone"));
    let head = viewer.send(Method::HEAD, &rig.at("/"), &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_long_list_is_turned_over_page_by_page() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    for n in 0..52 {
        rig.of(&format!("person-{n}"), "staff").await;
    }
    let first = rig.page(&auditor, "/sessions").await.body;
    assert!(first.contains("50 on this page") && first.contains("Next page"), "{first}");
    let next = between(&first, "/at/here/sessions?after=", "\"");
    let second = rig.page(&auditor, &format!("/sessions?after={next}")).await.body;
    assert!(second.contains("3 on this page") && second.contains("First page"), "{second}");
    assert!(!second.contains("Next page"), "{second}");
    let everybody = format!("{first}{second}");
    (0..52).for_each(|n| assert_eq!(everybody.matches(&format!("<bdi>person-{n}</bdi>")).count(), 1, "{n}"));
    let nonsense = auditor.get(&rig.at("/sessions?after=xyz")).await;
    assert_eq!(nonsense.status, 400, "{}", nonsense.body);
}

#[tokio::test]
async fn every_route_tells_who_may_use_it() {
    let rig = Rig::open().await;
    let viewer = rig.of("vera", "staff").await;
    let page = rig.page(&viewer, "/apps").await;
    let admin = between(&page.body, "<bdi>admin</bdi>", "</li>\n<li class=\"panel app\"");
    for told in
        ["wiki.localhost/admin", "one of the groups: ops", "forwarded to http://", "100 requests in 1 min"]
    {
        assert!(admin.contains(told), "{told}: {admin}");
    }
    assert!(page.body.contains("anybody who has signed in"), "{}", page.body);
    let address = format!("url=http%3A%2F%2Fwiki.localhost%3A{}%2Fadmin", rig.gateway.port);
    assert!(admin.contains(&address), "{address}: {admin}");
    let explained = rig.page(&viewer, &format!("/explain?{address}")).await;
    assert!(explained.body.contains("sign-in required"), "{}", explained.body);
}

#[tokio::test]
async fn what_would_happen_is_told_rule_by_rule() {
    let rig = Rig::open().await;
    let (viewer, auditor) = (rig.of("vera", "staff").await, rig.of("anna", "audit").await);
    let admin = format!("http%3A%2F%2Fwiki.localhost%3A{}%2Fadmin%2Fx", rig.gateway.port);
    let asked = |who: &str| format!("/explain?url={admin}&method=POST{who}");
    let told = rig.page(&viewer, &asked("&user=bob&groups=ops")).await.body;
    for word in ["permitted", "<bdi>admin</bdi>", "one of the groups: ops", ">met<", "holds", "forwarded to"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }
    let told = rig.page(&viewer, &asked("&user=bob&groups=staff")).await.body;
    for word in ["forbidden", "not met", "does not hold", "staff"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("forwarded to"), "{told}");
    let told = rig.page(&viewer, &asked("")).await.body;
    assert!(told.contains("Nobody is signed in."), "{told}");
    // Somebody who is signed in, with the claims that they have.
    let id = rig.id_of(&auditor, "vera").await;
    let told = rig.page(&auditor, &asked(&format!("&session={id}"))).await.body;
    assert!(told.contains("<bdi>vera</bdi>") && told.contains("forbidden"), "{told}");
    let told = rig.page(&viewer, "/explain?url=http%3A%2F%2Fnowhere.localhost%2F").await.body;
    assert!(told.contains("no route claims this host"), "{told}");
    for (nonsense, status) in [
        ("url=mailto%3Ax", 400),
        ("url=x", 400),
        ("url=http%3A%2F%2Fa%2F&client=nowhere", 400),
        ("url=http%3A%2F%2Fa%2F&user=x&provider=other", 400),
        ("url=a&url=b", 400),
    ] {
        assert_eq!(viewer.get(&rig.at(&format!("/explain?{nonsense}"))).await.status, status, "{nonsense}");
    }
}

#[tokio::test]
async fn invariant_15_the_configuration_is_shown_without_secrets_and_with_what_a_reload_has_changed() {
    let rig = Rig::open().await;
    let viewer = rig.of("vera", "staff").await;
    let page = rig.page(&viewer, "/configuration").await.body;
    assert!(page.contains("[[routes]]") && page.contains("wiki.localhost"), "{page}");
    assert!(!page.contains("Changed by the last reload") && !page.contains(crate::support::CLIENT_SECRET));
    rig.gateway.rewrite("rate = \"100/min\"", "rate = \"7/min\"");
    let page = rig.page(&viewer, "/configuration").await.body;
    let changed = between(&page, "Changed by the last reload", "</section>");
    assert!(changed.contains("removed: ") && changed.contains("100/min"), "{changed}");
    assert!(changed.contains("added: ") && changed.contains("7/min"), "{changed}");
    assert!(!changed.contains("[policies.people]"), "only what is near: {changed}");
    let apps = rig.page(&viewer, "/apps").await.body;
    assert!(apps.contains("7 requests in 1 min"), "the new one is in force: {apps}");
}

#[tokio::test]
async fn invariant_15_what_strangers_wrote_is_text_and_nothing_else() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    let markup = "<script>alert(1)</script>\u{202e}\u{7}\"'&";
    let long = format!("{markup}{}", "\u{202e}é".repeat(2_700));
    rig.somebody(json!({
        "sub": "mallory", "preferred_username": long, "email": format!("{markup}@evil.example"),
        "groups": [markup, "staff"], "acr": markup, markup: long, "nested": { markup: [markup] },
    }))
    .await;
    let list = rig.page(&auditor, "/sessions?subject=mallory").await;
    let id = list.body.split("/at/here/sessions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let pages = [
        list,
        rig.page(&auditor, &format!("/sessions/{id}")).await,
        rig.page(&auditor, &format!("/explain?session={id}&url=http%3A%2F%2Fwiki.localhost%2F")).await,
        rig.page(&auditor, "/explain?user=%3Cscript%3E%E2%80%AE%22%27&url=http%3A%2F%2Fa%2F%3Cb%3E%22").await,
        rig.page(&auditor, "/sessions?user=%3Cscript%3E%22").await,
    ];
    for page in &pages {
        assert!(!page.body.contains("<script>") && !page.body.contains('\u{7}'), "{}", page.body);
        assert!(page.body.len() < 120_000, "{}", page.body.len());
        assert!(!page.body.contains("\"'&") && !page.body.contains("<b>\""), "{}", page.body);
    }
    assert!(
        pages[0].body.contains("script&#62;") || pages[0].body.contains("script&gt;"),
        "{}",
        pages[0].body
    );
    for page in &pages[..3] {
        assert!(!page.body.contains('\u{202e}'), "{}", page.body);
    }
}
