//! Scripts and commands, done within two seconds or not at all.

use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, RedisResult, ScriptInvocation, Value};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::backoff::BackOff;
use super::error::{Consequence, consequence};
use super::link::Link;
use super::servers::Servers;
use super::{RedisConnection, RedisError, RedisHealth, RedisSettings};
use crate::trace::{SpanKind, span};

/// How long a command may take, with everything that is tried on its behalf.
pub const COMMAND: Duration = Duration::from_secs(2);

/// The wait before a command is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// Redis as all rooms use it. Cheap to clone; connections live on the runtime that it was started on, and end with the
/// last clone.
///
/// A command that fails because of a connection, of a failover or of a server that is still loading is tried again until
/// its time is over. So it may be done twice: a script must give the second time what it gave the first.
#[derive(Clone, Debug)]
pub struct RedisClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: RedisSettings,
    name: Arc<str>,
    servers: Arc<Servers>,
    /// What everybody sends on.
    commands: Link,
    /// What waits for replicas (`WAIT` stops everything behind it on its connection).
    awaited: Link,
    health: RedisHealth,
}

impl RedisClient {
    /// Begins to connect, on `background`.
    ///
    /// # Errors
    /// `Failed` where the settings are none that a connection can be made by.
    pub fn start(settings: RedisSettings, background: &Handle) -> Result<Self, RedisError> {
        let name: Arc<str> = settings.name().into();
        let servers = Servers::new(settings.clone()).map_err(|error| RedisError::of(&name, &error))?;
        let servers = Arc::new(servers);
        let commands = Link::keep(&name, Arc::clone(&servers), background);
        let awaited = Link::keep(&name, Arc::clone(&servers), background);
        let health = RedisHealth::default();
        Ok(Self(Arc::new(Inner { settings, name, servers, commands, awaited, health })))
    }

    /// Runs a script: by its digest, or whole where the server does not know it.
    ///
    /// # Errors
    /// Everything of [`RedisError`].
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisError> {
        self.read(self.attempt(&self.0.commands, Request::Script(script)).await?)
    }

    /// Runs a command.
    ///
    /// # Errors
    /// As [`RedisClient::run`].
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.read(self.attempt(&self.0.commands, Request::Command(command)).await?)
    }

    /// Runs a command that names no key at the server that holds `key`.
    ///
    /// # Errors
    /// As [`RedisClient::run`].
    pub async fn command_at<T: FromRedisValue>(&self, key: &str, command: &Cmd) -> Result<T, RedisError> {
        self.read(self.attempt(&self.0.commands, Request::At(key, command)).await?)
    }

    /// Runs a script and then `wait`, a `WAIT`, at the server that holds `key`; answers how many replicas have what the
    /// script wrote as well.
    ///
    /// # Errors
    /// As [`RedisClient::run`], of the script alone: it counts although no replica has it.
    pub async fn run_and_wait<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        key: &str,
        wait: &Cmd,
    ) -> Result<(T, u64), RedisError> {
        let (first, second) = self.read::<(Value, u64)>(
            self.attempt(&self.0.awaited, Request::Awaited(script, key, wait)).await?,
        )?;
        Ok((self.read(first)?, second))
    }

    /// A connection for one who waits on it (`XREAD BLOCK`), up to `answer` for each command.
    ///
    /// # Errors
    /// `Away`, `Login`.
    pub async fn dedicated(&self, answer: Duration) -> Result<RedisConnection, RedisError> {
        let connecting = timeout(COMMAND, self.0.servers.connect(answer)).await;
        let connected = connecting.map_err(|_| self.late())?;
        connected.map_err(|error| self.error(&error))
    }

    /// Waits until a command is done, `patience` at most: for a start.
    ///
    /// # Errors
    /// Why none was.
    pub async fn ready(&self, patience: Duration) -> Result<(), RedisError> {
        let deadline = Instant::now() + patience;
        let mut backoff = BackOff::new(AGAIN);
        loop {
            let answer: Result<Value, _> = self.command(::redis::cmd("EXISTS").arg(self.key("log"))).await;
            match answer {
                Ok(_) => return Ok(()),
                Err(error) if error.is_final() || Instant::now() >= deadline => return Err(error),
                Err(_) => sleep(backoff.wait()).await,
            }
        }
    }

    pub(super) fn servers(&self) -> &Servers {
        &self.0.servers
    }

    /// Everything is asked of another server from now on.
    pub(super) fn leave(&self, why: &str) {
        self.0.commands.leave(why);
        self.0.awaited.leave(why);
    }

    pub(super) fn late(&self) -> RedisError {
        RedisError::Late { server: Arc::clone(&self.0.name) }
    }

    /// The settings that it was started with.
    #[must_use]
    pub fn settings(&self) -> &RedisSettings {
        &self.0.settings
    }

    /// The key called `name` in the namespace: `{portcullis}:name`.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        self.0.settings.key(name)
    }

    /// What it is called in the log and in errors.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Counts, and what is wrong.
    #[must_use]
    pub fn health(&self) -> &RedisHealth {
        &self.0.health
    }

    /// The error with the server's name to it.
    #[must_use]
    pub fn error(&self, error: &::redis::RedisError) -> RedisError {
        RedisError::of(&self.0.name, error)
    }

    /// What is stored is not what was written.
    pub(in crate::storage) fn odd(&self, why: &str) -> RedisError {
        RedisError::Unreadable { server: Arc::clone(&self.0.name), cause: why.into() }
    }

    fn read<T: FromRedisValue>(&self, value: Value) -> Result<T, RedisError> {
        ::redis::from_redis_value(value).map_err(|error| self.error(&error.into()))
    }

    /// The request until it is done, its fault is final, or its time is over.
    async fn attempt(&self, link: &Link, request: Request<'_>) -> Result<Value, RedisError> {
        let mut span = span("store", SpanKind::Client);
        span.attribute("db.system.name", || "redis");
        let result = self.until(Instant::now() + COMMAND, link, request).await;
        if result.is_err() {
            span.failed("no answer");
        }
        self.0.health.note(&result);
        result
    }

    async fn until(&self, deadline: Instant, link: &Link, request: Request<'_>) -> Result<Value, RedisError> {
        let mut backoff = BackOff::new(AGAIN);
        loop {
            let mut numbered = link.connection(deadline).await?;
            let Ok(result) = timeout_at(deadline, request.send(&mut numbered.connection)).await else {
                // The answer may never come: nobody else shall wait for theirs behind it.
                link.report(numbered.number, "it has not answered in time");
                return Err(self.late());
            };
            let Err(error) = result else { return result.map_err(|error| self.error(&error)) };
            match consequence(&error) {
                Consequence::GiveUp => return Err(self.error(&error)),
                Consequence::Reconnect => link.report(numbered.number, &error),
                Consequence::Wait => {}
            }
            let wait = backoff.wait();
            if Instant::now() + wait >= deadline {
                return Err(self.error(&error));
            }
            sleep(wait).await;
        }
    }
}

/// What is sent, as often as it takes.
#[derive(Clone, Copy)]
enum Request<'a> {
    Script(&'a ScriptInvocation<'a>),
    Command(&'a Cmd),
    /// At the server that holds this key.
    At(&'a str, &'a Cmd),
    /// A script, and then a `WAIT` at the server that holds this key.
    Awaited(&'a ScriptInvocation<'a>, &'a str, &'a Cmd),
}

impl Request<'_> {
    async fn send(&self, connection: &mut RedisConnection) -> RedisResult<Value> {
        match *self {
            Self::Script(script) => script.invoke_async(connection).await,
            Self::Command(command) => command.query_async(connection).await,
            Self::At(key, command) => connection.at_key(key, command.clone()).await,
            Self::Awaited(script, key, wait) => {
                let answer = script.invoke_async(connection).await?;
                // On the same connection: what a connection wrote is what it waits for.
                let reached = connection.at_key(key, wait.clone()).await.unwrap_or(Value::Int(0));
                Ok(Value::Array(vec![answer, reached]))
            }
        }
    }
}
