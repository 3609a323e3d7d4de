//! The registry of images: what its clients take from a challenge, and what it builds its addresses of.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;

use crate::support::{Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
upstream = "{app}"
accept = "basic"
realm = "Corp images"
allow = [
  { scopes = ["orders:read"], methods = ["GET", "HEAD"] },
  { scopes = ["profile"] },
]
"#;

const AGENT: (&str, &str) = ("user-agent", "skopeo/1.9.3");

/// Clients ask for a token at the realm of a `Bearer` challenge, and for a password at any other. The registry names
/// its uploads by what it is told of the client's address, and checks a digest in the query letter by letter.
#[tokio::test]
async fn an_image_is_pushed_after_the_ping_and_an_upload_is_where_the_registry_says() {
    let world = World::at("http://127.0.0.1:{port}", "trusted_proxies = [\"127.0.0.1\"]\n", "", ROUTES).await;
    let send = async |method: Method, path: &str, more: &[(&str, &str)]| {
        let fields = [&[AGENT, ("x-forwarded-proto", "https")], more].concat();
        Browser::new().send(method, &world.gateway.url(path), &fields, "").await
    };
    let ping = send(Method::GET, "/v2/", &[]).await;
    let challenges: Vec<_> =
        ping.headers.get_all("www-authenticate").iter().map(|one| one.to_str().unwrap()).collect();
    assert_eq!((ping.status, challenges), (401, vec!["Basic realm=\"Corp images\", charset=\"UTF-8\""]));
    let (reader, writer) =
        (password(&world, "orders:read").await, password(&world, "orders:read profile").await);
    let (reader, writer) = (("authorization", reader.as_str()), ("authorization", writer.as_str()));
    assert_eq!(send(Method::GET, "/v2/", &[reader]).await.status, 200);
    let uploads = "/v2/team/app/blobs/uploads/";
    assert_eq!(send(Method::POST, uploads, &[reader]).await.status, 403);
    let begun = send(Method::POST, uploads, &[writer, ("content-length", "0")]).await;
    assert_eq!((begun.status, told(&begun, "x-forwarded-proto")), (200, vec!["https".to_owned()]));
    assert_eq!(told(&begun, "x-forwarded-host"), told(&begun, "host"));
    let ended = format!("{uploads}6f2c?_state=Zm9v%3D%3D&digest=sha256%3A0e57");
    let put = send(Method::PUT, &ended, &[writer, ("content-type", "application/octet-stream")]).await;
    assert_eq!((put.status, &put.json()["target"]), (200, &ended.as_str().into()));
}

async fn password(world: &World, scope: &str) -> String {
    let token = world.provider.access_token(scope).await;
    format!("Basic {}", BASE64_STANDARD.encode(format!("x:{token}")))
}
