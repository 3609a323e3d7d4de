//! What is sealed in the browser and in `state`.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::{Destination, Flow, FlowCookies, state_digest};
use crate::clock::{Clock, Timestamp};
use crate::fuzzing::edited;
use crate::identity::ProviderName;
use crate::oidc::settings::ResponseMode;
use crate::secret::{SealingKey, Secret};

const HOST: &str = "login.example";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Sealed {
    cookies: FlowCookies,
    state: Secret,
    flow: Flow,
    /// The cookie's name and value.
    pair: (String, String),
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let cookies = FlowCookies::new(SealingKey::random(), true, HOST, Clock::manual(NOW));
    let destination = Destination { return_to: "https://wiki.example/a?b".into(), ..Destination::default() };
    let state = cookies.state(&destination);
    let flow = Flow {
        provider: ProviderName::new("corp"),
        state: state_digest(state.expose()),
        nonce: Secret::random(),
        verifier: Secret::random(),
        started: NOW,
        strength: crate::identity::Strength::default(),
        max_age: None,
        response_mode: ResponseMode::Query,
        replaces: None,
    };
    let set = cookies.set(&HeaderMap::new(), &flow).expect("it fits");
    let text = set[0].to_str().expect("it is text");
    let (name, value) = text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
    let pair = (name.to_owned(), value.to_owned());
    Sealed { cookies, state, flow, pair }
});

/// A flow's cookie and its `state`, with the changes that `data` spells, and `data` in their place: nothing opens but
/// what was sealed. And `data` as what was sealed: a flow of this state and host, or none.
pub fn flow_cookies(data: &[u8]) {
    let Sealed { cookies, state, flow, pair: (name, value) } = &*SEALED;
    for text in [edited(value.as_bytes(), data), data.to_vec()] {
        let bytes = |text: &[u8]| STANDARD.decode(text.trim_ascii()).ok();
        let opened = open(name, &text).is_some();
        assert!(!opened || bytes(&text) == bytes(value.as_bytes()), "a forged flow opens");
        assert!(opened || text != value.as_bytes(), "what was sealed opens");
    }
    for text in [edited(state.expose().as_bytes(), data), data.to_vec()] {
        let Ok(text) = str::from_utf8(&text) else { continue };
        let opened = cookies.destination(text).is_some();
        assert_eq!(opened, text == state.expose(), "a forged destination opens");
        let flow = cookies.open(&header(name, value.as_bytes()), text);
        assert_eq!(flow.is_ok(), text == state.expose(), "a flow of another state opens");
    }
    let sealed = cookies.key().seal(name.as_bytes(), data).expect("it can be sealed");
    if let Some(read) = open(name, STANDARD.encode(sealed).as_bytes()) {
        assert_eq!(read.state, flow.state, "a flow of another state opens");
        assert!(read.started <= NOW && String::from_utf8_lossy(data).contains(HOST));
    }
}

fn open(name: &str, value: &[u8]) -> Option<Flow> {
    SEALED.cookies.open(&header(name, value), SEALED.state.expose()).ok()
}

fn header(name: &str, value: &[u8]) -> HeaderMap {
    let pair = HeaderValue::from_bytes(&[name.as_bytes(), b"=", value].concat());
    pair.into_iter().map(|pair| (COOKIE, pair)).collect()
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("flow_cookies", 600, flow_cookies);
}
