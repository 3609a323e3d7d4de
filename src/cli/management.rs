//! Calls to the management API of the gateway that runs, over its unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::BAD_CONFIGURATION;
use super::terminal::{complain, complain_of, has_colour, visible};
use crate::admin::{Problem, Reading};
use crate::config::{self, Settings, WithoutSecrets};

/// How long an answer may take: to end a hundred thousand sign-ins takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long it may take where nobody waits for what it says.
const BESIDE: Duration = Duration::from_secs(2);

/// Which gateway is asked.
#[derive(Debug, Args)]
pub(super) struct RunningConfig {
    /// The configuration file of the gateway that runs, which names its socket
    #[arg(long = "config", value_name = "FILE", default_value = "portcullis.toml")]
    pub(super) path: PathBuf,
}

/// Bytes of an answer at most: a page of a thousand sign-ins with all their groups.
const LARGEST: usize = 256 * 1024 * 1024;

/// The management API of the gateway that a configuration file is of.
#[derive(Debug)]
pub(super) struct ManagementClient {
    socket: PathBuf,
    patience: Duration,
}

/// Why a call came to nothing.
#[derive(Debug)]
enum CallError {
    /// Nobody listens there.
    NotRunning,
    /// The socket is another user's.
    NotPermitted,
    /// The gateway says so.
    Refused(String),
    /// The connection broke, or what came is no answer.
    Broken(io::Error),
}

impl ManagementClient {
    /// Finds the socket in the configuration at `path`. Secrets are not read: whoever may call has them
    /// seldom.
    pub(super) fn of(path: &Path) -> Result<Self, ExitCode> {
        let (settings, _) = config::load(path, &WithoutSecrets).map_err(|report| {
            complain(&report.render(has_colour()));
            ExitCode::from(BAD_CONFIGURATION)
        })?;
        let socket = settings.admin.and_then(|admin| admin.socket).ok_or_else(|| {
            let help = "name one and restart the gateway: [admin] socket = \"/run/portcullis/admin.sock\"";
            complain_of(&format!("{}: no socket to ask the gateway on", path.display()), Some(help));
            ExitCode::FAILURE
        })?;
        Ok(Self { socket, patience: PATIENCE })
    }

    /// What the gateway answers; its refusal, or why it could not be asked, goes to standard error.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        target: &str,
        body: &str,
    ) -> Result<T, ExitCode> {
        self.exchange(method, target, body).map_err(|error| self.fail(&error))
    }

    fn exchange<T: DeserializeOwned>(
        &self,
        method: &Method,
        target: &str,
        body: &str,
    ) -> Result<T, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime.block_on(async { timeout(self.patience, self.ask(method, target, body)).await });
        let (status, body) = answer.map_err(|late| io::Error::new(io::ErrorKind::TimedOut, late))??;
        if !status.is_success() {
            let problem: Problem = serde_json::from_slice(&body).map_err(io::Error::other)?;
            return Err(CallError::Refused(problem.detail));
        }
        Ok(serde_json::from_slice(&body).map_err(io::Error::other)?)
    }

    async fn ask(&self, method: &Method, target: &str, body: &str) -> Result<(StatusCode, Bytes), CallError> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Full::<Bytes>::from(body.to_owned())).map_err(io::Error::other)?;
        let answered = sender.send_request(request).await;
        let response = match answered {
            Ok(response) => response,
            // The gateway closes without a word where it does not answer this user.
            Err(error) if !error.is_parse() => return Err(CallError::NotPermitted),
            Err(error) => return Err(io::Error::other(error).into()),
        };
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        connection.abort();
        Ok((status, body.map_err(io::Error::other)?.to_bytes()))
    }

    fn fail(&self, error: &CallError) -> ExitCode {
        let socket = self.socket.display();
        match error {
            CallError::NotRunning => complain_of(
                &format!("no gateway answers at {socket}"),
                Some("start it, or name the configuration that it runs with: --config FILE"),
            ),
            CallError::NotPermitted => complain_of(
                &format!("the gateway at {socket} does not answer this user"),
                Some("run this as root or as the gateway's own user"),
            ),
            CallError::Refused(detail) => complain_of(&visible(detail), None),
            CallError::Broken(cause) => complain_of(&format!("{socket}: {cause}"), None),
        }
        ExitCode::FAILURE
    }
}

/// Has the gateway that runs record that this command has read the files of its record. Where none runs, or none may be
/// asked, nobody takes it down: whoever may read the files can do so unseen.
pub(super) fn tell_of_reading(settings: &Settings, command: &str, asked_by: &[&str]) {
    let Some(socket) = settings.admin.as_ref().and_then(|admin| admin.socket.clone()) else { return };
    let asked_by = (!asked_by.is_empty()).then(|| asked_by.join(", "));
    let reading = Reading { command: command.to_owned(), asked_by };
    let client = ManagementClient { socket, patience: BESIDE };
    let body = serde_json::to_string(&reading).unwrap_or_default();
    drop(client.exchange::<serde_json::Value>(&Method::POST, "/api/v1/record/readings", &body));
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of errors are open-ended")]
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Self::NotRunning,
            io::ErrorKind::PermissionDenied => Self::NotPermitted,
            _ => Self::Broken(error),
        }
    }
}
