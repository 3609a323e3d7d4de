//! A spelling that a route tolerates is judged in every reading that a server may make of it (invariant 20).

use http::Method;
use serde_json::json;

use crate::support::{App, Browser, Gateway, Impostor, program, until_async};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
accept = "bearer"
access = "signed-in"
deny = [{ paths = ["/t/secret"], scopes = ["orders:read"] }]
tolerate = ["encoded-slash", "double-encoding", "semicolon", "empty-segment"]
"#;

#[tokio::test]
async fn invariant_20_a_tolerated_spelling_passes_no_rule_of_paths() {
    let (app, issuer) = (App::start().await, Impostor::start().await);
    let rest = format!("{}{}", issuer.configuration(), ROUTES.replace("{app}", &app.url()));
    let gateway = Gateway::start(&rest);
    let ask = async |path: &str, scope: &str| {
        let authorization = format!("Bearer {}", issuer.access_token(&json!({"scope": scope})));
        let headers = [("authorization", authorization.as_str()), ("accept", "*/*")];
        Browser::new().send(Method::GET, &gateway.url(path), &headers, "").await.status
    };
    until_async("a good token", || async { ask("/", "orders:read").await == 200 }).await;
    let before = app.served();
    assert_eq!(ask("/t/secret", "orders:read").await, 403);
    for path in [
        "/t/%2fsecret",
        "/t%2fsecret",
        "/t/secret%2f",
        "/t/secret%2fx",
        "/t/%5csecret",
        "/t%5Csecret",
        "/t/%2573ecret",
        "/t%252fsecret",
        "//t%2Fsecret",
        "//x/t/secret",
        "/%5cx/t/secret",
    ] {
        let status = ask(path, "orders:read").await;
        assert!(matches!(status, 400 | 403), "{path}: {status}");
        assert_eq!(ask(path, "orders:write").await, 200, "{path}: the rule is not about these");
    }
    for path in ["/t/secret;x", "/t/secret;x/y", "//t//secret", "/t/;/secret"] {
        assert_eq!(ask(path, "orders:read").await, 403, "{path}");
    }
    let others = 11;
    assert_eq!(app.served(), before + others);
    let explain = |path: &str| {
        let url = gateway.url(path);
        let arguments = [
            "explain",
            "--config",
            "portcullis.toml",
            "--user",
            "alice",
            "--scope",
            "orders:read",
            "--url",
            &url,
        ];
        String::from_utf8_lossy(&program(gateway.directory.path(), &arguments).stdout).into_owned()
    };
    let told = explain("/t%2fsecret");
    assert!(
        told.contains("could read it as \"/t/secret\"") && told.contains("the rules decide otherwise"),
        "{told}"
    );
}

const STRIPPED: &str = r#"
[[routes]]
path = "/app"
strip_path = true
upstream = "{app}"
accept = "bearer"
access = "signed-in"
deny = [{ paths = ["/app/admin"], scopes = ["orders:read"] }]
tolerate = ["encoded-slash", "semicolon", "empty-segment"]
"#;

/// The app gets `//x/admin`, which is the path `/admin` at a host `x` to whoever reads it as a URL.
#[tokio::test]
async fn invariant_20_what_is_left_of_a_stripped_path_passes_no_rule_of_paths() {
    let (app, issuer) = (App::start().await, Impostor::start().await);
    let rest = format!("{}{}", issuer.configuration(), STRIPPED.replace("{app}", &app.url()));
    let gateway = Gateway::start(&rest);
    let ask = async |path: &str| {
        let token = issuer.access_token(&json!({"scope": "orders:read"}));
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("accept", "*/*")];
        Browser::new().send(Method::GET, &gateway.url(path), &headers, "").await.status
    };
    until_async("a good token", || async { ask("/app/x/y").await == 200 }).await;
    let before = app.served();
    for path in [
        "/app/admin",
        "/app//x/admin",
        "/app/%2fx/admin",
        "/app/%5cx/admin",
        "/app;a%2fb//x/admin",
        "//app//x/admin",
    ] {
        let status = ask(path).await;
        assert!(matches!(status, 400 | 403), "{path}: {status}");
    }
    assert_eq!(app.served(), before, "none of them reached the app");
    assert_eq!(ask("/app/x//admin").await, 200, "there is no host in front of it");
}
