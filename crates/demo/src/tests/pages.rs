//! The provider's pages against other sites, other browsers and guesses.

use std::time::Duration;

use http::{Method, StatusCode};

use super::browser::{Answer, Browser, encoded};
use super::world::World;

const SESSION: &str = "portcullis_demo_session";

/// The form of `page` for `action`, filled in with `fields`, encoded.
fn filled(page: &Answer, action: &str, fields: &[(&str, &str)]) -> String {
    let mut form = page.form(action);
    form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    encoded(&form)
}

async fn sign_in_page(world: &World) -> Answer {
    world.browser.follow(&world.browser.get(&world.wanted(&[])).await).await
}

#[tokio::test]
async fn a_form_that_another_site_sends_does_nothing() {
    let world = World::new().await;
    let page = sign_in_page(&world).await;
    let fields = [("username", "alice"), ("password", world.person("alice").password.expose())];
    let form = filled(&page, "/op/sign-in", &fields);
    let content_type = ("content-type", "application/x-www-form-urlencoded");
    let issuer = world.demo.issuer();
    for headers in [
        vec![content_type],
        vec![content_type, ("origin", "null")],
        vec![content_type, ("origin", "http://127.0.0.1:8080")],
        vec![content_type, ("sec-fetch-site", "same-site"), ("origin", issuer)],
        vec![content_type, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        vec![content_type, ("sec-fetch-site", "none")],
    ] {
        let answer = world.browser.send(Method::POST, "/op/sign-in", &headers, form.clone().into()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let form_without_token =
        encoded(&[&[("request", page.form("/op/sign-in")[0].1.as_str())][..], &fields].concat());
    assert_eq!(world.browser.post("/op/sign-in", &form_without_token).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.browser.cookie(SESSION), None);
    assert_eq!(world.browser.post("/op/sign-in", &form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_is_finished_in_the_browser_that_began_it() {
    let world = World::new().await;
    let started = world.browser.get(&world.wanted(&[])).await;
    let page = world.browser.follow(&started).await;
    let other = Browser::new(world.demo.issuer());
    assert_eq!(other.get(started.header("location")).await.status, StatusCode::GONE);
    other.get(&world.wanted(&[])).await;
    assert_eq!(other.get(started.header("location")).await.status, StatusCode::GONE);
    let fields = [("username", "alice"), ("password", world.person("alice").password.expose())];
    let answer = other.post("/op/sign-in", &filled(&page, "/op/sign-in", &fields)).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert_eq!(other.cookie(SESSION), None);
}

#[tokio::test]
async fn the_sessions_key_is_new_at_every_sign_in() {
    let world = World::new().await;
    world.browser.put_cookie(SESSION, "planted");
    let page = sign_in_page(&world).await;
    world.submit_password(&page, "alice").await;
    let first = world.browser.cookie(SESSION).unwrap();
    assert_ne!(first, "planted");
    let page = world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "login")])).await).await;
    world.submit_password(&page, "alice").await;
    assert_ne!(world.browser.cookie(SESSION).unwrap(), first);
    world.browser.put_cookie(SESSION, &first);
    let silent = world.browser.get(&world.wanted(&[("prompt", "none")])).await.location().1;
    assert_eq!(silent["error"], "login_required", "the old key opens nothing");
}

#[tokio::test]
async fn nobody_consents_with_a_page_that_was_shown_to_somebody_else() {
    let world = World::new().await;
    let shown_to_alice = world.sign_in("alice", &[]).await;
    world.sign_in("bob", &[("prompt", "login")]).await;
    let form = filled(&shown_to_alice, "/op/consent", &[("decision", "allow")]);
    assert_eq!(world.browser.post("/op/consent", &form).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_password_says_nothing_of_the_name_and_guessing_is_slow() {
    let world = World::new().await;
    let page = sign_in_page(&world).await;
    let attempt = async |name: &str, password: &str| {
        world.browser.submit(&page, "/op/sign-in", &[("username", name), ("password", password)]).await
    };
    let (known, unknown) = (attempt("alice", "wrong").await, attempt("nobody", "wrong").await);
    assert_eq!((known.status, unknown.status), (StatusCode::UNPROCESSABLE_ENTITY, known.status));
    let problem = "That name and password don’t belong together.";
    assert!(known.body.contains(problem) && unknown.body.contains(problem));
    for _ in 0..4 {
        attempt("alice", "wrong").await;
    }
    let right = world.person("alice").password.expose();
    let slowed = attempt("alice", right).await;
    assert_eq!((slowed.status, slowed.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "20"));
    assert_eq!(world.browser.cookie(SESSION), None);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(attempt("alice", right).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nobodys_empty_password_opens_nothing() {
    let world = World::new().await;
    let page = sign_in_page(&world).await;
    for name in ["", "nobody", "Alice", "alice@demo.example", "alice\r\n"] {
        let fields = [("username", name), ("password", "")];
        let answer = world.browser.submit(&page, "/op/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_or_was_finished_is_over() {
    let world = World::new().await;
    let started = world.browser.get(&world.wanted(&[])).await;
    let consent = world.submit_password(&world.browser.follow(&started).await, "alice").await;
    world.allow(&consent).await.location();
    assert_eq!(world.browser.follow(&started).await.status, StatusCode::GONE);
    let started = world.browser.get(&world.wanted(&[("prompt", "login")])).await;
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(world.browser.follow(&started).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn no_page_is_framed_cached_or_scripted() {
    let world = World::new().await;
    let consent = world.sign_in("alice", &[]).await;
    let sign_in = world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "login")])).await).await;
    let others = ["/", "/op/end-session", "/op/authorize", "/op/continue", "/nowhere"];
    let mut pages = vec![consent, sign_in];
    for target in others {
        pages.push(world.browser.get(target).await);
    }
    for page in pages {
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(
            (page.header("x-frame-options"), page.header("x-content-type-options")),
            ("DENY", "nosniff")
        );
        assert!(!page.body.contains("<script") && !page.body.contains(" style="));
    }
}
