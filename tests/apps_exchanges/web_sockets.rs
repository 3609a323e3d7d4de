//! An app that takes WebSockets and says how it was asked, and a browser that opens them.

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{accept_hdr_async, connect_async};

use crate::support::World;

const PROTOCOL: &str = "sec-websocket-protocol";

/// An app that takes WebSockets, picks the first protocol it is offered, and says over each how it was asked;
/// its address.
async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(accept(stream));
        }
    });
    format!("http://{address}")
}

async fn accept(stream: TcpStream) {
    let mut asked = Value::Null;
    if let Ok(mut socket) = accept_hdr_async(stream, FirstProtocol(&mut asked)).await {
        let _ = socket.send(Message::text(asked.to_string())).await;
        while let Some(Ok(_)) = socket.next().await {}
    }
}

/// Picks the protocol, and keeps how it was asked.
struct FirstProtocol<'a>(&'a mut Value);

impl Callback for FirstProtocol<'_> {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        *self.0 = json!({ "target": request.uri().to_string(), "headers": pairs(request.headers()) });
        let offered = request.headers().get(PROTOCOL).map(|offered| offered.to_str().unwrap());
        if let Some(first) = offered.and_then(|offered| offered.split(',').next()) {
            response.headers_mut().insert(PROTOCOL, first.trim().parse().unwrap());
        }
        Ok(response)
    }
}

/// A gateway with such an app at `path`, by the lines of its recipe.
pub(super) async fn before(path: &str, recipe: &str) -> World {
    let app = start().await;
    World::open(&format!(
        "[[routes]]\nupstream = \"{{app}}\"\naccess = \"signed-in\"\n\n\
         [[routes]]\npath = \"{path}\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n{recipe}\n"
    ))
    .await
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
}

/// What came of a handshake that an app took.
pub(super) struct Opened {
    /// The protocol that the client was answered.
    pub(super) protocol: Option<String>,
    pub(super) target: String,
    headers: Vec<(String, String)>,
}

impl Opened {
    /// What the app was sent under `name`, each field by itself.
    pub(super) fn told(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(field, _)| field == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// The cookies of somebody who has just signed in, with the app's own around the gateway's.
pub(super) async fn cookies(world: &World, before: &str, after: &str) -> String {
    let session = world.signed_in().await.cookie(&world.gateway.url("/"), "portcullis").unwrap();
    format!("{before}; portcullis={session}; {after}")
}

/// Opens a WebSocket as a browser does, from a page of the gateway's own host unless `fields` say otherwise.
pub(super) async fn open(
    world: &World,
    target: &str,
    fields: &[(&'static str, &str)],
) -> Result<Opened, StatusCode> {
    let own = world.gateway.url("");
    let address = world.gateway.url(target).replacen("http", "ws", 1);
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert("origin", own.parse().unwrap());
    for (name, value) in fields {
        if *name == "origin" {
            request.headers_mut().remove(*name);
        }
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let (mut socket, response) = match connect_async(request).await {
        Ok(opened) => opened,
        Err(Error::Http(response)) => return Err(response.status()),
        Err(error) => panic!("{error}"),
    };
    let said = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    Ok(Opened {
        protocol: response.headers().get(PROTOCOL).map(|value| value.to_str().unwrap().to_owned()),
        target: said["target"].as_str().unwrap().to_owned(),
        headers: serde_json::from_value(said["headers"].clone()).unwrap(),
    })
}
