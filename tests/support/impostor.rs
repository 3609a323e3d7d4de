//! A provider that does as it is told, wrong things above all, and whose key the test holds.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

/// How the discovery document comes.
#[derive(Clone)]
pub(crate) enum Discovery {
    /// As it must be, but for these members.
    Changed(Value),
    /// Something else: a media type and a body.
    Other(&'static str, Bytes),
    /// Not at all: the connection stays open and silent.
    Stalled,
}

/// What it does.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) discovery: Discovery,
    /// Claims of the ID token that are other than they must be; `null` takes one away.
    pub(crate) id_token: Value,
    /// UserInfo; `null` fails.
    pub(crate) user_info: Value,
    /// Members of the token response that are other than they must be; `null` takes one away.
    pub(crate) tokens: Value,
    /// What its JSON is called.
    pub(crate) media_type: &'static str,
    /// Its keys, where they are not its own.
    pub(crate) keys: Option<Vec<Value>>,
    /// What comes at a path in place of what should: a status, a media type, a body.
    pub(crate) instead: BTreeMap<&'static str, (u16, &'static str, String)>,
    /// Paths at which nothing comes at all: the connection stays open and silent.
    pub(crate) silent: &'static [&'static str],
}

impl Ways {
    fn honest() -> Self {
        Self {
            discovery: Discovery::Changed(json!({})),
            id_token: json!({}),
            user_info: json!({}),
            tokens: json!({}),
            media_type: "application/json",
            keys: None,
            instead: BTreeMap::new(),
            silent: &[],
        }
    }
}

/// A running impostor on a port of 127.0.0.1; ends with the test's runtime.
pub(crate) struct Impostor(Arc<Inner>);

struct Inner {
    issuer: String,
    signing: EncodingKey,
    jwk: Jwk,
    ways: Mutex<Ways>,
    /// Code to nonce.
    codes: Mutex<BTreeMap<String, String>>,
    /// Requests that came, by path.
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Impostor {
    /// An honest one.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let signing = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("k1".into());
        let ways = Mutex::new(Ways::honest());
        let (codes, asked) = (Mutex::default(), Mutex::default());
        let impostor = Self(Arc::new(Inner { issuer, signing, jwk, ways, codes, asked }));
        tokio::spawn(accept(listener, Arc::clone(&impostor.0)));
        impostor
    }

    /// Its issuer identifier.
    pub(crate) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Changes its ways.
    pub(crate) fn now(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.0.ways.lock().unwrap());
    }

    /// `[providers.corp]` for the gateway.
    pub(crate) fn configuration(&self) -> String {
        format!(
            "[providers.corp]\nissuer = \"{}\"\nclient_id = \"portcullis\"\nclient_secret = {{ env = \"CLIENT_SECRET\" }}\n\
             audiences = [\"https://api.corp.example\"]\n",
            self.issuer()
        )
    }

    /// How many requests have come to `path`.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.0.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    /// Its public key (RFC 7517).
    pub(crate) fn jwk(&self) -> &Jwk {
        &self.0.jwk
    }

    /// An access token for an hour, for the API and of alice, but for `changes`.
    pub(crate) fn access_token(&self, changes: &Value) -> String {
        let mut head = Header::new(Algorithm::ES256);
        head.typ = Some("at+jwt".into());
        head.kid = Some("k1".into());
        self.sign(&head, &self.access_claims(changes))
    }

    /// The claims of such a token.
    pub(crate) fn access_claims(&self, changes: &Value) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.issuer(), "sub": "alice", "aud": "https://api.corp.example", "client_id": "cli",
            "iat": now, "exp": now + 3600, "jti": "j1", "scope": "orders:read",
        });
        changed(claims, changes)
    }

    /// A logout token for two minutes, of alice and her session `s1`, but for `changes` (OpenID Connect Back-Channel
    /// Logout 1.0, section 2.4).
    pub(crate) fn logout_token(&self, changes: &Value) -> String {
        let mut head = Header::new(Algorithm::ES256);
        head.typ = Some("logout+jwt".into());
        head.kid = Some("k1".into());
        self.sign(&head, &self.logout_claims(changes))
    }

    /// The claims of such a token, each with a `jti` of its own.
    pub(crate) fn logout_claims(&self, changes: &Value) -> Value {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.issuer(), "aud": "portcullis", "iat": now, "exp": now + 120, "sub": "alice", "sid": "s1",
            "jti": format!("l{}", MADE.fetch_add(1, Ordering::Relaxed)),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        changed(claims, changes)
    }

    /// Signs whatever it is given.
    pub(crate) fn sign(&self, head: &Header, claims: &Value) -> String {
        encode(head, claims, &self.0.signing).unwrap()
    }
}

fn changed(mut value: Value, changes: &Value) -> Value {
    let members: &mut Map<String, Value> = value.as_object_mut().unwrap();
    for (name, to) in changes.as_object().unwrap() {
        members.insert(name.clone(), to.clone());
    }
    members.retain(|_, value| !value.is_null());
    value
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((stream, _)) = listener.accept().await {
        let inner = Arc::clone(&inner);
        let service = service_fn(move |request| answer(Arc::clone(&inner), request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(inner: Arc<Inner>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let ways = inner.ways.lock().unwrap().clone();
    let path = request.uri().path().to_owned();
    *inner.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
    if ways.silent.contains(&path.as_str()) {
        std::future::pending::<()>().await;
    }
    if let Some((status, media_type, body)) = ways.instead.get(path.as_str()) {
        let mut response = typed(media_type, body.clone().into());
        *response.status_mut() = StatusCode::from_u16(*status).unwrap();
        return Ok(response);
    }
    let json_of = |value: &Value| typed(ways.media_type, value.to_string().into());
    Ok(match path.as_str() {
        "/.well-known/openid-configuration" => match ways.discovery {
            Discovery::Changed(changes) => json_of(&changed(inner.metadata(), &changes)),
            Discovery::Other(media_type, body) => typed(media_type, body),
            Discovery::Stalled => std::future::pending().await,
        },
        "/jwks" => json_of(&json!({ "keys": ways.keys.unwrap_or_else(|| vec![json!(inner.jwk)]) })),
        "/auth" => inner.back(request.uri().query().unwrap_or_default()),
        "/token" => {
            let form = request.into_body().collect().await.unwrap().to_bytes();
            json_of(&changed(inner.tokens(&form, &ways.id_token), &ways.tokens))
        }
        "/me" if ways.user_info.is_null() => status(StatusCode::INTERNAL_SERVER_ERROR),
        "/me" => json_of(&ways.user_info),
        "/revoke" => typed("text/plain", Bytes::new()),
        _ => status(StatusCode::NOT_FOUND),
    })
}

impl Inner {
    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/me"), "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    /// Sends the browser back with a code.
    fn back(&self, query: &str) -> Response<Full<Bytes>> {
        let asked: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut codes = self.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), asked["nonce"].clone());
        let location = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
        let mut response = status(StatusCode::FOUND);
        response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
        response
    }

    fn tokens(&self, form: &[u8], changes: &Value) -> Value {
        let form: BTreeMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
        let nonce = form.get("code").and_then(|code| self.codes.lock().unwrap().get(code).cloned());
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.issuer, "sub": "alice", "aud": "portcullis", "nonce": nonce, "iat": now,
            "exp": now + 3600, "preferred_username": "alice", "email": "alice@corp.example",
            "email_verified": true, "groups": ["staff"],
        });
        let mut head = Header::new(Algorithm::ES256);
        head.kid = Some("k1".into());
        let token = encode(&head, &changed(claims, changes), &self.signing).unwrap();
        json!({ "access_token": "opaque-token", "token_type": "Bearer", "expires_in": 3600, "id_token": token })
    }
}

fn typed(media_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    Response::builder().header(header::CONTENT_TYPE, media_type).body(Full::from(body)).unwrap()
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}
