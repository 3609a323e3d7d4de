//! npm: a package with a scope is one segment of a path, with an encoded slash.

use http::Method;

use crate::support::{Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
accept = ["bearer", "basic"]
tolerate = "encoded-slash"
allow = [{ scopes = ["orders:read"], methods = ["GET", "HEAD"] }]
deny = [{ paths = ["/@corp/secret"] }]

[[routes]]
path = "/strict"
upstream = "{app}"
accept = "bearer"
access = "signed-in"
"#;

#[tokio::test]
async fn a_package_with_a_scope_is_asked_for_as_npm_writes_it_and_judged_as_it_is_read() {
    let world = World::open(ROUTES).await;
    let bearer = format!("Bearer {}", world.provider.access_token("orders:read").await);
    let send = async |method: Method, path: &str| {
        let fields = [
            ("authorization", bearer.as_str()),
            ("npm-command", "install"),
            ("npm-scope", "@corp"),
            ("accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"),
        ];
        Browser::new().send(method, &world.gateway.url(path), &fields, "").await
    };
    let packument = send(Method::GET, "/@corp%2fui").await;
    assert_eq!(
        (packument.status, &packument.json()["target"]),
        (200, &"/@corp%2fui".into()),
        "to the letter"
    );
    assert!(told(&packument, "authorization").is_empty());
    assert_eq!(send(Method::GET, "/@corp/ui/-/ui-1.2.3.tgz").await.status, 200);
    assert_eq!(send(Method::PUT, "/@corp%2fui").await.status, 403, "who may only read publishes nothing");
    for secret in ["/@corp%2fsecret", "/@corp%2Fsecret", "/@corp/secret/-/secret-1.0.0.tgz"] {
        let status = send(Method::GET, secret).await.status;
        assert!(matches!(status, 400 | 403), "{secret}: {status}");
    }
    let strict = send(Method::GET, "/strict/@corp%2fui").await;
    assert_eq!((strict.status, &strict.json()["tolerate"][0]), (400, &"encoded-slash".into()));
}
