//! The store is away where browsers bind their sessions and renew what shows it: they are told to come again, and lose
//! nothing.

use std::sync::Mutex;

use portcullis_authentication::storage::redis::testing::TestRedis;

use super::Site;
use crate::support::device::{asked, name, offered, refresh_url, send};
use crate::support::{Answer, Browser, Device, until_async};

/// Of 5xx a browser tries again later; of any other status but 200 and 403 it forgets the session.
fn is_to_come_again(answer: &Answer) {
    assert_eq!((answer.status, answer.set_cookies()), (503, vec![]), "{}", answer.body);
    let seconds: u32 = answer.header("retry-after").parse().expect("it says when");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(answer.header("secure-session-challenge").is_empty() && !answer.body.contains("continue"));
}

/// Asks until the store is back; whatever comes before is the same word.
async fn once_it_is_back<F: Future<Output = Answer>>(mut ask: impl FnMut() -> F) -> Answer {
    let answer = Mutex::new(None);
    until_async("the store to be back", || {
        let asked = ask();
        let answer = &answer;
        async move {
            let told = asked.await;
            let good = told.status == 200;
            if !good {
                is_to_come_again(&told);
            }
            *answer.lock().unwrap() = Some(told);
            good
        }
    })
    .await;
    answer.into_inner().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_a_store_that_is_away_costs_no_browser_its_bound_session() {
    let mut redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let site = Site::open(1, &format!("\"redis://127.0.0.1:{}\"", redis.port())).await;
    let (browser, device, page) = (Browser::new(), Device::new(), site.url("/"));
    let offer = offered(&browser, &page).await.expect("the sign-in tells how to bind");
    let before = browser.cookie_names(&page);
    redis.kill();
    is_to_come_again(&device.register(&browser, &offer).await);
    assert_eq!(browser.cookie_names(&page), before);
    redis.restart();
    let session = once_it_is_back(|| device.register(&browser, &offer)).await.json();
    let bound = browser.cookie_names(&page);
    assert_eq!(bound.len(), before.len() + 1, "{bound:?}");

    let renewed = device.refresh(&browser, &session, None).await;
    let (url, id, challenge) = (refresh_url(&session), name(&session), asked(&renewed));
    let proof = device.proof(&challenge, false);
    redis.kill();
    for proof in [None, Some(&*proof), Some("not-a-token")] {
        is_to_come_again(&send(&browser, url, Some(id), proof).await);
    }
    assert_eq!(browser.cookie_names(&page), bound, "it keeps what it has");
    redis.restart();
    let renewed = once_it_is_back(|| send(&browser, url, Some(id), Some(&proof))).await;
    assert!(renewed.set_cookies().iter().any(|set| set.contains("_bound=")), "{:?}", renewed.headers);
    assert_eq!(device.refresh(&browser, &session, Some(&asked(&renewed))).await.status, 200);
    assert_eq!(browser.get(&page).await.status, 200, "and the session with it");
    let alone = Browser::new();
    alone.set_cookie(&page, super::COOKIE, &browser.cookie(&page, super::COOKIE).unwrap());
    until_async("the grace to be over", || async { alone.get(&page).await.status == 302 }).await;
}
