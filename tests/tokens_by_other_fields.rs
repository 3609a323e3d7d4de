//! A token may come as the password of Basic where a route says so, and in a field of the gateway's own where the app
//! needs `Authorization` for itself.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::Method;
use serde_json::json;

use crate::support::{Answer, Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
name = "git"
path = "/git"
upstream = "{app}"
access = "signed-in"
accept = "basic"
realm = "Corp git"

[[routes]]
name = "all"
path = "/all"
upstream = "{app}"
access = "signed-in"
accept = ["session", "bearer", "basic"]

[[routes]]
name = "handed"
path = "/handed"
upstream = "{app}"
access = "signed-in"
accept = ["bearer", "basic"]
identity = { token = "access" }

[[routes]]
name = "cached"
path = "/cached"
upstream = "{app}"
access = "signed-in"
response_headers = { set = { Cache-Control = "public, max-age=60" } }

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"

[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
realm = "Corp wiki"
"#;

const BESIDE: &str = "x-portcullis-authorization";
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/s3/aws4_request, Signature=abc";
const NONE: [&str; 0] = [];

async fn ask(world: &World, browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Answer {
    browser.send(Method::GET, &world.gateway.url(path), headers, "").await
}

async fn call(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(world, &Browser::new(), path, headers).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// The same token with another signature.
fn forged(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode([7; 256]))
}

/// A JWT of somebody else.
fn foreign() -> String {
    let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": "http://homeassistant.local", "sub": "x"});
    format!("{}.{}.c2ln", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims))
}

fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_token_beside_lets_in_and_the_apps_authorization_is_its_own() {
    let world = World::open(ROUTES).await;
    let token = world.provider.access_token("email").await;
    let bearer = format!("Bearer {token}");
    let foreign = format!("Bearer {}", foreign());
    for theirs in [SIGNATURE, "Basic YTpi", "Digest username=\"a\"", "Bearer opaque", &foreign] {
        let answer = call(&world, "/", &[(BESIDE, &bearer), ("authorization", theirs)]).await;
        assert_eq!(answer.status, 200, "{theirs}: {}", answer.body);
        assert_eq!(told(&answer, "authorization"), [theirs]);
        assert!(!answer.body.contains(&token), "{}", answer.body);
    }
    let alone = call(&world, "/", &[(BESIDE, &bearer)]).await;
    assert_eq!((alone.status, told(&alone, "authorization").len()), (200, 0));
    let handed = call(&world, "/handed", &[(BESIDE, &bearer), ("authorization", SIGNATURE)]).await;
    assert_eq!(told(&handed, "authorization"), [bearer.as_str()], "an app that is handed tokens");
    let form =
        [(BESIDE, bearer.as_str()), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let post = Browser::new().send(Method::POST, &world.gateway.url("/all"), &form, "").await;
    assert_eq!(post.status, 200, "no browser sends the field along");
}

#[tokio::test]
async fn invariant_9_the_gateways_own_credential_is_never_forwarded() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    for name in
        [BESIDE, "X-PORTCULLIS-AUTHORIZATION", "x_portcullis_authorization", "x.portcullis-authorization"]
    {
        let answer = call(&world, "/open", &[(name, "Bearer secret")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.body.contains("secret"), "{name}: {}", answer.body);
    }
    let folded = ask(&world, &browser, "/", &[("x_portcullis_authorization", "Bearer secret")]).await;
    assert_eq!(folded.status, 200, "no other spelling is the field");
    assert!(!folded.body.contains("secret"), "{}", folded.body);
}

#[tokio::test]
async fn invariant_3_of_two_credentials_neither_is_taken() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let token = world.provider.access_token("email").await;
    let bearer = format!("Bearer {token}");
    let (forged, ours) = (format!("Bearer {}", forged(&token)), basic("x", &token));
    let (bearer, forged, ours) = (bearer.as_str(), forged.as_str(), ours.as_str());
    let served = world.app.served();
    for (path, headers) in [
        ("/", [(BESIDE, bearer), (BESIDE, bearer)]),
        ("/", [(BESIDE, bearer), (BESIDE, "Basic YTpi")]),
        ("/", [(BESIDE, bearer), ("authorization", bearer)]),
        ("/", [(BESIDE, bearer), ("authorization", forged)]),
        ("/", [(BESIDE, bearer), ("authorization", "Bearer")]),
        ("/", [(BESIDE, bearer), ("authorization", ours)]),
        ("/all", [(BESIDE, bearer), ("authorization", ours)]),
        ("/all", [(BESIDE, bearer), ("authorization", "Basic YTpi")]),
        ("/all", [(BESIDE, ours), ("authorization", bearer)]),
        ("/", [(BESIDE, "Bearer"), ("accept", "*/*")]),
        ("/", [(BESIDE, ""), ("accept", "*/*")]),
        ("/", [(BESIDE, "Digest x"), ("accept", "*/*")]),
        ("/", [(BESIDE, ours), ("accept", "*/*")]),
    ] {
        let answer = ask(&world, &browser, path, &headers).await;
        assert_eq!(answer.status, 400, "{path} {headers:?}");
    }
    assert_eq!(world.app.served(), served, "nothing reached the app");
}

#[tokio::test]
async fn a_foreign_token_beside_a_good_session_is_the_apps() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let foreign = format!("Bearer {}", foreign());
    for theirs in ["Bearer opaque", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30.", &foreign] {
        let answer = ask(&world, &browser, "/", &[("authorization", theirs)]).await;
        assert_eq!(answer.status, 200, "{theirs}: {}", answer.body);
        assert_eq!(told(&answer, "authorization"), [theirs]);
        let alone = call(&world, "/", &[("authorization", theirs)]).await;
        assert_eq!(alone.status, 401, "{theirs}: without a session it lets nobody in");
        assert!(alone.header("www-authenticate").contains("error=\"invalid_token\""), "{theirs}");
        let ended = call(&world, "/", &[("authorization", theirs), ("cookie", "portcullis=x")]).await;
        assert_eq!(ended.status, 401, "{theirs}");
    }
}

#[tokio::test]
async fn invariant_3_a_failing_token_of_ours_is_refused_whatever_stands_beside_it() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let token = world.provider.access_token("email").await;
    let forged = forged(&token);
    let issuer = json!({"iss": world.provider.issuer()}).to_string();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(issuer);
    let (unsigned, short) = (format!("eyJhbGciOiJub25lIn0.{claims}."), format!("x.{claims}"));
    let served = world.app.served();
    for bad in [&forged, &unsigned, &short, &format!("{claims}.x.y.z.a")] {
        let (bearer, password) = (format!("Bearer {bad}"), basic("x", bad));
        let (bearer, password) = (bearer.as_str(), password.as_str());
        for headers in [
            &[("authorization", bearer)][..],
            &[(BESIDE, bearer)],
            &[(BESIDE, bearer), ("authorization", SIGNATURE)],
            &[("authorization", password)],
            &[(BESIDE, password)],
        ] {
            let answer = ask(&world, &browser, "/all", headers).await;
            assert_eq!(answer.status, 401, "{headers:?}: {}", answer.body);
        }
    }
    let opaque = ask(&world, &browser, "/", &[(BESIDE, "Bearer opaque")]).await;
    assert_eq!(opaque.status, 401, "what stands there is meant for the gateway");
    assert_eq!(world.app.served(), served, "nothing reached the app");
}

#[tokio::test]
async fn invariant_17_an_answer_to_a_token_beside_is_for_its_reader_alone() {
    let world = World::open(ROUTES).await;
    let bearer = format!("Bearer {}", world.provider.access_token("email").await);
    let private = call(&world, "/cached", &[(BESIDE, &bearer)]).await;
    assert_eq!(private.header("cache-control"), "private, max-age=60");
    assert_eq!(call(&world, "/", &[(BESIDE, &bearer)]).await.header("cache-control"), "private");
    let public = call(&world, "/cached", &[("authorization", &bearer)]).await;
    assert_eq!(public.header("cache-control"), "public, max-age=60", "caches know this one for a credential");
}

#[tokio::test]
async fn a_token_is_a_password_where_the_route_says_so_and_basic_never_reaches_the_app() {
    let world = World::open(ROUTES).await;
    let token = world.provider.access_token("email").await;
    for user in ["", "alice", "oauth2", "Zoë"] {
        for scheme in ["Basic", "basic", "BASIC"] {
            let field = basic(user, &token).replacen("Basic", scheme, 1);
            let answer = call(&world, "/git", &[("authorization", &field)]).await;
            assert_eq!(answer.status, 200, "{field}: {}", answer.body);
            assert_eq!(told(&answer, "authorization"), NONE);
        }
    }
    let handed = call(&world, "/handed", &[("authorization", &basic("x", &token))]).await;
    assert_eq!(told(&handed, "authorization"), [format!("Bearer {token}")]);
    let elsewhere = call(&world, "/", &[("authorization", &basic("x", &token))]).await;
    assert_eq!(elsewhere.status, 401, "only where the route says so");
    let as_user = call(&world, "/git", &[("authorization", &basic(&token, ""))]).await;
    assert_eq!(as_user.status, 401, "the user name is not looked at");
    assert_eq!(call(&world, "/git", &[("authorization", &format!("Bearer {token}"))]).await.status, 401);
    let browser = world.signed_in().await;
    for theirs in ["Basic YTpi", "bAsIc YTpi"] {
        let answer = ask(&world, &browser, "/all", &[("authorization", theirs)]).await;
        assert_eq!((answer.status, told(&answer, "authorization").len()), (200, 0), "{theirs}");
    }
    for malformed in
        ["Basic", "Basic ", "Basic\tYTpi", "Basic  YTpi", "Basic YQ==", "Basic !", "Basic YTpi,Basic YTpi"]
    {
        let answer = ask(&world, &browser, "/all", &[("authorization", malformed)]).await;
        assert_eq!(answer.status, 400, "{malformed}");
    }
    let twice = [("authorization", "Basic YTpi"), ("authorization", "Basic YTpi")];
    assert_eq!(ask(&world, &browser, "/all", &twice).await.status, 400);
}

#[tokio::test]
async fn basic_is_challenged_where_the_route_takes_it_and_never_in_a_browser() {
    let world = World::open(ROUTES).await;
    let git = "Basic realm=\"Corp git\", charset=\"UTF-8\"";
    assert_eq!(challenges(&call(&world, "/git", &[]).await), [git], "no Bearer beside it");
    let wrong = call(&world, "/git", &[("authorization", &basic("x", "y"))]).await;
    assert_eq!((wrong.status, challenges(&wrong)), (401, vec![git]));
    assert_eq!(
        challenges(&call(&world, "/all", &[]).await),
        ["Bearer realm=\"portcullis\"", "Basic realm=\"portcullis\", charset=\"UTF-8\""]
    );
    assert_eq!(challenges(&call(&world, "/", &[]).await), ["Bearer realm=\"Corp wiki\""]);
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "same-origin"),
    ];
    let kept = Browser::new().send(Method::POST, &world.gateway.url("/"), &form, "a=1").await;
    assert_eq!((kept.status, challenges(&kept)), (401, vec!["Bearer realm=\"Corp wiki\""]), "{}", kept.body);
    let page = Browser::new().get(&world.gateway.url("/git")).await;
    assert_eq!((page.status, challenges(&page)), (401, vec!["Bearer realm=\"Corp git\""]));
    for mode in ["navigate", "cors", "no-cors"] {
        let answer = call(&world, "/git", &[("sec-fetch-mode", mode), ("sec-fetch-dest", "object")]).await;
        assert_eq!((answer.status, challenges(&answer).len()), (401, 1), "{mode}");
        assert!(!answer.header("www-authenticate").contains("Basic"), "{mode}");
    }
    for theirs in ["Basic YTpi", "basic Og=="] {
        let page = [
            ("authorization", theirs),
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let sent = call(&world, "/all", &page).await;
        assert_eq!((sent.status, challenges(&sent)), (302, Vec::new()), "{theirs}: to sign in");
    }
}

#[tokio::test]
async fn invariant_18_a_page_of_another_host_cannot_use_a_browsers_basic() {
    let world = World::open(ROUTES).await;
    let password = basic("x", &world.provider.access_token("email").await);
    let own = world.gateway.url("");
    let own = own.trim_end_matches('/');
    let url = world.gateway.url("/git");
    let send = async |method: Method, (name, value): (&str, &str)| {
        let headers = [("authorization", password.as_str()), (name, value)];
        Browser::new().send(method, &url, &headers, "").await.status
    };
    for foreign in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            assert_eq!(send(method.clone(), foreign).await, 403, "{method} {foreign:?}");
        }
        assert_eq!(send(Method::GET, foreign).await, 200, "{foreign:?}: what changes nothing");
    }
    for ours in [("accept", "*/*"), ("origin", own), ("sec-fetch-site", "same-origin")] {
        assert_eq!(send(Method::POST, ours).await, 200, "{ours:?}");
    }
}
