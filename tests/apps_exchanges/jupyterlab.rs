//! JupyterLab: a kernel's WebSocket, and the calls of its pages.

use http::Method;

use super::web_sockets::{before, cookies, open};
use crate::support::{Browser, told};

const XSRF: &str = "2|f6aa7b22|ff67e3d898c9436c51a100dd25c0bd3e|1796000380";
const USER: &str =
    "username-lab-corp-example=\"2|1:0|10:1796000380|22:username-lab-corp-example|4:YWxp|8d0c\"";

/// It compares `Origin` with `Host` and refuses where they differ, and takes its cookies as it wrote them.
#[tokio::test]
async fn a_kernels_web_socket_comes_with_the_host_that_its_page_has() {
    let world = before("/alice", "").await;
    let cookies = cookies(&world, &format!("_xsrf={XSRF}"), USER).await;
    let fields =
        [("sec-websocket-protocol", "v1.kernel.websocket.jupyter.org"), ("cookie", cookies.as_str())];
    let channels =
        "/alice/api/kernels/d70c7b56-d6ab-48f5-ad0d-0bafccfb360e/channels?session_id=c9a654e1-8a62";
    let opened = open(&world, channels, &fields).await.unwrap();
    assert_eq!(opened.protocol.as_deref(), Some("v1.kernel.websocket.jupyter.org"));
    assert_eq!(opened.target, channels);
    assert_eq!(opened.told("origin"), [format!("http://{}", opened.told("host")[0])]);
    assert_eq!(opened.told("cookie"), [format!("_xsrf={XSRF}; {USER}")]);
}

/// Its pages send a token of its own in `Authorization`, of a scheme that is not the gateway's: the session
/// lets the request in, and both tokens reach the app.
#[tokio::test]
async fn a_page_of_jupyterlab_saves_with_a_session_beside_its_own_authorization() {
    let world = before("/alice", "").await;
    let cookies = cookies(&world, &format!("_xsrf={XSRF}"), USER).await;
    let own = world.gateway.url("");
    let fields = [
        ("authorization", "token 4d87374f7e7032f57679188b47ec88ffaa9f179918962def"),
        ("x-xsrftoken", XSRF),
        ("content-type", "text/plain;charset=UTF-8"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "cors"),
        ("origin", own.as_str()),
        ("cookie", &cookies),
    ];
    let target = "/lab/api/workspaces/default?1796000388266";
    let answer = Browser::new().send(Method::PUT, &world.gateway.url(target), &fields, "{\"data\":{}}").await;
    assert_eq!((answer.status, &answer.json()["target"]), (200, &target.into()));
    assert_eq!(answer.json()["body"], "{\"data\":{}}");
    for (name, value) in &fields[..3] {
        assert_eq!(told(&answer, name), [*value]);
    }
    assert_eq!(told(&answer, "cookie"), [format!("_xsrf={XSRF}; {USER}")]);
}
