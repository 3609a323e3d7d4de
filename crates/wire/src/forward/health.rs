//! Active health checks.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::body::OutboundBody;
use super::connect::NewConnection;
use super::error::from_hyper;
use super::limit::StreamLimit;
use super::upstream::UpstreamServer;
use super::{ForwardError, ForwardFault, HealthCheck, Upstream};

/// How often connections that have waited too long are closed.
const SWEEP: Duration = Duration::from_secs(10);

/// How many sweeps a connection may wait for: less than most servers wait themselves, a minute.
const MAX_SWEEPS: u32 = 5;

impl Upstream {
    /// Checks every server as the settings want it, and closes connections that have waited too long.
    /// `tell` is told of each server whose state turns, by its label: why it is put aside, or nothing where it is back.
    /// Runs until it is dropped; one task for each upstream.
    pub async fn run_health_checks(self: Arc<Self>, tell: impl Fn(&str, Option<&str>) + Send + Sync) {
        let health = self.settings().health.as_ref();
        let checks = self.servers().iter().map(|server| watch(server, health, &tell));
        tokio::join!(join_all(checks), self.keep_sweeping());
    }

    async fn keep_sweeping(&self) {
        let mut ticks = interval(SWEEP);
        loop {
            ticks.tick().await;
            self.sweep(MAX_SWEEPS);
        }
    }
}

async fn watch(
    server: &UpstreamServer,
    check: Option<&HealthCheck>,
    tell: &(impl Fn(&str, Option<&str>) + Sync),
) {
    let Some(check) = check else { return };
    let mut ticks = interval(check.interval.max(Duration::from_millis(1)));
    // After a check that took long, the next one keeps its distance all the same.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut streak = Streak::default();
    loop {
        ticks.tick().await;
        let outcome = ask(server, check).await;
        if let Some(up) = streak.count(outcome.is_ok(), server.health.is_up(), check) {
            server.health.set_up(up);
            let fault = outcome.err().map_or("status", |error| error.fault().label());
            tell(server.connector.label(), (!up).then_some(fault));
        }
    }
}

/// How many checks in a row had the same outcome. Any number of them leaves a server as it is, until there
/// are enough of those that contradict its state.
#[derive(Debug, Default)]
struct Streak {
    good: u32,
    bad: u32,
}

impl Streak {
    /// Counts an outcome; `Some` where it turns the server's state.
    fn count(&mut self, good: bool, up: bool, check: &HealthCheck) -> Option<bool> {
        (self.good, self.bad) =
            if good { (self.good.saturating_add(1), 0) } else { (0, self.bad.saturating_add(1)) };
        match up {
            true => (self.bad >= check.unhealthy_after.max(1)).then_some(false),
            false => (self.good >= check.healthy_after.max(1)).then_some(true),
        }
    }
}

/// One check over a connection of its own: that a server takes connections is part of its health.
async fn ask(server: &UpstreamServer, check: &HealthCheck) -> Result<(), ForwardError> {
    let answer = timeout(check.timeout, exchange(server, check)).await;
    let status = answer.map_err(|_| ForwardFault::ResponseTimeout)??;
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(ForwardFault::InvalidResponse.into())
    }
}

async fn exchange(server: &UpstreamServer, check: &HealthCheck) -> Result<StatusCode, ForwardError> {
    match server.connector.connect(false).await? {
        NewConnection::Http1(mut connection) => {
            let mut request = request(&check.path)?;
            request.headers_mut().insert(HOST, server.host.clone());
            connection.begin(&mut request, &[], check.timeout);
            Ok(poll_fn(|cx| connection.poll_answer(cx, &|_| ())).await?.status())
        }
        NewConnection::Http2(mut sender, connection) => {
            tokio::spawn(StreamLimit::new(&Arc::default()).watch(*connection));
            let scheme = if server.tls { "https" } else { "http" };
            let host = server.host.to_str().unwrap_or_default();
            sender
                .send_request(request(&format!("{scheme}://{host}{}", check.path))?)
                .await
                .map(|response| response.status())
                .map_err(from_hyper)
        }
    }
}

fn request(uri: &str) -> Result<Request<OutboundBody>, ForwardError> {
    let uri: Uri =
        uri.parse().map_err(|error| ForwardError::new(ForwardFault::Internal, format!("{error}")))?;
    let mut request = Request::new(OutboundBody::EMPTY);
    *request.uri_mut() = uri;
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("portcullis-health-check"));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_equal_outcomes_in_a_row_turn_the_state() {
        let check = HealthCheck {
            path: "/".into(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            healthy_after: 2,
            unhealthy_after: 3,
        };
        let mut streak = Streak::default();
        let down: Vec<_> =
            [false, false, true, false, false, false].map(|good| streak.count(good, true, &check)).into();
        assert_eq!(down, [None, None, None, None, None, Some(false)]);
        let up: Vec<_> = [true, false, true, true].map(|good| streak.count(good, false, &check)).into();
        assert_eq!(up, [None, None, None, Some(true)]);
    }
}
