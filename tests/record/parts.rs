//! What the gateway needs and may lose, what it does itself, and what goes on without an end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{SINK, about, lines, of, world};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_end_is_told_when_it_begins_and_when_it_is_over() {
    let stream =
        format!("[[routes]]\nname = \"news\"\nupstream = \"{}\"\naccess = \"public\"\n", events().await);
    let gateway = Gateway::start(&format!("{SINK}{stream}"));
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client.write_all(b"GET /news HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let id = head.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let opened = about(&gateway, "access.opened", &id);
    assert_eq!((&opened["route"], &opened["status"]), (&json!("news"), &json!(200)), "{opened}");
    assert!(of(&gateway, "access.granted").is_empty(), "it goes on");
    // What is unread makes the end a reset.
    client.peek(&mut [0]).unwrap();
    drop(client);
    let granted = about(&gateway, "access.granted", &id);
    assert!(granted["us"].as_u64() >= opened["us"].as_u64(), "{granted}");
    assert!(granted["bytes"].as_u64() > Some(0), "{granted}");
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
    let health = "{ path = \"/\", interval = \"100ms\", unhealthy_after = 1, healthy_after = 1 }";
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

/// The events of this kind in all files of the sink: a process that finds its file taken writes one beside it.
fn of_all(gateway: &Gateway, kind: &str) -> Vec<Value> {
    let files = std::fs::read_dir(gateway.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let all: Vec<_> =
        texts.flat_map(|path| lines(&std::fs::read_to_string(path).unwrap_or_default())).collect();
    all.into_iter().filter(|event| event["type"] == kind).collect()
}

#[tokio::test]
async fn the_life_of_a_process_is_told_with_its_configuration() {
    let mut world = world().await;
    until("the start", || of(&world.gateway, "process.started").len() == 1);
    let (loaded, started) =
        (&of(&world.gateway, "configuration.loaded")[0], &of(&world.gateway, "process.started")[0]);
    assert_eq!((&loaded["file"], &loaded["count"]), (&json!("portcullis.toml"), &json!(2)), "{loaded}");
    let mut old = world.gateway.take_over();
    until("the take-over", || !of_all(&world.gateway, "process.took-over").is_empty());
    let took = &of_all(&world.gateway, "process.took-over")[0];
    assert_eq!(took["before"], started["pid"], "{took}");
    until("the old process to end", || old.ended().is_some());
    world.gateway.signal("TERM");
    world.gateway.wait();
    let drained = of_all(&world.gateway, "process.draining");
    let why = |process: &Value| {
        let drained = drained.iter().find(|event| event["pid"] == process["pid"]);
        drained.and_then(|event| event["reason"].as_str()).unwrap_or_default().to_owned()
    };
    assert!(why(started).starts_with("another process has taken over"), "{drained:?}");
    assert!(why(took).starts_with("it was told to end"), "{drained:?}");
    assert_eq!(of_all(&world.gateway, "process.ended").len(), 2);
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
