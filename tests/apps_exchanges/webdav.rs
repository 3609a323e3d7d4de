//! WebDAV (RFC 4918): methods with a second path, in a field.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;

use crate::support::{Answer, Browser, World, logged, told};

const ROUTES: &str = r#"
[[routes]]
name = "files"
path = "/files"
strip_path = true
rewrite_location = true
upstream = "{app}"
accept = "basic"
realm = "Corp files"
access = "signed-in"
deny = [
  { paths = ["/files/secret"] },
  { paths = ["/files/kept"], methods = ["MOVE"] },
  { paths = ["/files/unwritten"], methods = ["PUT"] },
  { paths = ["/files/undeleted"], methods = ["DELETE"] },
]
tolerate = "encoded-slash"

[[routes]]
name = "ledger"
path = "/files/ledger"
upstream = "{app}"
accept = "basic"
access = "signed-in"

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"
"#;

struct Files {
    world: World,
    credential: String,
}

impl Files {
    async fn open() -> Self {
        let world = World::open(ROUTES).await;
        let token = world.provider.access_token("email").await;
        Self { world, credential: format!("Basic {}", BASE64_STANDARD.encode(format!("x:{token}"))) }
    }

    async fn send(&self, method: &str, path: &str, destinations: &[&str]) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut headers = vec![
            ("authorization", self.credential.as_str()),
            ("user-agent", "rclone/v1.60.1-DEV"),
            ("overwrite", "T"),
        ];
        headers.extend(destinations.iter().map(|destination| ("destination", *destination)));
        self.ask(method, path, &headers).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        Browser::new().send(method, &self.world.gateway.url(path), headers, "").await
    }
}

#[tokio::test]
async fn a_move_within_the_route_reaches_the_app_by_the_paths_that_it_knows() {
    let files = Files::open().await;
    let there = files.world.gateway.url("/files/b%20c.txt");
    for there in [there.as_str(), "/files/b%20c.txt"] {
        let moved = files.send("MOVE", "/files/a.txt", &[there]).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
        assert_eq!(moved.json()["target"], "/a.txt");
        // Apache takes an address alone, and no other scheme, host or port than it is asked by.
        assert_eq!(told(&moved, "destination"), [format!("http://{}/b%20c.txt", told(&moved, "host")[0])]);
    }
    let copied = files.send("COPY", "/files/kept/a.txt", &["/files/kept/b.txt"]).await;
    assert_eq!(copied.status, 200, "{}: the rule is about MOVE", copied.body);
    let (made, listed) =
        (files.send("MKCOL", "/files/d/", &[]).await, files.send("PROPFIND", "/files/", &[]).await);
    assert_eq!((made.status, listed.status), (200, 200));
}

#[tokio::test]
async fn invariant_2_a_destination_is_judged_as_the_path_is() {
    let files = Files::open().await;
    let served = files.world.app.served();
    let other = "http://127.0.0.1:1/files/b.txt";
    let url = files.world.gateway.url("/files/b.txt");
    for (destination, status) in [
        (&["/files/secret/b.txt"][..], 403),
        (&["/files/%73ecret/b.txt"], 403),
        (&["/files/secret"], 403),
        (&["/files/kept/b.txt"], 403),
        (&["/files/ledger/b.txt"], 403),
        (&["/files/LEDGER/../ledger/b.txt"], 400),
        (&["/open/b.txt"], 403),
        (&["/elsewhere"], 403),
        (&["/.portcullis/sign-out"], 403),
        (&["/files/x/../secret/b.txt"], 400),
        (&["/files/x%2f..%2fsecret"], 400),
        (&["/files%2fsecret/b.txt"], 403),
        (&["/files/%2fsecret/b.txt"], 400),
        (&["/files//b.txt"], 400),
        (&["/files/b.txt?x"], 400),
        (&["/files/b.txt#x"], 400),
        (&["//files/secret/b.txt"], 400),
        (&["b.txt"], 400),
        (&[""], 400),
        (&["/files/b.txt", "/files/secret/b.txt"], 400),
        (&[url.as_str(), url.as_str()], 400),
        (&["/files/secret%3F"], 400),
        (&["/files/secret%3Fx/y"], 400),
        (&["/files/secret%23x"], 400),
        (&["/files/unwritten/b.txt"], 403),
        (&["/files/undeleted/b.txt"], 403),
        (&[other], 502),
        (&["https://evil.example/files/b.txt"], 502),
    ] {
        let answer = files.send("MOVE", "/files/a.txt", destination).await;
        assert_eq!(answer.status, status, "{destination:?}: {}", answer.body);
        assert_eq!(answer.json()["type"], "urn:portcullis:problem:destination", "{destination:?}");
    }
    for method in ["COPY", "REBIND"] {
        let answer = files.send(method, "/files/a.txt", &["/files/secret/b.txt"]).await;
        assert_eq!(answer.status, 403, "{method}: {}", answer.body);
    }
    let open = files.send("MOVE", "/open/a.txt", &["/files/b.txt"]).await;
    assert_eq!(open.status, 403, "a public route leads nowhere else either");
    assert_eq!(files.world.app.served(), served, "nothing reached the app");
    let said = "Destination is \\\"/files/secret/b.txt\\\": policy";
    let line = logged(&files.world.gateway, said);
    assert!(line.contains("deny rule 1"), "{line}");
}

#[tokio::test]
async fn an_app_is_told_of_the_destination_that_was_judged_and_of_no_other() {
    let files = Files::open().await;
    let basic = ("authorization", files.credential.as_str());
    let method = |name: &[u8]| Method::from_bytes(name).unwrap();
    let host = |answer: &Answer| told(answer, "host")[0].clone();
    for name in ["new-uri", "New-URI", "new_uri"] {
        let answer = files.ask(method(b"MOVE"), "/files/a.txt", &[basic, (name, "/secret/b.txt")]).await;
        assert_eq!((answer.status, told(&answer, name)), (200, vec![]), "mod_dav would write there");
    }
    let hidden =
        [basic, ("destination", "/files/b.txt"), ("connection", "destination"), ("new-uri", "/secret/b")];
    let answer = files.ask(method(b"MOVE"), "/files/a.txt", &hidden).await;
    assert!(
        told(&answer, "destination").is_empty() && told(&answer, "new-uri").is_empty(),
        "{}",
        answer.body
    );
    let renamed = files.send("MOVE", "/files/a.txt", &["/files/b%3Fc"]).await;
    assert_eq!(told(&renamed, "destination"), [format!("http://{}/b%3Fc", host(&renamed))]);
    let cautious = [basic, ("overwrite", "F"), ("destination", "/files/undeleted/b.txt")];
    assert_eq!(files.ask(method(b"COPY"), "/files/a.txt", &cautious).await.status, 200, "nothing is deleted");

    // Some apps let a client name the method that it means in a field or a parameter.
    let meant = |to| [basic, ("x-http-method-override", "MOVE"), ("destination", to)];
    let answer = files.ask(Method::POST, "/files/a.txt", &meant("/files/secret/b.txt")).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let answer = files.ask(Method::POST, "/files/a.txt", &meant("/files/b.txt")).await;
    assert_eq!(told(&answer, "destination"), [format!("http://{}/b.txt", host(&answer))]);
    for method in [Method::GET, Method::POST] {
        let answer = files.ask(method, "/files/a", &[basic, ("destination", "Berlin")]).await;
        assert_eq!(told(&answer, "destination"), ["Berlin"], "a field of the app's own");
    }
}

const MOVED: &str = r#"
[[routes]]
name = "stripped"
path = "/dav"
strip_path = true
upstream = "{app}"
access = "public"

[[routes]]
name = "replaced"
host = "replaced.localhost"
path = "/"
replace_path = "/pub"
upstream = "{app}"
access = "public"
"#;

/// What is judged by one name must not be written to by another, whether or not `rewrite_location` is set.
#[tokio::test]
async fn invariant_2_a_destination_moves_with_the_path() {
    let world = World::open(MOVED).await;
    let url = |host: &str, path: &str| format!("http://{host}:{}{path}", world.gateway.port);
    for (host, from, to, inside) in [
        ("127.0.0.1", "/dav/a", "/dav/dav/secret/b", "/dav/secret/b"),
        ("replaced.localhost", "/a", "/shared/b", "/pub/shared/b"),
    ] {
        let there = url(host, to);
        let headers = [("destination", there.as_str())];
        let method = Method::from_bytes(b"MOVE").unwrap();
        let answer = Browser::new().send(method, &url(host, from), &headers, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(told(&answer, "destination"), [format!("http://{}{inside}", told(&answer, "host")[0])]);
    }
}

#[tokio::test]
async fn nobody_learns_by_a_destination_what_they_may_not_ask() {
    let files = Files::open().await;
    let headers = [("destination", "/files/secret/b.txt")];
    let url = files.world.gateway.url("/files/a.txt");
    let method = Method::from_bytes(b"MOVE").unwrap();
    let answer = Browser::new().send(method, &url, &headers, "").await;
    assert_eq!(answer.status, 401, "{}", answer.body);
}
