//! Prometheus and its tool, as Debian ships them.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use http::Method;
use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;

use crate::support::{Browser, free_port, until_async};

/// Runs `promtool` to its end, with `input` for it to read.
pub(super) fn promtool(arguments: &[&str], input: &str) -> Output {
    let mut tool = Command::new("promtool");
    tool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tool.spawn().expect("promtool is installed by tests/run");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A running Prometheus with a folder of its own; killed when dropped.
pub(super) struct Prometheus {
    port: u16,
    child: Child,
    directory: TempDir,
}

impl Prometheus {
    /// Starts it with this configuration.
    pub(super) async fn start(configuration: &str) -> Self {
        let (port, directory) = (free_port(), TempDir::new().unwrap());
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, configuration).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--enable-feature=exemplar-storage")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("prometheus is installed by tests/run");
        let prometheus = Self { port, child, directory };
        until_async("prometheus to listen", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        prometheus
    }

    /// What its API answers; `Null` while it is not ready.
    async fn ask(&self, path: &str) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = Browser::new().send(Method::GET, &url, &[], "").await;
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// The values that a query finds now, each with its labels.
    pub(super) async fn query(&self, query: &str) -> Vec<Value> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let found = self.ask(&format!("/api/v1/query?query={query}")).await;
        found["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// The exemplars that a query finds.
    pub(super) async fn exemplars(&self, query: &str) -> Vec<Value> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let found = self.ask(&format!("/api/v1/query_exemplars?query={query}&start=0&end=4000000000")).await;
        let series = found["data"].as_array().cloned().unwrap_or_default();
        series.iter().flat_map(|series| series["exemplars"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// How the scrapes of its targets go: the job, `up` or not, and the error.
    pub(super) async fn targets(&self) -> Vec<(String, String, String)> {
        let found = self.ask("/api/v1/targets").await;
        let targets = found["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let told = |target: &Value| {
            (text(&target["labels"]["job"]), text(&target["health"]), text(&target["lastError"]))
        };
        targets.iter().map(told).collect()
    }

    /// Waits until it has read all of its targets; fails with what it says of one that it cannot read.
    pub(super) async fn has_scraped(&self, targets: usize) {
        until_async("all scrapes", || async {
            let told = self.targets().await;
            let bad = told.iter().find(|(_, health, _)| health == "down");
            assert!(bad.is_none(), "{bad:?}: {}", self.log());
            told.iter().filter(|(_, health, _)| health == "up").count() == targets
        })
        .await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
