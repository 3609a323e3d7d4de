//! Which app is asked, under which name and path, over which HTTP.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use tempfile::TempDir;

use super::app::{App, AppLog, OK};
use super::process::Gateway;
use super::tls::{Identity, accept};
use super::wire::{Conn, get, request};

#[test]
fn the_host_is_kept_or_rewritten() {
    let app = App::ok();
    let routes = app.route("path = \"/keep\"")
        + &app.route("path = \"/upstream\"\nhost_header = \"upstream\"")
        + &app.route("path = \"/fixed\"\nhost_header = \"inner.example\"");
    let gateway = Gateway::start(&routes);
    let own = format!("127.0.0.1:{}", app.port);
    for (path, host) in [("/keep", "app.example"), ("/upstream", own.as_str()), ("/fixed", "inner.example")] {
        assert_eq!(gateway.get(path).status(), 200);
        assert_eq!(app.last().header("host"), Some(host), "{path}");
    }
}

#[test]
fn paths_are_stripped_and_replaced_on_segment_borders() {
    let app = App::ok();
    let routes = app.route("path = \"/strip\"\nstrip_path = true")
        + &app.route("path = \"/old\"\nreplace_path = \"/new/x\"")
        + &app.route("path = \"/plain\"");
    let gateway = Gateway::start(&routes);
    for (asked, seen) in [
        ("/strip/a?q=1", "/a?q=1"),
        ("/strip", "/"),
        ("/strip/", "/"),
        ("/old/a%20b?x", "/new/x/a%20b?x"),
        ("/old", "/new/x"),
        ("/plain/%41?y=%2F", "/plain/%41?y=%2F"),
    ] {
        assert_eq!(gateway.get(asked).status(), 200, "{asked}");
        assert_eq!(app.last().target(), seen, "{asked}");
    }
    assert_eq!(gateway.get("/stripped").status(), 404);
}

#[test]
fn redirects_keep_path_and_query() {
    let routes = "[[routes]]\nhost = \"app.example\"\naccess = \"public\"\nredirect = { scheme = \"https\", host = \"www.example\", status = 301 }\n";
    let gateway = Gateway::start(routes);
    let answer = gateway.get("/a%20b?c=d");
    assert_eq!((answer.status(), answer.header("location")), (301, Some("https://www.example/a%20b?c=d")));
    assert_eq!(get(gateway.port, "/", &[]).status(), 301);
}

#[test]
fn other_methods_are_refused_with_those_allowed() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("methods = [\"GET\", \"HEAD\"]"));
    let answer = gateway.send(request("DELETE", "/", &[]));
    let allow = answer.header("allow").unwrap_or_default();
    assert!(answer.status() == 405 && allow.contains("GET") && allow.contains("HEAD"), "{}", answer.head);
    assert_eq!((gateway.get("/").status(), app.count()), (200, 1));
}

#[test]
fn hosts_are_exact_or_one_label_wide() {
    let (exact, wild) = (App::ok(), App::ok());
    let gateway =
        Gateway::start(&(exact.route("host = \"a.example\"") + &wild.route("host = \"*.apps.example\"")));
    let ask = |host: &str| {
        gateway.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).status()
    };
    assert_eq!([ask("a.example"), ask("A.EXAMPLE"), ask("x.apps.example")], [200; 3]);
    for host in ["b.example", "xa.example", "a.example.evil", "apps.example", "x.y.apps.example", "aXexample"]
    {
        assert_eq!(ask(host), 404, "{host}");
    }
    assert_eq!((exact.count(), wild.count()), (2, 1));
}

#[test]
fn ten_thousand_routes_load_and_the_longest_wins() {
    let app = App::ok();
    let routes: String = (0..10_000)
        .map(|n| app.route(&format!("name = \"r{n}\"\nhost = \"h{}.example\"\npath = \"/p{n}\"", n % 100)))
        .collect();
    let gateway = Gateway::start(&routes);
    for n in [0, 4_321, 9_999] {
        let ask = format!("GET /p{n}/x HTTP/1.1\r\nHost: h{}.example\r\nConnection: close\r\n\r\n", n % 100);
        assert_eq!(gateway.send(ask).status(), 200);
        assert_eq!(gateway.line_for(&format!("/p{n}/x"))["route"], format!("r{n}"));
    }
}

#[test]
fn a_listener_for_addresses_without_https_sends_everything_on() {
    let routes =
        "[[routes]]\nhost = \"wiki.example\"\nupstream = \"http://127.0.0.1:1\"\naccess = \"public\"\n";
    let server = "listen = { address = \"127.0.0.1:{port}\", to_https = true }";
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, routes, |_, _| {});
    let ask =
        "POST /a%20b?q=1 HTTP/1.1\r\nHost: wiki.example:80\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answer = gateway.send(ask);
    assert_eq!((answer.status(), answer.header("location")), (308, Some("https://wiki.example/a%20b?q=1")));
}

#[test]
fn an_app_on_a_unix_socket_is_reached() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            AppLog::default().serve(Conn::over(stream), &|conn, _| {
                conn.say(OK);
                true
            });
        }
    });
    let gateway =
        Gateway::start(&format!("[[routes]]\nupstream = \"unix:{}\"\naccess = \"public\"\n", path.display()));
    assert_eq!(gateway.get("/").text(), "ok");
}

#[test]
fn an_https_app_is_verified_by_its_own_authority_and_shown_our_certificate() {
    let (server, client) = (Identity::of("inner.example"), Identity::of("gateway.example"));
    let directory = TempDir::new().unwrap();
    server.write(directory.path(), "ca");
    client.write(directory.path(), "client");
    Identity::of("inner.example").write(directory.path(), "wrong");
    let config = server.server_for(&client);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Arc::<AppLog>::default();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (config, log) = (Arc::clone(&config), Arc::clone(&log));
            std::thread::spawn(move || {
                log.serve(accept(stream, &config), &|conn, _| {
                    conn.say(OK);
                    true
                });
            });
        }
    });
    let route = |path: &str, tls: &str| {
        format!(
            "[[routes]]\npath = \"{path}\"\nupstream = \"https://127.0.0.1:{port}\"\naccess = \"public\"\nupstream_tls = {{ server_name = \"inner.example\", {tls} }}\n\n"
        )
    };
    let pair = "cert = { file = \"client.crt\" }, key = { file = \"client.key\" }";
    let routes = route("/good", &format!("ca = {{ file = \"ca.crt\" }}, {pair}"))
        + &route("/stranger", "ca = { file = \"ca.crt\" }")
        + &route("/wrong", &format!("ca = {{ file = \"wrong.crt\" }}, {pair}"));
    let gateway = Gateway::launch(directory, "listen = \"127.0.0.1:{port}\"", &routes, |_, _| {});
    let asked = ["/good", "/stranger", "/wrong"].map(|path| gateway.get(path).status());
    assert_eq!(asked, [200, 502, 502]);
}
