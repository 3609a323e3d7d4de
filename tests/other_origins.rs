//! What pages of other origins may do: read refusals, have their preflights answered, and send what changes something.

use http::Method;

use crate::support::{Answer, Browser, World, told};

const SPA: &str = "https://spa.corp.example";

const API: &str = r#"
[[routes]]
name = "api"
path = "/api"
upstream = "{app}"
access = "signed-in"
cors = { origins = "https://spa.corp.example", preflight = "pass" }

[[routes]]
name = "careful"
path = "/careful"
upstream = "{app}"
access = "signed-in"
origin = "same-host"
cors = { origins = "https://spa.corp.example" }

[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
"#;

async fn ask(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    Browser::new().send(method, &world.gateway.url(path), headers, "").await
}

fn readable_by(answer: &Answer) -> &str {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn scripts_of_the_origins_that_a_route_names_can_read_a_refusal() {
    let world = World::open(API).await;
    let refused = ask(&world, Method::GET, "/api/orders", &[("origin", SPA)]).await;
    assert_eq!(refused.status, 401);
    assert_eq!(readable_by(&refused), SPA);
    assert_eq!(refused.header("access-control-allow-credentials"), "true");
    assert!(refused.header("access-control-expose-headers").contains("WWW-Authenticate"));
    assert!(refused.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
    for stranger in [
        "https://spa.corp.example.evil.example",
        "https://SPA.corp.example",
        "http://spa.corp.example",
        "null",
        "https://spa.corp.example:443",
        "*",
        "",
    ] {
        let refused = ask(&world, Method::GET, "/api/orders", &[("origin", stranger)]).await;
        assert_eq!((refused.status, readable_by(&refused)), (401, ""), "{stranger}");
    }
    let elsewhere = ask(&world, Method::GET, "/wiki", &[("origin", SPA)]).await;
    assert_eq!((elsewhere.status, readable_by(&elsewhere)), (401, ""), "a route that names nobody");
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_app_in_nobodys_name() {
    let world = World::open(API).await;
    let preflight = [("origin", SPA), ("access-control-request-method", "PUT")];
    let answer = ask(&world, Method::OPTIONS, "/api/orders", &preflight).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["method"], "OPTIONS");
    assert_eq!(readable_by(&answer), "", "what the app says of CORS is the app's");
    let judged = ask(&world, Method::OPTIONS, "/wiki", &preflight).await;
    assert_eq!(judged.status, 401, "where the route does not say so");
}

/// Whatever is more than a browser sends ahead of its page's request is judged like everything else.
#[tokio::test]
async fn invariant_1_nothing_but_a_preflight_passes_as_one() {
    let world = World::open(API).await;
    let both = [("origin", SPA), ("access-control-request-method", "PUT")];
    let served = world.app.served();
    for (method, path, more) in [
        (Method::GET, "/api/x", None),
        (Method::POST, "/api/x", None),
        (Method::OPTIONS, "/api/x", Some(("cookie", "a=b"))),
        (Method::OPTIONS, "/api/x", Some(("authorization", "Basic YTpi"))),
        (Method::OPTIONS, "/api/x", Some(("x-http-method-override", "DELETE"))),
        (Method::OPTIONS, "/api/x", Some(("x-method-override", "DELETE"))),
        (Method::OPTIONS, "/api/x", Some(("x-http-method", "DELETE"))),
        (Method::OPTIONS, "/api/x", Some(("x-portcullis-authorization", "Bearer x"))),
        (Method::OPTIONS, "/api/x", Some(("x_http_method_override", "DELETE"))),
        (Method::OPTIONS, "/api/x", Some(("x.http-method.override", "DELETE"))),
        (Method::OPTIONS, "/api/x", Some(("authorization_", "Basic YTpi"))),
        (Method::OPTIONS, "/api/x", Some(("origin", "https://second.example"))),
        (Method::OPTIONS, "/api/x", Some(("access-control-request-method", "GET"))),
    ] {
        let headers: Vec<_> = both.into_iter().chain(more).collect();
        assert_eq!(ask(&world, method.clone(), path, &headers).await.status, 401, "{method} {more:?}");
    }
    for one in both {
        assert_eq!(ask(&world, Method::OPTIONS, "/api/x", &[one]).await.status, 401, "{one:?}");
    }
    let body = Browser::new().send(Method::OPTIONS, &world.gateway.url("/api/x"), &both, "a=1").await;
    assert_eq!(body.status, 401, "a preflight has no body");
    assert_eq!(world.app.served(), served, "none of them reached the app");
}

#[tokio::test]
async fn invariant_18_a_page_of_a_sibling_neither_changes_anything_nor_opens_a_socket() {
    let world = World::open(API).await;
    let browser = world.signed_in().await;
    let own = world.gateway.url("");
    let own = own.trim_end_matches('/');
    let url = world.gateway.url("/careful/x");
    let send =
        async |method: Method, headers: &[(&str, &str)]| browser.send(method, &url, headers, "").await.status;
    for from in [
        "http://wiki.localhost",
        "http://127.0.0.1:1",
        "null",
        "https://127.0.0.1",
        "http://127.0.0.1.evil.example",
    ] {
        assert_eq!(send(Method::POST, &[("origin", from)]).await, 403, "{from}");
        let socket = [("origin", from), ("connection", "upgrade"), ("upgrade", "websocket")];
        assert_eq!(send(Method::GET, &socket).await, 403, "{from}");
    }
    for site in ["same-site", "cross-site", "something new"] {
        assert_eq!(send(Method::DELETE, &[("sec-fetch-site", site)]).await, 403, "{site}");
    }
    assert_eq!(
        send(Method::POST, &[("origin", own), ("origin", "null")]).await,
        403,
        "of two, one was planted"
    );
    assert_eq!(send(Method::POST, &[("origin", own)]).await, 200);
    assert_eq!(send(Method::POST, &[("origin", SPA)]).await, 200, "an origin that the route names");
    assert_eq!(send(Method::POST, &[("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(send(Method::POST, &[]).await, 200, "a program");
    assert_eq!(
        send(Method::GET, &[("origin", "null"), ("sec-fetch-site", "cross-site")]).await,
        200,
        "a link"
    );
    let wiki = browser.send(Method::POST, &world.gateway.url("/w"), &[("origin", "null")], "").await;
    assert_eq!(wiki.status, 200, "where the route does not say so");
}

#[tokio::test]
async fn a_passed_preflight_tells_the_app_of_nobody() {
    let world = World::open(&API.replace(
        "preflight = \"pass\" }",
        "preflight = \"pass\" }\nidentity = { headers = \"x-auth-request\" }",
    ))
    .await;
    let preflight =
        [("origin", SPA), ("access-control-request-method", "PUT"), ("x-auth-request-user", "mallory")];
    let answer = ask(&world, Method::OPTIONS, "/api/orders", &preflight).await;
    assert_eq!(told(&answer, "x-auth-request-user"), Vec::<String>::new());
}
