//! Several gateways with one Redis, behind a balancer that knows nothing of sessions.

mod away;
mod bound;
mod checked;
mod login;
mod many_servers;
mod record;
mod together;

use portcullis_authentication::storage::redis::testing::TestNetwork;
use tokio::net::TcpStream;

use crate::support::{App, Browser, Gateway, Provider, begun, events, free_port};

/// 256 random bits, as `openssl rand -base64 32` prints them.
pub(crate) const STATE_KEY: &str = "mX4r0p1u8cJmY0d1WqT3cQ1f0eT7kq9y5vJ2b6hQn0o=";

const COOKIE: &str = "portcullis";

/// Gateways, and what stands around them.
struct Site {
    gateways: Vec<Gateway>,
    balancer: TestNetwork,
    _provider: Provider,
    _app: App,
}

impl Site {
    /// So many gateways whose `[state]` says `redis`.
    async fn open(count: usize, redis: &str) -> Self {
        let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let balancer = TestNetwork::to(&ports).await;
        let public_url = format!("http://127.0.0.1:{}", balancer.port());
        let (provider, app, stream) = (Provider::start(&public_url), App::start().await, events().await);
        let rest = format!(
            "[state]\nkey = {{ file = \"state.key\" }}\nredis = {redis}\n\n{}\n\
             [[routes]]\nname = \"wiki\"\nupstream = \"{}\"\naccess = \"signed-in\"\n\n\
             [[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{stream}\"\naccess = \"signed-in\"\n\n\
             [[routes]]\nname = \"open\"\npath = \"/open\"\nupstream = \"{}\"\naccess = \"public\"\n",
            provider.configuration(),
            app.url(),
            app.url()
        );
        let start = |port: &u16| Gateway::beside(*port, &public_url, &rest, &[("state.key", STATE_KEY)]);
        Self { gateways: ports.iter().map(start).collect(), balancer, _provider: provider, _app: app }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.balancer.port())
    }

    /// Connections go to this gateway alone.
    fn lead_to(&self, gateway: usize) {
        self.balancer.move_to(&[self.gateways[gateway].port]);
    }

    /// Somebody signs in, each request at another gateway.
    async fn signed_in(&self) -> (Browser, String) {
        let browser = Browser::new();
        let answer = browser.visit(&self.url("/")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let key = browser.cookie(&self.url("/"), COOKIE).unwrap();
        (browser, key)
    }

    /// The status of a page that asks for a sign-in, at each gateway.
    async fn statuses(&self, key: &str) -> Vec<u16> {
        let mut statuses = Vec::new();
        for gateway in &self.gateways {
            let browser = Browser::new();
            browser.set_cookie(&gateway.url("/"), COOKIE, key);
            statuses.push(browser.get(&gateway.url("/")).await.status);
        }
        statuses
    }

    /// An event stream at each gateway that has begun.
    async fn streams(&self, key: &str) -> Vec<TcpStream> {
        let mut streams = Vec::new();
        for gateway in &self.gateways {
            streams.push(begun(gateway.port, key).await);
        }
        streams
    }
}
