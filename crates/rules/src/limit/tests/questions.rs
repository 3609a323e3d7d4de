use std::collections::HashSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{client, limit, limiter, principal};
use crate::limit::{LimitSettings, Per, RateAnswer, RateQuestion};

fn header() -> Per {
    Per::Header(HeaderName::from_static("x-key"))
}

fn asked(limits: &[LimitSettings], address: &str, key: Option<&'static str>) -> Vec<RateQuestion> {
    let headers: HeaderMap = key
        .map(|key| (HeaderName::from_static("x-key"), HeaderValue::from_static(key)))
        .into_iter()
        .collect();
    limiter(limits).0.client_questions(client(address), &headers)
}

#[test]
fn a_shared_store_is_asked_in_the_order_in_which_limits_are_counted() {
    let limits =
        [limit(Per::Route, "9/s", 9), limit(Per::Principal, "1/s", 1), limit(Per::Address, "2/s", 3)];
    let questions = asked(&limits, "192.0.2.1", None);
    let told: Vec<_> = questions.iter().map(|question| (question.interval(), question.burst())).collect();
    assert_eq!(told, [(Duration::from_millis(500), 3), (Duration::from_nanos(111_111_112), 9)]);
    let (limiter, _) = limiter(&limits);
    assert_eq!(limiter.principal_questions(&principal("corp", "ann")).len(), 1);
}

#[test]
fn what_is_counted_apart_here_is_counted_apart_there() {
    let one =
        |per: Per, address: &str, key| asked(&[limit(per, "1/s", 1)], address, key)[0].counted().to_vec();
    let counted = [
        one(Per::Address, "192.0.2.1", None),
        one(Per::Address, "192.0.2.2", None),
        one(Per::Address, "2001:db8::1", None),
        one(Per::Address, "2001:db8:0:1::1", None),
        one(Per::Route, "192.0.2.1", None),
        one(header(), "192.0.2.1", None),
        one(header(), "192.0.2.1", Some("")),
        one(header(), "192.0.2.1", Some("=")),
        one(header(), "192.0.2.1", Some("a")),
        asked(&[limit(Per::Address, "1/s", 2)], "192.0.2.1", None)[0].counted().to_vec(),
        asked(&[limit(Per::Address, "2/s", 1)], "192.0.2.1", None)[0].counted().to_vec(),
        asked(&[limit(Per::Address, "1/s", 1), limit(Per::Address, "1/s", 1)], "192.0.2.1", None)[1]
            .counted()
            .to_vec(),
    ];
    assert_eq!(counted.iter().collect::<HashSet<_>>().len(), counted.len());
    assert_eq!(one(Per::Address, "::ffff:192.0.2.1", None), counted[0], "one address, however it is written");
    assert_eq!(one(Per::Address, "2001:db8::ffff", None), counted[2], "a /64 is one");

    let (limiter, _) = limiter(&[limit(Per::Principal, "1/s", 1)]);
    let of =
        |provider, subject| limiter.principal_questions(&principal(provider, subject))[0].counted().to_vec();
    let people = [of("corp", "ann"), of("corp", "bob"), of("other", "ann"), of("cor", "pann")];
    assert_eq!(people.iter().collect::<HashSet<_>>().len(), people.len());
}

/// A store is believed within what the limit allows.
#[test]
fn an_answer_beyond_the_limit_is_cut_to_it() {
    let question = asked(&[limit(Per::Route, "1/s", 3)], "192.0.2.1", None).remove(0);
    let state = question.tell(RateAnswer::Admitted { left: u32::MAX }).unwrap();
    assert_eq!(state.told(), Some(("route", 3)));
    let refused = question.tell(RateAnswer::Refused { wait: Duration::MAX }).unwrap_err();
    assert_eq!(refused.retry_after(), Duration::from_secs(3));
}
