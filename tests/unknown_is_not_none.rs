//! What a provider does not say is unknown: it lets nobody in, and lapses no `deny` rule (invariant 19).

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Browser, Gateway, Impostor, answered, program, told, until_async};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
deny = [{ groups = ["banned"] }]
identity = { headers = { X-User = "user" } }

[[routes]]
name = "staff"
path = "/staff"
upstream = "{app}"
allow = [{ groups = ["staff"] }]
"#;

struct World {
    gateway: Gateway,
    provider: Impostor,
    app: App,
}

impl World {
    async fn with(provider_keys: &str) -> Self {
        let (app, provider) = (App::start().await, Impostor::start().await);
        let routes = ROUTES.replace("{app}", &app.url());
        let rest = format!("{}{provider_keys}{routes}", provider.configuration());
        let world = Self { gateway: Gateway::start(&rest), provider, app };
        let good = json!({"groups": ["staff"]});
        until_async("a good token", || async { world.bearer("/", &good).await.status == 200 }).await;
        world
    }

    async fn bearer(&self, path: &str, changes: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.provider.access_token(changes));
        let headers = [("authorization", authorization.as_str()), ("accept", "*/*")];
        Browser::new().send(Method::GET, &self.gateway.url(path), &headers, "").await
    }

    async fn visit(&self, path: &str, id_token: Value) -> Answer {
        self.provider.now(|now| now.id_token = id_token);
        Browser::new().visit(&self.gateway.url(path)).await
    }
}

/// As Entra ID writes it for somebody in more groups than a token holds.
fn overage() -> Value {
    let endpoint = "https://graph.microsoft.com/v1.0/users/1/getMemberObjects";
    json!({
        "groups": null, "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}},
    })
}

#[tokio::test]
async fn invariant_19_a_deny_rule_holds_for_a_token_that_does_not_list_the_groups() {
    let world = World::with("").await;
    for unknown in [
        overage(),
        json!({"hasgroups": true}),
        json!({"groups": {"banned": true}}),
        json!({"groups": [{"name": "banned"}]}),
        json!({}),
        json!({"groups": ["banned"]}),
    ] {
        let before = world.app.served();
        let answer = world.bearer("/", &unknown).await;
        assert_eq!((answer.status, world.app.served()), (403, before), "{unknown}");
    }
    for known in [json!({"groups": []}), json!({"groups": ["staff"]}), json!({"groups": "staff"})] {
        assert_eq!(world.bearer("/", &known).await.status, 200, "{known}");
    }
    let answer = world.bearer("/", &overage()).await;
    let line = answered(&world.gateway, answer.header("x-request-id"));
    assert!(line.contains("policy route, deny rule 1; the provider did not list the groups"), "{line}");
}

#[tokio::test]
async fn absent_groups_are_none_where_the_operator_says_so_but_not_where_they_are_elsewhere() {
    let world = World::with("claims = { absent_groups = \"none\" }\n").await;
    assert_eq!(world.bearer("/", &json!({})).await.status, 200);
    assert_eq!(world.bearer("/staff", &json!({})).await.status, 403);
    assert_eq!(world.bearer("/", &overage()).await.status, 403);
}

#[tokio::test]
async fn a_person_in_too_many_groups_is_told_that_the_provider_did_not_list_them() {
    let world = World::with("").await;
    world.provider.now(|now| now.user_info = json!({"sub": "alice"}));
    for (path, reason) in [
        ("/", "policy route, deny rule 1; the provider did not list the groups"),
        ("/staff", "policy route, no allow rule holds; the provider did not list the groups"),
    ] {
        let page = world.visit(path, overage()).await;
        assert_eq!(page.status, 403);
        assert!(page.body.contains("did not list the groups"), "{}", page.body);
        let line = answered(&world.gateway, page.header("x-request-id"));
        assert!(line.contains(reason), "{line}");
    }
    let page = world.visit("/staff", json!({"groups": ["dev"]})).await;
    assert!(
        page.status == 403 && !page.body.contains("did not list"),
        "known, and not enough: {}",
        page.body
    );
    assert_eq!(world.visit("/", json!({"groups": null})).await.status, 200, "nobody lists any: none");
}

#[tokio::test]
async fn a_user_info_that_fails_ends_no_sign_in_and_opens_no_door() {
    let world = World::with("").await;
    world.provider.now(|now| now.user_info = Value::Null);
    let page = world.visit("/", json!({"groups": null})).await;
    assert_eq!(page.status, 403, "whether they are banned is unknown: {}", page.body);
    assert!(page.body.contains("did not list the groups"));
    let page = world.visit("/", json!({"email": null})).await;
    assert_eq!((page.status, told(&page, "x-user")), (200, vec!["alice".to_owned()]));
    assert!(world.gateway.log().contains("UserInfo failed at a sign-in"), "{}", world.gateway.log());
}

#[tokio::test]
async fn explain_tells_unknown_from_none() {
    let world = World::with("").await;
    let directory = world.gateway.directory.path();
    std::fs::write(directory.join("claims.json"), overage().to_string().replace("null", "[]")).unwrap();
    let url = world.gateway.url("/");
    let explain = |more: &[&str]| {
        let arguments = [&["explain", "--config", "portcullis.toml", "--url", &url], more].concat();
        let output = program(directory, &arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = explain(&["--claims", "claims.json"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("the provider did not list the groups") && text.contains("the groups unknown"),
        "{text}"
    );
    let (code, text) = explain(&["--user", "alice"]);
    assert_eq!(code, Some(0), "somebody made up, with no groups: {text}");
}
