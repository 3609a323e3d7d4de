//! Node-RED: who may deploy is a header, on the WebSocket as on every call.

use super::web_sockets::{before, cookies, open};

/// The handshake says who deploys, as every call does. Node.js joins fields of one name with a comma, so one must
/// arrive, the gateway's.
#[tokio::test]
async fn the_comms_of_node_red_come_in_the_name_of_who_is_signed_in() {
    let world = before("/red", "identity = { headers = \"x-auth-request\" }").await;
    let cookies = cookies(&world, "a=1", "b=2").await;
    let forged = ("x-auth-request-user", "bob");
    let fields = [forged, ("cookie", cookies.as_str()), forged, ("x_auth_request_user", "bob")];
    let opened = open(&world, "/red/comms", &fields).await.unwrap();
    assert_eq!(opened.told("x-auth-request-user"), ["alice"]);
    assert!(opened.told("x_auth_request_user").is_empty());
    assert_eq!(opened.told("cookie"), ["a=1; b=2"]);
    assert!(opened.protocol.is_none(), "none was offered");
}
