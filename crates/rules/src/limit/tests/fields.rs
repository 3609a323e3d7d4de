use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{ask, limit, limiter, principal};
use crate::limit::{Exceeded, Limiter, Per, RateLimitState};

const ADDRESS: &str = "192.0.2.1";

fn fields(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn told(rate_limit_state: &RateLimitState) -> (Vec<String>, Vec<String>) {
    let mut headers = HeaderMap::new();
    rate_limit_state.write_headers(&mut headers);
    (fields(&headers, "ratelimit-policy"), fields(&headers, "ratelimit"))
}

fn refusal(limiter: &Limiter) -> Exceeded {
    (0..1000).find_map(|_| ask(limiter, ADDRESS).err()).expect("a limit")
}

#[test]
fn an_answer_tells_the_quota_policies_and_what_is_left() {
    let (limiter, _) = limiter(&[limit(Per::Address, "100/min", 100)]);
    let rate_limit_state = ask(&limiter, ADDRESS).unwrap();
    let (policies, limits) = told(&rate_limit_state);
    assert_eq!(policies, [r#""address";q=100;w=60"#]);
    assert_eq!(limits, [r#""address";r=99;t=60"#]);
}

#[test]
fn a_client_that_spreads_what_is_left_over_the_window_keeps_to_the_rate() {
    let (limiter, _) = limiter(&[limit(Per::Address, "60/min", 4)]);
    let limits: Vec<_> = (0..4).map(|_| told(&ask(&limiter, ADDRESS).unwrap()).1.concat()).collect();
    let expected = ["3;t=3", "2;t=2", "1;t=1", "0;t=1"].map(|left| format!(r#""address";r={left}"#));
    assert_eq!(limits, expected);
}

#[test]
fn a_refusal_tells_when_to_come_back() {
    let (limiter, clock) = limiter(&[limit(Per::Address, "1/min", 2)]);
    let mut headers = HeaderMap::new();
    refusal(&limiter).write_headers(&mut headers);
    assert_eq!(fields(&headers, "retry-after"), ["60"]);
    assert_eq!(fields(&headers, "ratelimit"), [r#""address";r=0;t=60"#]);
    assert_eq!(fields(&headers, "ratelimit-policy"), [r#""address";q=2;w=120"#]);
    clock.advance(Duration::from_millis(58_900));
    let exceeded = refusal(&limiter);
    exceeded.write_headers(&mut headers);
    assert_eq!(
        (exceeded.retry_after(), fields(&headers, "retry-after")),
        (Duration::from_millis(1100), vec!["2".into()])
    );
}

#[test]
fn a_refusal_for_a_moment_says_one_second() {
    let (limiter, _) = limiter(&[limit(Per::Address, "50/s", 1)]);
    let mut headers = HeaderMap::new();
    refusal(&limiter).write_headers(&mut headers);
    assert_eq!(fields(&headers, "retry-after"), ["1"]);
}

#[test]
fn the_strictest_limit_is_told_of_all_the_policies() {
    let (limiter, _) = limiter(&[
        limit(Per::Principal, "100/min", 20),
        limit(Per::Address, "20/s", 30),
        limit(Per::Address, "1000/h", 1000),
        limit(Per::Header(HeaderName::from_static("x-key")), "5/s", 50),
    ]);
    let before = ask(&limiter, ADDRESS).unwrap();
    assert_eq!(before.told(), Some(("address", 29)));
    let rate_limit_state = before.tighter(limiter.count_principal(&principal("corp", "ann")).unwrap());
    let (policies, limits) = told(&rate_limit_state);
    assert_eq!(limits, [r#""principal";r=19;t=12"#]);
    let all = r#""principal";q=20;w=12, "address";q=30;w=2, "address-2";q=1000;w=3600, "header";q=50;w=10"#;
    assert_eq!(policies, [all]);
}

#[test]
fn of_two_limits_that_leave_as_much_the_slower_is_told() {
    let (limiter, _) = limiter(&[limit(Per::Address, "1/s", 5), limit(Per::Route, "1/min", 5)]);
    assert_eq!(ask(&limiter, ADDRESS).unwrap().told(), Some(("route", 4)));
    let nothing = RateLimitState::default();
    assert_eq!(nothing.clone().tighter(nothing.clone()).told(), None);
    let some = ask(&limiter, ADDRESS).unwrap();
    assert_eq!(nothing.clone().tighter(some.clone()).told(), some.clone().tighter(nothing).told());
}

#[test]
fn a_route_without_limits_says_nothing() {
    let (limiter, _) = limiter(&[]);
    let rate_limit_state =
        ask(&limiter, ADDRESS).unwrap().tighter(limiter.count_principal(&principal("corp", "ann")).unwrap());
    assert_eq!(told(&rate_limit_state), (vec![], vec![]));
}

#[test]
fn what_an_upstream_tells_of_its_own_limits_is_kept() {
    let (limiter, _) = limiter(&[limit(Per::Address, "1/s", 5)]);
    let mut headers = HeaderMap::new();
    headers.insert("ratelimit", HeaderValue::from_static(r#""app";r=1;t=9"#));
    ask(&limiter, ADDRESS).unwrap().write_headers(&mut headers);
    assert_eq!(fields(&headers, "ratelimit"), [r#""app";r=1;t=9"#, r#""address";r=4;t=4"#]);
}

#[test]
fn no_secret_of_a_header_is_kept_or_printed() {
    let name = HeaderName::from_static("x-api-key");
    let (limiter, _) = limiter(&[limit(Per::Header(name.clone()), "1/min", 1)]);
    let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("hunter2"))]);
    let ask = || limiter.count_client(super::client(ADDRESS), &headers);
    let (rate_limit_state, exceeded) = (ask().unwrap(), ask().unwrap_err());
    let printed = format!("{limiter:?} {rate_limit_state:?} {exceeded:?} {exceeded}");
    assert!(!printed.contains("hunter2") && !printed.contains(ADDRESS), "{printed}");
    assert!(printed.ends_with(r#"over the route's limit "header": 1 in 60 s; retry in 60 s"#), "{printed}");
}
