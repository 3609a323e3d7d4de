//! What the gateway needs and may lose, what it does itself, and what goes on without an end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{SINK, about, file, of, world};
use crate::support::{Browser, Gateway, World, events, free_port, until, until_async};

#[tokio::test]
async fn what_is_no_request_is_told_with_its_client_and_what_is_wrong() {
    let world = world().await;
    let gateway = &world.gateway;
    for (head, wrong) in [("GET / HTTP/9.9\r\n\r\n", 0), ("GET /\u{0}x HTTP/1.1\r\nhost: a\r\n\r\n", 1)] {
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"), "{answer}");
        until("the event", || of(gateway, "request.unreadable").len() > wrong);
        let told = &of(gateway, "request.unreadable")[wrong];
        assert_eq!(told["client"], "127.0.0.1", "{told}");
        assert_eq!(told["status"].to_string(), answer[9..12], "{told}");
        assert!(told["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{told}");
    }
}

#[tokio::test]
async fn what_has_no_end_is_told_when_it_begins_and_when_it_is_over() {
    let stream =
        format!("[[routes]]\nname = \"news\"\nupstream = \"{}\"\naccess = \"public\"\n", events().await);
    let gateway = Gateway::start(&format!("{SINK}{stream}"));
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client.write_all(b"GET /news HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    let mut head = [0; 4096];
    let size = client.read(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..size]).to_lowercase();
    let id = head.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let opened = about(&gateway, "access.opened", &id);
    assert_eq!((&opened["route"], &opened["status"]), (&json!("news"), &json!(200)), "{opened}");
    assert!(of(&gateway, "access.granted").is_empty(), "it goes on");
    drop(client);
    let granted = about(&gateway, "access.granted", &id);
    assert!(
        granted["us"].as_u64() >= opened["us"].as_u64() && granted["bytes"].as_u64() > Some(0),
        "{granted}"
    );
    assert_eq!(of(&gateway, "access.opened").len(), 1);
}

/// Takes every connection, and answers 204 to whatever comes.
async fn answers(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    });
}

#[tokio::test]
async fn a_server_that_fails_its_checks_is_told_once_and_when_it_is_back() {
    let port = free_port();
    let health = "{ path = \"/\", interval = \"50ms\", unhealthy_after = 1, healthy_after = 1 }";
    let route = format!(
        "[[routes]]\nname = \"frail\"\nupstream = \"http://127.0.0.1:{port}\"\naccess = \"public\"\nhealth = {health}\n"
    );
    let gateway = Gateway::start(&format!("{SINK}{route}"));
    until("the loss", || !of(&gateway, "upstream.lost").is_empty());
    let lost = &of(&gateway, "upstream.lost")[0];
    assert_eq!(lost["part"], json!(format!("127.0.0.1:{port}")), "{lost}");
    answers(port).await;
    until_async("the way back", || async { !of(&gateway, "upstream.back").is_empty() }).await;
    let back = &of(&gateway, "upstream.back")[0];
    assert_eq!((&back["part"], back["us"].as_u64() > Some(0)), (&lost["part"], true), "{back}");
    assert_eq!(of(&gateway, "upstream.lost").len(), 1, "once");
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_once_and_when_it_is_back() {
    let mut world = world().await;
    until_async("the provider", || async { Browser::new().get(&world.gateway.url("/")).await.status == 302 })
        .await;
    world.provider.pause();
    let corp = |world: &World, kind: &str| {
        of(&world.gateway, kind).into_iter().filter(|event| event["part"] == "corp").count()
    };
    world.gateway.restart();
    until("the loss", || corp(&world, "provider.lost") > 0);
    world.provider.resume();
    until_async("the way back", || async {
        Browser::new().get(&world.gateway.url("/")).await;
        corp(&world, "provider.back") > 0
    })
    .await;
    assert_eq!(corp(&world, "provider.back"), 1);
}

#[tokio::test]
async fn the_life_of_a_process_is_told_with_its_configuration() {
    let mut world = world().await;
    let started = of(&world.gateway, "process.started");
    until("the start", || !of(&world.gateway, "configuration.loaded").is_empty());
    let loaded = &of(&world.gateway, "configuration.loaded")[0];
    assert_eq!((&loaded["file"], &loaded["count"]), (&json!("portcullis.toml"), &json!(2)), "{loaded}");
    let mut old = world.gateway.take_over();
    until("the take-over", || !of(&world.gateway, "process.took-over").is_empty());
    let took = &of(&world.gateway, "process.took-over")[0];
    assert_eq!((started.len(), &took["before"]), (1, &started[0]["pid"]), "{took}");
    until("the old process to end", || old.ended().is_some());
    let drained = of(&world.gateway, "process.draining");
    world.gateway.signal("TERM");
    world.gateway.wait();
    let all = [drained, of(&world.gateway, "process.draining")].concat();
    assert!(all.iter().any(|event| event["pid"] == took["pid"]), "{all:?} in {:?}", file(&world.gateway));
}

/// A stranger's flood is told up to a bound, and the rest by its number; what people do is told whole beside it.
#[tokio::test]
async fn invariant_28_a_flood_of_strangers_leaves_room_for_the_others() {
    let world: World = world().await;
    let gateway = &world.gateway;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let mut stranger = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let head = "GET /nothing HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n";
    for _ in 0..20 {
        stranger.write_all(head.repeat(100).as_bytes()).unwrap();
        let mut seen = 0;
        while seen < 100 {
            let mut room = [0; 65536];
            let size = stranger.read(&mut room).unwrap();
            seen += String::from_utf8_lossy(&room[..size]).matches("HTTP/1.1 401").count();
        }
    }
    let after = browser.get(&gateway.url("/after")).await;
    about(gateway, "access.granted", after.header("x-request-id"));
    let refused = of(gateway, "access.refused").len();
    assert!(refused < 2000, "{refused} of a flood");
    let mut world = world;
    world.gateway.signal("TERM");
    world.gateway.wait();
    let left_out =
        of(&world.gateway, "record.left-out").iter().map(|told| told["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(of(&world.gateway, "access.refused").len() as u64 + left_out, 2000 + 1, "none untold");
}
