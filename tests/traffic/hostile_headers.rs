//! Invariants 9, 10, 15: who asks, and from where, is what the gateway says.

use serde_json::Value;

use super::app::App;
use super::process::Gateway;
use super::wire::get;
use crate::support::until;

/// One that nobody reaches.
const PROVIDER: &str = "[providers.corp]\nissuer = \"https://127.0.0.1:1\"\nclient_id = \"x\"\naudiences = [\"https://api.example\"]\n\n";

const IDENTITY: &str = "identity = { headers = \"x-auth-request\" }\nname = \"one\"";

/// Spellings that some server folds to a name the gateway writes or believes.
const SPELLINGS: [&str; 16] = [
    "X-Auth-Request-User: root",
    "x-auth-request-user: root",
    "X_Auth_Request_User: root",
    "x.auth.request.email: root",
    "X-Auth_Request.Groups: root",
    "X-AUTH-REQUEST-USER: root",
    "Remote-User: root",
    "REMOTE_USER: root",
    "X-Forwarded-User: root",
    "X_Forwarded_Email: root",
    "Portcullis-Assertion: root",
    "portcullis_assertion: root",
    "X-Original-URL: /root",
    "X-Rewrite-URL: /root",
    "X_Original_Url: /root",
    "X-Forwarded-Uri: /root",
];

#[test]
fn invariant_9_no_spelling_of_an_identity_header_reaches_the_app() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(IDENTITY));
    for field in SPELLINGS {
        assert_eq!(get(gateway.port, "/", &[field]).status(), 200);
        assert!(!app.last().head.contains("root"), "{field} came through:\n{}", app.last().head);
    }
    assert_eq!(get(gateway.port, "/", &SPELLINGS).status(), 200);
    assert!(!app.last().head.contains("root"));
}

#[test]
fn invariant_9_duplicates_and_names_in_connection_change_nothing() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(IDENTITY));
    let twice = ["X-Auth-Request-User: root", "x-auth-request-user: root", "X-Auth-Request-User: root"];
    get(gateway.port, "/", &twice);
    assert!(!app.last().head.contains("root"));
    let mut conn = gateway.connect();
    conn.say(
        "GET / HTTP/1.1\r\nHost: app.example\r\nConnection: X-Request-Id, X-Forwarded-For, Via, Host, X-Own, close\r\n\
         X-Own: 1\r\n\r\n",
    );
    assert_eq!(conn.response().status(), 200);
    let seen = app.last();
    assert!(seen.header("x-request-id").is_some(), "{}", seen.head);
    assert!(seen.header("x-forwarded-for").is_some() && seen.header("via").is_some(), "{}", seen.head);
    assert_eq!((seen.header("host"), seen.header("x-own")), (Some("app.example"), None));
}

#[test]
fn invariant_9_trailers_carry_no_identity() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(IDENTITY));
    let answer = gateway.send(
        "POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\
         Trailer: X-Auth-Request-User\r\n\r\n2\r\nhi\r\n0\r\nX-Auth-Request-User: root\r\nX_Auth_Request_User: root\r\n\
         Cookie: root\r\nX-Checksum: 7\r\n\r\n",
    );
    assert_eq!(answer.status(), 200);
    let seen = app.last();
    assert_eq!(seen.text(), "hi");
    assert!(!seen.trailers.contains("root") && !seen.head.contains("root"), "{seen:?}");
}

/// Spellings that some server folds to framing or to a hop-by-hop field.
const LOOKALIKES: [&str; 12] = [
    "Transfer_Encoding: chunked",
    "Transfer.Encoding: chunked",
    "transfer~encoding: chunked",
    "Content_Length: 6",
    "content.length: 6",
    "Keep_Alive: timeout=5",
    "Proxy_Connection: keep-alive",
    "Proxy.Authorization: Basic eDp5",
    "HTTP2_Settings: AAMAAABk",
    "Connection_: Transfer-Encoding",
    "_Host: other.example",
    "Trailer.: X-A",
];

#[test]
fn invariant_21_names_that_fold_to_framing_never_leave() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    for field in LOOKALIKES {
        let head = format!(
            "POST /framed HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n{field}\r\n\r\n0\r\n\r\n"
        );
        let mut conn = gateway.connect();
        conn.say(format!("{head}GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n"));
        let answer = conn.response();
        assert_eq!(answer.status(), 400, "{field}: {answer:?}");
        assert!(conn.is_closed(), "{field}: the connection goes on");
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told["ambiguity"], "field-name", "{told}");
    }
    until("a line for each", || gateway.lines_for("/framed").len() == LOOKALIKES.len());
    let lines = gateway.lines_for("/framed");
    let says = |line: &Value| line["reason"].as_str().unwrap().contains("`transfer-encoding`");
    assert!(lines.iter().any(says) && lines.iter().all(|line| line["status"] == 400), "{lines:?}");
    assert_eq!(app.count(), 0);
    for field in ["User_Agent: x", "X_Transfer_Encoding: chunked", "Proxy-Features: x", "Priority: u=1"] {
        assert_eq!(get(gateway.port, "/", &[field]).status(), 200, "{field} frames nothing");
    }
}

#[test]
fn invariant_21_nor_do_they_in_trailers() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    for field in LOOKALIKES {
        let mut conn = gateway.connect();
        conn.say(format!(
            "POST /trailed HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\nhi\r\n0\r\n{field}\r\n\r\n"
        ));
        let answer = conn.response();
        assert_eq!(answer.status(), 400, "{field}: {answer:?}");
    }
    let line = gateway.line_for("/trailed");
    assert!(line["reason"].as_str().unwrap().contains("a trailer is spelled so"), "{line}");
    assert_eq!(line["outcome"], "bad-request");
    assert!(app.seen().iter().all(|seen| seen.broken && seen.trailers.is_empty()), "{:?}", app.seen());
}

#[test]
fn invariant_10_strangers_do_not_say_where_a_request_comes_from() {
    let app = App::ok();
    let forged = [
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: forged.example",
        "X-Forwarded-Port: 99",
        "X-Forwarded-Prefix: /forged",
        "X-Real-IP: 203.0.113.9",
        "Forwarded: for=203.0.113.9;proto=https;host=forged.example",
        "X-Request-Id: forged",
    ];
    let gateway = Gateway::start(&app.route(""));
    get(gateway.port, "/a", &forged);
    let head = app.last().head;
    assert!(!head.contains("203.0.113.9") && !head.contains("forged"), "{head}");
    assert_eq!(app.last().header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(app.last().header("x-forwarded-proto"), Some("http"));
    assert_eq!(gateway.line_for("/a")["client"], "127.0.0.1");
}

#[test]
fn invariant_10_trusted_proxies_are_believed() {
    let app = App::ok();
    let gateway = Gateway::with("trusted_proxies = [\"127.0.0.0/8\"]", &app.route(""));
    let said = [
        "X-Forwarded-For: 203.0.113.66, 198.51.100.7",
        "X-Forwarded-Proto: https",
        "X-Request-Id: from-outside-1",
    ];
    get(gateway.port, "/a", &said);
    let seen = app.last();
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.header("x-request-id"), Some("from-outside-1"));
    assert_eq!(
        gateway.line_for("/a")["client"],
        "198.51.100.7",
        "the last address that no trusted proxy has"
    );
    get(gateway.port, "/b", &["Forwarded: for=198.51.100.8;proto=https"]);
    assert_eq!(gateway.line_for("/b")["client"], "198.51.100.8");
}

#[test]
fn invariant_1_headers_that_name_another_address_widen_nothing() {
    let app = App::ok();
    let locked =
        app.route("").replace("access = \"public\"", "accept = \"bearer\"\nallow = { groups = \"staff\" }");
    let gateway = Gateway::start(&format!("{PROVIDER}{}{locked}", app.route("path = \"/open\"")));
    assert_eq!(gateway.get("/open").status(), 200);
    let before = app.count();
    for field in [
        "X-Original-URL: /open",
        "X-Rewrite-URL: /open",
        "X-Forwarded-Uri: /open",
        "X-Forwarded-Prefix: /open",
        "X-HTTP-Method-Override: GET",
        "X-Forwarded-For: 192.0.2.1",
        "User-Agent: ELB-HealthChecker/2.0",
        "Referer: http://app.example/open",
    ] {
        let status = get(gateway.port, "/secret", &[field]).status();
        assert!(matches!(status, 401 | 403), "{field}: {status}");
    }
    for path in ["/secret?/open", "/secret?x=/open", "/openx", "/OPEN"] {
        let status = gateway.get(path).status();
        assert!(matches!(status, 401 | 403), "{path}: {status}");
    }
    assert_eq!(app.count(), before);
}

#[test]
fn invariant_15_the_gateways_cookies_stay_with_the_gateway() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nSet-Cookie: portcullis=forged; Path=/\r\nSet-Cookie: own=1\r\n\
         Set-Cookie: portcullis-flow-0a1b2c3d=forged\r\nSet-Cookie: portcullis-hop-0a1b2c3d=forged\r\n\
         Content-Length: 2\r\n\r\nok",
    );
    let gateway = Gateway::start(&app.route(""));
    let answer = get(
        gateway.port,
        "/",
        &[
            "Cookie: a=1; portcullis=secret; portcullis-flow-0a1b2c3d=secret; b=2",
            "Cookie: portcullis=secret; portcullis-hop-0a1b2c3d=secret",
        ],
    );
    assert_eq!(answer.all("set-cookie"), ["own=1"]);
    assert_eq!(app.last().header("cookie"), Some("a=1; b=2"));
}
