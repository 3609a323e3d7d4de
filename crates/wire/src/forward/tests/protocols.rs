//! TLS, unix sockets, HTTP/2, and translation between versions.

#![expect(clippy::async_yields_async, reason = "the server goes on while its client is looked at")]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::join;
use tokio_rustls::TlsAcceptor;

use super::support::{FakeUpstream, RawConnection, Rig, get, serve, serve_http2, text};
use crate::forward::*;
use crate::secret::Secret;

fn rig(settings: UpstreamSettings) -> Rig {
    Rig::new(settings, &fixtures::forward_settings())
}

/// An authority that signs the server's certificate and ours.
struct CertificateAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server that wants a certificate of this authority's from its clients.
    fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (certificate, key) = self.sign("app.internal");
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    fn settings(&self, port: u16) -> UpstreamSettings {
        let address = ServerAddress::Tcp { host: "127.0.0.1".into(), port, tls: true };
        let mut settings = fixtures::upstream_settings(vec![fixtures::server(address)]);
        let (certificate, key) = self.sign("gateway");
        settings.tls = UpstreamTls {
            ca: Some(self.pem.clone().into()),
            client: Some(ClientCertificate {
                chain: certificate.pem().into(),
                key: Secret::new(key.serialize_pem()),
            }),
            server_name: Some("app.internal".into()),
        };
        settings
    }
}

async fn say_version(request: Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
    let seen = format!("{:?} {} {:?}", request.version(), request.uri(), request.headers().get("host"));
    Response::new(Full::new(seen.into()))
}

#[tokio::test]
async fn alpn_chooses_and_both_sides_show_certificates() {
    let (fake, authority) = (FakeUpstream::new().await, CertificateAuthority::new());
    let rig = rig(authority.settings(fake.port()));
    let acceptor = authority.acceptor(&[b"h2", b"http/1.1"]);
    let upstream = async {
        let stream = acceptor.accept(fake.accept().await.stream).await.unwrap();
        tokio::spawn(serve_http2(stream, say_version));
    };
    let ask = async { text(rig.get("/x?y").await.unwrap()).await.unwrap() };
    let (seen, ()) = join!(ask, upstream);
    assert_eq!(seen, "HTTP/2.0 https://wiki.corp.example/x?y None");
    assert_eq!(
        text(rig.get("/again").await.unwrap()).await.unwrap(),
        "HTTP/2.0 https://wiki.corp.example/again None"
    );
}

#[tokio::test]
async fn a_certificate_of_another_name_or_authority_is_no_upstream() {
    let (fake, authority) = (FakeUpstream::new().await, CertificateAuthority::new());
    let mut other_name = authority.settings(fake.port());
    other_name.tls.server_name = Some("other.internal".into());
    let mut other_ca = authority.settings(fake.port());
    other_ca.tls.ca = Some(CertificateAuthority::new().pem.into());
    let mut http2_only = authority.settings(fake.port());
    http2_only.servers[0].protocol = Protocol::Http2;
    for settings in [other_name, other_ca, http2_only] {
        let rig = rig(settings);
        let acceptor = authority.acceptor(&[]);
        let upstream = async { drop(acceptor.accept(fake.accept().await.stream).await) };
        assert_eq!(join!(rig.fault(), upstream).0, ForwardFault::Tls);
    }
}

#[tokio::test]
async fn unix_sockets_are_upstreams() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let rig = rig(fixtures::upstream_settings(vec![Server {
        address: ServerAddress::Unix(path),
        protocol: Protocol::Http2,
    }]));
    let upstream = async { tokio::spawn(serve_http2(listener.accept().await.unwrap().0, say_version)) };
    let (answer, _server) = join!(rig.get("/"), upstream);
    assert!(text(answer.unwrap()).await.unwrap().starts_with("HTTP/2.0 http://wiki.corp.example/"));
}

/// A client's HTTP/2 connection to a gateway in front of `rig`.
async fn http2_client(rig: Rig) -> hyper::client::conn::http2::SendRequest<StreamBody<Frames>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(serve(Arc::new(rig), far, true));
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    sender
}

type Frames = futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>;

fn frames(frames: Vec<Frame<Bytes>>) -> StreamBody<Frames> {
    StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok).collect::<Vec<_>>()))
}

async fn grpc(request: Request<hyper::body::Incoming>) -> Response<StreamBody<Frames>> {
    assert_eq!(request.headers()["te"], "trailers");
    assert_eq!(request.headers()["via"], "2.0 portcullis");
    let body = request.into_body().collect().await.unwrap();
    let sum = body.trailers().map_or(0, |trailers| trailers.len()).to_string();
    let trailers = fixtures::map(&[("grpc-status", "0"), ("x-trailers", &sum)]);
    Response::new(frames(vec![Frame::data(body.to_bytes()), Frame::trailers(trailers)]))
}

#[tokio::test]
async fn grpc_passes_with_its_trailers() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.servers[0].protocol = Protocol::Http2;
    let mut sender = http2_client(rig(settings)).await;
    let trailers = fixtures::map(&[("x-sum", "1"), ("x-auth-request-user", "root")]);
    let mut request = Request::post("http://wiki.corp.example/pkg.Service/Call")
        .body(frames(vec![Frame::data(Bytes::from_static(b"hello")), Frame::trailers(trailers)]))
        .unwrap();
    *request.headers_mut() = fixtures::map(&[("te", "trailers"), ("content-type", "application/grpc")]);
    let upstream = async { tokio::spawn(serve_http2(fake.accept().await.stream, grpc)) };
    let (answer, _server) = join!(sender.send_request(request), upstream);
    let whole = answer.unwrap().into_body().collect().await.unwrap();
    let expected = fixtures::map(&[("grpc-status", "0"), ("x-trailers", "1")]);
    assert_eq!(whole.trailers(), Some(&expected), "the reserved trailer did not arrive");
    assert_eq!(whole.to_bytes(), "hello");
}

#[tokio::test]
async fn invariant_12_http2_becomes_one_plain_http1_request() {
    let fake = FakeUpstream::new().await;
    let mut sender = http2_client(rig(fake.settings())).await;
    let body = frames(vec![Frame::data(Bytes::from_static(b"GET /admin HTTP/1.1\r\n\r\n"))]);
    let mut request = Request::post("http://wiki.corp.example/a?b").body(body).unwrap();
    *request.headers_mut() = fixtures::map(&[("te", "trailers"), ("cookie", "a=1"), ("cookie", "b=2")]);
    let upstream = async {
        let mut hand: RawConnection = fake.accept().await;
        let head = hand.head().await;
        hand.until("GET /admin HTTP/1.1\r\n\r\n\r\n0\r\n\r\n").await;
        hand.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        (hand, head)
    };
    let (answer, (_hand, head)) = join!(sender.send_request(request), upstream);
    assert_eq!(answer.unwrap().version(), Version::HTTP_2);
    assert!(head.starts_with("POST /a?b HTTP/1.1\r\n"), "{head}");
    for (field, times) in [
        ("cookie: a=1; b=2\r\n", 1),
        ("\nte:", 0),
        ("transfer-encoding: chunked", 1),
        ("\nhost: wiki.corp.example\r\n", 1),
        ("content-length", 0),
    ] {
        assert_eq!(head.matches(field).count(), times, "{field} in {head}");
    }
}

#[tokio::test]
async fn one_http2_connection_carries_many_requests_and_a_dead_one_is_replaced() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.servers[0].protocol = Protocol::Http2;
    let rig = rig(settings);
    let upstream = async { tokio::spawn(serve_http2(fake.accept().await.stream, say_version)) };
    let (one, two, server) = join!(rig.get("/1"), rig.get("/2"), upstream);
    assert_eq!(rig.upstream.state()[0].active, 2);
    text(one.unwrap()).await.unwrap();
    text(two.unwrap()).await.unwrap();
    assert_eq!((rig.upstream.state()[0].active, rig.upstream.state()[0].idle), (0, 1));
    server.abort();
    let _ = server.await;
    while rig.upstream.state()[0].idle > 0 {
        rig.upstream.sweep(5);
        tokio::task::yield_now().await;
    }
    let upstream = async { tokio::spawn(serve_http2(fake.accept().await.stream, say_version)) };
    let (answer, _server) = join!(rig.send(get("/3")), upstream);
    text(answer.unwrap()).await.unwrap();
}
