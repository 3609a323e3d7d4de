//! The examples of `docs/app.md` verify what a gateway that runs has signed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::Document;
use crate::support::{App, Browser, Gateway, Provider, free_port};

const WIKI: &str =
    "[[routes]]\nupstream = \"{app}\"\naccess = \"signed-in\"\nidentity = { assertion = true }\n";

/// An assertion about alice, and the gateway that signed it.
async fn assertion() -> (String, Gateway, Provider, App) {
    let app = App::start().await;
    let port = free_port();
    let provider = Provider::start(&format!("http://127.0.0.1:{port}"));
    let routes = WIKI.replace("{app}", &app.url());
    let gateway = Gateway::on(port, "", &format!("{}\n{routes}", provider.configuration()));
    let told = Browser::new().visit(&gateway.url("/")).await.json();
    let headers = told["headers"].as_array().unwrap();
    let header = headers.iter().find(|header| header[0] == "portcullis-assertion").expect("an assertion");
    (header[1].as_str().unwrap().to_owned(), gateway, provider, app)
}

/// The example as a reader copies it, with this gateway's names.
fn example(language: &str, issuer: &str, audience: &str) -> String {
    let app = Document::read("docs/app.md");
    let text = app.blocks_of(language)[0];
    let own = text.replace("https://login.corp.example", issuer).replace("wiki.corp.example", audience);
    assert_ne!(own, text);
    own
}

fn run(script: &str) -> Output {
    // Beside the packages, where Node looks for them.
    let file = Path::new("tests/peers/node_modules").join(format!(".example-{}.mjs", free_port()));
    fs::write(&file, script).unwrap();
    let output = Command::new("node").arg(&file).output().unwrap();
    fs::remove_file(&file).unwrap();
    output
}

#[tokio::test]
async fn the_example_for_node_takes_an_assertion_and_refuses_another_apps() {
    let (token, gateway, _provider, _app) = assertion().await;
    let issuer = gateway.url("").trim_end_matches('/').to_owned();
    let ask = |token: &str| {
        format!("\nconsole.log(JSON.stringify(await whoAsks({{ 'portcullis-assertion': '{token}' }})));\n")
    };
    let good = run(&(example("js", &issuer, "127.0.0.1") + &ask(&token)));
    let said = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said, serde_json::json!({ "id": "corp/alice", "groups": ["staff"] }));
    for (audience, token) in
        [("files.corp.example", token.as_str()), ("127.0.0.1", ""), ("127.0.0.1", &token[..token.len() - 8])]
    {
        let refused = run(&(example("js", &issuer, audience) + &ask(token)));
        assert!(!refused.status.success(), "{audience} {token}");
    }
}

#[tokio::test]
async fn the_table_of_the_assertions_claims_is_complete() {
    let (token, _gateway, _provider, _app) = assertion().await;
    let payload =
        jsonwebtoken::dangerous::insecure_decode::<serde_json::Map<String, serde_json::Value>>(&token);
    let claims = payload.unwrap().claims;
    let app = Document::read("docs/app.md");
    let section = app.text.split("## The signed assertion").nth(1).unwrap();
    for claim in claims.keys() {
        assert!(section.contains(&format!("`{claim}`")), "the claim {claim} is not in the table");
    }
}

/// Headers of families stand in the table as the program writes them.
#[test]
fn the_table_of_families_names_their_headers() {
    let source = fs::read_to_string("src/config/lower/identity.rs").unwrap();
    let app = Document::read("docs/app.md").text.to_lowercase();
    let function = source.split("fn names").nth(1).unwrap().split("\n}").next().unwrap();
    let quoted = function.split('"').skip(1).step_by(2);
    let names: Vec<&str> = quoted.filter(|text| text.contains('-')).collect();
    assert_eq!(names.len(), 12);
    for name in names {
        assert!(app.contains(&format!("`{name}`")), "{name} is not in the table");
    }
}
