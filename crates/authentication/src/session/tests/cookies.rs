//! The cookie, friendly and hostile.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::*;

const FLOWS: &str = "__Host-portcullis-flow-";

fn cookie() -> SessionCookie {
    SessionCookie::new(&SessionSettings::default(), true)
}

fn headers<T: AsRef<[u8]>>(fields: &[T]) -> HeaderMap {
    let value = |field: &T| HeaderValue::from_bytes(field.as_ref()).unwrap();
    fields.iter().map(|field| (COOKIE, value(field))).collect()
}

fn read(fields: &[&str]) -> Option<CookieRead> {
    cookie().read(&headers(fields))
}

fn stripped(fields: &[&str]) -> Vec<String> {
    let mut headers = headers(fields);
    cookie().strip(&mut headers, FLOWS);
    headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn key_text() -> String {
    "A".repeat(43)
}

#[test]
fn a_cookie_is_set_and_taken_away_with_all_its_guards() {
    let key = SessionKey::parse(key_text().as_bytes()).unwrap();
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/";
    let set = cookie().set(&key);
    assert_eq!(set.to_str().unwrap(), format!("__Host-portcullis={}; {attributes}", key_text()));
    assert!(set.is_sensitive() && !format!("{set:?}").contains(&key_text()), "invariant 15");
    let clear = cookie().clear();
    assert_eq!(clear.to_str().unwrap(), format!("__Host-portcullis=; {attributes}; Max-Age=0"));
    let plain = SessionCookie::new(&SessionSettings::default(), false).set(&key);
    assert_eq!(plain.to_str().unwrap(), format!("portcullis={}; HttpOnly; SameSite=Lax; Path=/", key_text()));
}

#[test]
fn a_key_is_read_from_among_other_cookies() {
    let ours = format!("__Host-portcullis={}", key_text());
    for fields in [
        vec![ours.clone()],
        vec![format!("a=b; {ours}; c")],
        vec!["a=b".into(), ours.clone()],
        vec![format!(" {ours} ;{ours}"), "x=\"y\"".into()],
    ] {
        let read = cookie().read(&headers(&fields));
        assert!(matches!(read, Some(CookieRead::Key(_))), "{fields:?}");
    }
}

#[test]
fn another_apps_cookie_of_any_bytes_hides_no_other() {
    let line = HeaderValue::from_bytes(b"name=J\xfcrgen; __Host-a=1;;=x; na\xefve=2;  b = 2 ; c").unwrap();
    let headers: HeaderMap = [(COOKIE, line), (COOKIE, "d==".parse().unwrap())].into_iter().collect();
    let read: Vec<_> = cookies(&headers).collect();
    assert_eq!(read, [("__Host-a", "1"), ("b", "2"), ("c", ""), ("d", "=")]);
}

#[test]
fn absent_and_malformed_are_different_invariant_3() {
    let key = key_text();
    for absent in [
        "",
        ";;;",
        "a=b",
        "portcullis=x",
        "__host-portcullis=x",
        "x__Host-portcullis=1",
        "=__Host-portcullis",
    ] {
        assert!(read(&[absent]).is_none(), "{absent}");
    }
    assert!(read(&[]).is_none());
    for malformed in [
        "__Host-portcullis".into(),
        "__Host-portcullis=".into(),
        "__Host-portcullis=null".into(),
        format!("__Host-portcullis=\"{key}\""),
        format!("__Host-portcullis={key}="),
        format!("__Host-portcullis={key}A"),
        format!("__Host-portcullis={}", "é".repeat(43)),
        format!("__Host-portcullis={}", "A".repeat(1_000_000)),
        format!("__Host-portcullis={key}; __Host-portcullis={}", "E".repeat(43)),
        format!("__Host-portcullis=; __Host-portcullis={key}"),
        format!("__Host-portcullis={key}; __Host-portcullis"),
    ] {
        assert!(matches!(read(&[&malformed]), Some(CookieRead::Malformed)), "{malformed:.80}");
    }
    let (one, other) = (format!("__Host-portcullis={key}"), format!("__Host-portcullis={}", "E".repeat(43)));
    assert!(matches!(read(&[&one, &other]), Some(CookieRead::Malformed)), "in two fields");
}

#[test]
fn a_hostile_cookie_costs_no_more_than_its_length_invariant_14() {
    let many = "__Host-portcullis=; ".repeat(50_000);
    assert!(matches!(read(&[&many]), Some(CookieRead::Malformed)));
    assert!(stripped(&[&many]).is_empty());
    assert!(read(&[&";".repeat(1_000_000)]).is_none());
}

#[test]
fn the_app_never_sees_our_cookies_invariant_15() {
    assert_eq!(stripped(&["__Host-portcullis=x"]), [""; 0]);
    assert_eq!(stripped(&["__Host-portcullis"]), [""; 0]);
    assert_eq!(stripped(&["__Host-portcullis=x; a=b"]), ["a=b"]);
    assert_eq!(stripped(&["a=b; __Host-portcullis=x; __Host-portcullis-flow-1=y; c=d"]), ["a=b; c=d"]);
    assert_eq!(stripped(&["a=b", "\t__Host-portcullis = x", "c=d;e"]), ["a=b", "c=d;e"]);
    assert_eq!(stripped(&["__Host-portcullis=x", "__Host-portcullis-flow-=y;"]), [""; 0]);
}

#[test]
fn without_a_cookie_of_ours_nothing_changes() {
    let odd = ["  a = b;;c ; \"d\"=;", "portcullis=x; __Host-portcullis2=y"];
    assert_eq!(stripped(&odd), odd);
    let mut none = HeaderMap::new();
    cookie().strip(&mut none, FLOWS);
    assert!(none.is_empty());
}
