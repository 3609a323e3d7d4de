//! The management API and the commands on it: who may call, what ends, what the log says of it.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use futures_util::{SinkExt, StreamExt};
use http::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{
    Answer, Browser, Gateway, PATIENCE, World, event, logged, program, sockets, until, until_async,
};

const ROUTES: &str = "[[routes]]\nname = \"wiki\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn socket(gateway: &Gateway) -> PathBuf {
    gateway.directory.path().join("admin.sock")
}

/// What a command on sessions prints; it must succeed.
fn sessions(gateway: &Gateway, arguments: &[&str]) -> Value {
    let output = program(gateway.directory.path(), &[&["sessions"], arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command complains about; it must fail.
fn complaint(gateway: &Gateway, arguments: &[&str]) -> String {
    let output = program(gateway.directory.path(), arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

async fn is_in(world: &World, browser: &Browser) -> bool {
    browser.get(&world.gateway.url("/")).await.status == 200
}

/// A sign-in that begins in the very second in which one of the same person was ended is refused as well: the
/// next one is not.
async fn signed_in_as(world: &World, user: &str) -> Browser {
    world.provider.control(&format!("as?user={user}")).await;
    let browser = Browser::new();
    let page = world.gateway.url("/");
    until_async("the sign-in", || async { browser.visit(&page).await.status == 200 }).await;
    browser
}

#[tokio::test]
async fn invariant_8_sessions_are_listed_and_ended_by_whose_they_are() {
    let world = World::open(ROUTES).await;
    let gateway = &world.gateway;
    let bob = signed_in_as(&world, "bob").await;
    let mut alice = signed_in_as(&world, "alice").await;
    let told = sessions(gateway, &["list", "--user", "alice"]);
    let entry = &told["sessions"][0];
    assert_eq!(
        (told["sessions"].as_array().unwrap().len(), &entry["provider"]),
        (1, &json!("corp")),
        "{told}"
    );
    assert_eq!((&entry["address"], &entry["hosts"]), (&json!("127.0.0.1"), &json!(["127.0.0.1"])), "{told}");
    let subject = entry["subject"].as_str().unwrap().to_owned();
    for by in ["user", "subject", "subject of provider", "user of provider", "id"] {
        let told = sessions(gateway, &["list", "--user", "alice"]);
        let entry = &told["sessions"][0];
        let id = entry["id"].as_str().unwrap();
        let selection = match by {
            "user" => vec!["--user", "alice"],
            "subject" => vec!["--subject", &subject],
            "subject of provider" => vec!["--subject", &subject, "--provider", "corp"],
            "user of provider" => vec!["--user", "alice", "--provider", "corp"],
            _ => vec!["--id", &id[..8]],
        };
        assert!(is_in(&world, &alice).await, "{by}");
        let ended =
            sessions(gateway, &[&["end"], &selection[..], &["--reason", "left the company"]].concat());
        assert_eq!(ended, json!({ "ended": 1 }), "{by}");
        assert!(!is_in(&world, &alice).await, "{by}");
        assert!(is_in(&world, &bob).await, "{by}");
        alice = signed_in_as(&world, "alice").await;
    }
    assert_eq!(sessions(gateway, &["end", "--host", "wiki.example"]), json!({ "ended": 0 }));
    assert_eq!(sessions(gateway, &["list"])["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(sessions(gateway, &["end", "--host", "127.0.0.1"]), json!({ "ended": 2 }));
    assert!(!is_in(&world, &alice).await && !is_in(&world, &bob).await);
    for selection in [&["--provider", "corp"][..], &["--all", "--yes"]] {
        let alice = signed_in_as(&world, "alice").await;
        assert_eq!(
            sessions(gateway, &[&["end"], selection].concat()),
            json!({ "ended": 1 }),
            "{selection:?}"
        );
        assert!(!is_in(&world, &alice).await, "{selection:?}");
    }
    let line = called(gateway, "end-sessions");
    let who = format!("uid {}", fs::metadata(socket(gateway)).unwrap().uid());
    assert_eq!((&line["operator"], &line["ended"]), (&json!(who), &json!(1)), "{line}");
    assert_eq!(line["reason"], json!(r#"{"user":"alice"}: left the company"#), "{line}");
    let ended = event(gateway, "session.ended");
    assert_eq!((&ended["by"], &ended["id"]), (&json!(who), &line["id"]), "{ended}");
}

#[tokio::test]
async fn invariant_8_an_administrators_end_cuts_an_open_websocket() {
    let stream = format!("path = \"/stream\"\nupstream = \"{}\"\naccess = \"signed-in\"\n", sockets().await);
    let world = World::open(&format!("{ROUTES}\n[[routes]]\nname = \"stream\"\n{stream}")).await;
    let browser = world.signed_in().await;
    let mut request = format!("ws://127.0.0.1:{}/stream", world.gateway.port).into_client_request().unwrap();
    let cookie = format!("portcullis={}", browser.cookie(&world.gateway.url("/"), "portcullis").unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (mut open, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    open.send("hello".into()).await.unwrap();
    assert_eq!(open.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "hello");
    sessions(&world.gateway, &["end", "--user", "alice"]);
    let end = tokio::time::timeout(PATIENCE, open.next()).await.expect("the WebSocket ends with its session");
    assert!(matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
    assert!(!is_in(&world, &browser).await);
}

/// The first call of this operation that was recorded.
fn called(gateway: &Gateway, operation: &str) -> Value {
    serde_json::from_str(&logged(gateway, &format!("\"operation\":\"{operation}\""))).unwrap()
}

/// An answer on the socket: its status, its head and its content.
fn asked(gateway: &Gateway, method: &str, path: &str, fields: &str, body: &str) -> (u16, String, Value) {
    let mut stream = UnixStream::connect(socket(gateway)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A body that is refused by its size is not read to its end.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    (head[9..12].parse().unwrap(), head.to_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn what_is_wrong_is_told_as_a_problem_and_changes_nothing() {
    let gateway = Gateway::start("");
    let large = format!("{{\"user\":\"{}\"}}", "a".repeat(16 * 1024));
    let endless = format!("[{}", "[".repeat(8000));
    for (method, path, fields, body, status) in [
        ("GET", "/api/v1/sessions", "", "", 400),
        ("GET", "/api/v1/sessions?user=a&x=1", "", "", 400),
        ("PUT", "/api/v1/sessions", "", "", 405),
        ("GET", "/api/v1/drain", "", "", 405),
        ("GET", "/api/v2/sessions", "", "", 404),
        ("POST", "/api/v1/sessions/end", JSON, "", 400),
        ("POST", "/api/v1/sessions/end", JSON, "{", 400),
        ("POST", "/api/v1/sessions/end", JSON, "{}", 400),
        ("POST", "/api/v1/sessions/end", JSON, "{\"user\":\"a\",\"x\":1}", 400),
        ("POST", "/api/v1/sessions/end", JSON, "{\"user\":\"a\",\"reason\":\"a\\u001b\"}", 400),
        ("POST", "/api/v1/sessions/end", JSON, &endless, 400),
        ("POST", "/api/v1/sessions/end", JSON, &large, 413),
        ("POST", "/api/v1/sessions/end", "", "{\"all\":true}", 415),
        ("POST", "/api/v1/drain", "Content-Type: text/plain\r\n", "{}", 415),
    ] {
        let (told, head, problem) = asked(&gateway, method, path, fields, body);
        assert_eq!(told, status, "{method} {path} {body:.40}\n{head}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert!(problem["detail"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        assert_eq!(head.contains("\r\nallow: "), status == 405, "{head}");
    }
    assert_eq!(asked(&gateway, "GET", "/healthz", "", "").0, 200);
    assert!(!gateway.log().contains("\"ended\":"), "{}", gateway.log());
    until("each call", || gateway.log().matches("\"end-sessions\",\"status\":400").count() == 6);
}

#[test]
fn the_process_is_asked_over_the_socket_and_the_log_says_by_whom_and_why() {
    let mut gateway = Gateway::start("");
    let (status, _, told) = asked(&gateway, "GET", "/api/v1/openapi.json", "", "");
    assert_eq!((status, &told["openapi"]), (200, &json!("3.1.1")));
    let (status, _, told) =
        asked(&gateway, "POST", "/api/v1/reload", JSON, "{\"reason\":\"new certificate\"}");
    assert_eq!(status, 202, "{told}");
    event(&gateway, "configuration.changed");
    let (_, _, told) = asked(&gateway, "GET", "/api/v1/configuration", "", "");
    assert_eq!(
        (&told["admin"]["socket"], &told["log"]),
        (&json!("admin.sock"), &json!({ "format": "json" }))
    );
    let line = called(&gateway, "reload");
    assert_eq!((&line["status"], &line["reason"]), (&json!(202), &json!("new certificate")), "{line}");
    assert_eq!(asked(&gateway, "POST", "/api/v1/drain", JSON, "{}").0, 202);
    assert_eq!(gateway.wait(), Some(0));
    assert!(!socket(&gateway).exists(), "the socket goes with its process");
}

async fn at_the_address(gateway: &Gateway, path: &str, fields: &[(&str, &str)]) -> Answer {
    Browser::new().send(Method::GET, &gateway.admin_url(path), fields, "").await
}

#[tokio::test]
async fn at_the_address_the_api_is_there_for_who_shows_the_token_alone() {
    let gateway = Gateway::start("");
    let bearer = |token: &str| format!("Bearer {token}");
    let (right, path) = (bearer(TOKEN), "/api/v1/sessions?all=true");
    assert_eq!(
        at_the_address(&gateway, path, &[("authorization", &right)]).await.status,
        404,
        "without a token"
    );
    let text = fs::read_to_string(gateway.configuration()).unwrap();
    let with = text.replace("[admin]\n", "[admin]\ntoken = { file = \"admin.token\" }\n");
    let file = gateway.directory.path().join("admin.token");
    fs::write(&file, TOKEN).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::write(gateway.configuration(), with).unwrap();
    gateway.signal("HUP");
    event(&gateway, "configuration.changed");
    for wrong in [
        "Bearer",
        "Bearer x",
        &bearer(&TOKEN[1..]),
        &bearer(&TOKEN.to_uppercase()),
        &format!("Basic {TOKEN}"),
    ] {
        let answer = at_the_address(&gateway, path, &[("authorization", wrong)]).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{:?}", answer.headers);
    }
    assert_eq!(at_the_address(&gateway, path, &[]).await.status, 401);
    assert_eq!(at_the_address(&gateway, "/api/v1/nowhere", &[]).await.status, 401);
    let answer = at_the_address(&gateway, path, &[("authorization", &right)]).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "sessions": [] })));
    let rebound = [("authorization", right.as_str()), ("host", "evil.example")];
    assert_eq!(at_the_address(&gateway, path, &rebound).await.status, 421);
    assert_eq!(at_the_address(&gateway, "/metrics", &[]).await.status, 200, "as before");
    let other = TOKEN.replace('0', "f");
    fs::write(&file, &other).unwrap();
    let renewed = bearer(&other);
    until_async("the new token", || async {
        at_the_address(&gateway, path, &[("authorization", &renewed)]).await.status == 200
    })
    .await;
    assert_eq!(at_the_address(&gateway, path, &[("authorization", &right)]).await.status, 401, "the old one");
    assert!(!gateway.log().contains(TOKEN));
}

fn inode(gateway: &Gateway) -> u64 {
    fs::symlink_metadata(socket(gateway)).unwrap().ino()
}

#[test]
fn the_socket_is_its_users_alone_and_replaced_only_where_nobody_answers() {
    let mut gateway = Gateway::start("");
    assert_eq!(fs::symlink_metadata(socket(&gateway)).unwrap().mode() & 0o7777, 0o600);
    let path = gateway.directory.path().join("second.toml");
    let second = fs::read_to_string(gateway.configuration()).unwrap();
    let second =
        second.replace(&format!("listen = \"127.0.0.1:{}\"", gateway.port), "listen = \"127.0.0.1:0\"");
    let second = second.replace(&format!("listen = \"127.0.0.1:{}\"\n", gateway.admin), "");
    fs::write(&path, second.replace("state.db", "second.db")).unwrap();
    let output = program(gateway.directory.path(), &["run", "--config", "second.toml"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("another process answers at"), "{told}");
    let before = inode(&gateway);
    gateway.kill();
    assert_eq!(inode(&gateway), before, "a process that is killed leaves its socket");
    gateway.start_again();
    assert_eq!(sessions(&gateway, &["list"]), json!({ "sessions": [] }));
    gateway.kill();
    fs::remove_file(socket(&gateway)).unwrap();
    fs::write(socket(&gateway), "precious").unwrap();
    let output = program(gateway.directory.path(), &["run"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("is there and is no socket"), "{told}");
    assert_eq!(fs::read_to_string(socket(&gateway)).unwrap(), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_takes_over_has_the_socket_and_the_old_one_leaves_it() {
    let mut world = World::open(ROUTES).await;
    let alice = world.signed_in().await;
    let before = inode(&world.gateway);
    let mut old = world.gateway.take_over();
    until("the new socket", || inode(&world.gateway) != before);
    let after = inode(&world.gateway);
    until("the old process to end", || old.ended().is_some());
    assert_eq!(inode(&world.gateway), after);
    assert_eq!(sessions(&world.gateway, &["end", "--user", "alice"]), json!({ "ended": 1 }));
    assert!(!is_in(&world, &alice).await);
    world.gateway.signal("TERM");
    assert_eq!(world.gateway.wait(), Some(0));
    assert!(!socket(&world.gateway).exists());
}

#[test]
fn another_user_is_refused_whatever_the_sockets_mode() {
    let gateway = Gateway::start("");
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(arguments);
        command.current_dir(gateway.directory.path()).output()
    };
    fs::set_permissions(gateway.directory.path(), Permissions::from_mode(0o755)).unwrap();
    if !nobody(&[binary, "--version"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user cannot become another one who can run {binary}");
        return;
    }
    for mode in [0o600, 0o666] {
        fs::set_permissions(socket(&gateway), Permissions::from_mode(mode)).unwrap();
        let output = nobody(&[binary, "sessions", "list", "--json"]).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{mode:o} {told}");
        assert!(told.contains("does not answer this user") && told.contains("run this as root"), "{told}");
    }
    let line = event(&gateway, "management.refused");
    assert_eq!(line["operator"], "uid 65534", "{line}");
}

#[test]
fn commands_say_what_to_do() {
    let mut gateway = Gateway::start("");
    let told = complaint(&gateway, &["sessions", "end", "--all"]);
    assert!(told.contains("nobody is here to be asked") && told.contains("--all --yes"), "{told}");
    let told = complaint(&gateway, &["sessions", "end"]);
    assert!(told.contains("say which: `user`"), "{told}");
    let told = complaint(&gateway, &["sessions", "list", "--id", "12\u{202e}"]);
    assert!(told.contains("8 to 64 hexadecimal digits"), "{told}");
    let output = program(gateway.directory.path(), &["sessions", "list"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    gateway.signal("TERM");
    gateway.wait();
    let told = complaint(&gateway, &["sessions", "list"]);
    assert!(told.contains("no gateway answers at") && told.contains("start it"), "{told}");
    let text = fs::read_to_string(gateway.configuration()).unwrap();
    fs::write(gateway.configuration(), text.replace("socket = \"admin.sock\"\n", "")).unwrap();
    let told = complaint(&gateway, &["sessions", "list"]);
    assert!(told.contains("no socket to ask the gateway on") && told.contains("[admin] socket = "), "{told}");
}

/// The names of the keys that apps see.
async fn published(gateway: &Gateway) -> Vec<Value> {
    let jwks = Browser::new().get(&gateway.url("/.portcullis/jwks.json")).await;
    assert_eq!(jwks.header("cache-control"), "public, max-age=300");
    jwks.json()["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

#[tokio::test]
async fn the_next_assertion_key_is_published_by_command_and_survives_a_restart_and_a_take_over() {
    let mut world = World::open(ROUTES).await;
    let rotate = |gateway: &Gateway| {
        let output = program(gateway.directory.path(), &["keys", "rotate", "--json", "--reason", "leaked"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let before = published(&world.gateway).await;
    assert_eq!(before.len(), 1);
    let next = rotate(&world.gateway);
    assert_eq!(
        published(&world.gateway).await,
        [before[0].clone(), next["kid"].clone()],
        "the old one first"
    );
    assert_eq!(rotate(&world.gateway), next, "it is on its way already");
    let line = event(&world.gateway, "key.published");
    assert_eq!(line["key"], next["kid"], "{line}");
    assert_eq!(called(&world.gateway, "rotate-assertion-key")["operator"], line["by"]);
    let keys = published(&world.gateway).await;
    world.gateway.restart();
    assert_eq!(published(&world.gateway).await, keys);
    let mut old = world.gateway.take_over();
    until("the old process to end", || old.ended().is_some());
    assert_eq!(published(&world.gateway).await, keys);
}

#[tokio::test]
async fn rates_are_told_with_what_is_at_its_bound() {
    let route = "[[routes]]\nname = \"busy\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"public\"\n\
                 limits = [{ per = \"address\", rate = \"1/h\", burst = 2 }]\n";
    let gateway = Gateway::start(route);
    for _ in 0..5 {
        Browser::new().get(&gateway.url("/")).await;
    }
    let (status, _, told) = asked(&gateway, "GET", "/api/v1/limits", "", "");
    assert_eq!(status, 200);
    let busy = json!({"route": "busy", "limits": [
        {"name": "address", "burst": 2, "window": 7200, "counted": 1, "at_bound": 1, "refused": 3}
    ]});
    assert_eq!(told[0], busy, "{told}");
    assert_eq!(told[1]["route"], "portcullis", "{told}");
    assert_eq!(asked(&gateway, "GET", "/api/v1/limits?x=1", "", "").0, 400);
}
