//! What the command line needs of the demo.

use super::world::World;
use crate::{Demo, SECRET_VARIABLE};
use portcullis_rules::clock::Clock;

#[tokio::test]
async fn the_demo_is_for_this_machine_alone() {
    for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "127.0.0.1:0"] {
        let error = Demo::start(address.parse().unwrap(), Clock::system()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{address}");
    }
    let demo = Demo::start("[::1]:8080".parse().unwrap(), Clock::system()).await.unwrap();
    assert_eq!(demo.public_url().as_str(), "http://[::1]:8080/");
}

#[tokio::test]
async fn the_configuration_names_the_secret_and_does_not_hold_it() {
    let world = World::new().await;
    let store = std::path::Path::new("/tmp/a \"quoted\" folder");
    let text = world.demo.configuration(store);
    let parsed: toml::Table = text.parse().unwrap();
    let provider = &parsed["providers"]["demo"];
    assert_eq!(provider["issuer"].as_str(), Some(world.demo.issuer()));
    assert_eq!(provider["client_id"].as_str(), Some(world.demo.client_id()));
    assert_eq!(provider["client_secret"]["env"].as_str(), Some(SECRET_VARIABLE));
    assert_eq!(provider["audiences"][0].as_str(), Some(world.demo.audience()));
    assert_eq!(parsed["server"]["listen"].as_str(), Some("127.0.0.1:8080"));
    let upstreams = parsed["routes"].as_array().unwrap().iter().filter_map(|route| route.get("upstream"));
    let is_app =
        |upstream: &toml::Value| format!("{}/", upstream.as_str().unwrap()) == world.demo.app_url().as_str();
    assert!(upstreams.into_iter().all(is_app));
    assert_eq!(parsed["audit"]["sinks"][0]["path"].as_str(), store.to_str());
    for secret in [world.demo.client_secret(), &world.demo.provider.clients.machine.secret] {
        assert!(!text.contains(secret.expose()));
    }
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let world = World::new().await;
    world.code("alice", &[]).await;
    let printed = format!("{:?}", world.demo);
    let people = world.demo.people().iter().map(|person| &person.password);
    for secret in people.chain([world.demo.client_secret()]) {
        assert!(!printed.contains(secret.expose()), "{printed}");
    }
}

#[tokio::test]
async fn the_servers_end_with_the_demo() {
    let world = World::new().await;
    let address = world.demo.app_url().socket_addrs(|| None).unwrap()[0];
    assert!(tokio::net::TcpStream::connect(address).await.is_ok());
    drop(world.demo);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "somebody still listens");
        tokio::task::yield_now().await;
    }
}
