//! Where a PostgreSQL server is, and the way to it.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Socket};
use tokio_rustls::TlsConnector;

use crate::secret::Secret;
use crate::sinks::far::FarError;
use crate::sinks::tls::TlsSettings;

/// How long all hosts together may take until one of them is connected: less than a delivery has, so that one that is silent
/// leaves the next its turn.
const CONNECTED: Duration = Duration::from_secs(8);
/// How long the other side's kernel may leave something unconfirmed.
const UNCONFIRMED: Duration = Duration::from_secs(10);

/// What holds for every connection. A server that is told to forget what it has acknowledged is not taken at its word.
const MANNERS: &str = "
    SET statement_timeout = '15s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '30s';
    SET client_encoding = 'UTF8';
    SET timezone = 'UTC';
    SET search_path = pg_catalog;
    SET synchronous_commit = ";

/// A database, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresServer {
    /// Where it is; of several the first that can be written to. Not empty.
    pub hosts: Vec<PostgresHost>,
    /// The role.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// The database.
    pub database: String,
    /// How its server is known; none: what is sent is in clear text.
    pub tls: Option<TlsSettings>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostgresHost {
    /// A name or an address without brackets, and the port.
    Tcp(String, u16),
    /// The folder of its socket, and the port that the socket is called after.
    Unix(PathBuf, u16),
}

/// Where it is, without who asks.
impl std::fmt::Display for PostgresServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for host in &self.hosts {
            match host {
                PostgresHost::Tcp(name, port) => write!(f, "{name}:{port}, ")?,
                PostgresHost::Unix(folder, port) => write!(f, "{}:{port}, ", folder.display())?,
            }
        }
        write!(f, "database {}", self.database)
    }
}

/// A connection, and the task that carries it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

impl PostgresServer {
    pub(super) fn connector(&self) -> Result<Tls, FarError> {
        let config = self.tls.as_ref().map(TlsSettings::config).transpose()?;
        Ok(Tls(config.map(Arc::new)))
    }

    fn config(&self, goal: TargetSessionAttrs) -> Config {
        let mut config = Config::new();
        for host in &self.hosts {
            match host {
                PostgresHost::Tcp(host, port) => config.host(host).port(*port),
                PostgresHost::Unix(folder, port) => config.host_path(folder).port(*port),
            };
        }
        if let Some(password) = &self.password {
            config.password(password.expose());
        }
        let mode = mutant!(SslMode::Require, "postgres-falls-back-to-clear-text" => SslMode::Prefer);
        config
            .user(&self.user)
            .dbname(&self.database)
            .application_name("portcullis")
            .ssl_mode(if self.tls.is_some() { mode } else { SslMode::Disable })
            .connect_timeout(CONNECTED / u32::try_from(self.hosts.len()).unwrap_or(u32::MAX).max(1))
            .tcp_user_timeout(UNCONFIRMED)
            .keepalives_idle(UNCONFIRMED)
            .target_session_attrs(goal);
        config
    }

    /// Connects; on the runtime that this is called on.
    pub(super) async fn connect(&self, tls: &Tls, goal: TargetSessionAttrs) -> Result<Link, FarError> {
        let (client, connection) = self.config(goal).connect(tls.clone()).await?;
        // Whatever it ends by, the next question of the client is told.
        let task = tokio::spawn(async move { drop(connection.await) });
        let link = Link { client, task };
        link.behave().await?;
        Ok(link)
    }
}

impl Link {
    async fn behave(&self) -> Result<(), FarError> {
        let row = self.client.query_one("SHOW synchronous_commit", &[]).await?;
        let sync: String = row.try_get(0)?;
        let sync = if ["off", "local"].contains(&sync.as_str()) { "on" } else { "DEFAULT" };
        self.client.batch_execute(&format!("{MANNERS}{sync}")).await?;
        let row = self.client.query_one("SHOW server_encoding", &[]).await?;
        match row.try_get(0)? {
            "UTF8" => Ok(()),
            other => {
                Err(FarError::Away(format!("the database is of the encoding {other:.20}, and not UTF8")))
            }
        }
    }

    /// Breaks it off; whatever the server is about to do for it may still be done there.
    pub(super) async fn break_off(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// Says good-bye, and waits until that is said.
    pub(super) async fn end(self) {
        drop(self.client);
        let _ = self.task.await;
    }
}

/// TLS of rustls, where there is to be any.
#[derive(Clone)]
pub(super) struct Tls(Option<Arc<ClientConfig>>);

/// The same, towards one host.
pub(super) struct TlsTo(Option<Arc<ClientConfig>>, String);

pub(super) struct TlsStream(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = TlsStream;
    type TlsConnect = TlsTo;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<TlsTo> {
        Ok(TlsTo(self.0.clone(), host.to_owned()))
    }
}

impl TlsConnect<Socket> for TlsTo {
    type Stream = TlsStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TlsStream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let config = self.0.ok_or(io::ErrorKind::Unsupported)?;
            let name = ServerName::try_from(self.1).map_err(io::Error::other)?;
            TlsConnector::from(config).connect(name, socket).await.map(TlsStream)
        })
    }
}

impl tokio_postgres::tls::TlsStream for TlsStream {
    fn channel_binding(&self) -> ChannelBinding {
        // The server is known by its certificate.
        ChannelBinding::none()
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
