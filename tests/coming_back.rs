//! Whoever signs in arrives where they wanted to go: with any address, with any number of tabs, and when a sign-in
//! comes back that is not known any more.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::Method;
use url::Url;

use crate::support::{Answer, Browser, World, between, logged};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
path = "/w"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "files"
host = "files.localhost"
upstream = "{app}"
access = "signed-in"
"#;

async fn world() -> World {
    World::at("http://login.localhost:{port}", "", "", WIKI).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

/// An address of about 400 bytes.
fn long(tab: usize) -> String {
    format!("/w/{tab}?x={}", "ab%2F".repeat(80))
}

/// What a browser would send in its `Cookie` field.
fn cookie_bytes(browser: &Browser, url: &str) -> usize {
    let cookies = browser.cookie_names(url).into_iter().map(|name| {
        let value = browser.cookie(url, &name).unwrap();
        name.len() + value.len() + 3
    });
    cookies.sum()
}

/// nginx takes 8 KiB for the whole field, and it is not ours alone.
#[tokio::test]
async fn sixteen_restored_tabs_with_long_addresses_all_arrive_behind_eight_kilobytes_of_headers() {
    let world = world().await;
    for host in ["login", "files"] {
        let browser = Browser::new();
        let mut tabs = Vec::new();
        for tab in 0..16 {
            let callback = browser.stop_before(&at(&world, host, &long(tab)), "/.portcullis/callback").await;
            let bytes = cookie_bytes(&browser, callback.as_str());
            assert!(bytes < 6 * 1024, "{bytes} bytes of cookies with {tab} tabs on {host}");
            tabs.push(callback);
        }
        for (tab, callback) in tabs.iter().enumerate() {
            let arrived = browser.visit(callback.as_str()).await;
            assert_eq!(arrived.status, 200, "tab {tab} on {host}: {}", arrived.body);
            assert_eq!(arrived.url.as_str(), at(&world, host, &long(tab)), "tab {tab} on {host}");
        }
    }
}

fn flows(browser: &Browser, url: &str) -> Vec<String> {
    browser.cookie_names(url).into_iter().filter(|name| name.contains("flow")).collect()
}

#[tokio::test]
async fn a_sign_in_that_took_too_long_begins_anew_and_keeps_the_address() {
    let world = world().await;
    for (host, path) in [("login", "/w/page?a='&b=%26"), ("files", "/x?y")] {
        let browser = Browser::new();
        let callback = browser.stop_before(&at(&world, host, path), "/.portcullis/callback").await;
        // Browsers take a cookie away when its time is over.
        flows(&browser, callback.as_str())
            .iter()
            .for_each(|name| browser.set_cookie(callback.as_str(), name, ""));
        let asked = world.provider.asked("/token").await;
        let arrived = browser.visit(callback.as_str()).await;
        assert_eq!(arrived.json()["target"].as_str().unwrap().replace("%27", "'"), path);
        assert_eq!(world.provider.asked("/token").await, asked + 1);
        let line = logged(&world.gateway, "did not start this flow");
        assert!(line.contains(r#""status":303"#), "{line}");
        // The back button leads to the callback once more.
        let again = browser.visit(callback.as_str()).await;
        assert_eq!((again.status, again.url), (200, arrived.url));
    }
}

#[tokio::test]
async fn a_bookmark_of_the_providers_page_leads_on_with_a_session_and_home_without_an_address() {
    let world = world().await;
    let browser = Browser::new();
    let callback = browser.stop_before(&at(&world, "login", "/w/page"), "/.portcullis/callback").await;
    assert_eq!(browser.visit(callback.as_str()).await.status, 200);
    assert_eq!(browser.get(callback.as_str()).await.next(), Some(at(&world, "login", "/w/page")));
    for state in ["", "x", "old.sealed"] {
        let url = at(&world, "login", &format!("/.portcullis/callback?code=x&state={state}"));
        let home = browser.visit(&url).await;
        assert_eq!((home.status, home.url.as_str()), (200, at(&world, "login", "/").as_str()));
        assert!(home.body.contains("Your apps"), "{}", home.body);
        assert_eq!(Browser::new().get(&url).await.status, 400);
    }
    let elsewhere = at(&world, "files", "/.portcullis/ticket?ticket=x");
    assert_eq!(browser.visit(&at(&world, "files", "/")).await.status, 200);
    assert_eq!(browser.visit(&elsewhere).await.url.as_str(), at(&world, "files", "/"));
}

/// It begins anew once, and is then told why that does not help.
#[tokio::test]
async fn a_browser_that_keeps_no_cookies_does_not_go_round_for_ever() {
    let world = world().await;
    for (host, path) in [("login", "/w/page"), ("files", "/page")] {
        let browser = Browser::new();
        let mut answer = browser.get(&at(&world, host, path)).await;
        let mut steps = 0;
        while let Some(next) = answer.next() {
            steps += 1;
            assert!(steps < 20, "{host}: {next}");
            for url in [at(&world, "login", "/.portcullis"), at(&world, "files", "/.portcullis")] {
                let names = browser.cookie_names(&url);
                names.iter().for_each(|name| browser.set_cookie(&url, name, ""));
            }
            answer = browser.get(&next).await;
        }
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("allow cookies"), "{}", answer.body);
        let retry = between(&answer.body, "class=\"button\" href=\"", "\"");
        assert!(retry.starts_with(&at(&world, host, "/.portcullis/sign-in?return_to=")), "{retry}");
    }
}

#[tokio::test]
async fn made_up_codes_and_states_cost_no_call_to_the_provider() {
    let world = world().await;
    let browser = Browser::new();
    let callback = browser.stop_before(&at(&world, "login", "/w"), "/.portcullis/callback").await;
    for _ in 0..5 {
        Browser::new().get(callback.as_str()).await;
        Browser::new().get(&at(&world, "login", "/.portcullis/callback?code=x&state=y")).await;
    }
    assert_eq!(world.provider.asked("/token").await, 0);
}

/// What a raw request is answered with.
fn raw(world: &World, host: &str, target: &[u8]) -> Vec<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).unwrap();
    let head = format!(
        "Host: {host}.localhost:{}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
         Connection: close\r\n\r\n",
        world.gateway.port
    );
    stream.write_all(&[b"GET ", target, b" HTTP/1.1\r\n", head.as_bytes()].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let mut fields: Vec<_> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    fields.push(("body".into(), body.to_owned()));
    fields
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Where a browser is sent at the end of the sign-in that `fields` begin, to the letter.
async fn lead(world: &World, fields: &[(String, String)]) -> String {
    let browser = Browser::new();
    for (_, cookie) in fields.iter().filter(|(name, _)| name == "set-cookie") {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        browser.set_cookie(&at(world, "login", "/"), name, value);
    }
    let callback = browser.stop_before(field(fields, "location"), "/.portcullis/callback").await;
    browser.get(callback.as_str()).await.header("location").to_owned()
}

#[tokio::test]
async fn every_address_comes_back_to_the_letter() {
    let world = world().await;
    for (target, wanted) in [
        (&b"/w/a?"[..], "/w/a?"),
        (b"/w/a?q='%27\\%5C", "/w/a?q='%27\\%5C"),
        (b"/w/a?q=\xc3\xa4", "/w/a?q=%C3%A4"),
        (b"/w/%c3%a4?%zz&&=+", "/w/%c3%a4?%zz&&=+"),
        (b"/w/a?return_to=https://evil.example/&x={}|", "/w/a?return_to=https://evil.example/&x={}|"),
    ] {
        let lead = lead(&world, &raw(&world, "login", target)).await;
        assert_eq!(lead, at(&world, "login", wanted), "{}", String::from_utf8_lossy(target));
    }
}

/// Its own tab keeps it, and the page says so: nothing of it is lost in silence.
#[tokio::test]
async fn an_address_that_is_too_long_to_be_taken_along_is_kept_by_its_tab() {
    let world = world().await;
    for (host, path) in [("login", "/w/"), ("files", "/")] {
        for length in [600, 5_000, 40_000] {
            let browser = Browser::new();
            let page = browser.get(&at(&world, host, &format!("{path}?{}", "x".repeat(length)))).await;
            assert_eq!(page.status, 401, "{host} {length}: {}", page.body);
            assert!(page.body.contains("too long to be taken along"), "{}", page.body);
            assert!(page.body.contains("<noscript>"), "and what to do without scripts");
            let next = between(&page.body, "data-next=\"", "\"");
            let resumed = browser.visit(page.url.join(&next).unwrap().as_str()).await;
            assert_eq!(resumed.url.path(), "/.portcullis/resume", "{}", resumed.body);
            assert_eq!(resumed.url.host_str(), page.url.host_str(), "the tab keeps it for its own origin");
        }
    }
}

#[tokio::test]
async fn a_browser_that_goes_on_sending_what_others_asked_it_for_is_sent_to_sign_in() {
    let world = world().await;
    for sent in ["Basic YWxpY2U6eA==", "Negotiate YII=", "Digest username=\"alice\"", "NTLM TlRM"] {
        let head = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("authorization", sent)];
        let answer = Browser::new().send(Method::GET, &at(&world, "login", "/w"), &head, "").await;
        assert_eq!(answer.status, 302, "{sent}: {}", answer.body);
    }
    let token = [("sec-fetch-mode", "navigate"), ("authorization", "Bearer x")];
    let answer = Browser::new().send(Method::GET, &at(&world, "login", "/w"), &token, "").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn the_public_url_shows_who_one_is_where_no_route_claims_it() {
    let world = world().await;
    let browser = Browser::new();
    let home = browser.visit(&at(&world, "login", "/")).await;
    assert_eq!((home.status, home.url.as_str()), (200, at(&world, "login", "/").as_str()), "{}", home.body);
    assert!(home.body.contains("Your apps") && home.body.contains("alice"), "{}", home.body);
    assert!(home.body.contains(&at(&world, "files", "/")), "app links have the port: {}", home.body);
    assert_eq!(browser.get(&at(&world, "login", "/.portcullis/")).await.status, 200);
    assert_eq!(browser.get(&at(&world, "login", "/nowhere")).await.status, 404);
    let script = Browser::new().send(Method::POST, &at(&world, "login", "/"), &[("accept", "*/*")], "").await;
    assert_eq!(script.status, 404);
}

fn limited(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 429).count()
}

#[tokio::test]
async fn one_address_cannot_begin_sign_ins_without_end_and_keeps_nobody_else_out() {
    let limits = "sign_in_limits = { per = \"address\", rate = \"1/min\", burst = 5 }\ntrusted_proxies = \"127.0.0.1\"";
    let world = World::at("http://login.localhost:{port}", limits, "", WIKI).await;
    let from = async |address: &str, path: &str| {
        let head = [("sec-fetch-mode", "navigate"), ("accept", "text/html"), ("x-forwarded-for", address)];
        Browser::new().send(Method::GET, &at(&world, "login", path), &head, "").await
    };
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(from("2001:db8::1", "/.portcullis/callback?code=x&state=y").await);
    }
    assert_eq!(limited(&answers), 3);
    let page = answers.last().unwrap();
    assert!(!page.header("retry-after").is_empty() && page.body.contains("One moment"), "{}", page.body);
    assert_eq!(from("2001:db8::ffff", "/.portcullis/sign-in").await.status, 429, "the same network");
    assert_ne!(from("2001:db8:1::1", "/.portcullis/sign-in").await.status, 429, "another one");
    assert_eq!(from("2001:db8::1", "/.portcullis/jwks.json").await.status, 200, "apps get their keys");
}

#[tokio::test]
async fn a_lot_of_people_behind_one_address_sign_in() {
    let world = world().await;
    let browser = Browser::new();
    for _ in 0..300 {
        let answer = browser.get(&at(&world, "login", "/.portcullis/sign-in?provider=corp")).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
    }
    assert_eq!(browser.visit(&at(&world, "login", "/w")).await.status, 200);
}

/// The provider must not go on knowing the former person: there are those that ask for nothing but the password then.
#[tokio::test]
async fn somebody_else_can_sign_in_where_one_was_refused_and_arrives_at_the_whole_address() {
    let routes = WIKI.replace("access = \"signed-in\"", "allow = [{ users = [\"bob\"] }]");
    let world = World::at("http://login.localhost:{port}", "", "", &routes).await;
    for (host, path) in [("login", "/w/x?a=1&b=%26"), ("files", "/x?a=1&b=%26")] {
        let browser = Browser::new();
        world.provider.control("as?user=alice").await;
        let refused = browser.visit(&at(&world, host, path)).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        let action = between(&refused.body, "method=\"post\" action=\"", "\"");
        let switched = browser.submit(refused.url.join(&action).unwrap().as_str(), "").await;
        let goodbye = crate::support::onward(&switched);
        assert!(goodbye.path().contains("/session/end"), "the provider forgets alice first: {goodbye}");
        let state = goodbye.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        // What the provider does then, without its page that asks whether that is meant.
        let there = world.provider.issuer();
        browser.cookie_names(&there).iter().for_each(|name| browser.set_cookie(&there, name, ""));
        world.provider.control("as?user=bob").await;
        let mut back = Url::parse(&at(&world, "login", "/.portcullis/signed-out")).unwrap();
        back.query_pairs_mut().append_pair("state", &state);
        let sent = browser.stop_before(back.as_str(), "/auth?").await;
        assert!(sent.query_pairs().any(|(name, value)| name == "prompt" && value == "login"), "{sent}");
        let arrived = browser.visit(sent.as_str()).await;
        assert_eq!((arrived.status, arrived.url.as_str()), (200, at(&world, host, path).as_str()));
    }
}
