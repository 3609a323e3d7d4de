//! A session that turns up in another network than it was made from: where the file says so, its person signs in anew from
//! there, and whoever only has the cookie does not (invariant 27).

use http::Method;

use crate::support::{Browser, World, answered};

const ROUTES: &str = r#"
[[routes]]
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
host = "files.localhost"
upstream = "{app}"
access = "signed-in"
"#;

const STEP_UP: &str = "\n[session]\nnetwork_change = \"step-up\"\n";

/// Two apps behind a proxy that says where clients are, with this `[session]`.
async fn world(session: &str) -> World {
    let proxy = "trusted_proxies = [\"127.0.0.0/8\"]";
    World::at("http://login.localhost:{port}", proxy, session, ROUTES).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

#[tokio::test]
async fn invariant_27_a_cookie_that_was_carried_to_another_network_opens_nothing_there() {
    let world = world(STEP_UP).await;
    let (wiki, login) = (at(&world, "wiki", "/"), at(&world, "login", "/"));
    let owner = Browser::new().moved_to("192.0.2.10");
    assert_eq!(owner.visit(&wiki).await.status, 200);
    assert_eq!(owner.moved_to("192.0.2.200").get(&wiki).await.status, 200, "the same network");
    let thief = Browser::new().moved_to("198.51.100.7");
    for host in [&wiki, &login] {
        thief.set_cookie(host, "portcullis", &owner.cookie(host, "portcullis").unwrap());
    }
    for method in [Method::GET, Method::POST] {
        let answer = thief.send(method.clone(), &wiki, &[("accept", "*/*")], "").await;
        assert_eq!(answer.status, 401, "{method}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
        assert!(challenge.contains("max_age=\"0\""), "{challenge}");
        let line = answered(&world.gateway, answer.header("x-request-id"));
        assert!(line.contains("from another network than it was made from"), "{line}");
    }
    // Neither at the app nor by a ticket from the sign-in host.
    let sign_in = at(&world, "login", &format!("/.portcullis/sign-in?return_to={wiki}"));
    let files = at(&world, "files", "/");
    for there in [&wiki, &files, &sign_in] {
        let asked = thief.stop_before(there, "/auth?").await;
        assert!(asked.query().unwrap().contains("prompt=login"), "{there}: {asked}");
    }
    for (host, page) in [("login", "/.portcullis/sessions"), ("wiki", "/.portcullis")] {
        let page = at(&world, host, page);
        assert!(thief.get(&page).await.next().unwrap().contains("/.portcullis/sign-in"), "{page}");
    }
    let others = thief.submit(&at(&world, "login", "/.portcullis/sessions"), "others=yes").await;
    assert!(others.next().unwrap().contains("/.portcullis/sign-in"));
    assert_eq!(owner.get(&wiki).await.status, 200, "whose session it is goes on");
    assert_eq!(world.app.served(), 3);
}

#[tokio::test]
async fn who_moves_signs_in_once_and_goes_on_from_there() {
    let world = world(STEP_UP).await;
    let (wiki, files) = (at(&world, "wiki", "/"), at(&world, "files", "/"));
    let browser = Browser::new().moved_to("192.0.2.10");
    assert_eq!(browser.visit(&wiki).await.status, 200);
    let before = browser.cookie(&wiki, "portcullis").unwrap();
    let moved = browser.moved_to("2001:db8::1");
    let asked = world.provider.asked("/token").await;
    assert_eq!(moved.visit(&wiki).await.status, 200);
    assert_eq!(moved.get(&wiki).await.status, 200);
    assert_eq!(moved.visit(&files).await.status, 200, "the other app is opened by the new sign-in");
    assert_eq!(world.provider.asked("/token").await - asked, 1, "one sign-in more");
    let old = Browser::new().moved_to("192.0.2.10");
    old.set_cookie(&wiki, "portcullis", &before);
    assert_eq!(old.get(&wiki).await.status, 302, "the key from before opens nothing");
}

#[tokio::test]
async fn by_default_and_within_a_wider_prefix_people_may_move() {
    for session in ["", "\n[session]\nnetwork_change = \"step-up\"\nnetwork_prefix = { ipv4 = 1 }\n"] {
        let world = world(session).await;
        let wiki = at(&world, "wiki", "/");
        let browser = Browser::new().moved_to("192.0.2.10");
        assert_eq!(browser.visit(&wiki).await.status, 200);
        assert_eq!(browser.moved_to("198.51.100.7").get(&wiki).await.status, 200, "{session}");
    }
}

#[tokio::test]
async fn a_restart_forgets_no_network() {
    let mut world = world(STEP_UP).await;
    let wiki = at(&world, "wiki", "/");
    let browser = Browser::new().moved_to("192.0.2.10");
    assert_eq!(browser.visit(&wiki).await.status, 200);
    world.gateway.restart();
    assert_eq!(browser.get(&wiki).await.status, 200);
    assert_eq!(browser.moved_to("198.51.100.7").get(&wiki).await.status, 302);
}
