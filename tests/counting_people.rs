//! A limit that counts principals counts people, not browsers.

use crate::support::{Browser, World};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
access = "signed-in"
limits = [{ per = "principal", rate = "1/h", burst = 3 }]
"#;

#[tokio::test]
async fn each_person_has_a_count_of_their_own_in_whichever_browser() {
    let world = World::open(ROUTES).await;
    let (home, phone) = (Browser::new(), Browser::new());
    let url = world.gateway.url("/");
    assert_eq!(home.visit(&url).await.status, 200);
    assert_eq!(phone.visit(&url).await.status, 200);
    let last = phone.get(&url).await;
    assert_eq!((last.status, last.header("ratelimit-policy")), (200, "\"principal\";q=3;w=10800"));
    let over = home.get(&url).await;
    assert_eq!(over.status, 429);
    assert_eq!(over.header("retry-after"), "3600");
    world.provider.control("as?user=bob").await;
    assert_eq!(Browser::new().visit(&url).await.status, 200, "somebody else is not over anything");
}
