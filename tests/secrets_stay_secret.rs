//! Neither the session's key nor a token is found where it does not belong (invariant 15).

use std::fs;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use crate::support::{App, Browser, CLIENT_SECRET, Gateway, Impostor, World};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request", assertion = true }

[[routes]]
name = "token"
path = "/token"
upstream = "{app}"
accept = ["session", "bearer"]
allow = [{ groups = ["staff"] }]
identity = { token = "access" }

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"
"#;

/// What must be found nowhere: everything secret that one sign-in brought forth.
async fn planted(world: &World, browser: &Browser) -> Vec<String> {
    let callback =
        browser.stop_before(&world.gateway.url("/?secret=in-a-query"), "/.portcullis/callback").await;
    let sealed = browser.cookie_names(callback.as_str());
    let flows: Vec<_> = sealed.iter().filter_map(|name| browser.cookie(callback.as_str(), name)).collect();
    let parameters = callback.query_pairs().filter(|(name, _)| name == "code" || name == "state");
    let mut secrets: Vec<String> = parameters.map(|(_, value)| value.into_owned()).collect();
    let flow = browser
        .cookie_names(callback.as_str())
        .into_iter()
        .position(|name| name.starts_with("portcullis-flow"));
    secrets.push(flows[flow.unwrap()].clone());
    browser.follow(browser.get(callback.as_str()).await).await;
    secrets.push(browser.cookie(&world.gateway.url("/"), "portcullis").unwrap());
    let passed =
        crate::support::told(&browser.get(&world.gateway.url("/token")).await, "authorization").remove(0);
    secrets.push(passed.trim_start_matches("Bearer ").to_owned());
    secrets.push(CLIENT_SECRET.to_owned());
    secrets.push("in-a-query".to_owned());
    secrets
}

/// Refusals are logged with their reasons: none of them may quote what came.
async fn refusals(world: &World) {
    let forged = [
        ("authorization", "Bearer planted-opaque-token-1"),
        ("authorization", "Basic cGxhbnRlZC11c2VyOnBsYW50ZWQtcGFzc3dvcmQ="),
        ("cookie", "portcullis=planted-session-cookie-1"),
        ("cookie", "portcullis-flow-planted=planted-flow-cookie-1"),
    ];
    for header in forged {
        for path in [
            "/token?access_token=planted-query-token",
            "/.portcullis/callback?code=planted-code-1&state=planted-state-1",
        ] {
            Browser::new().send(http::Method::GET, &world.gateway.url(path), &[header], "").await;
        }
    }
}

#[tokio::test]
async fn invariant_15_no_secret_is_logged_measured_or_stored_in_clear() {
    let world = World::open(ROUTES).await;
    let browser = Browser::new();
    let secrets = planted(&world, &browser).await;
    refusals(&world).await;
    let metrics = Browser::new().get(&world.gateway.admin_url("/metrics")).await;
    assert_eq!(metrics.status, 200);
    let log = world.gateway.log();
    for secret in secrets.iter().map(String::as_str).chain(["planted", "cGxhbnRlZ"]) {
        assert!(secret.len() >= 7, "{secret}");
        for (place, text) in [("log", &log), ("metrics", &metrics.body)] {
            let found = text.lines().find(|line| line.contains(secret));
            assert!(found.is_none(), "{secret} is in the {place}: {found:?}");
        }
    }
}

#[tokio::test]
async fn invariant_15_a_stolen_state_file_opens_nothing() {
    let mut world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let key = browser.cookie(&world.gateway.url("/"), "portcullis").unwrap();
    world.gateway.signal("TERM");
    world.gateway.wait();
    let mut stolen = Vec::new();
    for file in fs::read_dir(world.gateway.directory.path()).unwrap().flatten() {
        // All but the socket for control.
        if file.file_name().to_string_lossy().starts_with("state.db") && file.path().is_file() {
            stolen.extend(fs::read(file.path()).unwrap());
        }
    }
    assert!(!stolen.is_empty());
    let raw = BASE64_URL_SAFE_NO_PAD.decode(&key).unwrap();
    let forms = [
        key.clone().into_bytes(),
        raw.clone(),
        BASE64_STANDARD.encode(&raw).into_bytes(),
        hex(&raw).into_bytes(),
    ];
    for form in forms {
        assert!(!stolen.windows(form.len()).any(|window| window == form), "the key is in the state file");
    }
    // Tokens are sealed with the key, which the file does not hold.
    assert!(!stolen.windows(3).any(|window| window == b"eyJ"), "a token is in the state file");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn invariant_15_no_app_sees_a_cookie_of_ours() {
    let world = World::open(ROUTES).await;
    let browser = Browser::new();
    browser.get(&world.gateway.url("/one")).await;
    browser.visit(&world.gateway.url("/two")).await;
    browser.set_cookie(&world.gateway.url("/"), "theirs", "kept");
    for path in ["/", "/token", "/open", "/open/deep"] {
        let answer = browser.get(&world.gateway.url(path)).await;
        let cookies = crate::support::told(&answer, "cookie").join("; ");
        assert!(cookies.contains("theirs=kept") && !cookies.contains("portcullis"), "{path}: {cookies}");
    }
    let secret = browser.cookie(&world.gateway.url("/"), "portcullis").unwrap();
    let app = browser.get(&world.gateway.url("/token")).await;
    assert!(!app.body.contains(&secret));
}

#[tokio::test]
async fn invariant_24_nothing_of_the_providers_answers_is_logged_whatever_they_are_called() {
    const MARK: &str = "t0k3n-AbCdEfGh";
    let provider = Impostor::start().await;
    let app = App::start().await;
    let rest = format!("{}{}", provider.configuration(), ROUTES.replace("{app}", &app.url()));
    let gateway = Gateway::start(&rest);
    let tokens =
        serde_json::json!({"access_token": MARK, "refresh_token": MARK, "id_token": MARK, "email": MARK});
    let refusal = serde_json::json!({"error": MARK, "error_description": MARK});
    let bodies = [
        tokens.to_string(),
        refusal.to_string(),
        MARK.to_owned(),
        format!("<html>{MARK}"),
        format!("\"{MARK}\""),
    ];
    let mut answered = 0;
    for path in ["/token", "/me"] {
        for (status, kind) in
            [(200, "text/plain"), (200, "text/html"), (200, "application/json"), (400, "text/plain")]
        {
            for body in &bodies {
                provider.now(|now| {
                    now.id_token = serde_json::json!({"groups": null});
                    now.instead = [(path, (status, kind, body.clone()))].into();
                });
                let asked = provider.asked(path);
                let answer = Browser::new().visit(&gateway.url("/")).await;
                assert!(provider.asked(path) > asked, "{path} {status} {kind}: {}", answer.body);
                let id = answer.header("x-request-id").to_owned();
                crate::support::until("the request's line", || gateway.log().contains(&id));
                answered += 1;
            }
        }
    }
    assert_eq!(answered, 40);
    assert!(!gateway.log().contains(MARK), "{}", crate::support::logged(&gateway, MARK));
}
