//! A console, an app beside it, and a provider that signs in whomever the test names.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{Answer, App, Browser, Gateway, Impostor, free_port, sockets, until_async};

/// People of every role come to the console, and everybody to the wiki.
const ROUTES: &str = r#"
[policies.people]
allow = [{ groups = ["staff", "audit", "ops"] }]

[policies.audit]
allow = [{ groups = ["audit"] }]

[policies.ops]
allow = [{ groups = ["ops"] }]

[console]
auditor = "audit"
operator = "ops"

[[routes]]
name = "console"
host = "console.localhost"
path = "/at/here"
serve = "console"
policy = "people"

[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "admin"
host = "wiki.localhost"
path = "/admin"
upstream = "{app}"
policy = "ops"
limits = [{ per = "principal", rate = "100/min" }]

[[routes]]
name = "stream"
host = "wiki.localhost"
path = "/stream"
upstream = "{stream}"
access = "signed-in"
"#;

pub(super) const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";

pub(super) struct Rig {
    pub(super) gateway: Gateway,
    pub(super) issuer: Impostor,
    _app: App,
}

impl Rig {
    pub(super) async fn open() -> Self {
        let (issuer, app, port) = (Impostor::start().await, App::start().await, free_port());
        let routes = ROUTES.replace("{app}", &app.url()).replace("{stream}", &sockets().await);
        let public_url = format!("http://login.localhost:{port}");
        let gateway = Gateway::at(port, &public_url, "", &format!("{}\n{routes}", issuer.configuration()));
        Self { gateway, issuer, _app: app }
    }

    /// An address of the console.
    pub(super) fn at(&self, path: &str) -> String {
        self.on("console", &format!("/at/here{path}"))
    }

    pub(super) fn on(&self, host: &str, path: &str) -> String {
        format!("http://{host}.localhost:{}{path}", self.gateway.port)
    }

    /// A browser in which whoever has these claims is signed in, at the wiki alone. What was ended in this very second may
    /// keep them out for a moment.
    pub(super) async fn somebody(&self, claims: Value) -> Browser {
        self.issuer.now(|ways| ways.id_token = claims);
        let (browser, wiki) = (Browser::with_agent(FIREFOX), self.on("wiki", "/"));
        until_async("the sign-in", || async { browser.visit(&wiki).await.status == 200 }).await;
        browser
    }

    /// The same of `user` in one group.
    pub(super) async fn of(&self, user: &str, group: &str) -> Browser {
        self.somebody(json!({ "sub": user, "preferred_username": user, "groups": [group] })).await
    }

    /// A page of the console, as it must come.
    pub(super) async fn page(&self, browser: &Browser, path: &str) -> Answer {
        let page = browser.visit(&self.at(path)).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for word in [" style=\"", "<style", " onclick", "javascript:"] {
            assert!(!page.body.contains(word), "{path}: {word}");
        }
        // One script, a file of the console's own: pages are whole without it.
        let scripts: Vec<_> = page.body.match_indices("<script").collect();
        assert_eq!(scripts.len(), 1, "{path}");
        assert!(page.body.contains("<script src=\"/at/here/assets/console-"), "{path}");
        page
    }

    /// The identifier of the first sign-in of `user`.
    pub(super) async fn id_of(&self, browser: &Browser, user: &str) -> String {
        let list = self.page(browser, &format!("/sessions?user={user}")).await;
        let digits = |text: &str| text.chars().take_while(char::is_ascii_hexdigit).collect::<String>();
        let mut ids = list.body.split("/at/here/sessions/").skip(1).map(digits);
        ids.find(|id| id.len() == 64).unwrap_or_else(|| panic!("no {user}: {}", list.body))
    }

    pub(super) async fn is_in(&self, browser: &Browser) -> bool {
        browser.get(&self.on("wiki", "/")).await.status == 200
    }

    /// A WebSocket that lives by the session of `browser`.
    pub(super) async fn stream(&self, browser: &Browser) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let cookie = browser.cookie(&self.on("wiki", "/"), "portcullis").unwrap();
        let port = self.gateway.port;
        let mut request = format!("ws://127.0.0.1:{port}/stream").into_client_request().unwrap();
        request.headers_mut().insert("host", format!("wiki.localhost:{port}").parse().unwrap());
        request.headers_mut().insert("cookie", format!("portcullis={cookie}").parse().unwrap());
        let (mut open, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        open.send("hello".into()).await.unwrap();
        assert_eq!(open.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "hello");
        open
    }
}
