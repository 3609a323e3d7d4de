//! Step-up for an app on a host of its own: the wish travels to the sign-in host and the new session back.

use crate::support::{Browser, World};

const TWO_HOSTS: &str = r#"
[policies.strong]
allow = [{ groups = ["staff"], acr = ["mfa"] }]

[[routes]]
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
host = "wiki.localhost"
path = "/admin"
upstream = "{app}"
policy = "strong"

[[routes]]
host = "files.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
host = "files.localhost"
path = "/admin"
upstream = "{app}"
policy = "strong"
"#;

async fn two_hosts() -> World {
    World::at("http://login.localhost:{port}", "", "", TWO_HOSTS).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

#[tokio::test]
async fn who_steps_up_on_one_host_goes_on_on_the_others_without_signing_in_again() {
    let world = two_hosts().await;
    let browser = Browser::new();
    for host in ["wiki", "files"] {
        assert_eq!(browser.visit(&at(&world, host, "/")).await.status, 200);
    }
    let answer = browser.visit(&at(&world, "wiki", "/admin?a=1")).await;
    assert_eq!((answer.status, answer.json()["target"].as_str()), (200, Some("/admin?a=1")));
    assert_eq!(world.provider.asked("/token").await, 2);
    for (host, path) in [("files", "/"), ("files", "/admin"), ("wiki", "/"), ("wiki", "/admin")] {
        assert_eq!(browser.visit(&at(&world, host, path)).await.status, 200, "{host}{path}");
    }
    assert_eq!(world.provider.asked("/token").await, 2, "one step-up serves all");
}

#[tokio::test]
async fn what_travels_between_hosts_is_sealed_and_an_edited_wish_opens_nothing() {
    let world = two_hosts().await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&at(&world, "wiki", "/")).await.status, 200);
    world.provider.control("levels?of=pwd").await;
    for edit in ["", "eyJjIjpbInB3ZCJdfQ"] {
        let mut there = browser.stop_before(&at(&world, "wiki", "/admin"), "/.portcullis/sign-in").await;
        assert!(!there.as_str().contains("mfa"), "{there}");
        let edited = there.query_pairs().into_owned().filter_map(|(name, value)| match name.as_str() {
            "step_up" if edit.is_empty() => None,
            "step_up" => Some((name, edit.to_owned())),
            _ => Some((name, value)),
        });
        let edited: Vec<_> = edited.collect();
        there.query_pairs_mut().clear().extend_pairs(edited);
        let page = browser.visit(there.as_str()).await;
        assert_eq!(page.status, 403, "{}", page.body);
        assert!(page.body.contains("mfa"), "{}", page.body);
    }
    assert_eq!(world.app.served(), 1);
    assert_eq!(browser.get(&at(&world, "wiki", "/")).await.status, 200, "the session is as it was");
}

#[tokio::test]
async fn a_way_back_that_is_kept_open_steps_up_where_it_leads() {
    let world = two_hosts().await;
    let browser = Browser::new();
    let page = browser.visit(&at(&world, "wiki", "/admin")).await;
    assert_eq!(page.status, 200, "whoever is not signed in yet signs in first, then steps up: {}", page.body);
    assert_eq!(page.url.path(), "/admin");
}
