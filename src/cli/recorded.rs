//! A request's line in the log, found by the id on its refusal page.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

use http::Method;
use serde_json::{Map, Value};

use super::terminal::visible;

/// The fields of a request's line in the log.
#[derive(Clone, Debug)]
pub(super) struct Recorded(Map<String, Value>);

impl Recorded {
    /// The line of the request `id` in the JSON log at `path`.
    pub(super) fn find(path: &Path, id: &str) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        // Most lines are of other requests: only those in which the id stands are parsed.
        let parsed =
            lines.filter(|line| line.contains(id)).filter_map(|line| serde_json::from_str(&line).ok());
        // Other lines may name the id, too; the request's own says how it ended.
        let mut requests =
            parsed.map(Self).filter(|line| line.text("id") == Some(id) && line.text("outcome").is_some());
        let missing = || {
            format!(
                "{} has no request with the id {id}; expected the gateway's log as JSON lines",
                path.display()
            )
        };
        requests.next().ok_or_else(missing)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// The address that was asked for, by `scheme`; without its query, which is not logged.
    pub(super) fn address(&self, scheme: &str) -> Option<String> {
        Some(format!("{scheme}://{}{}", self.text("host")?, self.text("path")?))
    }

    pub(super) fn method(&self) -> Option<Method> {
        self.text("method")?.parse().ok()
    }

    pub(super) fn client(&self) -> Option<IpAddr> {
        self.text("client")?.parse().ok()
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.text("user")
    }

    pub(super) fn provider(&self) -> Option<&str> {
        self.text("provider")
    }

    /// When it came, how it was answered, and why.
    pub(super) fn told(&self) -> String {
        let text = |key| self.text(key).unwrap_or("-");
        let why = self.text("reason").or_else(|| self.text("rule")).unwrap_or("-");
        let status = self.0.get("status").map(ToString::to_string).unwrap_or_default();
        visible(&format!("{} {status} {}: {}", text("time"), text("outcome"), why))
    }
}
