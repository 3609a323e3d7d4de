//! `portcullis demo`: an OpenID Provider with a sign-in page, and an app that shows who it is told you are.
//! Both on loopback, so that the gateway between them can be seen at work with nothing to install.

mod app;
mod bounded;
mod configuration;
mod provider;
mod reply;
mod serve;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

pub use self::configuration::SECRET_VARIABLE;
pub use self::provider::Person;

use self::app::App;
use self::provider::Provider;
use portcullis_rules::clock::Clock;
use portcullis_rules::secret::Secret;

/// The demo's provider and app, running. They end when it is dropped.
#[derive(Debug)]
pub struct Demo {
    gateway: SocketAddr,
    public_url: Url,
    app_url: Url,
    curl: String,
    provider: Arc<Provider>,
    #[expect(dead_code, reason = "held for its drop")]
    servers: JoinSet<()>,
}

impl Demo {
    /// Starts both on free ports of 127.0.0.1, on the current tokio runtime, for a gateway that will listen
    /// on `gateway`.
    ///
    /// # Errors
    /// Where `gateway` is not on loopback or has no port yet: the accounts of the demo are for this machine
    /// alone. Where no port can be bound, or no key can be made.
    pub async fn start(gateway: SocketAddr, clock: Clock) -> io::Result<Self> {
        let public_url = public_url(gateway)?;
        let (provider_socket, app_socket) = (bind().await?, bind().await?);
        let issuer = format!("http://{}", provider_socket.local_addr()?);
        let app_url = url(app_socket.local_addr()?)?;
        let provider = Arc::new(Provider::new(issuer, &public_url, clock.clone())?);
        let curl = curl(&provider, &public_url);
        let app = App::new(&public_url, url(provider_socket.local_addr()?)?, curl.clone(), clock);
        let mut servers = JoinSet::new();
        servers.spawn(serve_provider(provider_socket, Arc::clone(&provider)));
        servers.spawn(serve_app(app_socket, Arc::new(app)));
        Ok(Self { gateway, public_url, app_url, curl, provider, servers })
    }

    /// The provider's issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    /// Where the app listens: the gateway's upstream. Nobody is known who comes here directly.
    #[must_use]
    pub const fn app_url(&self) -> &Url {
        &self.app_url
    }

    /// Where people open the demo: the gateway's `public_url`.
    #[must_use]
    pub const fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// The gateway's `client_id`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.provider.clients.gateway.id
    }

    /// The gateway's `client_secret`, made up at start.
    #[must_use]
    pub fn client_secret(&self) -> &Secret {
        &self.provider.clients.gateway.secret
    }

    /// `aud` of the access tokens that the provider issues.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.provider.audience
    }

    /// Who can sign in.
    #[must_use]
    pub fn people(&self) -> &[Arc<Person>] {
        &self.provider.people
    }

    /// A shell command that gets a token for a program and calls `/api` with it. Holds a secret of the demo.
    #[must_use]
    pub fn curl(&self) -> &str {
        &self.curl
    }
}

async fn serve_provider(listener: TcpListener, provider: Arc<Provider>) {
    let answer = move |request| {
        let reply = provider.answer(&request);
        async { reply }
    };
    serve::serve(listener, answer).await;
}

async fn serve_app(listener: TcpListener, app: Arc<App>) {
    let answer = move |request| {
        let app = Arc::clone(&app);
        async move { app.answer(request).await }
    };
    serve::serve(listener, answer).await;
}

async fn bind() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

fn url(address: SocketAddr) -> io::Result<Url> {
    Url::parse(&format!("http://{address}")).map_err(io::Error::other)
}

fn public_url(gateway: SocketAddr) -> io::Result<Url> {
    let invalid = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if !gateway.ip().is_loopback() {
        return invalid("the demo listens on loopback alone, such as 127.0.0.1:8080");
    }
    if gateway.port() == 0 {
        return invalid("expected a port, such as 127.0.0.1:8080");
    }
    url(gateway)
}

fn curl(provider: &Provider, public_url: &Url) -> String {
    let machine = &provider.clients.machine;
    format!(
        "TOKEN=$(curl -s {}{} \\\n  -u {}:{} \\\n  -d grant_type=client_credentials | grep -o 'eyJ[^\"]*')\n\
         curl -H \"Authorization: Bearer $TOKEN\" {public_url}api",
        provider.issuer,
        provider::TOKEN_PATH,
        machine.id,
        machine.secret.expose(),
    )
}
