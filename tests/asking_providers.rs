//! `portcullis check --online` says of each provider what the gateway would find out at its start.

use std::fs;
use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{App, Discovery, Impostor, program};

const ROUTE: &str = "[[routes]]\nname = \"wiki\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";

const SERVER: &str =
    "[server]\nlisten = \"127.0.0.1:1\"\npublic_url = \"http://127.0.0.1:1\"\nstate = \"state.db\"\n";

/// What the command says of a file with these providers.
async fn asked(providers: &str) -> (Option<i32>, String, String) {
    let app = App::start().await;
    let text = format!("{SERVER}\n{providers}\n{}", ROUTE.replace("{app}", &app.url()));
    let run = move || {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("portcullis.toml"), text).unwrap();
        program(folder.path(), &["check", "--online"])
    };
    let Output { status, stdout, stderr } = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_can_do_its_work_is_good_and_what_it_demands_is_told() {
    let provider = Impostor::start().await;
    let (code, said, complained) = asked(&provider.configuration()).await;
    assert_eq!(code, Some(0), "{complained}");
    assert!(said.contains("provider corp: good"), "{said}");
    assert!(!complained.contains("provider corp"), "{complained}");
    let demands = json!({
        "require_pushed_authorization_requests": true, "end_session_endpoint": "",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    provider.now(|now| now.discovery = Discovery::Changed(demands));
    let (code, _, complained) = asked(&provider.configuration()).await;
    assert_eq!(code, Some(0), "{complained}");
    for told in ["PAR, RFC 9126", "end_session_endpoint", "`client_auth = \"post\"`"] {
        let line = |line: &&str| line.starts_with("warning: provider corp: ") && line.contains(told);
        assert_eq!(complained.lines().filter(line).count(), 1, "{told}: {complained}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_is_told_in_one_line_with_what_to_do() {
    let provider = Impostor::start().await;
    let issuer = provider.issuer().to_owned();
    for (written, told) in [
        (format!("{issuer}/"), "they differ in the slash at the end: write `issuer = "),
        (format!("{issuer}/realms/other"), "status 404, so there is no discovery document"),
        ("http://127.0.0.1:9".to_owned(), "no connection"),
        (issuer.replace("http://", "https://"), "speak clear text (http) on this port?"),
    ] {
        let configuration = provider.configuration().replace(&issuer, &written);
        let (code, _, complained) = asked(&configuration).await;
        let line = |line: &&str| line.starts_with("error: provider corp: ") && line.contains(told);
        assert_eq!((code, complained.lines().filter(line).count()), (Some(1), 1), "{written}: {complained}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_client_assertions_are_for_is_told_without_asking_anybody() {
    for (issuer, told) in [
        ("https://id.corp.example", "for https://id.corp.example"),
        ("https://corp.okta.com/oauth2/default", "for the token endpoint"),
    ] {
        let folder = TempDir::new().unwrap();
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        fs::write(folder.path().join("client.pem"), key).unwrap();
        let provider = format!(
            "[providers.corp]\nissuer = \"{issuer}\"\nclient_id = \"x\"\nprivate_key = {{ file = \"client.pem\" }}\n"
        );
        fs::write(
            folder.path().join("portcullis.toml"),
            format!("{SERVER}\n{provider}\n{}", ROUTE.replace("{app}", "http://127.0.0.1:1")),
        )
        .unwrap();
        let output = program(folder.path(), &["check"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = format!("provider corp: client assertions (private_key_jwt) are {told}\n");
        assert!(output.status.success() && said.contains(&wanted), "{said}");
    }
}
