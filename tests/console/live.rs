//! What happens now, as a page and as an event stream.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Browser, PATIENCE, between, until_async};

use super::rig::Rig;

/// Somebody who watches, and what they have been sent.
struct Watcher {
    stream: TcpStream,
    read: String,
}

impl Watcher {
    async fn open(rig: &Rig, browser: &Browser, query: &str, last: &str) -> Self {
        let console = rig.at("/");
        assert_eq!(browser.visit(&console).await.status, 200);
        let cookie = browser.cookie(&console, "portcullis").unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", rig.gateway.port)).await.unwrap();
        let head = format!(
            "GET /at/here/events/live{query} HTTP/1.1\r\nhost: console.localhost:{}\r\naccept: text/event-stream\r\n\
             cookie: portcullis={cookie}\r\n{last}\r\n",
            rig.gateway.port
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Self { stream, read: String::new() }
    }

    /// Reads until that has come.
    async fn until(&mut self, wanted: &str) {
        let mut room = [0; 65536];
        while !self.read.contains(wanted) {
            let read = timeout(PATIENCE, self.stream.read(&mut room)).await;
            let read = read.unwrap_or_else(|_| panic!("{wanted} does not come: {}", self.read)).unwrap();
            assert!(self.read.len() < 8 << 20, "{wanted} is not in the first 8 MiB");
            assert!(read > 0, "it ended before {wanted}: {}", self.read);
            self.read.push_str(&String::from_utf8_lossy(&room[..read]));
        }
    }

    /// Reads until it is over.
    async fn end(&mut self) {
        let mut room = [0; 65536];
        while let Ok(read @ 1..) = timeout(PATIENCE, self.stream.read(&mut room)).await.expect("it ends") {
            self.read.push_str(&String::from_utf8_lossy(&room[..read]));
        }
    }

    /// The ids of the rows that have come.
    fn ids(&self) -> Vec<&str> {
        let told = self.read.split("\n\n").filter(|message| message.contains("data: <tr"));
        told.filter_map(|message| message.split("id: ").nth(1)?.lines().next()).collect()
    }
}

async fn is_told(rig: &Rig, browser: &Browser, path: &str, word: &str) {
    until_async("the event is in the tail", || async { rig.page(browser, path).await.body.contains(word) })
        .await;
}

#[tokio::test]
async fn what_happens_comes_as_it_happens_and_goes_on_where_it_broke_off() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    let mut watcher = Watcher::open(&rig, &auditor, "?route=admin", "").await;
    watcher.until("retry: 2000").await;
    for field in ["text/event-stream", "x-accel-buffering: no", "cache-control: no-store", "nosniff"] {
        assert!(watcher.read.to_lowercase().contains(field), "{field}: {}", watcher.read);
    }
    assert_eq!(alice.get(&rig.on("wiki", "/unasked")).await.status, 200);
    assert_eq!(alice.get(&rig.on("wiki", "/admin/first")).await.status, 403);
    watcher.until("/admin/first").await;
    assert!(watcher.read.contains("alice") && watcher.read.contains("refused"), "{}", watcher.read);
    assert!(!watcher.read.contains("/unasked"), "what is not asked for does not come: {}", watcher.read);
    let last = watcher.ids().last().unwrap().to_string();
    drop(watcher);

    assert_eq!(alice.get(&rig.on("wiki", "/admin/second")).await.status, 403);
    is_told(&rig, &auditor, "/events/live?route=admin", "/admin/second").await;
    let header = format!("last-event-id: {last}\r\n");
    for (query, header) in [("?route=admin", header.as_str()), (&*format!("?route=admin&after={last}"), "")] {
        let mut again = Watcher::open(&rig, &auditor, query, header).await;
        again.until("/admin/second").await;
        assert!(!again.read.contains("/admin/first"), "no event comes twice: {}", again.read);
    }
    // Numbers of a process that is no more begin anew.
    let mut other = Watcher::open(&rig, &auditor, "?route=admin", "last-event-id: other-99\r\n").await;
    other.until("/admin/second").await;
    assert!(other.read.contains("/admin/first"), "{}", other.read);
}

#[tokio::test]
async fn invariant_22_the_stream_ends_with_the_session_of_whoever_watches() {
    let rig = Rig::open().await;
    let (auditor, operator) = (rig.of("anna", "audit").await, rig.of("olga", "ops").await);
    let mut watcher = Watcher::open(&rig, &auditor, "", "").await;
    watcher.until("retry: ").await;
    rig.page(&operator, "/").await;
    let ended = operator.submit(&rig.at("/sessions/end"), "user=anna").await;
    assert!(ended.body.contains("has ended"), "{}", ended.body);
    watcher.end().await;
    assert_eq!(operator.visit(&rig.on("wiki", "/admin/after")).await.status, 200);
    assert!(!watcher.read.contains("/admin/after"), "{}", watcher.read);
}

#[tokio::test]
async fn invariant_14_one_session_watches_four_times_at_once() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    let mut watchers = Vec::new();
    for _ in 0..4 {
        let mut watcher = Watcher::open(&rig, &auditor, "", "").await;
        watcher.until("retry: ").await;
        watchers.push(watcher);
    }
    let mut fifth = Watcher::open(&rig, &auditor, "", "").await;
    fifth.until("Too many watch already").await;
    assert!(fifth.read.starts_with("HTTP/1.1 429"), "{}", fifth.read);
    drop(watchers);
    until_async("a place is free again", || async {
        let mut next = Watcher::open(&rig, &auditor, "", "").await;
        next.until("HTTP/1.1").await;
        next.read.starts_with("HTTP/1.1 200")
    })
    .await;
}

/// What was kept makes room, and whoever comes back too late is told how much is gone.
#[tokio::test]
async fn invariant_14_who_comes_back_too_late_is_told_how_much_they_have_missed() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    let mut first = Watcher::open(&rig, &auditor, "", "").await;
    first.until("retry: 2000\nid: ").await;
    let id = between(&first.read, "retry: 2000\nid: ", "\n").trim().to_owned();
    drop(first);
    let long = "x".repeat(1_900);
    for number in 0..1_100 {
        assert_eq!(alice.get(&rig.on("wiki", &format!("/{number}/{long}"))).await.status, 200);
    }
    is_told(&rig, &auditor, "/events/live?user=alice", "/1099/").await;
    let mut late = Watcher::open(&rig, &auditor, &format!("?after={id}"), "").await;
    late.until("event: gap").await;
    late.until("/1099/").await;
    assert!(!late.read.contains("/1/x"), "the first ones are gone");
}

#[tokio::test]
async fn without_a_script_the_page_has_the_same_rows_and_every_filter_is_a_link() {
    let rig = Rig::open().await;
    let (auditor, alice) = (rig.of("anna", "audit").await, rig.of("alice", "staff").await);
    assert_eq!(alice.get(&rig.on("wiki", "/admin/x")).await.status, 403);
    assert_eq!(alice.get(&rig.on("wiki", "/page")).await.status, 200);
    is_told(&rig, &auditor, "/events/live?user=alice", "/page").await;
    let page = rig.page(&auditor, "/events/live?user=alice&outcome=forbidden").await.body;
    let table = between(&page, "<tbody data-events>", "</tbody>");
    assert!(table.contains("/admin/x") && !table.contains("/page"), "{table}");
    for link in [
        "events/live?outcome=forbidden&user=alice\"",
        "events/live?user=alice&outcome=forbidden&route=admin\"",
        "events/live?user=alice&outcome=forbidden&-route=admin\"",
        "events/live?-user=alice&outcome=forbidden\"",
        "events/live?outcome=forbidden\"",
    ] {
        let escaped = link.replace('&', "&#38;");
        assert!(page.contains(&escaped), "{escaped}: {page}");
    }
    let but = rig.page(&auditor, "/events/live?q=-user%3Aalice+type%3Aaccess.*").await.body;
    let table = between(&but, "<tbody data-events>", "</tbody>");
    assert!(table.contains("<tr") && !table.contains(">alice<"), "{but}");
    for wrong in ["q=alice", "type=nothing", "user=a%0Ab"] {
        assert_eq!(auditor.visit(&rig.at(&format!("/events/live?{wrong}"))).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn invariant_15_what_strangers_ask_for_is_text_in_every_row() {
    let rig = Rig::open().await;
    let auditor = rig.of("anna", "audit").await;
    let markup = "<script>alert(1)</script>\u{202e}\"'";
    let mallory =
        rig.somebody(json!({ "sub": "mallory", "preferred_username": markup, "groups": ["staff"] })).await;
    let mut watcher = Watcher::open(&rig, &auditor, "", "").await;
    watcher.until("retry: ").await;
    let path = format!("/%3Cimg%20src=x%20onerror=alert(1)%3E/{}", "y".repeat(2_500));
    mallory.get(&rig.on("wiki", &path)).await;
    watcher.until("onerror").await;
    is_told(&rig, &auditor, "/events/live", "onerror").await;
    let page = rig.page(&auditor, "/events/live").await.body;
    for text in [page.as_str(), watcher.read.as_str()] {
        assert!(!text.contains("<script>alert") && !text.contains('\u{202e}'), "{text}");
        assert!(text.contains("&#60;script&#62;") || text.contains("&lt;script&gt;"), "{text}");
        assert!(!text.contains(&"y".repeat(500)), "no value is longer than its cell");
    }
}
