//! Rules about all inputs.

use bytes::Bytes;
use http::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use proptest::prelude::*;
use url::Url;

use super::browser::encoded;
use super::world::CALLBACK;
use crate::provider::Provider;
use crate::reply::Reply;
use portcullis_rules::clock::{Clock, Timestamp};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn provider() -> Provider {
    let gateway = Url::parse("http://127.0.0.1:8080").unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    Provider::new("http://127.0.0.1:9".into(), &gateway, clock).unwrap()
}

fn ask(provider: &Provider, target: &str, cookie: &str) -> Reply {
    let request = Request::get(target).header(HOST, "127.0.0.1:9").header(COOKIE, cookie);
    provider.answer(&request.body(Bytes::new()).unwrap())
}

fn authorize(provider: &Provider, changes: &[(&str, &str)]) -> Reply {
    let mut parameters = std::collections::BTreeMap::from([
        ("client_id", "portcullis"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changes.iter().copied());
    let query = encoded(&parameters.into_iter().collect::<Vec<_>>());
    ask(provider, &format!("/op/authorize?{query}"), "")
}

fn body(reply: Reply) -> String {
    let body = futures_util::FutureExt::now_or_never(reply.into_body().collect()).unwrap();
    String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_browser_is_sent_to_the_registered_address_or_nowhere(
        address in prop_oneof![
            "\\PC{0,40}",
            "(http|https|javascript)://[a-z0-9.@:/\\\\?#%]{0,30}",
            "(/|\\?|#|%00|\\.evil\\.example|@evil\\.example| |\r\n){1,3}".prop_map(|end| format!("{CALLBACK}{end}")),
            (0..CALLBACK.len()).prop_map(|end| CALLBACK[..end].to_owned()),
            Just(CALLBACK.to_uppercase()),
        ],
        error in any::<bool>(),
    ) {
        let scope = if error { "nothing" } else { "openid" };
        let reply = authorize(&provider(), &[("redirect_uri", &address), ("scope", scope), ("prompt", "none")]);
        prop_assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
        prop_assert!(!reply.headers().contains_key(LOCATION));
    }

    #[test]
    fn the_clients_state_comes_back_as_it_went(state in "\\PC{1,80}|[\\x00-\\x7f]{1,80}") {
        let reply = authorize(&provider(), &[("state", &state), ("prompt", "none")]);
        let location = Url::parse(reply.headers()[LOCATION].to_str().unwrap()).unwrap();
        prop_assert_eq!(location.query_pairs().find(|(name, _)| name == "state").unwrap().1, state.as_str());
        prop_assert_eq!(location.query_pairs().find(|(name, _)| name == "error").unwrap().1, "login_required");
        prop_assert!(location.as_str().starts_with(CALLBACK));
    }

    #[test]
    fn whatever_is_hinted_is_text_on_the_page(hint in "[<>\"'&a-z=/ ]{1,40}|\\PC{1,40}") {
        let provider = provider();
        let plain = |hint: &str| {
            let started = authorize(&provider, &[("login_hint", hint)]);
            let cookie = started.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
            body(ask(&provider, started.headers()[LOCATION].to_str().unwrap(), &cookie))
        };
        let marks = |page: &str| page.matches(['<', '>', '"', '\'']).count();
        prop_assert_eq!(marks(&plain(&hint)), marks(&plain("somebody")), "{}", plain(&hint));
    }

    #[test]
    fn any_query_and_any_cookie_is_answered_without_panic(query in "[ -~]{0,80}", cookie in "[ -~]{0,60}") {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>().replace("%3D", "=").replace("%26", "&");
        for path in ["/op/authorize", "/op/continue", "/op/end-session", "/"] {
            let reply = ask(&provider(), &format!("{path}?{query}"), &cookie);
            prop_assert!(!reply.status().is_server_error());
        }
    }
}
