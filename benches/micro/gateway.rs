//! Whole requests: bytes in, the gate, an app behind a Unix socket, bytes out. All of it on one thread.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis::clock::{Clock, Timestamp};
use portcullis::config::{self, Settings, SystemSources};
use portcullis::endpoints::SealingKeys;
use portcullis::events::Recorder;
use portcullis::forward::{Asserter, AssertionKey};
use portcullis::gate::{Foundations, Gate, Observers, Stores};
use portcullis::identity::{Issuer, Principal};
use portcullis::listener::{self, ConnectionLimits, ListenerSettings, Phase, Serving};
use portcullis::replicas::SharedState;
use portcullis::request::WorkerId;
use portcullis::secret::SealingKey;
use portcullis::session::{
    Binding, BindingScope, BoundCookie, DeviceKey, EmbeddedStore, NewSession, Registered, SessionCookie,
    SessionId, SessionKey, Sessions, SignInOrigin, StateKeys, Tokens,
};
use portcullis::storage::Database;
use portcullis::telemetry::Metrics;
use portcullis::trace::TraceMaker;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::case::{Case, principal, runtime};
use crate::tokens::{NOW, Signer};

/// Whose requests they are.
#[derive(Clone, Copy)]
pub(crate) enum Asking {
    /// Nobody's, of a public route.
    Plain,
    /// Somebody's with a bearer token that was verified before.
    Token,
    /// Somebody's with a session, one of so many.
    Session { live: usize },
    /// The same with one that is bound to a device.
    BoundSession,
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello";

/// One request and its answer, through a gateway of so many routes, on whose route so many rules stand; the last
/// of them allows.
pub(crate) fn case(asking: Asking, routes: usize, rules: usize) -> Case {
    let runtime = runtime();
    let mut client = runtime.block_on(Client::begin(asking, routes, rules));
    Case::new(move || runtime.block_on(client.ask()))
}

/// A refresh of a bound session: the proof of its device for the challenge that came along with the last bound cookie, and
/// the cookie anew. What the device does for that is counted in (`device-proof`); what the store's thread does is not.
pub(crate) fn refresh_case() -> Case {
    let runtime = runtime();
    let mut browser = runtime.block_on(Renewing::begin());
    Case::new(move || runtime.block_on(browser.refresh()))
}

/// A browser whose session is bound to a key of its device.
struct Renewing {
    client: Client,
    device: Signer,
    session: SessionId,
    challenge: String,
}

impl Renewing {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let device = Signer::new();
        let issuer = provider(&device).await;
        let settings = settings(folder.path(), &issuer, Asking::BoundSession, 10, 1);
        let (gate, sessions) = gate(&settings);
        let (key, _) = session(&settings, &sessions, &issuer, 1).await;
        bind(&sessions, &key, device.jwk()).await;
        let client =
            Client { stream: serve(gate).await, request: Vec::new(), answer: Vec::new(), _folder: folder };
        let mut browser = Self { client, device, session: *key.id(), challenge: String::new() };
        browser.post("").await;
        browser
    }

    async fn refresh(&mut self) {
        let proof = self.device.proof(&self.challenge);
        assert!(self.post(&format!("secure-session-response: \"{proof}\"\r\n")).await, "no new cookie");
    }

    /// Whether the cookie came; the next challenge comes in any case.
    async fn post(&mut self, proof: &str) -> bool {
        let session = self.session.to_hex();
        let request = format!(
            "POST /.portcullis/bound-session/refresh HTTP/1.1\r\nhost: app-7.corp.example\r\n\
             user-agent: bench/1\r\nsec-fetch-mode: no-cors\r\nsec-fetch-dest: empty\r\ncontent-length: 0\r\n\
             origin: http://app-7.corp.example\r\nsec-secure-session-id: \"s{session}\"\r\n{proof}\r\n"
        );
        self.client.request = request.into_bytes();
        let renewed = self.client.asked().await;
        let answer = std::str::from_utf8(&self.client.answer).unwrap();
        let field = answer.split_once("secure-session-challenge: \"");
        let Some((_, rest)) = field else { panic!("no challenge: {answer}") };
        self.challenge = rest.split('"').next().unwrap().to_owned();
        renewed
    }
}

struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Client {
    async fn begin(asking: Asking, routes: usize, rules: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::new();
        tokio::spawn(app(UnixListener::bind(folder.path().join("app.sock")).unwrap()));
        let issuer = provider(&signer).await;
        let settings = settings(folder.path(), &issuer, asking, routes, rules);
        let (gate, sessions) = gate(&settings);
        let credential = match asking {
            Asking::Plain => String::new(),
            Asking::Token => format!("authorization: Bearer {}\r\n", signer.token(&issuer)),
            Asking::Session { live } => session(&settings, &sessions, &issuer, live).await.1,
            Asking::BoundSession => bound_session(&settings, &sessions, &issuer).await,
        };
        let request = format!(
            "GET /v1/orders/4711 HTTP/1.1\r\nhost: app-7.corp.example\r\nuser-agent: bench/1\r\n\
             accept: */*\r\n{credential}\r\n"
        );
        let stream = serve(gate).await;
        let mut client = Self { stream, request: request.into_bytes(), answer: Vec::new(), _folder: folder };
        client.warm_up().await;
        // The cache of sessions tidies up for a while after many have come at once.
        if matches!(asking, Asking::Session { live } if live > 1) {
            for _ in 0..5_000 {
                client.ask().await;
            }
        }
        client
    }

    /// Until the provider's keys are there.
    async fn warm_up(&mut self) {
        for _ in 0..1_000 {
            if self.asked().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no request passes: {}", String::from_utf8_lossy(&self.answer));
    }

    async fn ask(&mut self) {
        assert!(self.asked().await, "{}", String::from_utf8_lossy(&self.answer));
    }

    /// Whether the app answered.
    async fn asked(&mut self) -> bool {
        self.stream.write_all(&self.request).await.unwrap();
        self.answer.clear();
        while !self.answer.ends_with(b"hello") && !self.answer.ends_with(b"}") {
            assert!(self.stream.read_buf(&mut self.answer).await.unwrap() > 0, "the connection was closed");
        }
        self.answer.starts_with(b"HTTP/1.1 200")
    }
}

/// The gate behind a listener of its own, and a client's connection to it.
async fn serve(gate: Gate) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = ListenerSettings { address, tls: None, proxy_protocol: None, h2c: false, to_https: false };
    let serving = Serving::load(&settings, ConnectionLimits::default(), None).unwrap();
    let (phase, phases) = watch::channel(Phase::Serve);
    tokio::spawn(async move {
        listener::serve(listener, Arc::new(ArcSwap::from_pointee(serving)), gate, WorkerId(0), phases).await;
        drop(phase);
    });
    TcpStream::connect(address).await.unwrap()
}

fn gate(settings: &Settings) -> (Gate, Sessions) {
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let store = Arc::new(EmbeddedStore::new(Database::in_memory().unwrap()));
    let sessions =
        Sessions::new(settings.session.clone(), store, StateKeys::derive(&[[7; 32]]).unwrap(), clock.clone());
    let key = AssertionKey::generate().unwrap();
    let asserter = Arc::new(Asserter::new("https://login.corp.example", key, clock.clone()));
    let keys =
        SealingKeys { flow: SealingKey::random(), form: SealingKey::random(), signals: SealingKey::random() };
    let stores = Stores { sessions: sessions.clone(), replicas: SharedState::local(clock.clone()) };
    let observers = Observers {
        metrics: Metrics::new(),
        recorder: Recorder::nowhere(),
        traces: TraceMaker::new(clock.clone(), 0),
    };
    let foundations = Foundations::new(1, clock, observers, stores, keys, asserter, Handle::current());
    (Gate::new(&settings.gate(), foundations).unwrap(), sessions)
}

/// The cookie of the last of so many people who signed in.
async fn session(
    settings: &Settings,
    sessions: &Sessions,
    issuer: &str,
    live: usize,
) -> (SessionKey, String) {
    let principal = Arc::new(Principal { issuer: Issuer::new(issuer), ..(*principal()).clone() });
    let mut last = None;
    for _ in 0..live {
        let new = NewSession::Root {
            host: "app-7.corp.example".to_owned(),
            principal: Arc::clone(&principal),
            tokens: Tokens::default(),
            sid: None,
            origin: SignInOrigin::default(),
            began: Timestamp::from_seconds(NOW),
        };
        last = Some(sessions.create(new).await.unwrap().0);
    }
    let cookie = SessionCookie::new(&settings.session, true);
    let key = last.unwrap();
    let line = format!("cookie: theme=dark; {}={}\r\n", cookie.name(), key.to_secret().expose());
    (key, line)
}

/// The cookies of somebody whose session is bound.
async fn bound_session(settings: &Settings, sessions: &Sessions, issuer: &str) -> String {
    let (key, line) = session(settings, sessions, issuer, 1).await;
    let binding = bind(sessions, &key, serde_json::Value::Null).await;
    let cookie = BoundCookie::new(&settings.session, true).set(&binding, Timestamp::from_seconds(NOW));
    let pair = cookie.to_str().unwrap().split(';').next().unwrap();
    format!("{}; {pair}\r\n", line.trim_end())
}

async fn bind(sessions: &Sessions, key: &SessionKey, jwk: serde_json::Value) -> Box<Binding> {
    let found = sessions.find_by_id(*key.id()).await.unwrap().unwrap();
    let device = DeviceKey { algorithm: "ES256".to_owned(), jwk };
    let Registered::Bound(binding) = sessions.bind(&found, BindingScope::Host, device).await.unwrap() else {
        panic!("it is not bound")
    };
    binding
}

fn settings(folder: &Path, issuer: &str, asking: Asking, routes: usize, rules: usize) -> Settings {
    let allow = (1..rules).map(|rule| format!("{{ groups = [\"group-{rule}\"] }},"));
    let allow: String = allow.chain(["{ groups = [\"ops\"] }".to_owned()]).collect();
    let access = match asking {
        Asking::Plain => "access = \"public\"".to_owned(),
        Asking::Token => format!("accept = \"bearer\"\nallow = [{allow}]"),
        Asking::Session { .. } | Asking::BoundSession => format!("accept = \"session\"\nallow = [{allow}]"),
    };
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:1\"\npublic_url = \"https://login.corp.example\"\n\
         state = \"memory\"\n[log]\naccess = false\n\
         [providers.corp]\nissuer = \"{issuer}\"\nclient_id = \"c\"\naudiences = [\"api\"]\n"
    );
    let upstream = folder.join("app.sock").display().to_string();
    for route in 0..routes {
        let access = if route == 7 { access.as_str() } else { "access = \"public\"" };
        text += &format!(
            "[[routes]]\nhost = \"app-{route}.corp.example\"\nupstream = \"unix:{upstream}\"\n{access}\n\
             identity = {{ headers = \"x-auth-request\" }}\n"
        );
    }
    let file = folder.join("portcullis.toml");
    std::fs::write(&file, text).unwrap();
    match config::load(&file, &SystemSources) {
        Ok((settings, _)) => settings,
        Err(report) => panic!("{}", report.render(false)),
    }
}

/// Answers every request alike.
async fn app(listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, |_| ANSWER.to_vec()));
    }
}

/// An OpenID Provider with two documents; its issuer identifier.
async fn provider(signer: &Signer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    let (metadata, keys) = (document(&metadata.to_string()), document(&signer.keys()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (metadata, keys) = (metadata.clone(), keys.clone());
            let choose = move |head: &[u8]| {
                if head.starts_with(b"GET /keys") { keys.clone() } else { metadata.clone() }
            };
            tokio::spawn(answer(stream, choose));
        }
    });
    issuer
}

fn document(json: &str) -> Vec<u8> {
    let length = json.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}")
        .into_bytes()
}

/// Heads come whole: they are short, and no one cuts them.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: impl Fn(&[u8]) -> Vec<u8>) {
    let mut head = [0; 8 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut head).await {
        if stream.write_all(&answer(&head[..length])).await.is_err() {
            return;
        }
    }
}
