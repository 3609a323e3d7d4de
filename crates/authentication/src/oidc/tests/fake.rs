//! A provider on loopback that answers each path as it was told.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Reply(u16, &'static str, String),
    /// A JSON document with this `Cache-Control`.
    Cached(&'static str, String),
    Redirect(String),
    Stall,
}

/// A request as it came: path, `Authorization`, body.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) form: HashMap<String, String>,
}

#[derive(Clone)]
pub(super) struct Fake {
    pub(super) issuer: String,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Fake {
    /// A provider with a good discovery document and nothing else yet.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { issuer, answers: Arc::default(), calls: Arc::default() };
        fake.discovery(&fake.document());
        tokio::spawn(serve(listener, fake.clone()));
        fake
    }

    pub(super) fn document(&self) -> Value {
        let at = |path| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "end_session_endpoint": at("/bye"),
            "authorization_response_iss_parameter_supported": true,
        })
    }

    pub(super) fn discovery(&self, document: &Value) {
        self.json("/.well-known/openid-configuration", 200, document);
    }

    pub(super) fn json(&self, path: &str, status: u16, body: &Value) {
        self.answer(path, Answer::Reply(status, "application/json", body.to_string()));
    }

    pub(super) fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(super) fn calls(&self, path: &str) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| call.path == path).cloned().collect()
    }

    async fn reply(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        let authorization =
            request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        self.calls.lock().unwrap().push(Call { path: path.clone(), authorization, form });
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        let response = Response::builder();
        Ok(match answer.unwrap_or_else(|| Answer::Reply(404, "text/plain", String::new())) {
            Answer::Stall => std::future::pending().await,
            Answer::Redirect(to) => {
                response.status(302).header("location", to).body(Full::default()).unwrap()
            }
            Answer::Cached(control, body) => response
                .header("content-type", "application/jwk-set+json")
                .header("cache-control", control)
                .body(body.into())
                .unwrap(),
            Answer::Reply(status, media_type, body) => {
                response.status(status).header("content-type", media_type).body(body.into()).unwrap()
            }
        })
    }
}

async fn serve(listener: TcpListener, fake: Fake) {
    while let Ok((socket, _)) = listener.accept().await {
        let fake = fake.clone();
        let service = service_fn(move |request| fake.clone().reply(request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
        );
    }
}
