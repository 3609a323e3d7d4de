//! Rates and concurrency.

use std::sync::{Arc, Barrier};

use super::app::{App, OK};
use super::process::Gateway;
use super::wire::{get, request};
use crate::support::until;

#[test]
fn invariant_14_whoever_asks_too_often_is_told_when_to_come_back() {
    let app = App::ok();
    let gateway =
        Gateway::start(&app.route("name = \"api\"\nlimits = { per = \"address\", rate = \"3/h\" }"));
    for left in ["r=2", "r=1", "r=0"] {
        let answer = gateway.get("/");
        assert!(
            answer.status() == 200 && answer.header("ratelimit").unwrap().contains(left),
            "{}",
            answer.head
        );
        assert!(answer.header("ratelimit-policy").unwrap().contains("q=3"), "{}", answer.head);
    }
    let refused = gateway.get("/");
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(
        (1..=3600).contains(&wait) && refused.header("ratelimit").unwrap().contains("r=0"),
        "{}",
        refused.head
    );
    assert_eq!(app.count(), 3);
    assert_eq!(gateway.metric("portcullis_limits_hit_total{route=\"api\",limit=\"rate\"}"), 1.0);
}

#[test]
fn addresses_are_counted_apart_as_trusted_proxies_tell_them() {
    let app = App::ok();
    let gateway = Gateway::with(
        "trusted_proxies = \"127.0.0.1\"",
        &app.route("limits = { per = \"address\", rate = \"1/h\" }"),
    );
    let from = |address: &str| get(gateway.port, "/", &[&format!("X-Forwarded-For: {address}")]).status();
    assert_eq!([from("203.0.113.1"), from("203.0.113.1"), from("203.0.113.2")], [200, 429, 200]);
    assert_eq!([from("2001:db8::1"), from("2001:db8::2"), from("2001:db8:0:1::1")], [200, 429, 200]);
}

#[test]
fn headers_and_routes_are_counted() {
    let app = App::ok();
    let routes = app
        .route("path = \"/h\"\nlimits = { per = \"header\", header = \"X-Client\", rate = \"1/h\" }")
        + &app.route("path = \"/r\"\nlimits = { per = \"route\", rate = \"2/h\" }");
    let gateway = Gateway::start(&routes);
    let client = |name: &str| get(gateway.port, "/h", &[&format!("X-Client: {name}")]).status();
    assert_eq!([client("a"), client("a"), client("b")], [200, 429, 200]);
    assert_eq!(
        [gateway.get("/r").status(), gateway.get("/r/x").status(), gateway.get("/r").status()],
        [200, 200, 429]
    );
}

#[test]
fn counts_survive_a_reload() {
    let app = App::ok();
    let lines = "name = \"api\"\nlimits = { per = \"address\", rate = \"1/h\" }";
    let gateway = Gateway::start(&app.route(lines));
    assert_eq!(gateway.get("/").status(), 200);
    gateway.reload("", &(app.route(lines) + &app.route("path = \"/new\"")));
    assert_eq!((gateway.get("/").status(), gateway.get("/new").status()), (429, 200));
}

#[test]
fn only_so_many_requests_are_under_way_at_once() {
    let door = Arc::new(Barrier::new(3));
    let behind = Arc::clone(&door);
    let app = App::start(move |conn, _| {
        behind.wait();
        conn.say(OK);
        true
    });
    let gateway = Gateway::start(&app.route("name = \"api\"\nconcurrency = 2"));
    let mut held: Vec<_> = (0..2).map(|_| gateway.connect()).collect();
    held.iter_mut().for_each(|conn| conn.say(request("GET", "/", &[])));
    until("both to arrive", || app.count() == 2);
    let refused = gateway.get("/");
    assert!(refused.status() == 503 && refused.header("retry-after").is_some(), "{}", refused.head);
    assert_eq!(gateway.metric("portcullis_limits_hit_total{route=\"api\",limit=\"concurrency\"}"), 1.0);
    door.wait();
    held.iter_mut().for_each(|conn| assert_eq!(conn.response().status(), 200));
}
