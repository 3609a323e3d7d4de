//! Cockpit: its own sign-in uses `Authorization`, and its WebSocket looks at where it was opened.

use http::Method;

use super::web_sockets::{before, cookies, open};
use crate::support::{Browser, told};

/// Cockpit's page signs in with `Basic` of a user of the machine, beside the gateway's session.
#[tokio::test]
async fn the_sign_in_of_cockpit_is_its_own_and_its_web_socket_knows_its_origin() {
    let world = before("/cockpit", "origin = \"same-host\"\naccept = \"session\"").await;
    let cookies = cookies(&world, "a=1", "cockpit=deadbeef").await;
    let fields = [("sec-websocket-protocol", "cockpit1"), ("cookie", cookies.as_str())];
    let opened = open(&world, "/cockpit/cockpit/socket", &fields).await.unwrap();
    assert_eq!(opened.protocol.as_deref(), Some("cockpit1"));
    let own = world.gateway.url("");
    assert_eq!((opened.told("origin"), opened.told("x-forwarded-proto")), (vec![own.as_str()], vec!["http"]));
    assert_eq!(opened.told("host"), [own.trim_start_matches("http://")]);
    assert_eq!(opened.told("cookie"), ["a=1; cockpit=deadbeef"]);
    let login =
        [("authorization", "Basic YWRtaW46cGFzcw=="), ("x-authorize", ""), ("cookie", cookies.as_str())];
    let answer = Browser::new().send(Method::GET, &world.gateway.url("/login"), &login, "").await;
    assert_eq!(
        (answer.status, told(&answer, "authorization")),
        (200, vec!["Basic YWRtaW46cGFzcw==".to_owned()])
    );
}
