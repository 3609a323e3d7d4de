//! The portal, asked over sockets: who finds which apps, with which pictures, and what people see of themselves.

mod languages;
mod walked;

use http::Method;

use crate::support::{Answer, App, Browser, Gateway, Provider, answered, between, free_port};

const ROUTES: &str = r#"
[policies.staff]
allow = [{ groups = ["staff"] }]

[policies.ops]
allow = [{ groups = ["ops"] }]

[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
policy = "staff"
title = "Wiki"
description = "What everybody should know & <find>"
icon = "wiki.svg"
group = "Documents"

[[routes]]
name = "wiki administration"
host = "wiki.localhost"
path = "/admin"
upstream = "{app}"
policy = "staff"

[[routes]]
name = "mail"
host = "apps.localhost"
path = "/mail"
upstream = "{app}"
access = "signed-in"
title = "Mail"

[[routes]]
name = "calendar"
host = "apps.localhost"
path = "/calendar"
upstream = "{app}"
access = "signed-in"
title = "Calendar"

[[routes]]
name = "machines"
host = "machines.localhost"
upstream = "{app}"
policy = "ops"
title = "Machines"
icon = "wiki.svg"

[[routes]]
name = "webhook"
host = "hooks.localhost"
upstream = "{app}"
access = "signed-in"
methods = ["POST"]

[[routes]]
name = "secret garden"
host = "garden.localhost"
upstream = "{app}"
access = "signed-in"
title = "Garden"
hidden = true
"#;

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><script>alert(1)</script><rect width=\"8\" height=\"8\"/></svg>";

struct Rig {
    gateway: Gateway,
    _provider: Provider,
    _app: App,
}

impl Rig {
    async fn open() -> Self {
        let port = free_port();
        let public_url = format!("http://login.localhost:{port}");
        let (app, provider) = (App::start().await, Provider::start(&public_url));
        let rest = format!("{}\n{}", provider.configuration(), ROUTES.replace("{app}", &app.url()));
        let gateway = Gateway::beside(port, &public_url, &rest, &[("wiki.svg", ICON)]);
        Self { gateway, _provider: provider, _app: app }
    }

    fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}.localhost:{}{path}", self.gateway.port)
    }

    async fn portal(&self, browser: &Browser, query: &str) -> Answer {
        let page = browser.visit(&self.at("login", &format!("/.portcullis{query}"))).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }
}

/// Names and addresses of the apps on the page, in their order.
fn apps(page: &Answer) -> Vec<(String, String)> {
    let rows = page.body.split("<a class=\"app\" ").skip(1);
    rows.map(|row| (between(row, "<b><bdi>", "</bdi>"), between(row, "href=\"", "\""))).collect()
}

#[tokio::test]
async fn people_find_the_apps_that_are_open_to_them_and_no_others() {
    let rig = Rig::open().await;
    let browser = Browser::new();
    let page = rig.portal(&browser, "").await;
    let wanted = [("Wiki", "wiki", "/"), ("Calendar", "apps", "/calendar"), ("Mail", "apps", "/mail")];
    let wanted: Vec<_> =
        wanted.iter().map(|(name, host, path)| ((*name).to_owned(), rig.at(host, path))).collect();
    assert_eq!(apps(&page), wanted, "{}", page.body);
    assert!(
        page.body.contains("What everybody should know &#38; &#60;find&#62;")
            && page.body.contains("Documents")
    );
    let elsewhere = browser.visit(&rig.at("wiki", "/.portcullis")).await;
    assert_eq!(apps(&elsewhere), wanted, "and on every host");
    for (_, address) in &wanted {
        assert_eq!(browser.visit(address).await.status, 200, "{address}");
    }
    assert_eq!(browser.visit(&rig.at("garden", "/")).await.status, 200, "hidden is not closed");
    assert_eq!(browser.visit(&rig.at("machines", "/")).await.status, 403);
}

#[tokio::test]
async fn a_search_needs_no_script_and_says_when_it_finds_nothing() {
    let rig = Rig::open().await;
    let browser = Browser::new();
    rig.portal(&browser, "").await;
    let found = rig.portal(&browser, "?q=DOCU+wiki").await;
    assert_eq!(apps(&found).len(), 1, "{}", found.body);
    assert!(found.body.contains("1 of 3"));
    let nothing = rig.portal(&browser, "?q=%22%3E%3Cscript%3E").await;
    assert!(apps(&nothing).is_empty() && nothing.body.contains("Nothing is called like that"));
    assert!(nothing.body.contains("value=\"&#34;&#62;&#60;script&#62;\""), "{}", nothing.body);
}

#[tokio::test]
async fn invariant_16_a_picture_is_kept_for_ever_and_runs_nothing() {
    let rig = Rig::open().await;
    let browser = Browser::new();
    let page = rig.portal(&browser, "").await;
    let path = between(&page.body, "<img src=\"", "\"");
    assert!(path.starts_with("/.portcullis/icon/"), "{path}");
    for host in ["login", "wiki"] {
        let picture = Browser::new().get(&rig.at(host, &path)).await;
        assert_eq!((picture.status, picture.body.as_str()), (200, ICON));
        for (field, wanted) in [
            ("content-type", "image/svg+xml"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(picture.header(field), wanted, "{field}");
        }
    }
    for other in ["/.portcullis/icon", "/.portcullis/icon/", "/.portcullis/icon/0123", &format!("{path}/x")] {
        assert_eq!(browser.get(&rig.at("login", other)).await.status, 404, "{other}");
    }
    let posted = browser.send(Method::POST, &rig.at("login", &path), &[], "").await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    std::fs::write(rig.gateway.directory.path().join("wiki.svg"), "<svg/>").unwrap();
    rig.gateway.rewrite("title = \"Wiki\"", "title = \"The wiki\"");
    let page = rig.portal(&browser, "").await;
    let other = between(&page.body, "<img src=\"", "\"");
    assert_ne!(other, path, "another picture has another address");
    assert_eq!(browser.get(&rig.at("login", &other)).await.body, "<svg/>");
    assert_eq!(browser.get(&rig.at("login", &path)).await.status, 404);
}

#[tokio::test]
async fn an_account_is_shown_to_its_person_on_the_sign_in_host_alone() {
    let rig = Rig::open().await;
    let browser = Browser::new();
    let from_app = browser.get(&rig.at("wiki", "/.portcullis/account")).await;
    assert_eq!(from_app.next().as_deref(), Some(rig.at("login", "/.portcullis/account").as_str()));
    assert_eq!(from_app.status, 303);
    let page = browser.visit(&rig.at("login", "/.portcullis/account")).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.body);
    for shown in
        ["alice", "<bdi class=\"tag\">staff</bdi>", "How you are signed in", "just now", "preferred_username"]
    {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(page.body.contains("not bound"), "{}", page.body);
    let line = answered(&rig.gateway, page.header("x-request-id"));
    assert!(line.contains("\"user\":\"alice\""), "{line}");
    let stranger = Browser::new().get(&rig.at("login", "/.portcullis/account")).await;
    assert_eq!(stranger.status, 303, "{}", stranger.body);
    assert!(stranger.next().unwrap().contains("/.portcullis/sign-in?"));
}
