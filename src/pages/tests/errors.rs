//! Errors: whose kind, what to do, and under which name the log knows it.

use std::time::Duration;

use http::{StatusCode, header::RETRY_AFTER};
use serde_json::{Map, Value, json};

use super::document::{all, elements};
use super::gallery::{self, Words, error_kinds};
use super::plain;
use crate::identity::RequestId;
use crate::pages::*;

fn id() -> RequestId {
    RequestId::new("8f14e45fceea167a")
}

fn page(kind: ErrorKind<'_>, refresh: bool) -> Page {
    ErrorPage { kind, request_id: &id(), refresh, home: "/.portcullis", others: &[] }.page(plain())
}

fn refresh(page: &Page) -> Option<u64> {
    let elements = elements(&page.html);
    let wait = elements.iter().find(|element| element.get("id") == Some("wait"))?;
    assert!(
        all(&elements, "button").iter().any(|button| button.get("id") == Some("stop")),
        "it can be stopped"
    );
    wait.get("data-seconds").unwrap().parse().ok()
}

#[test]
fn each_fault_has_its_status() {
    let statuses: Vec<_> = error_kinds("Corp").iter().map(|(_, kind)| kind.status().as_u16()).collect();
    assert_eq!(
        statuses,
        [400, 403, 404, 405, 408, 413, 414, 429, 500, 502, 502, 503, 503, 503, 503, 503, 504]
    );
    for (name, kind) in error_kinds("Corp") {
        assert_eq!(page(kind, false).status, kind.status(), "{name}");
    }
}

#[test]
fn whoever_was_turned_away_can_name_the_request() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        // A chooser turns nobody away.
        let chooser = name.starts_with("chooser");
        let turned_away = !chooser && (page.status.is_client_error() || page.status.is_server_error());
        assert_eq!(page.html.contains("<code>8f14e45fceea167a</code>"), turned_away, "{name}");
    }
}

#[test]
fn pages_tell_whose_fault_it_is() {
    let of = |wanted: &str| {
        let (_, kind) = error_kinds("Corp SSO").into_iter().find(|(name, _)| *name == wanted).unwrap();
        page(kind, true).html
    };
    let says = |wanted: &str, texts: &[&str]| texts.iter().all(|text| of(wanted).contains(text));
    assert!(says("app-down", &["The app is down", "<b>Gateway</b><small>working", "<b>App</b><small>down"]));
    assert!(says(
        "app-timeout",
        &["did not answer in time", "<b>Gateway</b><small>working", "<b>App</b><small>too slow"]
    ));
    assert!(says(
        "provider-down",
        &["Sign-in is unavailable", "Corp SSO cannot be reached", "<b>App</b><small>may be fine"]
    ));
    assert!(says("store-down", &["Sessions can’t be read", "<b>Gateway</b><small>sessions away"]));
    assert!(says("internal", &["on our side", "<b>Gateway</b><small>failed", "<b>App</b><small>not asked"]));
    assert!(
        !of("app-down").contains("Identity provider") && !of("provider-down").contains("The app is down")
    );
}

#[test]
fn a_page_asks_again_by_itself_only_where_that_helps_and_harms_nobody() {
    let wanted = |name: &str| match name {
        "app-down" | "app-refused" => Some(10),
        "provider-down" | "store-down" | "unrecorded" | "too-many" | "binding-awaited" => Some(15),
        _ => None,
    };
    for (name, kind) in error_kinds("Corp") {
        assert_eq!(refresh(&page(kind, true)), wanted(name), "{name}");
        assert_eq!(refresh(&page(kind, false)), None, "{name}");
    }
}

#[test]
fn the_wait_is_rounded_up_and_stands_in_the_header_too() {
    for (millis, header, meta) in
        [(1, "1", Some(10)), (4_001, "5", Some(10)), (61_000, "61", Some(61)), (301_000, "301", None)]
    {
        let retry_after = Duration::from_millis(millis);
        let page = page(ErrorKind::TooManyRequests { retry_after }, true);
        assert_eq!(page.headers[RETRY_AFTER], header);
        assert_eq!(refresh(&page), meta);
    }
    assert!(page(ErrorKind::AppDown, true).headers.get(RETRY_AFTER).is_none());
}

#[test]
fn try_again_is_offered_where_the_same_request_may_fare_better() {
    let button = |page: &Page| {
        all(&elements(&page.html), "a").first().and_then(|link| link.get("href").map(str::to_owned))
    };
    for (name, kind) in error_kinds("Corp") {
        let hopeless = ["bad-request", "not-bound", "not-found", "method", "content", "uri"].contains(&name);
        let way_on = || Some("/.portcullis".to_owned());
        assert_eq!(
            button(&page(kind, true)),
            if hopeless { way_on() } else { Some(String::new()) },
            "{name}"
        );
        assert_eq!(button(&page(kind, false)), way_on(), "{name}: what was sent is not sent twice");
    }
}

#[test]
fn who_sent_something_is_told_that_it_may_have_arrived() {
    for (name, kind) in error_kinds("Corp") {
        let doubt = ["app-down", "app-timeout"].contains(&name);
        assert_eq!(page(kind, false).html.contains("may have arrived"), doubt, "{name}");
        assert!(!page(kind, true).html.contains("may have arrived"), "{name}");
    }
}

#[test]
fn programs_get_a_problem_document() {
    for (name, kind) in error_kinds("\"Corp\"\n\\SSO") {
        let (content_type, text) = kind.problem(&id());
        assert_eq!(content_type, "application/problem+json");
        let document: Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(document["status"], kind.status().as_u16(), "{name}");
        assert_eq!(document["request_id"], "8f14e45fceea167a", "{name}");
        assert!(document["type"].as_str().unwrap().starts_with("urn:portcullis:problem:"), "{name}");
        assert!(
            ["title", "detail"].iter().all(|member| document[*member].as_str().unwrap().len() > 8),
            "{name}"
        );
        assert_eq!(document.get("retry_after"), kind.retry_after().map(Value::from).as_ref(), "{name}");
    }
}

#[test]
fn every_fault_has_a_type_of_its_own() {
    let types: std::collections::HashSet<_> =
        error_kinds("Corp").iter().map(|(_, kind)| problem_type(*kind)).collect();
    assert_eq!(types.len(), error_kinds("Corp").len());
}

fn problem_type(kind: ErrorKind<'_>) -> String {
    let document: Map<String, Value> = serde_json::from_str(&kind.problem(&id()).1).unwrap();
    document["type"].as_str().unwrap().to_owned()
}

#[test]
fn an_extension_member_replaces_no_standard_one() {
    let extras = Map::from_iter([("status".to_owned(), json!(200)), ("policy".to_owned(), json!("staff"))]);
    let (_, text) = problem(StatusCode::FORBIDDEN, "about:blank", "Forbidden", "No.", &id(), extras);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["status"], &document["policy"]), (&json!(403), &json!("staff")));
}
