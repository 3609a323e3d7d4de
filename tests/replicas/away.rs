//! The store is away: what goes on, what does not, and that it comes back by itself.

use portcullis_authentication::storage::redis::testing::{TestNetwork, TestRedis};

use super::Site;
use crate::support::{Browser, ends, until, until_async};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_without_the_store_nobody_signs_in_and_whoever_is_in_goes_on_for_a_while() {
    let redis = TestRedis::start();
    let network = TestNetwork::to(&[redis.port()]).await;
    let settings = format!("{{ url = \"redis://127.0.0.1:{}\", stale = \"8s\" }}", network.port());
    let site = Site::open(1, &settings).await;
    let gateway = &site.gateways[0];
    let (browser, key) = site.signed_in().await;
    let stream = site.streams(&key).await.remove(0);
    network.cut();
    assert_eq!(browser.get(&site.url("/")).await.status, 200, "from memory");
    let answer = Browser::new().visit(&site.url("/")).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("<html") && !answer.header("retry-after").is_empty(), "{}", answer.body);
    let unknown = Browser::new();
    unknown.set_cookie(&site.url("/"), super::COOKIE, &"A".repeat(43));
    let answer = unknown.get(&site.url("/")).await;
    assert_eq!((answer.status, answer.set_cookies()), (503, vec![]), "unknown deletes no cookie");
    assert_eq!(browser.get(&site.url("/open")).await.status, 200, "public routes go on");
    let ready = || async { Browser::new().get(&gateway.admin_url("/readyz")).await };
    until_async("readiness to tell", || async {
        ready().await.body.contains("sessions go on from memory for")
    })
    .await;
    assert_eq!(ready().await.status, 200, "all gateways would be taken out at once");
    ends(stream).await;
    let answer = browser.get(&site.url("/")).await;
    assert_eq!((answer.status, answer.set_cookies()), (503, vec![]), "nobody can say whether it has ended");
    assert_eq!(browser.get(&site.url("/open")).await.status, 200);
    let why = "the session store was away for longer than sessions may go on";
    until("the log to say why the stream has ended", || gateway.log().contains(why));
    network.heal();
    until_async("the session", || async { browser.get(&site.url("/")).await.status == 200 }).await;
    let (_, key) = site.signed_in().await;
    assert_eq!(site.statuses(&key).await, [200]);
    until_async("readiness", || async { !ready().await.body.contains("shared state") }).await;
}
