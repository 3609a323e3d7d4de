//! Where every session has to be bound.

use std::time::Instant;

use super::*;
use crate::support::PATIENCE;

/// Asks until half a minute is over, in which the browser may still bind its session.
async fn until_it_was_to_be_bound(browser: &Browser, url: &str) -> Answer {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let answer = call(browser, url).await;
        if answer.status != 200 {
            return answer;
        }
        assert!(Instant::now() < deadline, "an unbound session goes on");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn invariant_27_a_browser_that_binds_nothing_is_told_why_it_is_not_let_in() {
    let world = with("bind = \"required\"").await;
    let (unbound, app) = (Browser::behind_tls(world.gateway.port), "https://app.localhost/");
    let begun = Instant::now();
    assert!(offered(&unbound, &at("/")).await.is_some() && offered(&unbound, app).await.is_some());
    let (bound, device, session) = bound(&world).await;
    let program = until_it_was_to_be_bound(&unbound, &at("/")).await;
    assert!(begun.elapsed().as_secs() < 35, "half a minute, and no more");
    assert_eq!((program.status, program.header("content-type")), (403, "application/problem+json"));
    assert_eq!(program.json()["status"], json!(403), "{}", program.body);
    until_it_was_to_be_bound(&unbound, app).await;
    for url in [&*at("/"), app] {
        let page = unbound.get(url).await;
        assert_eq!((page.status, page.next()), (403, None), "a page, and no way around");
        assert!(page.body.contains("<html") && page.body.contains("bound to"), "{}", page.body);
        assert_eq!(page.set_cookies(), Vec::<&str>::new());
        assert_eq!(call(&unbound, url).await.status, 403);
        let form = unbound.submit(url, "a=b").await;
        assert_eq!((form.status, form.next()), (403, None));
    }
    assert!(answered(&world.gateway, program.header("x-request-id")).contains("not bound"));
    // Another host of the gateway's gets nothing of an unbound session but the way to sign in.
    let answers = way(&unbound, "https://other.localhost/").await;
    assert!(answers.iter().any(|answer| answer.url.path().contains("/auth")), "by a new sign-in");
    assert_eq!(answers.last().unwrap().status, 200, "which has half a minute again");
    assert_eq!(call(&bound, &at("/")).await.status, 200, "whose session is bound goes on");
    assert_eq!(device.refresh(&bound, &session, None).await.status, 200);
    let nobody = Browser::behind_tls(world.gateway.port);
    assert_eq!(call(&nobody, &at("/")).await.status, 401, "who is not signed in is told that");
}
