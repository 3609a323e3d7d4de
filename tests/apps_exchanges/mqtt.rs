//! MQTT over WebSocket: devices that hold a token, and pages that have a session.

use http::StatusCode;

use super::web_sockets::{before, cookies, open};

/// A client gives up where its `mqtt` is not answered. A token is no browser's to send along, so that a device may
/// come from anywhere; a session is.
#[tokio::test]
async fn a_device_connects_with_its_token_and_a_page_with_its_session() {
    let world = before("/mqtt", "origin = \"same-host\"").await;
    let bearer = format!("Bearer {}", world.provider.access_token("email").await);
    let protocol = ("sec-websocket-protocol", "mqtt");
    let elsewhere = ("origin", "https://elsewhere.example");
    let device = open(&world, "/mqtt", &[protocol, ("authorization", &bearer), elsewhere]).await.unwrap();
    assert_eq!(device.protocol.as_deref(), Some("mqtt"));
    assert!(device.told("authorization").is_empty());
    let cookies = cookies(&world, "a=1", "b=2").await;
    let page = open(&world, "/mqtt", &[protocol, ("cookie", &cookies)]).await.unwrap();
    assert_eq!(page.protocol.as_deref(), Some("mqtt"));
    for (fields, status) in [
        (&[protocol, ("cookie", cookies.as_str()), elsewhere][..], StatusCode::FORBIDDEN),
        (&[protocol], StatusCode::UNAUTHORIZED),
        (&[protocol, ("authorization", "Bearer x.y.z")], StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(open(&world, "/mqtt", fields).await.err(), Some(status), "{fields:?}");
    }
}
