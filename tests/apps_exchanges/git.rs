//! Git's smart protocol: the first request carries no password, and what follows is chunked or compressed.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;

use crate::support::{Browser, PATIENCE, World, told};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
accept = "basic"
realm = "Corp git"
access = "signed-in"
identity = { headers = "remote" }
"#;

#[tokio::test]
async fn git_is_asked_for_a_password_and_the_server_told_who_asks() {
    let world = World::open(ROUTES).await;
    let url = world.gateway.url("/project.git/info/refs?service=git-upload-pack");
    let fields = [
        ("user-agent", "git/2.39.5"),
        ("accept", "*/*"),
        ("accept-encoding", "deflate, gzip, br, zstd"),
        ("pragma", "no-cache"),
        ("git-protocol", "version=2"),
    ];
    let first = Browser::new().send(Method::GET, &url, &fields, "").await;
    assert_eq!(
        (first.status, first.header("www-authenticate")),
        (401, "Basic realm=\"Corp git\", charset=\"UTF-8\"")
    );
    let password = password(&world).await;
    let fields = [&fields[..], &[("authorization", &password)]].concat();
    let second = Browser::new().send(Method::GET, &url, &fields, "").await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(second.json()["target"], "/project.git/info/refs?service=git-upload-pack");
    assert_eq!(told(&second, "git-protocol"), ["version=2"]);
    assert_eq!((told(&second, "remote-user").len(), told(&second, "authorization").len()), (1, 0));
}

/// A push of more than `http.postBuffer` (1 MiB) has no length, and with `http.expectContinue` waits for a word.
#[tokio::test]
async fn a_push_in_chunks_that_waits_for_its_continue() {
    let world = World::open(ROUTES).await;
    let (port, password) = (world.gateway.port, password(&world).await);
    let head = format!(
        "POST /project.git/git-receive-pack HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {password}\r\n\
         User-Agent: git/2.39.5\r\nContent-Type: application/x-git-receive-pack-request\r\n\
         Accept: application/x-git-receive-pack-result\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n"
    );
    let answer = tokio::task::spawn_blocking(move || push(port, &head)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("[\"content-encoding\",\"gzip\"]") && answer.contains("\"body\":\"0000pack\""),
        "{answer}"
    );
}

fn push(port: u16, head: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"4\r\n0000\r\n4\r\npack\r\n0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

async fn password(world: &World) -> String {
    let token = world.provider.access_token("email").await;
    format!("Basic {}", BASE64_STANDARD.encode(format!("x:{token}")))
}
