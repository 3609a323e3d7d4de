//! Streamlit: the one WebSocket over which everything goes.

use super::web_sockets::{before, cookies, open};

/// The list of protocols carries the XSRF token and the session that the page had: the second and third place
/// count. Who looks is what the handshake says.
#[tokio::test]
async fn a_page_of_streamlit_brings_its_tokens_as_protocols_and_the_app_learns_who_looks() {
    let world = before("/dash", "identity = { headers = \"x-auth-request\" }").await;
    let xsrf = "2|8d5dfe10|2b1f04a6e5c0a5a8ef2c5cd2b7dbe6a2|1796000412";
    let cookies = cookies(&world, "ajs_anonymous_id=7", &format!("_streamlit_xsrf={xsrf}")).await;
    let offered = format!("streamlit, {xsrf}, 1f7d46f0-2a8f-4c64-a2ba-2f6e1a2f6a53");
    let fields = [
        ("sec-websocket-protocol", offered.as_str()),
        ("cookie", &cookies),
        ("x-auth-request-user", "mallory"),
        ("x_auth_request_groups", "ops"),
    ];
    let opened = open(&world, "/dash/_stcore/stream", &fields).await.unwrap();
    assert_eq!(opened.protocol.as_deref(), Some("streamlit"));
    assert_eq!(opened.told("sec-websocket-protocol"), [offered]);
    assert_eq!(opened.told("cookie"), [format!("ajs_anonymous_id=7; _streamlit_xsrf={xsrf}")]);
    assert_eq!(opened.told("x-auth-request-user"), ["alice"]);
    assert_eq!(opened.told("x-auth-request-groups"), ["staff"]);
    assert!(opened.told("x_auth_request_groups").is_empty());
}
