//! What operators do to the process over the console.

use serde_json::json;

use crate::support::{between, event, until_async};

use super::rig::Rig;

#[tokio::test]
async fn an_operator_sees_what_a_reload_would_change_before_it_does() {
    let rig = Rig::open().await;
    let operator = rig.of("olga", "ops").await;
    let page = rig.page(&operator, "/act/reload").await.body;
    assert!(page.contains("says what is in force already") && page.contains("Reload</button>"), "{page}");

    let (file, written) =
        (rig.gateway.configuration(), std::fs::read_to_string(rig.gateway.configuration()).unwrap());
    std::fs::write(&file, written.replace("rate = \"100/min\"", "rate = \"often\"")).unwrap();
    let page = rig.page(&operator, "/act/reload").await.body;
    assert!(page.contains("has faults") && page.contains("not a rate") && page.contains("Line "), "{page}");
    assert!(!page.contains("method=\"post\""), "what cannot be done is not offered: {page}");

    std::fs::write(&file, written.replace("rate = \"100/min\"", "rate = \"7/min\"")).unwrap();
    let page = rig.page(&operator, "/act/reload").await.body;
    let changed = between(&page, "What it changes", "</section>");
    assert!(changed.contains("removed: ") && changed.contains("100/min"), "{changed}");
    assert!(changed.contains("added: ") && changed.contains("7/min"), "{changed}");

    let done = operator.submit(&rig.at("/act/reload"), "reason=less+traffic").await;
    assert!(done.status == 200 && done.body.contains("is read again"), "{}", done.body);
    let line = event(&rig.gateway, "management.called");
    assert_eq!((&line["operation"], &line["reason"]), (&json!("reload"), &json!("less traffic")), "{line}");
    assert_eq!(line["operator"], "olga (corp), in the console", "{line}");
    assert_eq!(line["id"], json!(done.header("x-request-id")), "{line}");
    until_async("the new file is in force", || async {
        rig.page(&operator, "/configuration").await.body.contains("7/min")
    })
    .await;
}

#[tokio::test]
async fn an_act_is_in_the_record_with_its_operator() {
    let rig = Rig::open().await;
    let operator = rig.of("olga", "ops").await;
    let ask = rig.page(&operator, "/act/rotate").await.body;
    assert!(ask.contains("signs in an hour"), "{ask}");
    let done = operator.submit(&rig.at("/act/rotate"), "").await;
    assert!(done.status == 200 && done.body.contains("signs from"), "{}", done.body);
    let again = rig.page(&operator, "/act/rotate").await.body;
    assert!(again.contains("is published already"), "{again}");
    let path = "/events/live?type=management.called";
    until_async("the act is recorded", || async {
        rig.page(&operator, path).await.body.contains("rotate-assertion-key")
    })
    .await;
    let page = rig.page(&operator, path).await.body;
    let table = between(&page, "<tbody data-events>", "</tbody>");
    assert!(
        table.contains("olga (corp), in the console") && table.contains("rotate-assertion-key"),
        "{table}"
    );
}

#[tokio::test]
async fn a_drain_says_what_is_under_way_and_ends_the_process() {
    let mut rig = Rig::open().await;
    let operator = rig.of("olga", "ops").await;
    let page = rig.page(&operator, "/act/drain").await.body;
    assert!(page.contains("takes no new connections") && page.contains("0 requests to apps now"), "{page}");
    let done = operator.submit(&rig.at("/act/drain"), "reason=maintenance").await;
    assert!(done.status == 200 && done.body.contains("The process drains"), "{}", done.body);
    assert_eq!(event(&rig.gateway, "management.called")["operation"], "drain");
    assert_eq!(rig.gateway.wait(), Some(0));
}

#[tokio::test]
async fn a_reload_that_was_refused_is_told_until_another_configuration_is_in_force() {
    let rig = Rig::open().await;
    let (operator, viewer) = (rig.of("olga", "ops").await, rig.of("vera", "staff").await);
    let page = rig.page(&operator, "/configuration").await.body;
    assert!(!page.contains("A reload was refused"), "{page}");
    let file = rig.gateway.configuration();
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replace("rate = \"100/min\"", "rate = \"often\"")).unwrap();
    rig.gateway.signal("HUP");
    until_async("the reload is refused", || async {
        rig.page(&operator, "/configuration").await.body.contains("A reload was refused")
    })
    .await;
    let page = rig.page(&operator, "/configuration").await.body;
    assert!(page.contains("not a rate") && page.contains("Line ") && page.contains("100/min"), "{page}");
    // A fault can quote what was written: that is for those who act.
    let page = rig.page(&viewer, "/configuration").await.body;
    assert!(page.contains("A reload was refused") && !page.contains("not a rate"), "{page}");
    rig.gateway.rewrite("rate = \"often\"", "rate = \"7/min\"");
    until_async("another one is in force", || async {
        let page = rig.page(&operator, "/configuration").await.body;
        page.contains("7/min") && !page.contains("A reload was refused")
    })
    .await;
}
