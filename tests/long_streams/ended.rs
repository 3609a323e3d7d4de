//! Whoever ends a session ends every kind of stream of it.

use tonic::Code;

use super::{HOME, HTTP2, each_is_logged, streams};
use crate::long_streams::kinds::routes;
use crate::support::{Browser, Provider, World, between, free_port, program};

/// Who ends the session.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ender {
    Person,
    Administrator,
    /// By the back channel.
    Provider,
}

/// A gateway before apps of all kinds and a certified provider, which is told where the back channel is.
async fn certified() -> World {
    let port = free_port();
    let gateway = format!("http://127.0.0.1:{port}");
    let mut provider = Provider::stopped(&gateway)
        .with_client("backchannel_logout_uri", format!("{gateway}/.portcullis/back-channel-logout").into())
        .with_client("backchannel_logout_session_required", true.into());
    provider.resume();
    let routes = format!("{HOME}{}", routes("access = \"signed-in\"").await);
    World::before(provider, port, &gateway, HTTP2, "", &routes).await
}

async fn ends(world: &World, browser: &Browser, ender: Ender) {
    match ender {
        Ender::Person => {
            browser.submit(&world.gateway.url("/.portcullis/sign-out"), "").await;
        }
        Ender::Administrator => {
            let ended = program(world.gateway.directory.path(), &["sessions", "end", "--user", "alice"]);
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        Ender::Provider => {
            let issuer = world.provider.issuer();
            let asked = browser.get(&format!("{issuer}/session/end")).await;
            let xsrf = between(&asked.body, "name=\"xsrf\" value=\"", "\"");
            browser
                .submit(&format!("{issuer}/session/end/confirm"), &format!("xsrf={xsrf}&logout=yes"))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_whoever_ends_a_session_ends_every_kind_of_stream() {
    for (ender, told, why) in [
        (Ender::Person, "signed out", "the session was signed out"),
        (Ender::Administrator, "ended by an administrator", "the session was ended by an administrator"),
        (Ender::Provider, "signed out at the provider", "its person signed out at the provider"),
    ] {
        let world = certified().await;
        let (browser, mut streams) = streams(&world).await;
        streams.go_on().await;
        ends(&world, &browser, ender).await;
        let ends = streams.end(world.gateway.port).await;
        assert_eq!(ends.close, (1008, told.to_owned()), "{ender:?}");
        assert!(ends.upload.starts_with("HTTP/1.1 401 "), "{ender:?}: {}", ends.upload);
        assert_eq!(ends.grpc, (Code::Unauthenticated, why.to_owned()), "{ender:?}");
        each_is_logged(&world, why);
    }
}
