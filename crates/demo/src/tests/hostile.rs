//! Authorization requests that nobody should believe.

use http::{Method, StatusCode};

use super::world::{CALLBACK, World};

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_the_client_with_state_and_issuer() {
    let world = World::new().await;
    let plain = "plain-challenge-plain-challenge-plain-challe";
    for (changes, error) in [
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain"), ("code_challenge", plain)], "invalid_request"),
        (vec![("code_challenge", "c2hvcnQ")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "code id_token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("scope", "profile")], "invalid_scope"),
        (vec![("scope", "")], "invalid_scope"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("prompt", "create")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("request", "e30.e30.")], "request_not_supported"),
        (vec![("request_uri", "http://127.0.0.1:1/")], "request_uri_not_supported"),
        (vec![("id_token_hint", "a.b.c")], "invalid_request"),
    ] {
        let (url, parameters) = world.browser.get(&world.wanted(&changes)).await.location();
        assert!(url.as_str().starts_with(CALLBACK), "{url}");
        assert_eq!(parameters["error"], error, "{changes:?}");
        assert_eq!((&*parameters["state"], &*parameters["iss"]), ("the state", world.demo.issuer()));
        assert!(!parameters.contains_key("code"));
    }
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let world = World::new().await;
    let twice = |parameter: &str| format!("{}&{parameter}", world.wanted(&[]));
    for parameter in ["scope=openid", "nonce=other", "code_challenge_method=S256", "prompt=none&prompt=login"]
    {
        let (_, parameters) = world.browser.get(&twice(parameter)).await.location();
        assert_eq!(parameters["error"], "invalid_request", "{parameter}");
    }
    let (_, parameters) = world.browser.get(&twice("state=other")).await.location();
    assert_eq!((parameters["error"].as_str(), parameters.get("state")), ("invalid_request", None));
    for parameter in ["redirect_uri=https%3A%2F%2Fevil.example", "client_id=portcullis"] {
        let answer = world.browser.get(&twice(parameter)).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_REQUEST, ""));
    }
}

#[tokio::test]
async fn a_machine_signs_nobody_in() {
    let world = World::new().await;
    let answer = world.browser.get(&world.wanted(&[("client_id", "robot")])).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_REQUEST, ""));
}

#[tokio::test]
async fn a_request_for_another_host_is_not_answered() {
    let world = World::new().await;
    for host in ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"] {
        let answer = world.browser.send(Method::GET, "/", &[("host", host)], Vec::new()).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let world = World::new().await;
    let body = vec![b'a'; 16 * 1024 + 1];
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    for target in ["/op/token", "/op/sign-in", "/op/authorize"] {
        let answer = world.browser.send(Method::POST, target, &content_type, body.clone()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{target}");
    }
    let head = "a".repeat(128 * 1024);
    let answer = world.browser.send(Method::GET, "/", &[("cookie", &head)], Vec::new()).await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn methods_are_kept_apart() {
    let world = World::new().await;
    for target in ["/op/sign-in", "/op/consent", "/op/choose", "/op/token", "/op/revoke", "/op/sign-out"] {
        assert_eq!(world.browser.get(target).await.status, StatusCode::NOT_FOUND, "{target}");
    }
    let put = world.browser.send(Method::PUT, "/op/authorize", &[], Vec::new()).await;
    assert_eq!(put.status, StatusCode::NOT_FOUND);
}
