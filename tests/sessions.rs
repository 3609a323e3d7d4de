//! A session's life: a new key at sign-in, a cookie that is nothing but a key, an end everywhere.

use futures_util::{SinkExt, StreamExt};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Answer, Browser, PATIENCE, World, between, events, floods, logged, onward, sockets};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
"#;

const COOKIE: &str = "portcullis";

fn key(world: &World, browser: &Browser) -> Option<String> {
    browser.cookie(&world.gateway.url("/"), COOKIE)
}

/// Signs out here, as the page's button does.
async fn sign_out(world: &World, browser: &Browser) -> Answer {
    browser.submit(&world.gateway.url("/.portcullis/sign-out"), "").await
}

#[tokio::test]
async fn a_key_from_before_the_sign_in_opens_nothing_after_it() {
    let world = World::open(WIKI).await;
    let victim = Browser::new();
    let planted = "A".repeat(43);
    victim.set_cookie(&world.gateway.url("/"), COOKIE, &planted);
    assert_eq!(victim.visit(&world.gateway.url("/")).await.status, 200);
    let first = key(&world, &victim).unwrap();
    assert_ne!(first, planted);
    let thief = Browser::new();
    thief.set_cookie(&world.gateway.url("/"), COOKIE, &planted);
    assert_eq!(thief.get(&world.gateway.url("/")).await.status, 302);
    victim.visit(&world.gateway.url("/.portcullis/sign-in?anew=1")).await;
    let second = key(&world, &victim).unwrap();
    assert_ne!(first, second, "each sign-in gives a new key");
    thief.set_cookie(&world.gateway.url("/"), COOKIE, &first);
    assert_eq!(thief.get(&world.gateway.url("/")).await.status, 302, "the old one is gone");
    assert_eq!(victim.get(&world.gateway.url("/")).await.status, 200);
}

#[tokio::test]
async fn a_cookie_that_is_no_key_lets_nobody_in() {
    let world = World::open(WIKI).await;
    let good = key(&world, &world.signed_in().await).unwrap();
    let swapped: String = good.chars().rev().collect();
    for value in ["x", "null", "\"\"", &swapped, &good[1..], &format!("{good}A"), &good.to_lowercase()] {
        let browser = Browser::new();
        browser.set_cookie(&world.gateway.url("/"), COOKIE, value);
        assert_eq!(browser.get(&world.gateway.url("/")).await.status, 302, "{value}");
    }
    let two = format!("{COOKIE}={good}; {COOKIE}={swapped}");
    let headers = [("cookie", two.as_str()), ("accept", "*/*")];
    let answer = Browser::new().send(Method::GET, &world.gateway.url("/"), &headers, "").await;
    assert_eq!(answer.status, 401, "of two cookies one was planted");
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    let world = World::open(WIKI).await;
    let browser = world.signed_in().await;
    let kept = key(&world, &browser).unwrap();
    let page = sign_out(&world, &browser).await;
    assert_eq!(page.status, 200, "a page that goes on by itself");
    assert_eq!(key(&world, &browser), None);
    let on: String = onward(&page).into();
    for parameter in ["id_token_hint=eyJ", "post_logout_redirect_uri=", "state="] {
        assert!(on.contains(parameter), "{on}");
    }
    let confirm = browser.get(&on).await;
    let xsrf = between(&confirm.body, "name=\"xsrf\" value=\"", "\"");
    let action = between(&confirm.body, "action=\"", "\"");
    let left = browser.submit(&action, &format!("xsrf={xsrf}&logout=yes")).await;
    let back = browser.follow(left).await;
    assert_eq!(back.url.path(), "/.portcullis/signed-out");
    assert_eq!(back.status, 200);
    assert!(back.body.contains("corp</bdi> was told as well, and has sent you back"), "{}", back.body);
    browser.set_cookie(&world.gateway.url("/"), COOKIE, &kept);
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 302, "the old key opens nothing");
}

#[tokio::test]
async fn who_signed_out_stays_signed_out_after_a_restart() {
    let mut world = World::open(WIKI).await;
    let browser = world.signed_in().await;
    let kept = key(&world, &browser).unwrap();
    sign_out(&world, &browser).await;
    world.gateway.restart();
    browser.set_cookie(&world.gateway.url("/"), COOKIE, &kept);
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 302);
}

#[tokio::test]
async fn invariant_18_no_other_site_signs_anybody_out_or_makes_them_somebody_else() {
    let world = World::open(WIKI).await;
    let browser = world.signed_in().await;
    let foreign: [&[(&str, &str)]; 7] = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", &world.provider.issuer())],
        &[],
    ];
    for path in ["/.portcullis/sign-out", "/.portcullis/sign-in"] {
        for headers in foreign {
            let answer = browser.send(Method::POST, &world.gateway.url(path), headers, "").await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(answer.set_cookies().is_empty());
        }
        let asked = browser.get(&world.gateway.url(path)).await;
        assert!(asked.status < 400 && key(&world, &browser).is_some(), "a link does nothing");
    }
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
}

#[tokio::test]
async fn signing_in_as_someone_else_ends_the_session_first() {
    let world = World::open(WIKI).await;
    let browser = world.signed_in().await;
    let before = key(&world, &browser).unwrap();
    world.provider.control("as?user=bob").await;
    let url = world.gateway.url("/.portcullis/sign-in");
    let page = browser.submit(&url, "").await;
    let goodbye = onward(&page);
    assert!(goodbye.path().contains("/session/end"), "the provider must forget who it was: {goodbye}");
    let thief = Browser::new();
    thief.set_cookie(&world.gateway.url("/"), COOKIE, &before);
    assert_eq!(thief.get(&world.gateway.url("/")).await.status, 302);
}

#[tokio::test]
async fn the_cookie_behind_tls_is_bound_to_the_host_and_out_of_reach() {
    let tls = "trusted_proxies = [\"127.0.0.0/8\"]";
    let world = World::at("https://wiki.localhost", tls, "", WIKI).await;
    let browser = Browser::behind_tls(world.gateway.port);
    let callback = browser.stop_before("https://wiki.localhost/x?y=z", "/.portcullis/callback").await;
    let answer = browser.get(callback.as_str()).await;
    let cookies = answer.set_cookies();
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-portcullis=")).unwrap();
    for attribute in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
    assert!(
        cookies.iter().all(|cookie| cookie.starts_with("__Host-") && cookie.contains("; Secure")),
        "{cookies:?}"
    );
    let arrived = browser.follow(answer.clone()).await;
    assert_eq!((arrived.status, arrived.url.as_str()), (200, "https://wiki.localhost/x?y=z"));
    let clear = browser.cookie("https://wiki.localhost/", "__Host-portcullis").unwrap();
    let named = [("cookie", format!("portcullis={clear}")), ("x-forwarded-proto", "https".into())];
    let named: Vec<_> = named
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("host", "wiki.localhost")])
        .collect();
    let answer = Browser::new().send(Method::GET, &world.gateway.url("/"), &named, "").await;
    assert_eq!(answer.status, 401, "without its prefix the key is nothing");
}

/// A signed-in browser at a gateway whose `/stream` is another app's.
async fn with_stream(app: String) -> (World, Browser) {
    let route = format!(
        "{WIKI}\n[[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n"
    );
    let world = World::open(&route).await;
    let browser = world.signed_in().await;
    (world, browser)
}

#[tokio::test]
async fn invariant_8_signing_out_ends_an_open_websocket() {
    let (world, browser) = with_stream(sockets().await).await;
    let mut request = format!("ws://127.0.0.1:{}/stream", world.gateway.port).into_client_request().unwrap();
    let cookie = format!("{COOKIE}={}", key(&world, &browser).unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "hello");
    sign_out(&world, &browser).await;
    let end =
        tokio::time::timeout(PATIENCE, socket.next()).await.expect("the WebSocket ends with its session");
    let Some(Ok(Message::Close(Some(close)))) = end else { panic!("{end:?}") };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Policy, "signed out"));
    assert!(!matches!(socket.next().await, Some(Ok(_))), "nothing more comes");
    assert!(logged(&world.gateway, "cut off: the session was signed out").contains("/stream"));
}

/// The answer to a request that signing out finds without one.
async fn signed_out_while_waiting(method: &str, fields: &str) -> String {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (world, browser) = with_stream(format!("http://{}", app.local_addr().unwrap())).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).await.unwrap();
    let cookie = format!("{COOKIE}={}", key(&world, &browser).unwrap());
    let head = format!(
        "{method} /stream HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncookie: {cookie}\r\n{fields}\r\n",
        world.gateway.port
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reached, _) = app.accept().await.unwrap();
    assert_ne!(reached.read(&mut [0; 8192]).await.unwrap(), 0);
    sign_out(&world, &browser).await;
    let mut seen = vec![0; 1024];
    let size = tokio::time::timeout(PATIENCE, stream.read(&mut seen)).await.expect("it is answered").unwrap();
    String::from_utf8_lossy(&seen[..size]).into_owned()
}

#[tokio::test]
async fn invariant_22_signing_out_ends_an_upload_that_has_no_answer_yet() {
    let answer = signed_out_while_waiting("POST", "content-length: 1000000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn invariant_22_signing_out_ends_a_request_that_waits_for_its_answer() {
    let answer = signed_out_while_waiting("GET", "").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

const NAVIGATION: &str = "accept: text/html\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";

#[tokio::test]
async fn a_page_that_waits_while_another_tab_signs_in_is_asked_for_again_with_the_new_session() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (world, browser) = with_stream(format!("http://{}", app.local_addr().unwrap())).await;
    let address = world.gateway.url("/stream/a%20b?c=%2F");
    let page = tokio::spawn({
        let (browser, address) = (browser.clone(), address.clone());
        async move { browser.get(&address).await }
    });
    let (mut reached, _) = app.accept().await.unwrap();
    assert_ne!(reached.read(&mut [0; 8192]).await.unwrap(), 0);
    let before = key(&world, &browser);
    browser.visit(&world.gateway.url("/.portcullis/sign-in?anew=1")).await;
    assert_ne!(key(&world, &browser), before, "the other tab's sign-in replaces the session");
    let page = tokio::time::timeout(PATIENCE, page).await.expect("it is answered").unwrap();
    assert_eq!((page.status, page.next().as_deref()), (302, Some(&*address)), "{}", page.body);
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.set_cookies().is_empty(), "the new session's cookie stays");
    let again = tokio::spawn(async move { browser.get(&address).await });
    let (mut reached, _) = app.accept().await.unwrap();
    reached.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
    let again = tokio::time::timeout(PATIENCE, again).await.expect("it is answered").unwrap();
    assert_eq!((again.status, again.body.as_str()), (200, "hello"));
}

#[tokio::test]
async fn a_form_whose_session_ends_before_its_answer_is_told_that_the_app_may_have_it() {
    let form =
        format!("{NAVIGATION}content-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n");
    let answer = signed_out_while_waiting("POST", &form).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("www-authenticate: "), "{answer}");
    assert!(answer.contains("content-type: text/html"), "{answer}");
}

#[tokio::test]
async fn who_signs_out_while_a_page_waits_is_sent_to_sign_in_by_that_page() {
    let answer = signed_out_while_waiting("GET", NAVIGATION).await;
    assert!(answer.starts_with("HTTP/1.1 302 ") && answer.contains("/stream\r\n"), "{answer}");
}

#[tokio::test]
async fn invariant_8_signing_out_ends_an_open_event_stream() {
    let (world, browser) = with_stream(events().await).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).await.unwrap();
    let cookie = format!("{COOKIE}={}", key(&world, &browser).unwrap());
    let head =
        format!("GET /stream HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncookie: {cookie}\r\n\r\n", world.gateway.port);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("data: hello") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    }
    sign_out(&world, &browser).await;
    let end = tokio::time::timeout(PATIENCE, async {
        while stream.read_buf(&mut seen).await.is_ok_and(|read| read > 0) {}
    });
    end.await.expect("the stream ends with its session");
    assert!(!String::from_utf8_lossy(&seen).ends_with("0\r\n\r\n"), "and not as if it were whole");
}

#[tokio::test]
async fn invariant_8_signing_out_ends_a_download_that_the_app_is_always_ahead_of() {
    let (world, browser) = with_stream(floods()).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).await.unwrap();
    let cookie = format!("{COOKIE}={}", key(&world, &browser).unwrap());
    let head =
        format!("GET /stream HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncookie: {cookie}\r\n\r\n", world.gateway.port);
    stream.write_all(head.as_bytes()).await.unwrap();
    // A little at a time: what waits in front of the gateway never runs out, and it never has to wait for the app.
    let mut room = vec![0; 4096];
    assert!(stream.read(&mut room).await.unwrap() > 0);
    sign_out(&world, &browser).await;
    // More than sockets and the gateway hold between them.
    let mut left = 32_usize << 20;
    while let Ok(size @ 1..) = stream.read(&mut room).await {
        left = left.checked_sub(size).expect("the download ends with its session");
        // Slower than the app, which shares this thread.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }
}
