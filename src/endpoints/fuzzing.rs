//! What a browser brings back from a sign-in: tickets, secrets of hand-overs, and where it leads.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::{Arc, LazyLock};

use futures_util::FutureExt;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::device;
use super::handover::{HandoverCookies, HandoverFingerprint};
use super::return_to::ReturnTo;
use super::tickets::{Tickets, testing::ticket};
use crate::clock::{Clock, Timestamp};
use crate::fuzzing::edited;
use crate::replicas::LocalStore;
use crate::secret::Secret;
use crate::session::SignInOrigin;

const HOST: &str = "wiki.example";

static TICKETS: LazyLock<Tickets> = LazyLock::new(|| {
    let clock = Clock::manual(Timestamp::from_seconds(1));
    Tickets::new(Arc::new(LocalStore::new(clock.clone())), clock)
});

/// A ticket, its host, and the browser's secret, with the changes that `data` spells, and `data` in place of each:
/// nothing but all three as they were opens anything, and that once.
pub fn tickets(data: &[u8]) {
    let cookies = HandoverCookies { https: true };
    let Ok((handover, set)) = cookies.begin(&HeaderMap::new()) else { return };
    let number = issue(&handover);
    let browser = brought(set[0].as_bytes());
    let opens = |number: &str, host: &str, headers: &HeaderMap| {
        now(TICKETS.take(number, host, |handover| cookies.holds(headers, handover))).is_ok()
    };
    for other in [edited(number.expose().as_bytes(), data), data.to_vec()] {
        let other = String::from_utf8_lossy(&other).into_owned();
        assert!(other == number.expose() || !opens(&other, HOST, &browser), "another ticket opens");
    }
    for host in [edited(HOST.as_bytes(), data), data.to_vec()] {
        let host = String::from_utf8_lossy(&host).into_owned();
        assert_eq!(opens(issue(&handover).expose(), &host, &browser), host == HOST, "good for {host}");
    }
    for pair in [edited(browser[COOKIE].as_bytes(), data), data.to_vec()] {
        let other = brought(&pair);
        let same = pairs(&other).any(|pair| pair == browser[COOKIE].as_bytes());
        assert_eq!(opens(issue(&handover).expose(), HOST, &other), same, "good in another browser");
    }
    assert!(opens(number.expose(), HOST, &browser) && !opens(number.expose(), HOST, &browser), "once");
    for text in [edited(handover.to_string().as_bytes(), data), data.to_vec()] {
        let text = String::from_utf8_lossy(&text).into_owned();
        if let Some(read) = HandoverFingerprint::parse(&text) {
            assert_eq!(read.to_string(), text, "a fingerprint has one spelling");
        }
    }
}

fn issue(handover: &HandoverFingerprint) -> Secret {
    now(TICKETS.issue(&ticket(handover.clone()))).expect("memory is at hand")
}

/// The store of these tickets is memory: nothing is waited for.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("an answer at once")
}

/// `Cookie` with the pair that a `Set-Cookie` sets.
fn brought(set: &[u8]) -> HeaderMap {
    let set = set.split(|byte| *byte == b';').next().unwrap_or_default();
    HeaderValue::from_bytes(set).into_iter().map(|pair| (COOKIE, pair)).collect()
}

/// The pairs of text, spaces around name and value taken off.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = Vec<u8>> {
    let text =
        headers.get(COOKIE).and_then(|value| str::from_utf8(value.as_bytes()).ok()).unwrap_or_default();
    text.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some(format!("{}={}", name.trim(), value.trim()).into_bytes())
    })
}

/// An address to come back to, as a browser brings it: what is taken leads to our host, whoever reads it.
pub fn return_addresses(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let ours = |url: &Url| url.host_str() == Some(HOST) && url.port().is_none();
    if let Some(read) = ReturnTo::parse(text, ours) {
        led_home(&read);
        let again = ReturnTo::parse(read.as_str(), ours);
        assert_eq!(again.as_ref(), Some(&read), "read again it is another");
        let moved = read.clone().on(&Url::parse("https://login.example:8443/x").expect("a URL"));
        assert!(moved.as_str().starts_with("https://login.example:8443/"));
        assert_eq!(moved.on(read.url()), read, "there and back");
    }
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    if let Some(asked) = ReturnTo::asked("https://wiki.example", &format!("/{path}"), query) {
        led_home(&asked);
    }
}

fn led_home(address: &ReturnTo) {
    let text = address.as_str();
    assert!(text.starts_with("https://wiki.example/") || text.starts_with("http://wiki.example/"), "{text}");
    assert!(HeaderValue::from_str(text).is_ok(), "no field holds {text:?}");
    // A stricter parser beside the browsers' own: what it takes leads to the same host.
    let uri = text.split('#').next().unwrap_or_default().parse::<http::Uri>();
    assert!(uri.is_err() || uri.is_ok_and(|uri| uri.host() == Some(HOST) && uri.port().is_none()), "{text}");
    let (origin, secret) = (address.origin(), Secret::new("x"));
    let sign_in = address.sign_in_address(&[("hop", secret.expose())]);
    assert!(
        sign_in.starts_with(&*origin) && Url::parse(&sign_in).is_ok_and(|url| url.host_str() == Some(HOST))
    );
}

/// What a browser says of itself, client hints behind a line break: nothing of it is shown, whatever it is, but names of
/// ours.
pub fn browser_words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (agent, hints) = text.split_once('\n').unwrap_or((&text, ""));
    let origin = SignInOrigin::new(Some(agent), [127, 0, 0, 1].into()).with_hints(Some(hints));
    let words = device::in_words(&origin);
    assert!(device::testing::is_ours(&words), "{words:?} is none of our words");
}

#[cfg(test)]
#[test]
fn smoke_browser_words() {
    crate::fuzzing::smoke("browser_words", 2000, browser_words);
}

#[cfg(test)]
#[test]
fn smoke_tickets() {
    crate::fuzzing::smoke("tickets", 600, tickets);
}

#[cfg(test)]
#[test]
fn smoke_return_addresses() {
    crate::fuzzing::smoke("return_addresses", 2000, return_addresses);
}
