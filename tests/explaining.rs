//! `portcullis explain` and `portcullis check`: what an operator asks before and after.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{Browser, World, logged, program};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request", assertion = true }

[[routes]]
name = "admin"
path = "/admin"
upstream = "{app}"
allow = [{ groups = ["ops"] }]
"#;

fn explain(world: &World, arguments: &[&str]) -> Output {
    let directory = world.gateway.directory.path();
    program(directory, &[&["explain", "--config", "portcullis.toml"], arguments].concat())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn explain_says_what_the_gateway_does() {
    let world = World::open(WIKI).await;
    let url = world.gateway.url("/admin/x?y");
    let bob =
        explain(&world, &["--url", &url, "--user", "bob", "--group", "ops", "--email", "bob@corp.example"]);
    assert_eq!(bob.status.code(), Some(0), "{}", text(&bob));
    assert!(text(&bob).contains("admin") && text(&bob).contains(&world.app.url()), "{}", text(&bob));
    let alice = explain(&world, &["--url", &url, "--user", "alice", "--group", "staff"]);
    assert_eq!(alice.status.code(), Some(1));
    assert!(text(&alice).contains("ops"), "what is required: {}", text(&alice));
    let nobody = explain(&world, &["--url", &url]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody).contains("nobody is signed in"));
    let wiki = explain(&world, &["--url", &world.gateway.url("/"), "--user", "alice", "--group", "staff"]);
    for header in
        ["x-auth-request-user: alice", "x-auth-request-groups: staff", "portcullis-assertion: a signed JWT"]
    {
        assert!(text(&wiki).contains(header), "{header}: {}", text(&wiki));
    }
}

#[tokio::test]
async fn explain_takes_the_question_from_a_refusals_id_and_the_log() {
    let world = World::open(WIKI).await;
    let page = Browser::new().visit(&world.gateway.url("/admin/secret")).await;
    assert_eq!(page.status, 403);
    let id = page.header("x-request-id");
    logged(&world.gateway, id);
    let told = explain(&world, &["--id", id, "--log", "log", "--group", "staff"]);
    assert_eq!(told.status.code(), Some(1), "{}", text(&told));
    for part in ["/admin/secret", "alice", "403", "forbidden", "ops"] {
        assert!(text(&told).contains(part), "{part}: {}", text(&told));
    }
    let unknown = explain(&world, &["--id", "0123456789abcdef", "--log", "log"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("0123456789abcdef"));
}

/// A rule of groups, and a log that holds none.
#[tokio::test]
async fn explain_tells_what_the_log_does_not_hold_as_unknown() {
    let world = World::open(&WIKI.replace(
        "allow = [{ groups = [\"ops\"] }]",
        "access = \"signed-in\"\ndeny = [{ groups = [\"banned\"] }]",
    ))
    .await;
    let page = Browser::new().visit(&world.gateway.url("/admin/x")).await;
    assert_eq!(page.status, 200, "alice is not banned");
    let line = logged(&world.gateway, "\"path\":\"/admin/x\",\"route\":\"admin\",\"provider\":\"corp\"");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let id = value["id"].as_str().unwrap().to_owned();
    let port = world.gateway.url("").rsplit(':').next().unwrap().trim_matches('/').to_owned();
    assert!(line.contains(&format!(":{port}\"")), "the log's host keeps its port: {line}");
    let told = explain(&world, &["--id", &id, "--log", "log"]);
    for part in ["not known", "the log does not hold the groups", "--group"] {
        assert!(text(&told).contains(part), "{part}: {}", text(&told));
    }
    assert!(!text(&told).contains("forbidden"), "{}", text(&told));
    let known = explain(&world, &["--id", &id, "--log", "log", "--group", "staff"]);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known));
    let banned = explain(&world, &["--id", &id, "--log", "log", "--group", "banned"]);
    assert!(banned.status.code() == Some(1) && text(&banned).contains("forbidden"), "{}", text(&banned));
}

#[tokio::test]
async fn explain_tells_how_somebody_must_have_signed_in() {
    let strong = "allow = [{ groups = [\"staff\"], acr = [\"mfa\"], max_auth_age = \"15m\" }]\nsession = { max_age = \"1h\", idle_timeout = \"15m\" }";
    let world = World::open(&WIKI.replace("allow = [{ groups = [\"ops\"] }]", strong)).await;
    let url = world.gateway.url("/admin");
    let ask = |more: &[&str]| {
        let who = ["--url", &url, "--user", "alice", "--group", "staff"];
        let told = explain(&world, &[&who[..], more].concat());
        (told.status.code(), text(&told))
    };
    let (code, told) = ask(&[]);
    assert!(code == Some(1) && told.contains("step-up required") && told.contains("unknown"), "{told}");
    let session = "at most 1h old and unused on this route for at most 15m, else a new sign-in";
    assert!(told.contains(session), "what the route asks of sessions: {told}");
    assert_eq!(ask(&["--acr", "mfa", "--auth-age", "5m"]).0, Some(0));
    let (code, told) = ask(&["--acr", "pwd", "--auth-age", "2h"]);
    assert!(code == Some(1) && told.contains("found pwd") && told.contains("a sign-in 2h"), "{told}");
    let page = Browser::new().visit(&url).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let id = page.header("x-request-id").to_owned();
    logged(&world.gateway, &format!("\"type\":\"access.granted\",\"id\":\"{id}\""));
    let told = text(&explain(&world, &["--id", &id, "--log", "log", "--group", "staff"]));
    assert!(told.contains("not known") && told.contains("how the person signed in"), "{told}");
}

#[tokio::test]
async fn explain_judges_a_path_as_it_was_written() {
    let world = World::open(WIKI).await;
    for (path, cause) in [
        ("/admin/%2e%2e/x", "dot segment"),
        ("/admin/../x", "dot segment"),
        ("/admin\\x", "backslash"),
        ("/a%2Fb", "an encoded slash"),
    ] {
        let url = world.gateway.url(path);
        let told = explain(&world, &["--url", &url, "--user", "alice"]);
        assert_eq!(told.status.code(), Some(1), "{path}: {}", text(&told));
        assert!(text(&told).contains(cause) && text(&told).contains(path), "{path}: {}", text(&told));
    }
    let plain = explain(&world, &["--url", world.gateway.url("").trim_end_matches('/'), "--user", "alice"]);
    assert_eq!(plain.status.code(), Some(0), "no path is the root: {}", text(&plain));
}

#[tokio::test]
async fn explain_reads_claims_and_refuses_what_it_cannot_read() {
    let world = World::open(WIKI).await;
    let directory = world.gateway.directory.path();
    std::fs::write(
        directory.join("claims.json"),
        r#"{"sub": "s1", "preferred_username": "bob", "groups": ["ops"]}"#,
    )
    .unwrap();
    std::fs::write(directory.join("broken.json"), "{").unwrap();
    let url = world.gateway.url("/admin");
    assert_eq!(explain(&world, &["--url", &url, "--claims", "claims.json"]).status.code(), Some(0));
    for bad in [
        &["--claims", "broken.json"][..],
        &["--claims", "missing.json"],
        &["--user", "x", "--provider", "nobody"],
    ] {
        let told = explain(&world, &[&["--url", url.as_str()], bad].concat());
        assert_eq!(told.status.code(), Some(2), "{bad:?}");
        assert!(!told.stderr.is_empty());
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

#[test]
fn check_accepts_the_examples_without_a_word_of_doubt() {
    for file in ["one-app.toml", "many-apps.toml", "api.toml"] {
        let told = program(&examples(), &["check", "--config", file]);
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.status.code(), Some(0), "{file}: {said}");
        assert!(text(&told).contains("good"), "{file}: {}", text(&told));
    }
}

#[tokio::test]
async fn check_and_explain_tell_every_fault_of_a_bad_file() {
    let world = World::open(WIKI).await;
    let directory = world.gateway.directory.path();
    let bad = "[server]\nlisten = \"127.0.0.1:0x\"\n\n[[routes]]\nname = \"a\"\nupstrem = \"http://127.0.0.1:1\"\naccess = \"public\"\n";
    std::fs::write(directory.join("bad.toml"), bad).unwrap();
    let told = program(directory, &["check", "--config", "bad.toml"]);
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1), "{said}");
    for part in ["bad.toml:2", "bad.toml:6", "upstream"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let told = program(directory, &["explain", "--config", "bad.toml", "--url", "http://x/"]);
    assert_eq!(told.status.code(), Some(64));
}
