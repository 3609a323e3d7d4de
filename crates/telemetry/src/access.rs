//! The access log: one line for each request.

use std::net::IpAddr;
use std::time::Duration;

use super::Outcome;

/// What the log tells of a request. No query, no header, no cookie: secrets travel there (invariant 15).
#[derive(Debug)]
pub struct AccessLine<'a> {
    /// The id on the refusal page, in the app's log and here.
    pub id: &'a str,
    /// The client's address, where it is known.
    pub client: Option<IpAddr>,
    /// The request's method, as it came.
    pub method: &'a str,
    /// The host asked for, with its port where it is written.
    pub host: &'a str,
    /// The path as it came, without its query.
    pub path: &'a str,
    /// The matched route, where one was.
    pub route: Option<&'a str>,
    /// Provider and user, where somebody was known.
    pub user: Option<(&'a str, &'a str)>,
    /// Status of the response.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Why: the rule that decided, or the exact cause of a failure.
    pub reason: &'a str,
    /// Bytes of the response's body.
    pub bytes: u64,
    /// From the request's head to the end of the response.
    pub took: Duration,
}

impl AccessLine<'_> {
    /// Writes the line, at level `info`, under the target `portcullis::access`.
    pub fn write(&self) {
        let (provider, user) = self.user.unzip();
        tracing::info!(
            target: "portcullis::access",
            id = self.id,
            client = self.client.map(tracing::field::display),
            method = self.method,
            host = self.host,
            path = self.path,
            route = self.route,
            provider,
            user,
            status = self.status,
            outcome = self.outcome.as_str(),
            reason = (!self.reason.is_empty()).then_some(self.reason),
            bytes = self.bytes,
            ms = self.took.as_secs_f64() * 1e3,
            "request"
        );
    }
}
