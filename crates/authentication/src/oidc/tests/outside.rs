use std::sync::Arc;
use std::time::Duration;

use ::http::Request;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::fake::{Answer, Fake};
use super::world::World;
use crate::oidc::SetupError;
use crate::oidc::http::{HttpClient, Trouble};

const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn invariant_16_only_urls_of_the_metadata_are_called() {
    let world = World::new().await;
    world.fake.json("/jwks", 200, &json!({"keys": []}));
    let http = world.provider.http();
    assert!(http.get(&world.provider.jwks_uri().unwrap()).await.is_ok());
    let root = Url::parse(&world.fake.issuer).unwrap();
    for path in ["/evil", "/jwks?x", "/jwks/", "/jwks/../evil", "/authorize", "/bye", "//jwks"] {
        let error = http.get(&root.join(path).unwrap_or_else(|_| root.clone())).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::NotPermitted(_)), "{path}: {error}");
    }
    let metadata = Request::get("http://169.254.169.254/latest").body(Vec::new()).unwrap();
    assert!(matches!(http.call(metadata).await.unwrap_err().trouble, Trouble::NotPermitted(_)));
    assert_eq!(world.fake.calls("/evil").len(), 0);
}

#[tokio::test]
async fn invariant_16_redirects_are_not_followed() {
    let world = World::new().await;
    world.fake.answer("/jwks", Answer::Redirect(format!("{}/token", world.fake.issuer)));
    let error = world.provider.http().get(&world.provider.jwks_uri().unwrap()).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Status(http::StatusCode::FOUND));
    assert!(world.fake.calls("/token").is_empty());
}

#[tokio::test]
async fn a_form_goes_out_as_it_is_and_any_status_comes_back() {
    let fake = Fake::start().await;
    fake.json("/token", 400, &json!({}));
    let url = Url::parse(&format!("{}/token", fake.issuer)).unwrap();
    let http = HttpClient::new(None, TIMEOUT).unwrap();
    http.permit(vec![url.clone()]);
    let form = Request::post(url.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(b"a+b=c%26d".to_vec());
    assert_eq!(http.call(form.unwrap()).await.unwrap().status(), 400);
    assert_eq!(fake.calls("/token")[0].form["a b"], "c&d");
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let http = HttpClient::new(None, TIMEOUT).unwrap();
    http.permit(vec![url.clone()]);
    assert!(matches!(http.get(&url).await.unwrap_err().trouble, Trouble::Connect(_)));
}

/// A server that says this and then nothing, without hanging up.
async fn stalling(begin: &'static [u8]) -> Url {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(begin).await;
        std::future::pending::<()>().await;
    });
    url
}

#[tokio::test]
async fn a_provider_that_stalls_anywhere_costs_no_more_than_the_timeout() {
    let head = &b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"[..];
    for begin in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-", head] {
        let url = stalling(begin).await;
        let span = Duration::from_millis(50);
        let http = HttpClient::new(None, span).unwrap();
        http.permit(vec![url.clone()]);
        assert_eq!(http.get(&url).await.unwrap_err().trouble, Trouble::Timeout(span));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_or_breaks_off_is_told_as_broken() {
    for begin in [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"] {
        let url = stalling(begin).await;
        let http = HttpClient::new(None, TIMEOUT).unwrap();
        http.permit(vec![url.clone()]);
        let trouble = http.get(&url).await.unwrap_err().trouble;
        assert!(matches!(trouble, Trouble::Broken(_)), "{trouble:?}");
    }
}

/// An authority's certificate, and a server at loopback that has one of its own from it.
async fn tls_server() -> (String, Url) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::from_params(&params, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config))));
    (authority.pem(), url)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    while let Ok((socket, _)) = listener.accept().await {
        let Ok(mut tls) = acceptor.accept(socket).await else { continue };
        let _ = tls.read(&mut [0; 4096]).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        let _ = tls.write_all(answer).await;
    }
}

#[tokio::test]
async fn only_the_named_authority_is_trusted() {
    let (authority, url) = tls_server().await;
    let trusting = HttpClient::new(Some(authority.as_bytes()), TIMEOUT).unwrap();
    trusting.permit(vec![url.clone()]);
    assert_eq!(trusting.get(&url).await.map(::http::Response::into_body), Ok(b"{}".to_vec()));
    let (other, _) = tls_server().await;
    for ca in [None, Some(other.as_bytes())] {
        let strict = HttpClient::new(ca, TIMEOUT).unwrap();
        strict.permit(vec![url.clone()]);
        let trouble = strict.get(&url).await.unwrap_err().trouble;
        assert!(matches!(trouble, Trouble::Tls(_)), "{trouble:?}");
        assert!(trouble.to_string().contains("name it in `ca`"), "{trouble}");
    }
}

#[tokio::test]
async fn a_port_without_tls_and_a_certificate_for_another_name_are_told_with_what_to_do() {
    let fake = Fake::start().await;
    let clear = Url::parse(&fake.issuer.replace("http://", "https://")).unwrap();
    let (authority, url) = tls_server().await;
    let named = Url::parse(url.as_str().replace("localhost", "127.0.0.1").as_str()).unwrap();
    for (url, told) in [(clear, "speak clear text (http) on this port?"), (named, "for another name")] {
        let http = HttpClient::new(Some(authority.as_bytes()), TIMEOUT).unwrap();
        http.permit(vec![url.clone()]);
        let trouble = http.get(&url).await.unwrap_err().trouble;
        assert!(trouble.to_string().contains(told), "{url}: {trouble}");
    }
}

#[test]
fn an_authority_without_certificates_is_refused() {
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(HttpClient::new(Some(pem.as_bytes()), TIMEOUT), Err(SetupError::Ca(_))), "{pem}");
    }
}
