//! gRPC: HTTP/2 in, HTTP/2 out, streams both ways at once, the status in the trailers.

use std::convert::Infallible;

use bytes::{Buf, BufMut};
use futures_util::{StreamExt, stream};
use http::uri::PathAndQuery;
use tempfile::TempDir;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, BoxStream, Context, Poll, Service, http as codegen_http};
use tonic::server::{NamedService, StreamingService};
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};

use super::expiry::Api;
use super::process::Gateway;
use crate::support::{PATIENCE, free_port, until};

/// Messages as they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

/// Gives back each message as it comes, and ends with an error at `fail`.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<codegen_http::Request<tonic::body::Body>> for Echo {
    type Response = codegen_http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: codegen_http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Plain).streaming(Chat, request).await) })
    }
}

struct Chat;

impl StreamingService<Vec<u8>> for Chat {
    type Response = Vec<u8>;
    type ResponseStream = BoxStream<Vec<u8>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<Vec<u8>>>) -> Self::Future {
        let answer = |message: Result<Vec<u8>, Status>| match message {
            Ok(text) if text == b"fail" => Err(Status::data_loss("as asked")),
            other => other,
        };
        let answers: BoxStream<Vec<u8>> = Box::pin(request.into_inner().map(answer));
        Box::pin(async { Ok(Response::new(answers)) })
    }
}

/// The port of an app that echoes.
pub(crate) async fn echo() -> u16 {
    let app = free_port();
    let address = ([127, 0, 0, 1], app).into();
    tokio::spawn(Server::builder().add_service(Echo).serve(address));
    until("the app to listen", || std::net::TcpStream::connect(("127.0.0.1", app)).is_ok());
    app
}

pub(crate) type Client = tonic::client::Grpc<tonic::transport::Channel>;

pub(crate) async fn client(port: u16) -> Client {
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    client
}

const SERVER: &str = "listen = { address = \"127.0.0.1:{port}\", h2c = true }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_22_a_grpc_stream_ends_with_its_token_as_unauthenticated() {
    let api = Api::listening(SERVER, &format!("h2c://127.0.0.1:{}", echo().await), "").await;
    let mut client = client(api.gateway.port).await;
    let (send, messages) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    let messages =
        stream::unfold(messages, async |mut messages| messages.recv().await.map(|one| (one, messages)));
    send.send(b"one".to_vec()).unwrap();
    let mut request = Request::new(Box::pin(messages));
    request.metadata_mut().insert("authorization", api.token().await.parse().unwrap());
    let path = PathAndQuery::from_static("/test.Echo/Chat");
    let mut answers = client.streaming(request, path, Plain).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap(), b"one");
    let status = tokio::time::timeout(PATIENCE, answers.message()).await.expect("it ends").unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "the access token expired"));
    assert_eq!(api.reason("/test.Echo/Chat"), "cut off: the access token expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_streams_go_both_ways_and_end_with_their_status() {
    let app = echo().await;
    let route = format!("[[routes]]\nupstream = \"h2c://127.0.0.1:{app}\"\naccess = \"public\"\n");
    let gateway = Gateway::launch(TempDir::new().unwrap(), SERVER, &route, |_, _| {});
    let mut client = client(gateway.port).await;
    let (send, messages) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    let messages =
        stream::unfold(messages, async |mut messages| messages.recv().await.map(|one| (one, messages)));
    send.send(b"one".to_vec()).unwrap();
    let path = PathAndQuery::from_static("/test.Echo/Chat");
    let mut answers =
        client.streaming(Request::new(Box::pin(messages)), path, Plain).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap(), b"one");
    // The next message is sent only after the answer to the last: both directions are open at once.
    send.send(b"two".to_vec()).unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap(), b"two");
    send.send(b"fail".to_vec()).unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::DataLoss, "as asked"));
}
