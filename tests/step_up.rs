//! Step-up: a route may ask for more than that somebody has signed in. It is asked of the provider once, its answer is
//! judged, and who does not get further is told why (RFC 9470; OpenID Connect Core 1.0, section 3.1.2.1).

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Browser, Gateway, Impostor, World, answered, between};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "admin"
path = "/admin"
upstream = "{app}"
allow = [{ groups = ["ops"] }, { groups = ["staff"], acr = ["mfa"] }]

[[routes]]
name = "methods"
path = "/methods"
upstream = "{app}"
allow = [{ groups = ["staff"], amr = ["pwd", "otp"], acr = ["pwd", "mfa"] }]

[[routes]]
name = "recent"
path = "/recent"
upstream = "{app}"
allow = [{ groups = ["staff"], max_auth_age = "15m" }]

[[routes]]
name = "both"
path = "/both"
upstream = "{app}"
policy = ["levels", "lately"]

[policies.levels]
allow = [{ groups = ["staff"], acr = ["mfa", "hwk"] }]

[policies.lately]
allow = [{ acr = ["pwd", "mfa"], max_auth_age = "1h" }]

[[routes]]
name = "ops"
path = "/ops"
upstream = "{app}"
allow = [{ groups = ["ops"], acr = ["mfa"] }]
"#;

/// The parameters of the authorization request that a visit to `url` comes to.
async fn asked(browser: &Browser, url: &str) -> BTreeMap<String, String> {
    let there = browser.stop_before(url, "/auth?").await;
    there.query_pairs().into_owned().collect()
}

fn of_strength(asked: &BTreeMap<String, String>) -> [Option<&str>; 3] {
    ["acr_values", "max_age", "prompt"].map(|name| asked.get(name).map(String::as_str))
}

fn key(world: &World, browser: &Browser) -> Option<String> {
    browser.cookie(&world.gateway.url("/"), "portcullis")
}

#[tokio::test]
async fn a_certified_provider_gives_the_level_that_a_route_asks_for() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let (admin, before) = (world.gateway.url("/admin?a=1"), key(&world, &browser));
    assert_eq!(of_strength(&asked(&browser, &admin).await), [Some("mfa"), None, None]);
    let answer = browser.visit(&admin).await;
    assert_eq!(
        (answer.status, answer.json()["target"].as_str()),
        (200, Some("/admin?a=1")),
        "{}",
        answer.body
    );
    assert_eq!(browser.get(&admin).await.status, 200, "it lasts");
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
    let old = Browser::new();
    old.set_cookie(&world.gateway.url("/"), "portcullis", &before.unwrap());
    assert_eq!(old.get(&world.gateway.url("/")).await.status, 302, "the key from before opens nothing");
    world.provider.control("as?user=bob").await;
    let bob = world.signed_in().await;
    assert_eq!(bob.get(&admin).await.status, 200, "ops need no second factor");
}

/// Nobody is sent to sign in twice for what every rule of the route asks; nobody is asked for what some rule does not.
#[tokio::test]
async fn a_first_sign_in_is_asked_for_the_strength_at_once() {
    let world = World::open(ROUTES).await;
    let recent = world.gateway.url("/recent?a=1");
    assert_eq!(of_strength(&asked(&Browser::new(), &recent).await), [None, Some("900"), None]);
    let ops = world.gateway.url("/ops");
    assert_eq!(of_strength(&asked(&Browser::new(), &ops).await), [Some("mfa"), None, None]);
    let both = world.gateway.url("/both");
    assert_eq!(of_strength(&asked(&Browser::new(), &both).await), [Some("mfa"), Some("3600"), None]);
    let methods = world.gateway.url("/methods");
    assert_eq!(of_strength(&asked(&Browser::new(), &methods).await), [Some("pwd mfa"), None, None]);
    for open in ["/admin", "/"] {
        let asked = asked(&Browser::new(), &world.gateway.url(open)).await;
        assert_eq!(of_strength(&asked), [None; 3], "{open}: a rule lets somebody in without");
    }
    let browser = Browser::new();
    let before = world.provider.asked("/token").await;
    assert_eq!(browser.visit(&recent).await.status, 200);
    assert_eq!(world.provider.asked("/token").await - before, 1, "one sign-in");
}

/// A first sign-in that falls short ends on the page that says so, with a session that is good elsewhere.
#[tokio::test]
async fn a_first_sign_in_that_falls_short_is_told_and_leads_nowhere_round() {
    let world = World::open(ROUTES).await;
    world.provider.control("ago?s=3000").await;
    let provider = world.provider.asked("/token").await;
    let browser = Browser::new();
    let page = browser.visit(&world.gateway.url("/recent")).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("15m") && page.body.contains("50m"), "{}", page.body);
    assert_eq!(world.provider.asked("/token").await - provider, 1, "one try");
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200, "they are signed in");
}

#[tokio::test]
async fn methods_are_asked_for_by_a_fresh_login() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let methods = world.gateway.url("/methods");
    assert_eq!(of_strength(&asked(&browser, &methods).await), [Some("pwd mfa"), None, Some("login")]);
    // It signs her in at the first of the levels, with the password alone.
    let page = browser.visit(&methods).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("otp"), "{}", page.body);
    world.provider.control("levels?of=mfa").await;
    assert_eq!(browser.visit(&methods).await.status, 200);
}

#[tokio::test]
async fn an_old_sign_in_is_renewed_and_one_of_unknown_age_is_asked_for_its_age() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let recent = world.gateway.url("/recent");
    assert_eq!(
        of_strength(&asked(&browser, &recent).await),
        [None, Some("900"), None],
        "its age was not asked"
    );
    assert_eq!(browser.visit(&recent).await.status, 200, "it was recent");
    world.provider.control("ago?s=3000").await;
    let other = world.signed_in().await;
    let page = other.visit(&recent).await;
    assert_eq!(page.status, 403, "the password is said to be an hour old");
    assert!(page.body.contains("15m") && page.body.contains("50m"), "{}", page.body);
    // That sign-in told its age, and it is too old; an hour is not asked too much.
    assert_eq!(other.visit(&world.gateway.url("/both")).await.status, 200);
    assert_eq!(of_strength(&asked(&other, &recent).await), [None, Some("900"), Some("login")]);
    world.provider.control("ago?s=0").await;
    assert_eq!(other.visit(&recent).await.status, 200);
}

#[tokio::test]
async fn two_policies_ask_at_once_for_what_meets_both() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let both = world.gateway.url("/both");
    assert_eq!(of_strength(&asked(&browser, &both).await), [Some("mfa"), Some("3600"), None]);
    assert_eq!(browser.visit(&both).await.status, 200);
    assert_eq!(world.provider.asked("/token").await, 2, "one sign-in more");
}

#[tokio::test]
async fn whoever_may_not_whatever_their_level_is_forbidden_at_once() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let answer = browser.get(&world.gateway.url("/ops")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("have access"), "{}", answer.body);
}

/// A provider that cannot, or does not care: one try, a page that says so, and the session as it was.
#[tokio::test]
async fn a_provider_that_cannot_is_asked_once_and_the_person_is_told() {
    let world = World::open(ROUTES).await;
    world.provider.control("levels?of=pwd").await;
    let browser = world.signed_in().await;
    let (before, admin) = (key(&world, &browser), world.gateway.url("/admin"));
    for tries in 1..=2 {
        let page = browser.visit(&admin).await;
        assert_eq!(page.status, 403, "{}", page.body);
        for told in ["corp", "mfa", "pwd", page.header("x-request-id")] {
            assert!(!told.is_empty() && page.body.contains(told), "{told}: {}", page.body);
        }
        assert_eq!(between(&page.body, "class=\"button\" href=\"", "\""), admin, "the way to try again");
        assert!(page.body.contains("/.portcullis/sign-in?anew=1"));
        assert_eq!(world.provider.asked("/token").await, 1 + tries, "one try a visit");
        let line = answered(&world.gateway, page.header("x-request-id"));
        assert!(line.contains("\"outcome\":\"forbidden\"") && line.contains("found pwd"), "{line}");
    }
    assert_eq!(key(&world, &browser), before, "the session is the one from before");
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
    assert_eq!(world.app.served(), 2, "nothing has come to the app");
}

/// A gateway before a provider that answers whatever the test says.
async fn before(provider: &Impostor) -> (Gateway, App) {
    let app = App::start().await;
    let rest = format!("{}{}", provider.configuration(), ROUTES.replace("{app}", &app.url()));
    (Gateway::start(&rest), app)
}

#[tokio::test]
async fn no_answer_that_falls_short_is_taken_and_none_leads_round() {
    let now = jsonwebtoken::get_current_timestamp();
    for (path, told) in [
        ("/admin", json!({})),
        ("/admin", json!({"acr": "pwd"})),
        ("/admin", json!({"acr": ["mfa"]})),
        ("/methods", json!({"acr": "mfa"})),
        ("/methods", json!({"acr": "mfa", "amr": ["otp"]})),
        ("/methods", json!({"acr": "mfa", "amr": "pwd otp"})),
        ("/recent", json!({})),
        ("/recent", json!({"auth_time": null})),
        ("/recent", json!({"auth_time": now - 3600})),
        ("/both", json!({"acr": "mfa"})),
        ("/both", json!({"acr": "hwk", "auth_time": now})),
    ] {
        let provider = Impostor::start().await;
        let (gateway, app) = before(&provider).await;
        let browser = Browser::new();
        assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
        let key = browser.cookie(&gateway.url("/"), "portcullis");
        provider.now(|ways| ways.id_token = told.clone());
        let page = browser.visit(&gateway.url(path)).await;
        assert_eq!(page.status, 403, "{path} {told}: {}", page.body);
        assert_eq!((provider.asked("/auth"), app.served()), (2, 1), "{path} {told}");
        assert_eq!(browser.cookie(&gateway.url("/"), "portcullis"), key, "{path} {told}");
        let good = json!({"acr": "mfa", "amr": ["pwd", "otp"], "auth_time": now});
        provider.now(|ways| ways.id_token = good);
        assert_eq!(browser.visit(&gateway.url(path)).await.status, 200, "{path} after {told}");
        assert_eq!(provider.asked("/auth"), 3, "{path} after {told}");
    }
}

/// OpenID Connect Core Error Code unmet_authentication_requirements 1.0, section 2.
#[tokio::test]
async fn a_provider_that_says_that_it_cannot_is_believed() {
    let provider = Impostor::start().await;
    let (gateway, _app) = before(&provider).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let there = browser.stop_before(&gateway.url("/admin"), "/auth?").await;
    let state = there.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = format!("/.portcullis/callback?error=unmet_authentication_requirements&state={state}");
    let page = browser.get(&gateway.url(&back)).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("mfa") && page.body.contains("cannot be had"), "{}", page.body);
    assert_eq!(browser.get(&gateway.url("/")).await.status, 200, "the session is as it was");
}

#[tokio::test]
async fn whoever_signs_in_as_somebody_else_is_that_one_from_then_on() {
    let provider = Impostor::start().await;
    let (gateway, _app) = before(&provider).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let alice = browser.cookie(&gateway.url("/"), "portcullis").unwrap();
    provider.now(|ways| ways.id_token = json!({"sub": "bob", "acr": "pwd"}));
    assert_eq!(browser.visit(&gateway.url("/admin")).await.status, 403);
    assert_eq!(provider.asked("/auth"), 2);
    assert_ne!(browser.cookie(&gateway.url("/"), "portcullis"), Some(alice.clone()));
    assert_eq!(browser.get(&gateway.url("/")).await.status, 200);
    let left = Browser::new();
    left.set_cookie(&gateway.url("/"), "portcullis", &alice);
    assert_eq!(left.get(&gateway.url("/")).await.status, 302, "alice has left");
}

/// What is edited on the way is judged like any other answer.
#[tokio::test]
async fn an_edited_authorization_request_lets_nobody_in() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    for (path, name) in [("/admin", "acr_values"), ("/both", "max_age"), ("/both", "acr_values")] {
        let mut there = browser.stop_before(&world.gateway.url(path), "/auth?").await;
        let kept: Vec<_> = there.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
        there.query_pairs_mut().clear().extend_pairs(kept);
        let page = browser.visit(there.as_str()).await;
        assert_eq!(page.status, 403, "{path} without {name}: {}", page.body);
    }
    assert_eq!(world.app.served(), 1);
}

async fn call(browser: &Browser, url: &str, headers: &[(&str, &str)]) -> Answer {
    browser.send(Method::GET, url, &[&[("accept", "*/*")], headers].concat(), "").await
}

/// RFC 9470, section 3.
#[tokio::test]
async fn a_program_is_told_what_is_asked_for() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let error = "Bearer realm=\"portcullis\", error=\"insufficient_user_authentication\", \
                 error_description=\"A stronger or more recent authentication is required\"";
    for (path, asks, members) in [
        ("/admin", ", acr_values=\"mfa\"", json!({"acr_values": ["mfa"]})),
        ("/recent", ", max_age=\"900\"", json!({"max_age": 900})),
        ("/both", ", acr_values=\"mfa\", max_age=\"3600\"", json!({"acr_values": ["mfa"], "max_age": 3600})),
        (
            "/methods",
            ", acr_values=\"pwd mfa\"",
            json!({"acr_values": ["pwd", "mfa"], "amr_values": ["pwd", "otp"]}),
        ),
    ] {
        let answer = call(&browser, &world.gateway.url(path), &[("sec-fetch-mode", "cors")]).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), format!("{error}{asks}"), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:portcullis:problem:insufficient-user-authentication");
        for name in ["acr_values", "amr_values", "max_age"] {
            assert_eq!(problem.get(name), members.get(name), "{path} {name}");
        }
        let line = answered(&world.gateway, answer.header("x-request-id"));
        assert!(
            line.contains("\"outcome\":\"unauthenticated\"") && line.contains("stronger sign-in"),
            "{line}"
        );
    }
    assert_eq!(world.provider.asked("/token").await, 1, "no call leads to the provider");
}

/// RFC 9470, section 6: what a token says of its sign-in is judged as what a session does.
#[tokio::test]
async fn a_token_is_as_strong_as_it_says() {
    let provider = Impostor::start().await;
    let (gateway, app) = before(&provider).await;
    let now = jsonwebtoken::get_current_timestamp();
    let ask = async |path: &str, claims: Value| {
        let mut staff = json!({"groups": ["staff"]});
        staff.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token = format!("Bearer {}", provider.access_token(&staff));
        let answer = call(&Browser::new(), &gateway.url(path), &[("authorization", &token)]).await;
        (answer.status, answer.header("www-authenticate").contains("insufficient_user_authentication"))
    };
    let (refused, good) = ((401, true), (200, false));
    assert_eq!(ask("/admin", json!({})).await, refused);
    assert_eq!(ask("/admin", json!({"acr": "pwd"})).await, refused);
    assert_eq!(ask("/admin", json!({"acr": "mfa"})).await, good);
    assert_eq!(ask("/recent", json!({"auth_time": now - 3600})).await, refused);
    assert_eq!(ask("/recent", json!({"auth_time": now + 3600})).await, refused, "ahead of its time");
    assert_eq!(ask("/recent", json!({"auth_time": now - 600})).await, good);
    assert_eq!(ask("/methods", json!({"acr": "mfa", "amr": ["otp"]})).await, refused);
    assert_eq!(ask("/methods", json!({"acr": "mfa", "amr": ["otp", "pwd"]})).await, good);
    assert_eq!(ask("/ops", json!({"acr": "mfa"})).await, (403, false));
    assert_eq!((app.served(), provider.asked("/auth")), (3, 0));
}

#[tokio::test]
async fn a_form_waits_for_the_stronger_sign_in() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let page = browser.submit(&world.gateway.url("/admin/save"), "text=kept").await;
    assert_eq!(page.status, 401, "{}", page.body);
    assert_eq!(world.app.served(), 1, "it has not gone to the app");
    let way = between(&page.body, "href=\"/.portcullis/sign-in?", "\"");
    let url = world.gateway.url(&format!("/.portcullis/sign-in?{way}"));
    assert_eq!(of_strength(&asked(&browser, &url).await), [Some("mfa"), None, None]);
    let resumed = browser.visit(&url).await;
    assert!(resumed.url.path().starts_with("/.portcullis/resume"), "{}", resumed.url);
}
