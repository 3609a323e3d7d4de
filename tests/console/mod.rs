//! The console stands behind the gate like any app, and has no other door.

mod acts;
mod live;
mod pages;
mod process;
mod record;
mod reports;
mod rig;
mod roles;

use http::Method;

use crate::support::{Answer, Browser, World, answered};

const ROUTES: &str = r#"
[policies.staff]
allow = [{ groups = ["staff"] }]

[policies.ops]
allow = [{ groups = ["ops"] }]

[console]
operator = "ops"

[[routes]]
name = "console"
host = "console.localhost"
serve = "console"
policy = "staff"

[[routes]]
name = "closed"
host = "closed.localhost"
path = "/below"
serve = "console"
policy = "ops"

[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
policy = "staff"
"#;

async fn world() -> World {
    World::at("http://login.localhost:{port}", "", "", ROUTES).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

async fn signed_in(world: &World) -> (Browser, Answer) {
    let browser = Browser::new();
    let page = browser.visit(&at(world, "console", "/")).await;
    (browser, page)
}

#[tokio::test]
async fn whom_a_rule_names_signs_in_and_sees_how_the_gateway_is() {
    let world = world().await;
    let (browser, page) = signed_in(&world).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Overview") && page.body.contains("alice"), "{}", page.body);
    assert!(page.body.contains("viewer") && !page.body.contains("operator"), "{}", page.body);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let line = answered(&world.gateway, page.header("x-request-id"));
    assert!(line.contains("\"route\":\"console\"") && line.contains("\"outcome\":\"own\""), "{line}");
    assert_eq!(browser.get(&at(&world, "console", "/nothing/here")).await.status, 404);
    assert_eq!(world.app.served(), 0, "no app has been asked");
}

#[tokio::test]
async fn invariant_1_nobody_gets_in_whom_no_rule_names() {
    let world = world().await;
    let stranger = Browser::new();
    let program = [("accept", "application/json")];
    for host in ["console", "closed"] {
        let answer = stranger.send(Method::GET, &at(&world, host, "/below"), &program, "").await;
        assert_eq!(answer.status, 401, "{host}");
        assert!(!answer.body.contains("Overview"), "{}", answer.body);
    }
    let (browser, _) = signed_in(&world).await;
    for path in ["/below", "/below/", "/below/sessions", "/below/../below/x"] {
        let page = browser.visit(&at(&world, "closed", path)).await;
        assert!(page.status == 403 && !page.body.contains("Overview"), "{path}: {}", page.body);
    }
    for path in ["/", "/belowx", "/below%2f..%2f"] {
        let page = browser.get(&at(&world, "closed", path)).await;
        assert!([400, 403, 404].contains(&page.status), "{path}: {}", page.status);
        assert!(!page.body.contains("Overview"), "{path}");
    }
    // Nor by the operators' listener.
    for path in ["/", "/console", "/.portcullis"] {
        assert_eq!(Browser::new().get(&world.gateway.admin_url(path)).await.status, 404, "{path}");
    }
}

/// The gate asks where a form comes from, before the console is asked.
#[tokio::test]
async fn invariant_18_no_page_of_another_origin_makes_a_browser_send_it_anything() {
    let world = world().await;
    let (browser, _) = signed_in(&world).await;
    let url = at(&world, "console", "/");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let origin = at(&world, "wiki", "");
    for from in [
        vec![form, ("sec-fetch-site", "cross-site")],
        vec![form, ("sec-fetch-site", "same-site")],
        vec![form, ("origin", origin.as_str())],
        vec![form, ("origin", "null")],
        vec![form],
    ] {
        let answer = browser.send(Method::POST, &url, &from, "a=b").await;
        assert_eq!(answer.status, 403, "{from:?}: {}", answer.body);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let here = [("sec-fetch-site", "same-origin")];
        assert_eq!(browser.send(method, &url, &here, "").await.status, 405);
    }
}
