use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::COOKIE;
use serde_json::json;

use super::signer::Signer;
use super::world::{NOW, World, client, parameter, redirect_uri, settings};
use crate::clock::Timestamp;
use crate::identity::Email;
use crate::oidc::*;
use crate::secret::{SealingKey, Secret};

#[tokio::test]
async fn the_authorization_request_says_all_that_was_configured() {
    let world = World::with(|settings| {
        let client = client(settings);
        client.prompt = Some("login consent".into());
        client.acr_values = vec!["mfa".into(), "pwd".into()];
        client.max_age = Some(Duration::from_secs(600));
        client.extra =
            vec![("audience".into(), "api".into()), ("redirect_uri".into(), "https://evil".into())];
    })
    .await;
    let intent = AuthenticationRequest { login_hint: Some("a@b".into()), ..AuthenticationRequest::default() };
    let url = world.provider.begin(intent).unwrap().location;
    let redirect_uri = redirect_uri();
    let wanted = [
        ("response_type", "code"),
        ("client_id", "portcullis"),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", "openid email"),
        ("code_challenge_method", "S256"),
        ("prompt", "login consent"),
        ("acr_values", "mfa pwd"),
        ("max_age", "600"),
        ("audience", "api"),
        ("login_hint", "a@b"),
    ];
    for (name, value) in wanted {
        let found: Vec<_> =
            url.query_pairs().filter(|(key, _)| key == name).map(|(_, v)| v.into_owned()).collect();
        assert_eq!(found, [value], "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert!(parameter(&url, name).unwrap().len() >= 43, "{name}");
    }
}

#[tokio::test]
async fn invariant_6_every_sign_in_has_secrets_of_its_own() {
    let world = World::new().await;
    let begun = || world.provider.begin(AuthenticationRequest::default()).unwrap().location;
    let (one, other) = (begun(), begun());
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameter(&one, name).unwrap(), parameter(&other, name).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_person_signs_in() {
    let world = World::new().await;
    let signed_in = world.sign_in(|_| {}).await.unwrap();
    let principal = &signed_in.principal;
    assert_eq!((principal.user.as_str(), principal.subject.as_str()), ("alice", "u1"));
    assert_eq!(
        principal.email,
        Some(Email { address: "alice@corp.example".into(), verified: true, withheld: false })
    );
    assert_eq!(principal.groups, ["staff", "ops"]);
    assert_eq!(principal.auth_time, Some(Timestamp::from_seconds(NOW - 60)));
    assert_eq!(signed_in.sid.as_deref(), Some("s1"));
    assert_eq!(signed_in.tokens.access_expires, Some(Timestamp::from_seconds(NOW + 300)));
    assert_eq!(signed_in.tokens.refresh, Some(Secret::new("refresh-1")));
    let form = &world.fake.calls("/token")[0].form;
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "code-1"));
    assert_eq!(form["redirect_uri"], redirect_uri().as_str());
    assert!(form["code_verifier"].len() >= 43 && world.fake.calls("/userinfo").is_empty());
}

#[tokio::test]
async fn invariant_6_a_response_for_another_flow_provider_or_issuer_spends_no_code() {
    let world = World::new().await;
    let (mine, other) = (world.begin(), world.begin());
    let good = world.callback(&mine);
    for state in [None, Some(String::new()), world.callback(&other).state] {
        let result = world.provider.finish(&mine.flow, CallbackParameters { state, ..good.clone() }).await;
        assert_eq!(result, Err(SignInError::WrongState));
    }
    for iss in [None, Some("https://evil.example".to_owned()), Some(format!("{}/", world.fake.issuer))] {
        let result = world.provider.finish(&mine.flow, CallbackParameters { iss, ..good.clone() }).await;
        assert!(matches!(result, Err(SignInError::MixUp { .. })));
        let told = result.unwrap_err().to_string();
        assert_ne!(told.contains("mix-up attack?"), told.contains("differ by the slash"), "{told}");
        assert_eq!(
            told.contains("differ by the slash"),
            told.contains(&format!("{}/", world.fake.issuer)),
            "{told}"
        );
    }
    let partner = World::with(|settings| settings.name = crate::identity::ProviderName::new("partner")).await;
    let result = partner.provider.finish(&mine.flow, good).await;
    assert_eq!(result, Err(SignInError::OtherProvider("corp".into())));
    assert!(world.fake.calls("/token").is_empty() && partner.fake.calls("/token").is_empty());
}

#[tokio::test]
async fn iss_may_be_missing_where_the_provider_does_not_promise_it() {
    let world = World::undiscovered(|_| {}).await;
    let mut document = world.fake.document();
    document["authorization_response_iss_parameter_supported"] = json!(false);
    world.fake.discovery(&document);
    world.provider.retry_now().await.unwrap();
    let departure = world.begin();
    let missing = CallbackParameters { iss: None, ..world.callback(&departure) };
    world.fake.json("/token", 400, &json!({"error": "invalid_grant"}));
    let result = world.provider.finish(&departure.flow, missing).await;
    assert!(matches!(result, Err(SignInError::Exchange { .. })));
}

#[tokio::test]
async fn a_provider_that_will_do_it_later_gets_another_try() {
    let world = World::new().await;
    for code in ["temporarily_unavailable", "server_error"] {
        let departure = world.begin();
        let refusal = CallbackParameters { error: Some(code.into()), ..world.callback(&departure) };
        let error = world.provider.finish(&departure.flow, refusal).await.unwrap_err();
        assert!(error.public().contains("try again in a minute"), "{}", error.public());
        world.fake.json("/token", 400, &json!({"error": code}));
        let error = world.provider.finish(&departure.flow, world.callback(&departure)).await.unwrap_err();
        assert!(error.public().contains("try again in a minute"), "{}", error.public());
    }
}

#[tokio::test]
async fn a_refusal_is_told_apart_by_blame_and_never_quoted_to_the_public() {
    let world = World::new().await;
    let hostile = "<script>\r\nSet-Cookie: x\u{7}";
    let cases = [
        ("access_denied", Culprit::Client),
        ("invalid_scope", Culprit::Us),
        ("server_error", Culprit::Provider),
    ];
    for (code, blame) in cases {
        let departure = world.begin();
        let refusal = CallbackParameters {
            error: Some(code.into()),
            error_description: Some(hostile.into()),
            ..world.callback(&departure)
        };
        let error = world.provider.finish(&departure.flow, refusal).await.unwrap_err();
        assert_eq!(error.blame(), blame);
        assert!(!error.public().contains("script") && !error.to_string().contains(char::is_control));
    }
    assert!(world.fake.calls("/token").is_empty());
}

#[tokio::test]
async fn ten_flows_at_once_each_arrive_where_they_wanted_to_go() {
    let world = World::new().await;
    let cookies =
        FlowCookies::new(SealingKey::of_server_key(&[7; 64]), true, "login.example", world.clock.clone());
    let mut browser = HeaderMap::new();
    let mut tabs = Vec::new();
    for tab in 0..10 {
        let return_to = format!("https://app.example/tab?n={tab}&q=%20x#part");
        let state = cookies.state(&Destination { return_to, ..Destination::default() });
        let intent = AuthenticationRequest { state: Some(state), ..AuthenticationRequest::default() };
        let departure = world.provider.begin(intent).unwrap();
        for cookie in cookies.set(&browser, &departure.flow).unwrap() {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            browser.append(COOKIE, pair.parse().unwrap());
        }
        tabs.push(departure);
    }
    for (tab, departure) in tabs.iter().enumerate().rev() {
        let state = parameter(&departure.location, "state").unwrap();
        let flow = cookies.open(&browser, &state).unwrap();
        let there = cookies.destination(&state).unwrap().return_to;
        assert_eq!(there, format!("https://app.example/tab?n={tab}&q=%20x#part"));
        let back = AuthorizationRedirect { location: departure.location.clone(), flow };
        assert!(world.arrive(&back, |claims| world.signer.sign(&claims)).await.is_ok());
    }
}

#[tokio::test]
async fn signing_out_goes_through_the_provider() {
    let world = World::new().await;
    let signed_in = world.sign_in(|_| {}).await.unwrap();
    let back = redirect_uri();
    let url = world.provider.logout_url(signed_in.tokens.id.as_ref(), "st", &back).unwrap();
    assert!(url.as_str().starts_with(&format!("{}/bye?", world.fake.issuer)));
    assert_eq!(parameter(&url, "id_token_hint").as_deref(), signed_in.tokens.id.as_ref().map(Secret::expose));
    assert_eq!(parameter(&url, "state").as_deref(), Some("st"));
    assert_eq!(parameter(&url, "client_id").as_deref(), Some("portcullis"));
    assert_eq!(parameter(&url, "post_logout_redirect_uri").as_deref(), Some(back.as_str()));
    let garbled = world.provider.logout_url(Some(&Secret::new("no token")), "st", &back).unwrap();
    assert_eq!(parameter(&garbled, "id_token_hint"), None);
}

/// Keycloak answers such a hint with "Invalid parameter: id_token_hint", and the person stays signed in there.
#[tokio::test]
async fn no_hint_is_given_whose_key_the_provider_has_no_more() {
    let world = World::new().await;
    let signed_in = world.sign_in(|_| {}).await.unwrap();
    let hint = |token: Option<&Secret>| {
        parameter(&world.provider.logout_url(token, "st", &redirect_uri()).unwrap(), "id_token_hint")
    };
    let (before, next) = (signed_in.tokens.id, Signer::es256("k2"));
    world.publish(&[&world.signer.jwk, &next.jwk]);
    world.arrive(&world.begin(), |claims| next.sign(&claims)).await.unwrap();
    assert!(hint(before.as_ref()).is_some(), "both keys are there");
    world.publish(&[&next.jwk]);
    let third = Signer::es256("k3");
    assert!(world.arrive(&world.begin(), |claims| third.sign(&claims)).await.is_err(), "which has us look");
    assert_eq!(hint(before.as_ref()), None);
}

#[tokio::test]
async fn nobody_signs_in_with_a_provider_without_client() {
    let world = World::with(|settings| settings.client = None).await;
    assert_eq!(world.provider.begin(AuthenticationRequest::default()), Err(ProviderError::NotForSignIn));
    let provider = Provider::new(settings("x", &world.fake.issuer), None, world.clock.clone()).unwrap();
    provider.retry_now().await.unwrap();
    assert_eq!(provider.begin(AuthenticationRequest::default()), Err(ProviderError::NotForSignIn));
}
