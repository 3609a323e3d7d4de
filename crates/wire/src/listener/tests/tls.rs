//! TLS on the wire.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

struct Site {
    files: CertificateFiles,
    certificate: CertificateDer<'static>,
}

fn site(directory: &TempDir, names: &[&str]) -> Site {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names.clone()).unwrap();
    let file = |suffix: &str| directory.path().join(format!("{}.{suffix}", names[0].replace('*', "star")));
    let files = CertificateFiles { cert: file("crt"), key: file("key") };
    std::fs::write(&files.cert, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    Site { files, certificate: cert.der().clone() }
}

fn settings(sites: &[&Site], tls12: bool) -> ListenerSettings {
    let certificates = sites.iter().map(|site| site.files.clone()).collect();
    ListenerSettings { tls: Some(TlsSettings { certificates, tls12 }), ..clear() }
}

async fn connect(
    server: &TestServer,
    trusted: &Site,
    name: &str,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn the_name_chooses_the_certificate_and_alpn_the_protocol() {
    let directory = tempfile::tempdir().unwrap();
    let (first, wild) = (site(&directory, &["one.example"]), site(&directory, &["*.apps.example"]));
    let server = TestServer::start(&settings(&[&first, &wild], true), ConnectionLimits::default());
    let mut stream = connect(&server, &wild, "a.apps.example", &[b"http/1.1"]).await.unwrap();
    assert_eq!(shown(&stream), wild.certificate);
    stream.write_all(LAST).await.unwrap();
    assert!(read_to_end(&mut stream).await.ends_with("GET /last [] 127.0.0.1 https"));

    let stream = connect(&server, &first, "one.example", &[b"h2", b"http/1.1"]).await.unwrap();
    let mut client = http2::client(stream).await;
    let answer = client.send_request(http2::request("https://one.example/")).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);

    assert!(connect(&server, &wild, "a.b.apps.example", &[]).await.is_err(), "a wildcard is one label");
    assert_eq!(server.exchange(LAST).await.matches("200").count(), 0, "clear text is not served");
    assert!(server.refused(ConnectionRefusal::Handshake) >= 1);
}

#[tokio::test]
async fn new_certificates_serve_new_connections_and_old_ones_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let old = site(&directory, &["one.example"]);
    let listener = settings(&[&old], true);
    let server = TestServer::start(&listener, ConnectionLimits::default());
    let mut before = connect(&server, &old, "one.example", &[]).await.unwrap();
    before.write_all(GET).await.unwrap();
    read_answer(&mut before).await;

    let new = site(&directory, &["one.example"]);
    let previous = server.serving.load_full();
    let reloaded = Serving::load(&listener, ConnectionLimits::default(), Some(&previous)).unwrap();
    server.serving.store(Arc::new(reloaded));
    let after = connect(&server, &new, "one.example", &[]).await.unwrap();
    assert_eq!(shown(&after), new.certificate);
    before.write_all(LAST).await.unwrap();
    assert!(read_to_end(&mut before).await.contains("/last"));
}

#[tokio::test(start_paused = true)]
async fn invariant_14_a_handshake_that_does_not_end_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let site = site(&directory, &["one.example"]);
    let server = TestServer::start(&settings(&[&site], false), ConnectionLimits::default());
    let mut stream = server.connect().await;
    stream.write_all(b"\x16\x03\x01").await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert_eq!(server.refused(ConnectionRefusal::Slow), 1);
}

#[tokio::test]
async fn behind_a_balancer_tls_follows_the_header() {
    let directory = tempfile::tempdir().unwrap();
    let site = site(&directory, &["one.example"]);
    let listener = ListenerSettings {
        proxy_protocol: Some(ProxyProtocol { version: ProxyVersion::V1, from: None }),
        ..settings(&[&site], false)
    };
    let server = TestServer::start(&listener, ConnectionLimits::default());
    assert!(connect(&server, &site, "one.example", &[]).await.is_err());
    assert_eq!(server.refused(ConnectionRefusal::ProxyHeader), 1);
}

#[tokio::test]
async fn bodies_of_all_sizes_pass_behind_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let site = site(&directory, &["one.example"]);
    let server = TestServer::start(&settings(&[&site], true), ConnectionLimits::default());
    let mut stream = connect(&server, &site, "one.example", &[b"http/1.1"]).await.unwrap();
    for size in [0, 1, 5_000, 8_192, 16_384, 20_000, 300_000, 3_000_000] {
        let head = format!("POST /{size} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
        let request = [head.as_bytes(), &vec![b'x'; size]].concat();
        let (mut reader, mut writer) = tokio::io::split(&mut stream);
        let written = async {
            writer.write_all(&request).await.unwrap();
            writer.flush().await.unwrap();
        };
        let ((), answer) = tokio::join!(written, read_answer(&mut reader));
        assert!(answer.len() > size && answer.contains(&format!("POST /{size} [")), "{size}");
    }
}
