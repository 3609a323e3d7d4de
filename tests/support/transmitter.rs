//! A transmitter of Shared Signals, whose key the test holds: metadata, streams, status and verification over HTTP, tokens
//! by push (RFC 8935) or to be fetched (RFC 8936).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use url::form_urlencoded;

use super::{Answer, Browser};

/// The token of its management API, made up for the tests.
pub(crate) const SIGNALS_TOKEN: &str = "throw-away-client-secret-of-the-tests";

const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
pub(crate) const PUSH: &str = "urn:ietf:rfc:8935";
pub(crate) const POLL: &str = "urn:ietf:rfc:8936";

/// A running transmitter on a port of 127.0.0.1; ends with the test's runtime.
pub(crate) struct Transmitter(Arc<Inner>);

struct Inner {
    issuer: String,
    signing: EncodingKey,
    jwk: Jwk,
    state: Mutex<State>,
    news: Notify,
}

/// What it has and does.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) streams: Vec<Value>,
    pub(crate) status: String,
    /// Tokens to be fetched, by identifier, until they are acknowledged.
    pub(crate) queue: BTreeMap<String, String>,
    pub(crate) acknowledged: Vec<String>,
    pub(crate) refused: Map<String, Value>,
    /// What came: method and path, and the body.
    pub(crate) calls: Vec<(String, Value)>,
    /// Members of the metadata that are other than they should be.
    pub(crate) metadata: Value,
    /// Members of each stream that are other than they should be.
    pub(crate) stream: Value,
    /// Verifications are accepted and none is sent.
    pub(crate) silent: bool,
    /// The access token that is good, where a client is given one: changes with each.
    tokens: usize,
    pub(crate) by_client: bool,
}

impl Transmitter {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/tenant", listener.local_addr().unwrap());
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let signing = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("t1".into());
        let state =
            State { status: "enabled".into(), metadata: json!({}), stream: json!({}), ..State::default() };
        let inner = Arc::new(Inner { issuer, signing, jwk, state: Mutex::new(state), news: Notify::new() });
        tokio::spawn(accept(listener, Arc::clone(&inner)));
        Self(inner)
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// `[signals.corp]` about the provider `corp`, with further lines.
    pub(crate) fn configuration(&self, more: &str) -> String {
        let issuer = self.issuer();
        format!(
            "[signals.corp]\ntransmitter = \"{issuer}\"\nprovider = \"corp\"\ntoken = {{ env = \"CLIENT_SECRET\" }}\n{more}\n"
        )
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// The bodies of all calls of this method to this path.
    pub(crate) fn calls(&self, call: &str) -> Vec<Value> {
        self.state().calls.iter().filter(|(made, _)| made == call).map(|(_, body)| body.clone()).collect()
    }

    /// The claims of a token about the revoked session of `alice` at `issuer`, each with a `jti` of its own, but for
    /// `changes`; `null` takes one away.
    pub(crate) fn claims(&self, issuer: &str, changes: &Value) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.issuer(), "aud": "receiver-1", "iat": now, "jti": next_id(),
            "sub_id": {"format": "iss_sub", "iss": issuer, "sub": "alice"},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": now}},
        });
        changed(claims, changes)
    }

    /// A token of these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.0.sign(claims)
    }

    /// The access token that it gave last is good no more.
    pub(crate) fn revoke_token(&self) {
        self.state().tokens += 1;
    }

    /// Makes a token to be fetched; its identifier.
    pub(crate) fn offer(&self, claims: &Value) -> String {
        let id = claims["jti"].as_str().unwrap().to_owned();
        self.state().queue.insert(id.clone(), self.sign(claims));
        self.0.news.notify_waiters();
        id
    }

    /// Sends a token as the stream says.
    pub(crate) async fn push(&self, token: &str) -> Answer {
        let delivery = self.state().streams[0]["delivery"].clone();
        let authorization = delivery["authorization_header"].as_str().unwrap_or_default().to_owned();
        let head = [("content-type", "application/secevent+jwt"), ("authorization", authorization.as_str())];
        let url = delivery["endpoint_url"].as_str().unwrap();
        Browser::new().send(Method::POST, url, &head, token).await
    }
}

/// An event of CAEP by its name, and what it says.
pub(crate) fn caep(name: &str, said: Value) -> Value {
    json!({ format!("https://schemas.openid.net/secevent/caep/event-type/{name}"): said })
}

fn next_id() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("set-{}", MADE.fetch_add(1, Ordering::Relaxed))
}

fn changed(mut value: Value, changes: &Value) -> Value {
    let members: &mut Map<String, Value> = value.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    value
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((stream, _)) = listener.accept().await {
        let inner = Arc::clone(&inner);
        let service = service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.answer(request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

impl Inner {
    fn sign(&self, claims: &Value) -> String {
        let mut head = Header::new(Algorithm::ES256);
        head.typ = Some("secevent+jwt".into());
        head.kid = Some("t1".into());
        encode(&head, claims, &self.signing).unwrap()
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let call = format!("{} {}", head.method, head.uri.path());
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        self.state.lock().unwrap().calls.push((call.clone(), json.clone()));
        match call.as_str() {
            "GET /.well-known/ssf-configuration/tenant" => return of(StatusCode::OK, &self.metadata()),
            "GET /jwks" => return of(StatusCode::OK, &json!({ "keys": [self.jwk] })),
            "POST /token" => return self.token(&head, &body),
            _ => {}
        }
        if !self.is_authorized(&head) {
            return empty(StatusCode::UNAUTHORIZED);
        }
        match call.as_str() {
            "POST /poll" => self.polled(&json).await,
            "POST /verify" => self.verify(&json),
            _ => self.managed(&call, &json),
        }
    }

    fn metadata(&self) -> Value {
        let root = self.issuer.trim_end_matches("/tenant");
        let at = |path: &str| format!("{root}{path}");
        let metadata = json!({
            "spec_version": "1_0", "issuer": self.issuer, "jwks_uri": at("/jwks"),
            "delivery_methods_supported": [PUSH, POLL], "configuration_endpoint": at("/streams"),
            "status_endpoint": at("/status"), "verification_endpoint": at("/verify"),
            "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}], "default_subjects": "ALL",
        });
        changed(metadata, &self.state.lock().unwrap().metadata)
    }

    fn token(&self, head: &http::request::Parts, body: &[u8]) -> Response<Full<Bytes>> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let known =
            head.headers.get(header::AUTHORIZATION).is_some_and(|it| it.as_bytes().starts_with(b"Basic "));
        if !known || form["grant_type"] != "client_credentials" || form["scope"] != "ssf.manage ssf.read" {
            return empty(StatusCode::BAD_REQUEST);
        }
        let mut state = self.state.lock().unwrap();
        state.tokens += 1;
        let token = format!("token-{}", state.tokens);
        of(StatusCode::OK, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
    }

    fn is_authorized(&self, head: &http::request::Parts) -> bool {
        let state = self.state.lock().unwrap();
        let good = if state.by_client { format!("token-{}", state.tokens) } else { SIGNALS_TOKEN.to_owned() };
        head.headers
            .get(header::AUTHORIZATION)
            .is_some_and(|it| it.as_bytes() == format!("Bearer {good}").as_bytes())
    }

    fn managed(&self, call: &str, body: &Value) -> Response<Full<Bytes>> {
        let mut state = self.state.lock().unwrap();
        match call {
            "GET /streams" => of(StatusCode::OK, &Value::Array(state.streams.clone())),
            "POST /streams" if !state.streams.is_empty() => empty(StatusCode::CONFLICT),
            "POST /streams" => {
                let stream =
                    self.kept(json!({"stream_id": "stream-1", "aud": "receiver-1"}), body, &state.stream);
                state.streams.push(stream.clone());
                of(StatusCode::CREATED, &stream)
            }
            "PATCH /streams" => {
                let Some(at) = state.streams.iter().position(|it| it["stream_id"] == body["stream_id"])
                else {
                    return empty(StatusCode::NOT_FOUND);
                };
                let stream = self.kept(state.streams[at].clone(), body, &state.stream);
                state.streams[at] = stream.clone();
                of(StatusCode::OK, &stream)
            }
            "DELETE /streams" => {
                state.streams.clear();
                empty(StatusCode::NO_CONTENT)
            }
            "GET /status" => of(StatusCode::OK, &json!({"stream_id": "stream-1", "status": state.status})),
            "POST /status" => {
                state.status = body["status"].as_str().unwrap().to_owned();
                of(StatusCode::OK, body)
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    /// The stream with what the receiver may set.
    fn kept(&self, mut stream: Value, wanted: &Value, other: &Value) -> Value {
        for name in ["delivery", "events_requested", "description"] {
            if let Some(value) = wanted.get(name) {
                stream[name] = value.clone();
            }
        }
        stream["iss"] = self.issuer.clone().into();
        stream["events_delivered"] = stream["events_requested"].clone();
        if stream["delivery"]["method"] == POLL {
            stream["delivery"]["endpoint_url"] =
                format!("{}/poll", self.issuer.trim_end_matches("/tenant")).into();
        }
        changed(stream, other)
    }

    fn verify(self: &Arc<Self>, body: &Value) -> Response<Full<Bytes>> {
        let state = self.state.lock().unwrap();
        let Some(stream) = state.streams.first().filter(|_| !state.silent).cloned() else {
            return empty(StatusCode::NO_CONTENT);
        };
        drop(state);
        let event = changed(json!({}), &json!({"state": body["state"]}));
        let claims = json!({
            "iss": self.issuer, "aud": stream["aud"], "iat": jsonwebtoken::get_current_timestamp(), "jti": next_id(),
            "sub_id": {"format": "opaque", "id": stream["stream_id"]}, "events": {format!("{SSF}verification"): event},
        });
        let transmitter = Transmitter(Arc::clone(self));
        if stream["delivery"]["method"] == POLL {
            transmitter.offer(&claims);
        } else {
            tokio::spawn(async move {
                let token = transmitter.sign(&claims);
                transmitter.push(&token).await;
            });
        }
        empty(StatusCode::NO_CONTENT)
    }

    async fn polled(&self, body: &Value) -> Response<Full<Bytes>> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some(answer) = self.tokens_to_fetch(body) {
                return answer;
            }
            if tokio::time::timeout(Duration::from_secs(20), news).await.is_err() {
                return of(StatusCode::OK, &json!({"sets": {}}));
            }
        }
    }

    fn tokens_to_fetch(&self, body: &Value) -> Option<Response<Full<Bytes>>> {
        let mut state = self.state.lock().unwrap();
        for id in body["ack"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if state.queue.remove(id).is_some() {
                state.acknowledged.push(id.to_owned());
            }
        }
        for (id, error) in body["setErrs"].as_object().into_iter().flatten() {
            state.queue.remove(id);
            state.refused.insert(id.clone(), error.clone());
        }
        if state.queue.is_empty() {
            return None;
        }
        let most = usize::try_from(body["maxEvents"].as_u64().unwrap()).unwrap();
        let sets: BTreeMap<_, _> = state.queue.iter().take(most).collect();
        Some(of(StatusCode::OK, &json!({"sets": sets, "moreAvailable": state.queue.len() > most})))
    }
}

fn of(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    response.body(Full::from(value.to_string())).unwrap()
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}
