//! Calls to the management API of the gateway that runs, over its unix socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::BAD_CONFIGURATION;
use super::terminal::{complain, complain_of, has_colour, visible};
use crate::admin::Problem;
use crate::config::{self, WithoutSecrets};

/// How long an answer may take: to end a hundred thousand sign-ins takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The management API of the gateway that a configuration file is of.
#[derive(Debug)]
pub(super) struct ManagementClient {
    socket: PathBuf,
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
        Ok(Self { socket })
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
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        // Where it closes without reading, what follows says why.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => return Err(error.into()),
            Ok(_) | Err(_) if answer.is_empty() => return Err(CallError::NotPermitted),
            Ok(_) | Err(_) => {}
        }
        let (status, body) = parse(&answer).ok_or_else(no_answer)?;
        if !(200..300).contains(&status) {
            let problem: Problem = serde_json::from_slice(body).map_err(io::Error::other)?;
            return Err(CallError::Refused(problem.detail));
        }
        Ok(serde_json::from_slice(body).map_err(io::Error::other)?)
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

fn no_answer() -> CallError {
    CallError::Broken(io::Error::other("the connection broke before the answer was whole"))
}

/// Status and content of an answer (RFC 9112) that ends with its connection; `None` where it is not whole.
fn parse(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(&answer[..end]).ok()?, &answer[end + 4..]);
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    (length.trim().parse() == Ok(body.len())).then_some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let whole = b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(whole), Some((200, &b"{}"[..])));
        for wrong in [
            &whole[..whole.len() - 1],
            b"HTTP/1.1 200 OK\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
            b"SSH-2.0-OpenSSH\r\nContent-Length: 0\r\n\r\n",
            b"",
        ] {
            assert_eq!(parse(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }
}
