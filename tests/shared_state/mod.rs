//! Gateways that share a Redis act as one in what is good once, in refreshing tokens and in counting requests.

mod limits;
mod refreshing;
mod single_use;

use portcullis_authentication::storage::redis::testing::{TestNetwork, TestRedis};

use crate::replicas::STATE_KEY;
use crate::support::{App, Browser, Gateway, Provider, free_port};

const REPLICAS: usize = 3;

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"
identity = { token = "access" }

[[routes]]
name = "home"
host = "login.localhost"
upstream = "{app}"
access = "signed-in"
"#;

/// Three gateways behind a balancer that leads to each of them in turn, and their Redis, which keeps all on disk.
struct Replicas {
    redis: TestRedis,
    gateways: Vec<Gateway>,
    balancer: TestNetwork,
    _app: App,
}

impl Replicas {
    /// Starts them with what `rest` makes of the address where people sign in; `{app}` stands for the app's.
    async fn start(rest: impl FnOnce(&str) -> String) -> Self {
        let redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let app = App::start().await;
        let ports: Vec<u16> = (0..REPLICAS).map(|_| free_port()).collect();
        let balancer = TestNetwork::to(&ports).await;
        let public_url = format!("http://login.localhost:{}", balancer.port());
        let state = format!(
            "[state]\nkey = {{ file = \"state.key\" }}\nredis = \"redis://127.0.0.1:{}\"\n",
            redis.port()
        );
        let rest = format!("{state}{}", rest(&public_url).replace("{app}", &app.url()));
        let start = |port: &u16| Gateway::beside(*port, &public_url, &rest, &[("state.key", STATE_KEY)]);
        Self { gateways: ports.iter().map(start).collect(), redis, balancer, _app: app }
    }

    /// The same with the certified provider.
    async fn with_provider() -> (Self, Provider) {
        let mut provider = None;
        let replicas = Self::start(|public_url| {
            let provider = provider.insert(Provider::start(public_url));
            format!("{}timeout = \"60s\"\n{ROUTES}", provider.configuration())
        });
        (replicas.await, provider.unwrap())
    }

    /// New connections go to this one alone.
    fn lead_to(&self, gateway: usize) {
        self.balancer.move_to(&[self.gateways[gateway].port]);
    }

    /// An address on one of their hosts.
    fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}.localhost:{}{path}", self.balancer.port())
    }

    /// The sum of a metric, with whatever labels, over all of them.
    async fn metric(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for gateway in &self.gateways {
            let text = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
            let value =
                |line: &str| Some(line.strip_prefix(name)?.rsplit(' ').next()?.parse::<f64>().unwrap());
            sum += text.lines().filter_map(value).sum::<f64>();
        }
        sum
    }
}
