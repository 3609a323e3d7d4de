//! OctoPrint: it names its cookies by the port and the path that it is told.

use http::Method;

use super::web_sockets::cookies;
use crate::support::{Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
access = "signed-in"

[[routes]]
path = "/print"
strip_path = true
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request" }
origin = "same-host"
request_headers = { remove = "X-Script-Name" }
"#;

/// Where a client could say the prefix, the host or the port, OctoPrint would look for another cookie than the
/// one it has set, and write links that lead elsewhere.
#[tokio::test]
async fn octoprint_below_a_path_finds_its_cookies_and_believes_no_client() {
    let world = World::open(ROUTES).await;
    let port = world.gateway.port.to_string();
    let token = "IjQyMWJhMmQ5ZDBkYjY4.awzKog.e2K3l1THSPo6SVrer-y2WFX4XLE";
    let csrf = format!("csrf_token_P{port}_R|print={token}");
    let session = format!("session_P{port}_R|print=.eJxdUctuJDEI_Befo.awzKog.7yZ-0f");
    let cookies = cookies(&world, &csrf, &session).await;
    let own = world.gateway.url("");
    let fields = [
        ("x-csrf-token", token),
        ("x-requested-with", "XMLHttpRequest"),
        ("content-type", "application/json; charset=UTF-8"),
        ("origin", own.as_str()),
        ("cookie", &cookies),
        ("x-forwarded-prefix", "/elsewhere"),
        ("x-script-name", "/elsewhere"),
        ("x-forwarded-host", "elsewhere.example"),
        ("x-forwarded-port", "1"),
        ("x-scheme", "ftp"),
        ("x-auth-request-groups", "ops"),
    ];
    let connect = "{\"command\":\"connect\",\"port\":\"VIRTUAL\"}";
    let answer = Browser::new()
        .send(Method::POST, &world.gateway.url("/print/api/connection"), &fields, connect)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["target"]),
        (200, &"/api/connection".into()),
        "{}",
        answer.body
    );
    for (name, value) in &fields[..4] {
        assert_eq!(told(&answer, name), [*value]);
    }
    assert_eq!(told(&answer, "cookie"), [format!("{csrf}; {session}")]);
    assert_eq!(told(&answer, "x-forwarded-prefix"), ["/print"]);
    assert_eq!(told(&answer, "x-forwarded-host"), [format!("127.0.0.1:{port}")]);
    assert_eq!(told(&answer, "x-forwarded-port"), [port]);
    assert_eq!(told(&answer, "x-auth-request-groups"), ["staff"]);
    assert!(told(&answer, "x-script-name").is_empty() && told(&answer, "x-scheme").is_empty());
}
