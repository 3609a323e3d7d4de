//! The certified OpenID Provider (npm `oidc-provider`), as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use http::Method;
use serde_json::Value;

use super::{Browser, free_port};

/// The secret of the client `portcullis`, made up for the tests.
pub(crate) const CLIENT_SECRET: &str = "throw-away-client-secret-of-the-tests";

/// A running provider; killed when dropped.
pub(crate) struct Provider {
    pub(crate) port: u16,
    client: Value,
    environment: Vec<(&'static str, &'static str)>,
    child: Option<Child>,
}

impl Provider {
    /// Starts it for a gateway at `gateway` (`http://127.0.0.1:8080`), which is its only client.
    pub(crate) fn start(gateway: &str) -> Self {
        let mut provider = Self::stopped(gateway);
        provider.resume();
        provider
    }

    /// One that is away.
    pub(crate) fn stopped(gateway: &str) -> Self {
        let client = serde_json::json!({
            "client_id": "portcullis",
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [format!("{gateway}/.portcullis/callback")],
            "post_logout_redirect_uris": [format!("{gateway}/.portcullis/signed-out")],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": "openid offline_access email profile groups orders:read",
        });
        Self { port: free_port(), client, environment: Vec::new(), child: None }
    }

    /// Sets an environment variable for the next start.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Says something else of the client from the next start on (OpenID Connect Dynamic Client Registration
    /// 1.0, section 2).
    pub(crate) fn with_client(mut self, member: &str, value: Value) -> Self {
        self.client[member] = value;
        self
    }

    /// Its issuer identifier.
    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `[providers.corp]` for the gateway.
    pub(crate) fn configuration(&self) -> String {
        self.configuration_of("corp")
    }

    /// The same under another name.
    pub(crate) fn configuration_of(&self, name: &str) -> String {
        format!(
            "[providers.{name}]\nissuer = \"{}\"\nclient_id = \"portcullis\"\nclient_secret = {{ env = \"CLIENT_SECRET\" }}\n\
             scopes = [\"openid\", \"offline_access\", \"email\", \"profile\", \"groups\"]\n\
             audiences = [\"https://api.corp.example\"]\n",
            self.issuer()
        )
    }

    /// Sends its process a signal by name: `STOP` lets it take connections and say nothing.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Takes it away.
    pub(crate) fn pause(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Brings it (back) up.
    pub(crate) fn resume(&mut self) {
        let mut child = Command::new("node")
            .args(["tests/peers/provider.js", &self.port.to_string()])
            .env("CLIENTS", serde_json::json!([self.client]).to_string())
            .envs(self.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is installed, and `npm ci` ran in tests/peers (tests/run does both)");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the provider did not start");
        self.child = Some(child);
    }

    /// Asks its control endpoint: `rotate?alg=ES256`, `as?user=bob`, `lifetime?s=1`.
    pub(crate) async fn control(&self, what: &str) -> String {
        let answer = Browser::new().get(&format!("{}/control/{what}", self.issuer())).await;
        assert_eq!(answer.status, 200);
        answer.body
    }

    /// How many requests have come to `path` (`/token`).
    pub(crate) async fn asked(&self, path: &str) -> usize {
        self.control(&format!("count?path={path}")).await.parse().unwrap()
    }

    /// An access token for `https://api.corp.example` by client credentials (RFC 6749, section 4.4).
    pub(crate) async fn access_token(&self, scope: &str) -> String {
        let credentials = format!("client_id=portcullis&client_secret={CLIENT_SECRET}");
        let form = format!("grant_type=client_credentials&{credentials}&scope={scope}");
        let head = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}/token", self.issuer());
        let answer = Browser::new().send(Method::POST, &url, &head, &form).await;
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
