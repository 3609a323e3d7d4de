//! How a connection is made: to the one server, to the master that Sentinels name, or to a Cluster.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::cluster::ClusterClientBuilder;
use ::redis::io::tcp::TcpSettings;
use ::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    RedisResult, TlsCertificates, Value,
};
use socket2::TcpKeepalive;

use super::RedisConnection;
use super::settings::{RedisAddress, RedisServers, RedisSettings, Transport};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(1);

/// How long sent bytes may stay unacknowledged before the kernel gives the connection up: a peer that vanished says
/// nothing, and by itself the kernel would try for a quarter of an hour.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// How long a silent connection waits before it is probed, and between two probes.
const SILENT: Duration = Duration::from_secs(5);

/// Commands under way at once on one connection: further ones wait rather than pile up before a slow server.
const AT_ONCE: usize = 4096;

/// Commands that may wait to be written.
const QUEUE: usize = 512;

/// Nodes of a Cluster that are remembered for the next connection.
const NODES: usize = 1000;

/// The server or servers, and what has been learnt of them.
pub(super) struct Servers {
    settings: RedisSettings,
    sentinels: Option<tokio::sync::Mutex<SentinelClient>>,
    /// Nodes of the Cluster beside those of the configuration: these may be gone when it is reached for again.
    learnt: Mutex<Vec<RedisAddress>>,
}

impl Servers {
    pub(super) fn new(settings: RedisSettings) -> RedisResult<Self> {
        let sentinels = sentinels(&settings)?.map(tokio::sync::Mutex::new);
        Ok(Self { settings, sentinels, learnt: Mutex::default() })
    }

    /// A new connection whose commands are answered within `answer`.
    pub(super) async fn connect(&self, answer: Duration) -> RedisResult<RedisConnection> {
        match &self.settings.servers {
            RedisServers::Single(address) => node(client(&self.settings, address)?, answer).await,
            RedisServers::Sentinels { .. } => node(self.master().await?, answer).await,
            RedisServers::Cluster(addresses) => self.cluster(addresses, answer).await,
        }
    }

    /// Where the master is by the word of the Sentinels; `None` where there are none.
    pub(super) async fn named_master(&self) -> Option<RedisResult<ConnectionAddr>> {
        self.sentinels.as_ref()?;
        Some(self.master().await.map(|client| client.get_connection_info().addr().clone()))
    }

    async fn master(&self) -> RedisResult<Client> {
        let Some(sentinels) = &self.sentinels else { return Err(no_sentinel()) };
        sentinels.lock().await.async_get_client().await
    }

    async fn cluster(&self, configured: &[RedisAddress], answer: Duration) -> RedisResult<RedisConnection> {
        let known = self.learnt().clone();
        let mut nodes: Vec<_> = configured.to_vec();
        nodes.extend(known.into_iter().filter(|node| !configured.contains(node)));
        let nodes =
            nodes.iter().map(|node| connection_info(&self.settings, node)).collect::<Result<Vec<_>, _>>()?;
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(CONNECT)
            .response_timeout(answer)
            .overall_response_timeout(Some(answer))
            // What is over after these is tried anew by whoever asked, as long as that may take.
            .retries(3)
            .min_retry_wait(20)
            .max_retry_wait(300)
            .tcp_settings(tcp())
            .connection_concurrency_limit(AT_ONCE);
        if let Transport::Tls(Some(ca)) = &self.settings.transport {
            builder = builder.certs(certificates(ca));
        }
        let mut connection = RedisConnection::Cluster(builder.build()?.get_async_connection().await?);
        if let Ok(slots) = connection.at_key("", ::redis::cmd("CLUSTER").arg("SLOTS").take()).await {
            self.learn(&slots);
        }
        Ok(connection)
    }

    fn learn(&self, slots: &Value) {
        let nodes = nodes(slots);
        if !nodes.is_empty() {
            *self.learnt() = nodes;
        }
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Vec<RedisAddress>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn node(client: Client, answer: Duration) -> RedisResult<RedisConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(answer))
        .set_pipeline_buffer_size(QUEUE)
        .set_concurrency_limit(AT_ONCE);
    let address = Arc::new(client.get_connection_info().addr().clone());
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(RedisConnection::Node(connection, address))
}

fn client(settings: &RedisSettings, address: &RedisAddress) -> RedisResult<Client> {
    let info = connection_info(settings, address)?;
    match &settings.transport {
        Transport::Tls(Some(ca)) => Client::build_with_tls(info, certificates(ca)),
        Transport::Tls(None) | Transport::Clear => Client::open(info),
    }
}

fn connection_info(settings: &RedisSettings, address: &RedisAddress) -> RedisResult<ConnectionInfo> {
    // Its name and version are not told: that would be one more right for its user.
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name().set_db(settings.database);
    if let Some(username) = &settings.username {
        login = login.set_username(username);
    }
    if let Some(password) = &settings.password {
        login = login.set_password(password.expose());
    }
    let info = address_of(&settings.transport, address).into_connection_info()?;
    Ok(info.set_redis_settings(login).set_tcp_settings(tcp()))
}

fn address_of(transport: &Transport, RedisAddress { host, port }: &RedisAddress) -> ConnectionAddr {
    match transport {
        Transport::Clear => ConnectionAddr::Tcp(host.clone(), *port),
        Transport::Tls(_) => {
            ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None }
        }
    }
}

fn sentinels(settings: &RedisSettings) -> RedisResult<Option<SentinelClient>> {
    let RedisServers::Sentinels { addresses, master, username, password } = &settings.servers else {
        return Ok(None);
    };
    let addresses = addresses.iter().map(|address| address_of(&settings.transport, address));
    let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
        .set_client_to_redis_db(settings.database)
        .set_client_to_redis_tcp_settings(tcp())
        .set_client_to_sentinel_tcp_settings(tcp());
    if let Some(username) = &settings.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &settings.password {
        builder = builder.set_client_to_redis_password(password.expose());
    }
    if let Some(username) = username {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_sentinel_password(password.expose());
    }
    if let Transport::Tls(ca) = &settings.transport {
        builder = builder.set_client_to_redis_tls_mode(::redis::TlsMode::Secure);
        if let Some(ca) = ca {
            builder = builder
                .set_client_to_redis_certificates(certificates(ca))
                .set_client_to_sentinel_certificates(certificates(ca));
        }
    }
    builder.build().map(Some)
}

fn no_sentinel() -> ::redis::RedisError {
    (::redis::ErrorKind::EmptySentinelList, "there is no Sentinel to ask").into()
}

fn certificates(ca: &[u8]) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) }
}

fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(SILENT).with_interval(SILENT);
    TcpSettings::default().set_nodelay(true).set_keepalive(keepalive).set_user_timeout(UNACKNOWLEDGED)
}

/// The nodes in an answer to `CLUSTER SLOTS`: `[[from, to, [host, port, …], …], …]`.
fn nodes(slots: &Value) -> Vec<RedisAddress> {
    let ranges = as_array(slots).iter().flat_map(|range| as_array(range).iter().skip(2));
    let mut nodes: Vec<RedisAddress> = ranges.filter_map(node_of).take(NODES).collect();
    nodes.sort_by(|one, other| (&one.host, one.port).cmp(&(&other.host, other.port)));
    nodes.dedup();
    nodes
}

fn node_of(node: &Value) -> Option<RedisAddress> {
    let [Value::BulkString(host), Value::Int(port), ..] = as_array(node) else { return None };
    let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty())?;
    Some(RedisAddress { host: host.to_owned(), port: u16::try_from(*port).ok()? })
}

fn as_array(value: &Value) -> &[Value] {
    if let Value::Array(values) = value { values } else { &[] }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("settings", &self.settings).finish_non_exhaustive()
    }
}
