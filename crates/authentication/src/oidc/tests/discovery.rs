use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::Answer;
use super::world::{World, client, settings};
use crate::clock::{Clock, Timestamp};
use crate::identity::{Gap, Gaps};
use crate::oidc::http::Trouble;
use crate::oidc::*;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

async fn found(change: impl FnOnce(&mut Value)) -> Result<(), ProviderError> {
    let world = World::undiscovered(|_| {}).await;
    let mut document = world.fake.document();
    change(&mut document);
    world.fake.discovery(&document);
    world.provider.retry_now().await
}

/// Lets the background task go on until `done`.
async fn until(done: impl Fn() -> bool) {
    let turns = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), turns).await.unwrap();
}

/// Moves tokio's time while no socket is waited for.
async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

#[tokio::test]
async fn the_issuer_must_match_exactly() {
    assert_eq!(found(|_| {}).await, Ok(()));
    for other in ["https://evil.example", ""] {
        let result = found(|document| document["issuer"] = other.into()).await;
        assert!(matches!(result, Err(ProviderError::Metadata(MetadataError::OtherIssuer { .. }))));
    }
    let slash =
        found(|document| document["issuer"] = format!("{}/", document["issuer"].as_str().unwrap()).into());
    assert!(matches!(slash.await, Err(ProviderError::Metadata(MetadataError::OtherIssuer { .. }))));
}

const NEEDED: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
const OPTIONAL: [&str; 2] = ["userinfo_endpoint", "end_session_endpoint"];
const UNSAFE: [&str; 7] = [
    "http://id.example/x",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "http://localhost.evil.example/",
    "https://x/#y",
    "https://id.example@evil.example/",
    "https://:x@evil.example/",
];

#[tokio::test]
async fn endpoints_that_are_needed_must_be_there_and_safe() {
    for name in NEEDED {
        let missing = found(|document| drop(document.as_object_mut().unwrap().remove(name))).await;
        assert_eq!(missing, Err(MetadataError::Missing(name).into()));
        for url in UNSAFE {
            let unsafe_url = found(|document| document[name] = url.into()).await;
            assert_eq!(unsafe_url, Err(MetadataError::Insecure(name).into()));
        }
        for (value, told) in [
            (json!(""), "\"\""),
            (json!("/x"), "\"/x\""),
            (json!(7), "a number"),
            (json!(["https://x"]), "a list"),
        ] {
            let wrong = found(|document| document[name] = value).await.unwrap_err().to_string();
            assert!(
                wrong.contains(name) && wrong.contains(&format!("is {told}, expected an absolute URL")),
                "{wrong}"
            );
        }
    }
    for issuer in [json!(1), json!(["https://x"]), json!({})] {
        let wrong = found(|document| document["issuer"] = issuer).await.unwrap_err().to_string();
        assert!(wrong.starts_with("issuer of the discovery document is a"), "{wrong}");
    }
    assert_eq!(
        found(|document| document["issuer"] = json!(null)).await,
        Err(MetadataError::Missing("issuer").into())
    );
}

/// The provider with `member` in its document, and what it has to say about that.
async fn with_member(member: &str, value: Value) -> (World, Vec<String>) {
    let world = World::undiscovered(|_| {}).await;
    let mut document = world.fake.document();
    document[member] = value;
    world.fake.discovery(&document);
    world.provider.retry_now().await.unwrap();
    let remarks = world.provider.remarks();
    (world, remarks)
}

#[tokio::test]
async fn what_is_not_needed_counts_as_absent_where_it_is_odd_and_is_named() {
    for member in OPTIONAL {
        let odd = ["", "/logout", "id.example/bye"].into_iter().chain(UNSAFE).map(Value::from);
        for value in odd.chain([json!(null), json!(false), json!({"url": "https://id.example/"})]) {
            let (world, remarks) = with_member(member, value.clone()).await;
            assert!(
                remarks
                    .iter()
                    .any(|remark| remark.starts_with(member) && remark.ends_with("counts as absent")),
                "{value}: {remarks:?}"
            );
            let back = super::world::redirect_uri();
            let leads_there = world.provider.logout_url(None, "x", &back).is_some();
            assert_eq!(leads_there, member != "end_session_endpoint", "{value}");
        }
    }
    for (member, value) in [
        ("authorization_response_iss_parameter_supported", json!(null)),
        ("authorization_response_iss_parameter_supported", json!("yes")),
        ("require_pushed_authorization_requests", json!(null)),
        ("token_endpoint_auth_signing_alg_values_supported", json!("RS256")),
        ("token_endpoint_auth_methods_supported", json!({})),
        ("code_challenge_methods_supported", json!("S256")),
    ] {
        let (_, remarks) = with_member(member, value.clone()).await;
        assert!(
            matches!(&remarks[..], [remark] if remark.starts_with(member)),
            "{member}: {value}: {remarks:?}"
        );
    }
    for (member, value) in [
        ("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", null, 7])),
        ("service_documentation", json!(7)),
        ("scopes_supported", json!(null)),
        ("x", json!({"": []})),
    ] {
        assert_eq!(with_member(member, value.clone()).await.1, [""; 0], "{member}: {value}");
    }
}

#[tokio::test]
async fn what_the_provider_demands_and_we_do_not_do_is_told_with_what_to_do() {
    for (member, value, told) in [
        ("require_pushed_authorization_requests", json!(true), "PAR, RFC 9126"),
        ("require_signed_request_object", json!(true), "RFC 9101"),
        ("code_challenge_methods_supported", json!(["plain"]), "names only plain, and S256 alone is sent"),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_post"]),
            "set `client_secret` and `client_auth = \"post\"`",
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!(["private_key_jwt", "tls_client_auth"]),
            "set `private_key` in place",
        ),
        ("token_endpoint_auth_methods_supported", json!(["tls_client_auth"]), "at the provider"),
    ] {
        let (_, remarks) = with_member(member, value.clone()).await;
        assert!(matches!(&remarks[..], [remark] if remark.contains(told)), "{member}: {value}: {remarks:?}");
    }
    for (member, value) in [
        ("require_pushed_authorization_requests", json!(false)),
        ("code_challenge_methods_supported", json!(["plain", "S256"])),
        ("code_challenge_methods_supported", json!([])),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_post", "client_secret_basic"])),
    ] {
        assert_eq!(with_member(member, value.clone()).await.1, [""; 0], "{member}: {value}");
    }
}

#[tokio::test]
async fn levels_that_rules_ask_for_and_the_provider_does_not_know_are_told() {
    for (wanted, known, told) in [
        (vec!["mfa", "hwk"], json!(["pwd", "2fa"]), true),
        (vec!["mfa", "hwk"], json!(["pwd", "hwk"]), false),
        (vec!["mfa"], json!([]), false),
        (vec![], json!(["pwd"]), false),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(str::to_owned).collect();
        let world = World::undiscovered(|settings| client(settings).levels_of_rules = wanted).await;
        let mut document = world.fake.document();
        document["acr_values_supported"] = known;
        world.fake.discovery(&document);
        world.provider.retry_now().await.unwrap();
        let remarks = world.provider.remarks();
        assert_eq!(remarks.iter().any(|remark| remark.contains("pwd, 2fa")), told, "{remarks:?}");
        assert_eq!(remarks.len(), usize::from(told), "{remarks:?}");
    }
}

#[tokio::test]
async fn an_issuer_that_differs_and_one_that_does_not_exist_are_told_with_what_to_do() {
    let issuer = |change: fn(&str) -> String| async move {
        let told = found(|document| document["issuer"] = change(document["issuer"].as_str().unwrap()).into());
        told.await.unwrap_err().to_string()
    };
    let slash = issuer(|issuer| format!("{issuer}/")).await;
    assert!(slash.contains("slash at the end: write `issuer = \"http://127.0.0.1:"), "{slash}");
    let tenants = issuer(|_| "https://login.example/{tenantid}/v2.0".into()).await;
    assert!(tenants.contains("speaks for all tenants"), "{tenants}");
    let realm = issuer(|issuer| format!("{issuer}/realms/other")).await;
    assert!(realm.contains("realm or tenant"), "{realm}");
    for status in [400, 404] {
        let world = World::undiscovered(|_| {}).await;
        world.fake.answer(WELL_KNOWN, Answer::Reply(status, "text/html", "<html>".into()));
        let told = world.provider.retry_now().await.unwrap_err().to_string();
        assert!(
            told.contains(&format!("status {status}, so there is no discovery document; check host, realm")),
            "{told}"
        );
    }
}

#[test]
fn an_issuer_is_https_or_on_loopback() {
    let made = |issuer: &str| Provider::new(settings("x", issuer), None, Clock::manual(Timestamp::default()));
    for bad in [
        "http://id.example",
        "https://id.example/?a",
        "https://id.example/#a",
        "ftp://x",
        "",
        "https://u@x",
        "https://:p@x",
    ] {
        assert!(matches!(made(bad), Err(SetupError::Issuer(_))), "{bad}");
    }
    assert!(made("https://id.example/realms/x/").is_ok() && made("http://localhost:1").is_ok());
}

#[tokio::test]
async fn html_is_told_as_html_and_made_printable() {
    let world = World::undiscovered(|_| {}).await;
    let page = format!("<html>\r\n\u{1b}[31m{}", "x".repeat(500));
    world.fake.answer(WELL_KNOWN, Answer::Reply(200, "text/html; charset=utf-8", page));
    let told = world.provider.retry_now().await.unwrap_err().to_string();
    assert!(told.contains("HTML (a page of a proxy in the way?), 513 bytes called text/html"), "{told}");
    assert!(told.len() < 300 && !told.contains(char::is_control) && !told.contains("xxx"), "{told}");
}

#[tokio::test]
async fn errors_stalls_redirects_and_floods_are_told_apart() {
    let cases = [
        (Answer::Reply(503, "text/plain", String::new()), "expected status 200, got 503"),
        (
            Answer::Reply(200, "application/json", "{\"issuer\": ".into()),
            "something else, 11 bytes called application/json with status 200, instead of JSON",
        ),
        (Answer::Reply(200, "text/plain", "[1, 2]".into()), "is a list, expected a JSON object"),
        (Answer::Reply(200, "application/json", "{".repeat(600_000)), "more than 524288 bytes"),
        (Answer::Redirect("/elsewhere".into()), "got 302"),
    ];
    for (answer, expected) in cases {
        let world = World::undiscovered(|_| {}).await;
        world.fake.answer(WELL_KNOWN, answer);
        let told = world.provider.retry_now().await.unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
        assert!(world.fake.calls("/elsewhere").is_empty());
    }
    let world = World::undiscovered(|settings| settings.timeout = Duration::from_millis(20)).await;
    world.fake.answer(WELL_KNOWN, Answer::Stall);
    let Err(ProviderError::Http(error)) = world.provider.retry_now().await else { panic!("no answer came") };
    assert_eq!(error.trouble, Trouble::Timeout(Duration::from_millis(20)));
}

#[tokio::test]
async fn a_provider_away_at_start_is_found_later_and_then_kept() {
    let world = World::undiscovered(|_| {}).await;
    let down = || world.fake.answer(WELL_KNOWN, Answer::Reply(500, "text/plain", String::new()));
    down();
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    let reason = |wanted: &str| matches!(world.provider.status(), ProviderStatus::Unavailable { reason, .. } if reason.contains(wanted));
    until(|| reason("got 500")).await;
    let refused = world.provider.begin(AuthenticationRequest::default());
    assert!(matches!(refused, Err(ProviderError::Unavailable(_))));
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(2)).await;
    until(|| matches!(world.provider.status(), ProviderStatus::Ready { .. })).await;
    assert!(world.provider.begin(AuthenticationRequest::default()).is_ok());
    task.abort();
}

#[tokio::test]
async fn people_who_wait_share_one_attempt_and_cool_down() {
    let world = World::undiscovered(|_| {}).await;
    world.fake.answer(WELL_KNOWN, Answer::Reply(500, "text/plain", String::new()));
    let attempts = (0..50).map(|_| world.provider.retry_now());
    let results = futures_util::future::join_all(attempts).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(world.fake.calls(WELL_KNOWN).len(), 1);
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(3)).await;
    let results = futures_util::future::join_all((0..50).map(|_| world.provider.retry_now())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(world.fake.calls(WELL_KNOWN).len(), 2);
}

#[tokio::test]
async fn a_provider_for_bearer_tokens_needs_only_its_keys() {
    let world = World::undiscovered(|settings| settings.client = None).await;
    let jwks = format!("{}/jwks", world.fake.issuer);
    world.fake.discovery(&json!({"issuer": world.fake.issuer, "jwks_uri": jwks}));
    assert_eq!(world.provider.jwks_uri(), None);
    world.provider.retry_now().await.unwrap();
    assert_eq!(world.provider.jwks_uri().map(String::from), Some(jwks));
}

/// Rules that need what it would have said must not take that for none.
#[tokio::test]
async fn invariant_19_a_userinfo_endpoint_of_no_use_could_have_said_more() {
    for (value, asked) in
        [(json!("/me"), Gaps::from(vec![Gap::Groups, Gap::Claims])), (json!(null), Gaps::default())]
    {
        let (world, _) = with_member("userinfo_endpoint", value.clone()).await;
        let signed_in = world.sign_in(|claims| drop(claims.as_object_mut().unwrap().remove("groups"))).await;
        assert_eq!(signed_in.unwrap().principal.gaps, asked, "{value}");
    }
}

#[tokio::test]
async fn the_document_may_be_at_another_address_and_still_speaks_for_the_issuer() {
    let world = World::undiscovered(|settings| {
        let elsewhere = format!("{}/b2c/metadata?p=sign-in", settings.issuer);
        settings.discovery = Some(url::Url::parse(&elsewhere).unwrap());
    })
    .await;
    let mut document = world.fake.document();
    world.fake.json("/b2c/metadata", 200, &document);
    assert_eq!(world.provider.retry_now().await, Ok(()));
    assert!(world.fake.calls(WELL_KNOWN).is_empty());
    world.sign_in(|_| {}).await.unwrap();
    document["issuer"] = "https://other.example".into();
    let other = World::undiscovered(|settings| {
        settings.discovery = Some(url::Url::parse(&format!("{}/x", settings.issuer)).unwrap());
    })
    .await;
    other.fake.json("/x", 200, &document);
    let refused = other.provider.retry_now().await;
    assert!(
        matches!(refused, Err(ProviderError::Metadata(MetadataError::OtherIssuer { .. }))),
        "{refused:?}"
    );
}
