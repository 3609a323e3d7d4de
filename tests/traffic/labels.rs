//! Whatever strangers send, it makes no new series: a reader of metrics pays for each one for as long as it keeps them.

use std::collections::BTreeSet;

use super::app::App;
use super::process::Gateway;
use super::wire::{Conn, get};
use crate::support::until;

const PROVIDER: &str = "[providers.corp]\nissuer = \"https://127.0.0.1:1\"\nclient_id = \"x\"\naudiences = [\"https://api.example\"]\n\n";

/// How many requests a stranger sends, no two of them alike.
const REQUESTS: usize = 10_000;

/// Names and labels of all values of a scrape.
fn series(gateway: &Gateway) -> BTreeSet<String> {
    let text = gateway.metrics();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series.to_owned()).collect()
}

/// The stranger's request of this number: another host, path, method, token each time.
fn request(number: usize) -> String {
    let host = format!("Host: h{number}.example:{}\r\n", number % 60_000 + 1);
    let head = |line: &str, fields: &str| format!("{line} HTTP/1.1\r\n{host}{fields}\r\n");
    match number % 7 {
        0 => head("GET /once", ""),
        1 => head(&format!("M{number} /p{number}?q={number}"), &format!("X-Request-Id: {number}\r\n")),
        2 => head("GET /api", &format!("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.{number}\r\n")),
        3 => head(&format!("GET /p{number}/../q"), &format!("X-Forwarded-For: 10.0.0.{number}\r\n")),
        4 => head(&format!("GET /.portcullis/p{number}"), &format!("User-Agent: agent {number}\r\n")),
        5 => {
            let body = format!("logout_token=e30.eyJpc3MiOiJodHRwczovL3gifQ.{number}");
            let form = "Content-Type: application/x-www-form-urlencoded\r\n";
            let length = format!("Content-Length: {}\r\n", body.len());
            head("POST /.portcullis/back-channel-logout", &format!("{form}{length}")) + &body
        }
        _ => head(&format!("GET /wiki/{number}"), &format!("Accept: a{number}/b\r\n")),
    }
}

/// Sends the requests of these numbers one after the other.
fn send(gateway: &Gateway, numbers: impl Iterator<Item = usize>) {
    let mut conn = gateway.connect();
    for number in numbers {
        conn.say(request(number));
        if conn.response().head.is_empty() {
            conn = Conn::to(gateway.port);
        }
    }
}

#[test]
fn strangers_make_no_series() {
    let app = App::ok();
    let of = |lines: &str| app.route(lines);
    let api = of("name = \"api\"\npath = \"/api\"");
    let api = api.replace("access = \"public\"", "accept = \"bearer\"\naccess = \"signed-in\"");
    let once = of("name = \"once\"\npath = \"/once\"\nlimits = [{ per = \"route\", rate = \"1/day\" }]");
    let gateway =
        Gateway::start(&format!("{PROVIDER}{}\n{once}\n{api}", of("name = \"wiki\"\npath = \"/wiki\"")));
    send(&gateway, 0..70);
    for operation in ["a", "b"] {
        get(gateway.admin, &format!("/api/v1/{operation}"), &[]);
    }
    let counted = "portcullis_requests_total{route=\"once\",outcome=\"limited\"}";
    until("the first requests", || gateway.metric(counted) > 5.0);
    let before = series(&gateway);
    send(&gateway, 70..REQUESTS);
    for operation in 0..100 {
        get(gateway.admin, &format!("/api/v1/{operation}"), &[]);
    }
    until("all requests", || gateway.metric(counted) > 1_000.0);
    let after = series(&gateway);
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{} new series, such as {:?}", new.len(), &new[..new.len().min(5)]);
    assert!(!after.iter().any(|series| series.contains("h7")), "a stranger's host is told");
}
