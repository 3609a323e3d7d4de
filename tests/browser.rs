//! A person with a real browser (Chromium without a window) walks through what the gateway shows.
//! The walks are in `tests/peers/walk`; each leaves pictures in `tests/artefacts`.
//!
//! Every walk fails on an error in the browser's console, on a violated Content Security Policy, on a request
//! that leaves loopback, and on a page that does not fit its window or cannot be read in it.

use std::net::TcpListener;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::PublicKeyData;
use serde_json::json;

use crate::support::{App, Browser, Demo, Gateway, Impostor, Provider, free_port, sockets, until};

/// Runs one walk and fails with what it says.
pub(crate) fn walk(name: &str, environment: impl IntoIterator<Item = (&'static str, String)>) {
    let walked = Command::new("node")
        .args(["tests/peers/walk.mjs", name])
        .envs(environment)
        .output()
        .expect("node is installed, and `npm ci` ran in tests/peers (tests/run does both)");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        walked.status.success(),
        "the walk \"{name}\" failed:\n{}{}",
        told(&walked.stdout),
        told(&walked.stderr)
    );
}

#[test]
fn a_newcomer_signs_in_to_the_demo_and_the_app_has_verified_who_that_is() {
    walk("sign-in", Demo::start().environment());
}

#[test]
fn ten_tabs_of_a_browser_all_arrive_where_they_wanted_to_go() {
    walk("tabs", Demo::start().environment());
}

#[test]
fn who_is_refused_signs_in_as_somebody_else_and_gets_in() {
    walk("refused", Demo::start().environment());
}

#[test]
fn after_signing_out_the_back_button_shows_nothing_and_scripts_get_401() {
    walk("sign-out", Demo::start().environment());
}

#[test]
fn everything_can_be_done_with_the_keyboard() {
    walk("keyboard", Demo::start().environment());
}

#[test]
fn a_form_sent_without_a_session_goes_out_after_the_sign_in() {
    walk("form", Demo::start().environment());
}

#[test]
fn an_address_of_any_length_survives_the_sign_in_with_its_fragment() {
    walk("addresses", Demo::start().environment());
}

#[test]
fn a_newcomer_sees_a_month_in_the_console_of_the_demo() {
    walk("history", Demo::with(&["--history"]).environment());
}

/// Two providers that are away, an app that is down, one that never answers, and one door that is busy.
const TROUBLED: &str = r#"
[providers.corp]
issuer = "http://127.0.0.1:{away}"
display_name = "Corp single sign-on"
client_id = "portcullis"
client_secret = { env = "CLIENT_SECRET" }

[providers.partner]
issuer = "http://127.0.0.1:{away}/partner"
display_name = "Partner network"
client_id = "portcullis"
client_secret = { env = "CLIENT_SECRET" }
email_domains = ["partner.example"]

[[routes]]
name = "wiki"
path = "/wiki"
upstream = "http://127.0.0.1:{away}"
access = "signed-in"

[[routes]]
name = "down"
path = "/down"
upstream = "http://127.0.0.1:{away}"
access = "public"

[[routes]]
name = "slow"
path = "/slow"
upstream = "http://127.0.0.1:{silent}"
access = "public"
timeout = { response = "200ms" }

[[routes]]
name = "busy"
path = "/busy"
upstream = "http://127.0.0.1:{away}"
access = "public"
limits = [{ per = "route", rate = "1/h", burst = 1 }]
"#;

#[test]
fn pages_about_trouble_can_be_read_in_every_window() {
    // The system takes connections in, and nobody ever answers them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    let routes = TROUBLED.replace("{away}", &free_port().to_string()).replace("{silent}", &silent_port);
    let gateway = Gateway::start(&routes);
    walk("trouble", [("GATEWAY", gateway.url(""))]);
}

/// What people call the providers of a gateway that has many.
const DOZEN: &str = "Aberdeen, Bergen Works, Cork, Dover Works, Essen, Fulda, Galway, Hull, Izmir, Jena, Köln, \
                     Lund Works";

#[test]
fn among_a_dozen_providers_people_find_theirs_by_typing_and_without_scripts_see_all() {
    let provider = |name: &str| {
        let key = name.split(' ').next().unwrap_or_default().to_lowercase().replace('ö', "o");
        format!(
            "[providers.{key}]\nissuer = \"http://127.0.0.1:{}/{key}\"\ndisplay_name = \"{name}\"\n\
             client_id = \"portcullis\"\n",
            free_port()
        )
    };
    let providers: String = DOZEN.split(", ").map(provider).collect();
    let route = "[[routes]]\nname = \"wiki\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"signed-in\"\n";
    let gateway = Gateway::start(&format!("{providers}{route}"));
    walk("dozen", [("GATEWAY", gateway.url(""))]);
}

/// The provider is another site than the gateway, by address and by scheme.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_on_another_site_posts_its_answer_and_the_person_is_signed_in() {
    let port = free_port();
    let public_url = format!("https://localhost:{port}");
    let (app, provider) = (App::start().await, Provider::start(&public_url));
    let route = format!(
        "[[routes]]\nname = \"wiki\"\nupstream = \"{}\"\naccess = \"signed-in\"\n\
         identity = {{ headers = {{ X-User = \"user\" }} }}\n",
        app.url()
    );
    let rest = format!("{}response_mode = \"form_post\"\n\n{route}", provider.configuration());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = [("tls.crt", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let gateway = Gateway::over_tls(port, &public_url, &rest, &files);
    tokio::task::spawn_blocking(move || walk("form-post", [("GATEWAY", public_url)])).await.unwrap();
    drop(gateway);
}

/// A certificate for these hosts and its key, and what browsers may trust it by.
fn certificate(hosts: &[&str]) -> ([(&'static str, String); 2], String) {
    let made = rcgen::generate_simple_self_signed(hosts.iter().map(ToString::to_string).collect::<Vec<_>>());
    let made = made.unwrap();
    let key = made.signing_key.subject_public_key_info();
    let key = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key);
    let files = [("tls.crt", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())];
    (files, STANDARD.encode(key))
}

/// With keys in software, which Chromium has for tests on every system.
#[tokio::test(flavor = "multi_thread")]
async fn chromium_binds_a_session_to_its_device_and_renews_what_shows_it() {
    let port = free_port();
    let public_url = format!("https://localhost:{port}");
    let (app, provider) = (App::start().await, Provider::start(&public_url));
    let route = format!("[[routes]]\nupstream = \"{}\"\naccess = \"signed-in\"\n", app.url());
    let (files, key) = certificate(&["localhost"]);
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let rest = format!("{}{route}", provider.configuration());
    let gateway = Gateway::over_tls(port, &public_url, &rest, &files);
    let environment = [("GATEWAY", public_url), ("SPKI", key)];
    tokio::task::spawn_blocking(move || walk("bound", environment)).await.unwrap();
    assert_eq!(gateway.log().matches("session.bound").count(), 2);
}

/// One binding for all hosts of a domain, by the word of the domain's document.
#[tokio::test(flavor = "multi_thread")]
async fn chromium_binds_a_session_for_a_whole_site_and_renews_it_for_every_host() {
    let port = free_port();
    let public_url = format!("https://login.corp.test:{port}");
    let (app, provider) = (App::start().await, Provider::start(&public_url));
    let route = |host: &str| {
        format!("[[routes]]\nhost = \"{host}\"\nupstream = \"{}\"\naccess = \"signed-in\"\n", app.url())
    };
    let hosts = ["corp.test", "login.corp.test", "wiki.corp.test"];
    let routes = hosts.map(route).concat();
    let rest = format!("{}[session]\nbind_site = \"corp.test\"\n{routes}", provider.configuration());
    let (files, key) = certificate(&hosts);
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let gateway = Gateway::over_tls(port, &public_url, &rest, &files);
    let environment = [("GATEWAY", public_url), ("SPKI", key)];
    tokio::task::spawn_blocking(move || walk("bound-site", environment)).await.unwrap();
    assert_eq!(gateway.log().matches("session.bound").count(), 1);
    until("the browser to ask the domain", || gateway.log().contains("/.well-known/device-bound-sessions"));
}

/// The provider is another site than the gateway, by address.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_on_another_site_signs_its_person_out_in_a_frame() {
    let port = free_port();
    let public_url = format!("http://localhost:{port}");
    let (app, issuer) = (App::start().await, Impostor::start().await);
    let frame = format!("{public_url}/.portcullis/front-channel-logout?iss={}&sid=s1", issuer.issuer());
    issuer.now(|ways| {
        ways.id_token = json!({"sid": "s1"});
        ways.instead
            .insert("/bye", (200, "text/html", format!("<!doctype html><iframe src=\"{frame}\"></iframe>")));
    });
    let route = format!("[[routes]]\nupstream = \"{}\"\naccess = \"signed-in\"\n", app.url());
    let gateway = Gateway::at(port, &public_url, "", &format!("{}{route}", issuer.configuration()));
    let addresses = [("GATEWAY", public_url), ("PROVIDER", issuer.issuer().to_owned())];
    tokio::task::spawn_blocking(move || walk("framed", addresses)).await.unwrap();
    drop(gateway);
}

/// Two browsers, one person: what one ends, the other feels at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_ends_a_sign_in_from_another_browser_sees_it_gone_with_its_websocket() {
    let port = free_port();
    let public_url = format!("http://localhost:{port}");
    let (app, issuer, stream) = (App::start().await, Impostor::start().await, sockets().await);
    let routes = format!(
        "[[routes]]\nupstream = \"{}\"\naccess = \"signed-in\"\n\n\
         [[routes]]\npath = \"/stream\"\nupstream = \"{stream}\"\naccess = \"signed-in\"\n",
        app.url()
    );
    let gateway = Gateway::at(port, &public_url, "", &format!("{}{routes}", issuer.configuration()));
    tokio::task::spawn_blocking(move || walk("sessions", [("GATEWAY", public_url)])).await.unwrap();
    drop(gateway);
}

/// The console on a host of its own, an app on another, of which one server is down.
const CONSOLE: &str = r#"
[policies.people]
allow = [{ groups = ["staff", "ops"] }]

[policies.writers]
allow = [{ groups = ["writers"], methods = ["GET", "HEAD"] }, { groups = ["editors"] }]
deny = [{ groups = ["guests"] }]

[policies.ops]
allow = [{ groups = ["ops"] }]

[console]
auditor = "ops"
operator = "ops"

[[routes]]
name = "console"
host = "localhost"
serve = "console"
policy = "people"

[[routes]]
name = "wiki"
host = "127.0.0.1"
upstream = "{app}"
access = "signed-in"
limits = [{ per = "principal", rate = "600/min" }, { per = "address", rate = "1000/min", burst = 100 }]
concurrency = 200

[[routes]]
name = "wiki administration"
host = "127.0.0.1"
path = "/admin"
upstream = "{app}"
policy = "writers"
session = { max_age = "8h" }

[[routes]]
name = "archive"
host = "127.0.0.1"
path = "/down"
upstream = "{down}"
access = "signed-in"

[[routes]]
name = "old wiki"
host = "old.localhost"
access = "public"
redirect = { host = "127.0.0.1" }
"#;

/// Who is signed in, in which groups and with which browser.
const PEOPLE: [(&str, &[&str], &str); 5] = [
    (
        "alice.liddell",
        &["staff", "writers"],
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 \
         Mobile/15E148 Safari/604.1",
    ),
    (
        "bob@corp.example",
        &["staff"],
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    (
        "Zoë Ångström",
        &["staff", "editors"],
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 \
         Safari/605.1.15",
    ),
    (
        "charles.de.montesquieu@subsidiary.corp.example",
        &["guests"],
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("deploy", &["robots"], "curl/8.14.1"),
];

fn console(port: u16, public_url: &str, app: &App, issuer: &Impostor) -> Gateway {
    let down = format!("http://127.0.0.1:{}", free_port());
    let routes = CONSOLE.replace("{app}", &app.url()).replace("{down}", &down);
    Gateway::at(port, public_url, "", &format!("{}\n{routes}", issuer.configuration()))
}

/// Nothing of it needs a script, and it can be read in every window.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_walks_through_the_console() {
    walk_through_the_console("console").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_goes_after_what_somebody_did_and_watches_what_happens() {
    walk_through_the_console("console-work").await;
}

async fn walk_through_the_console(name: &'static str) {
    let port = free_port();
    let public_url = format!("http://localhost:{port}");
    let (app, issuer) = (App::start().await, Impostor::start().await);
    let gateway = console(port, &public_url, &app, &issuer);
    for (user, groups, agent) in PEOPLE {
        issuer.now(|ways| {
            ways.id_token = json!({"sub": user, "preferred_username": user, "groups": groups});
        });
        let browser = Browser::with_agent(agent);
        for path in ["/", "/page", "/page", "/admin", "/down", "/old"] {
            browser.visit(&gateway.url(path)).await;
        }
    }
    issuer.now(|ways| {
        ways.id_token = json!({
            "sub": "248289761001", "preferred_username": "olga", "name": "Olga Perator", "email": "olga@corp.example",
            "email_verified": true, "groups": ["staff", "ops", "platform-engineering"], "acr": "urn:example:mfa",
        });
    });
    gateway.rewrite("rate = \"600/min\"", "rate = \"300/min\"");
    let environment = [("GATEWAY", public_url), ("APP", format!("http://127.0.0.1:{port}"))];
    tokio::task::spawn_blocking(move || walk(name, environment)).await.unwrap();
    drop(gateway);
}
