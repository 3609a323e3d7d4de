//! Vite: the WebSocket that tells a page of changes.

use http::StatusCode;

use super::web_sockets::{before, cookies, open};

/// Vite answers with the protocol that it speaks, without which a browser gives up; by the token in the query it
/// knows its own pages.
#[tokio::test]
async fn a_page_of_vite_gets_its_protocol_and_another_sites_page_no_web_socket() {
    let world = before("/dev", "origin = \"same-host\"").await;
    let cookies = cookies(&world, "theme=dark", "lang=en").await;
    let fields = [("sec-websocket-protocol", "vite-hmr"), ("cookie", &cookies)];
    let opened = open(&world, "/dev/?token=Wq3yV_0b-LkR", &fields).await.unwrap();
    assert_eq!(opened.protocol.as_deref(), Some("vite-hmr"));
    assert_eq!(opened.target, "/dev/?token=Wq3yV_0b-LkR");
    assert_eq!(opened.told("cookie"), ["theme=dark; lang=en"]);
    let elsewhere = [fields[0], fields[1], ("origin", "https://elsewhere.example")];
    let refused = open(&world, "/dev/?token=Wq3yV_0b-LkR", &elsewhere).await;
    assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN));
}
