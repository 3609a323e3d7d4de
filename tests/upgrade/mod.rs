//! What the version before has sealed opens after an upgrade: sessions, sign-ins in flight, forms that wait
//! (invariant 7).
//!
//! `state.db` is a state file of version 0.1.0, and `sealed.toml` is what browsers held beside it. They were made by
//! the code of that version, under a clock that stood at 2200-01-01: what they hold has not ended for a gateway of
//! today. Its keys were drawn for this and serve nothing else. Alice, whom `corp` (https://id.example) had vouched for,
//! was signed in on `login.example`, and from there on `wiki.example`. A second sign-in was on its way, and a form that
//! was posted to `/save?draft=1` waited in its tab. Who changes how things are sealed leaves both files as they are
//! and adds a pair of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use http::Method;
use tempfile::TempDir;
use url::Url;

use crate::support::{Answer, App, Browser, Gateway, Provider, free_port, told};

const LOGIN: &str = "https://login.example";
const ROUTES: &str = r#"
[[routes]]
name = "login"
host = "login.example"
upstream = "{app}"
access = "signed-in"
identity = { headers = { X-User = "user" } }

[[routes]]
name = "wiki"
host = "wiki.example"
upstream = "{app}"
access = "signed-in"
identity = { headers = { X-User = "user" } }
"#;

/// The provider that vouched for Alice; it is away, and nobody needs it.
const AWAY: &str = r#"
[providers.corp]
issuer = "https://id.example"
discovery = "http://127.0.0.1:1/"
client_id = "portcullis"
client_secret = { env = "CLIENT_SECRET" }
"#;

struct Upgraded {
    gateway: Gateway,
    /// What browsers hold.
    sealed: toml::Table,
    _app: App,
    _state: TempDir,
}

impl Upgraded {
    async fn start(provider: &str) -> Self {
        let state = TempDir::new().unwrap();
        let file = state.path().join("state.db");
        fs::copy("tests/upgrade/state.db", &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let app = App::start().await;
        let server = format!("trusted_proxies = [\"127.0.0.1\"]\nstate = \"{}\"", file.display());
        let rest = format!("{provider}{}", ROUTES.replace("{app}", &app.url()));
        let gateway = Gateway::at(free_port(), LOGIN, &server, &rest);
        let sealed = fs::read_to_string("tests/upgrade/sealed.toml").unwrap().parse().unwrap();
        Self { gateway, sealed, _app: app, _state: state }
    }

    fn held(&self, table: &str, name: &str) -> &str {
        self.sealed[table][name].as_str().unwrap()
    }

    /// Where the provider would send the browser of the old flow, for the person who it says it is.
    async fn callback(&self, provider: &Provider, browser: &Browser) -> Url {
        let redirect = format!("{LOGIN}/.portcullis/callback");
        let mut request = Url::parse(&format!("{}/auth", provider.issuer())).unwrap();
        request.query_pairs_mut().extend_pairs([
            ("client_id", "portcullis"),
            ("redirect_uri", &redirect),
            ("response_type", "code"),
            ("scope", "openid email profile groups"),
            ("code_challenge_method", "S256"),
            ("code_challenge", self.held("flow", "code_challenge")),
            ("nonce", self.held("flow", "nonce")),
            ("state", self.held("flow", "state")),
        ]);
        browser.stop_before(request.as_str(), "/.portcullis/callback").await
    }
}

async fn with_cookie(browser: &Browser, url: &str, name: &str, value: &str) -> Answer {
    let head = [("accept", "text/html"), ("cookie", &format!("{name}={value}"))];
    browser.send(Method::GET, url, &head, "").await
}

#[tokio::test]
async fn invariant_7_a_session_of_the_version_before_is_still_one_on_its_host_alone() {
    let upgraded = Upgraded::start(AWAY).await;
    let browser = Browser::behind_tls(upgraded.gateway.port);
    for (host, other) in [("login.example", "wiki.example"), ("wiki.example", "login.example")] {
        let key = upgraded.held("sessions", host);
        let answer = with_cookie(&browser, &format!("https://{host}/page"), "__Host-portcullis", key).await;
        assert_eq!((answer.status, told(&answer, "x-user")), (200, vec!["alice".into()]), "{}", answer.body);
        let elsewhere =
            with_cookie(&browser, &format!("https://{other}/page"), "__Host-portcullis", key).await;
        assert_ne!(elsewhere.status, 200, "{}", elsewhere.body);
    }
}

#[tokio::test]
async fn invariant_7_a_sign_in_and_a_form_of_the_version_before_come_to_their_end() {
    let provider = Provider::start(LOGIN);
    let upgraded = Upgraded::start(&provider.configuration()).await;
    let browser = Browser::behind_tls(upgraded.gateway.port);
    let callback = upgraded.callback(&provider, &browser).await;
    let (name, value) = (upgraded.held("flow", "name"), upgraded.held("flow", "value"));
    let answer = with_cookie(&browser, callback.as_str(), name, value).await;
    assert_eq!(answer.next().as_deref(), Some("https://login.example/query"), "{}", answer.body);

    let sealed = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("sealed", upgraded.held("form", "sealed"))
        .finish();
    let replay = browser.submit(&format!("{LOGIN}/.portcullis/resume"), &sealed).await;
    assert_eq!(replay.status, 200, "{}", replay.body);
    for part in ["/save?draft=1", "a long form &#38; more"] {
        assert!(replay.body.contains(part), "{part}: {}", replay.body);
    }
}
