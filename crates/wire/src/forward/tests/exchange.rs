//! Heads: what goes to the upstream, what comes back.

use http::{HeaderName, HeaderValue, Request};
use http_body_util::Empty;
use tokio::join;

use super::support::{FakeUpstream, Rig, fields, get, text};
use crate::clock::Clock;
use crate::forward::*;
use crate::secret::Secret;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const ORIGIN: [&str; 7] = [
    "forwarded: for=192.0.2.7;host=\"wiki.corp.example\";proto=https",
    "host: wiki.corp.example",
    "via: 1.1 portcullis",
    "x-forwarded-for: 192.0.2.7",
    "x-forwarded-host: wiki.corp.example",
    "x-forwarded-port: 443",
    "x-forwarded-proto: https",
];

fn with_origin<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut fields = ORIGIN.to_vec();
    fields.push("x-request-id: req-1");
    fields.extend(more);
    fields.sort_unstable();
    fields
}

fn hostile() -> Request<Empty<bytes::Bytes>> {
    let mut request = get("/a%2Fb?q=%41");
    *request.headers_mut() = fixtures::map(&[
        ("host", "evil.example"),
        ("accept", "*/*"),
        ("cookie", "a=1; __Host-portcullis=secret"),
        ("traceparent", "00-1-2-01"),
        ("x-user", "root"),
        ("x_user", "root"),
        ("X.User", "root"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-prefix", "/admin"),
        ("forwarded", "for=127.0.0.1"),
        ("x-original-url", "/admin"),
        ("portcullis-assertion", "forged"),
        ("connection", "x-user, x-forwarded-for, x-request-id, via, accept-language"),
        ("accept-language", "en"),
        ("te", "trailers"),
    ]);
    request
}

fn identifying() -> ForwardSettings {
    let mut settings = fixtures::forward_settings();
    settings.identity.headers = vec![(HeaderName::from_static("x-user"), IdentityValue::User)];
    settings
}

async fn head_seen(rig: &Rig, fake: &FakeUpstream, request: Request<Empty<bytes::Bytes>>) -> String {
    let (answer, (_hand, head)) = join!(rig.send(request), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
    head
}

#[tokio::test]
async fn invariant_9_nobody_but_the_gateway_says_who_you_are() {
    let fake = FakeUpstream::new().await;
    let public = Rig::new(fake.settings(), &identifying());
    let head = head_seen(&public, &fake, hostile()).await;
    let kept = ["accept: */*", "cookie: a=1"];
    assert_eq!(fields(&head), with_origin(&kept), "a public route adds no identity");
    assert!(head.starts_with("GET /a%2Fb?q=%41 HTTP/1.1\r\n"));
    let signed_in = Rig::new(fake.settings(), &identifying()).signed_in();
    let head = head_seen(&signed_in, &fake, hostile()).await;
    let kept = ["accept: */*", "cookie: a=1", "x-user: alice"];
    assert_eq!(fields(&head), with_origin(&kept), "Connection removed nothing that was added");
}

#[tokio::test]
async fn the_gateway_s_via_stands_behind_those_that_came() {
    let fake = FakeUpstream::new().await;
    let mut request = get("/");
    *request.headers_mut() = fixtures::map(&[("via", "1.0 fred, 1.1 p.example"), ("via", "2.0 wilma")]);
    let head = head_seen(&fake.rig(), &fake, request).await;
    let via: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("via: ")).collect();
    assert_eq!(via, ["1.0 fred, 1.1 p.example", "2.0 wilma", "1.1 portcullis"]);
}

#[tokio::test]
async fn a_client_s_own_authorization_passes_and_a_gateway_s_bearer_does_not() {
    let fake = FakeUpstream::new().await;
    let authorized = || {
        let mut request = get("/");
        request.headers_mut().insert("authorization", HeaderValue::from_static("Basic eDp5"));
        request
    };
    let mut rig = fake.rig();
    assert!(head_seen(&rig, &fake, authorized()).await.contains("authorization: Basic eDp5\r\n"));
    let mut rig2 = fake.rig().signed_in();
    rig2.bearer = true;
    assert!(!head_seen(&rig2, &fake, authorized()).await.contains("authorization"));
    rig.plan.settings.identity.token = TokenPass::Access;
    assert!(
        !head_seen(&rig, &fake, authorized()).await.contains("authorization"),
        "the field is the gateway's"
    );
}

#[tokio::test]
async fn tokens_reach_the_app_only_where_the_route_says_so() {
    let fake = FakeUpstream::new().await;
    let seen = async |token: TokenPass, bearer: bool| {
        let mut rig = fake.rig().signed_in();
        rig.plan.settings.identity.token = token;
        rig.bearer = bearer;
        rig.access_token = Some(Secret::new("access"));
        rig.id_token = Some(Secret::new("id"));
        let mut request = get("/");
        if bearer {
            request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer own"));
        }
        let head = head_seen(&rig, &fake, request).await;
        head.lines().find_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned)
    };
    assert_eq!(seen(TokenPass::None, false).await, None);
    assert_eq!(seen(TokenPass::Access, false).await.as_deref(), Some("Bearer access"));
    assert_eq!(seen(TokenPass::Id, false).await.as_deref(), Some("Bearer id"));
    assert_eq!(seen(TokenPass::Access, true).await.as_deref(), Some("Bearer own"));
    assert_eq!(seen(TokenPass::Id, true).await, None);
}

#[tokio::test]
async fn an_assertion_goes_along_or_nothing_goes() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.identity.assertion = true;
    let mut rig = Rig::new(fake.settings(), &settings).signed_in();
    assert_eq!(rig.fault().await, ForwardFault::Internal, "no signer, no request");
    let key = AssertionKey::generate().unwrap();
    rig.asserter = Some(Asserter::new("https://login.corp.example", key, Clock::system()));
    let head = head_seen(&rig, &fake, hostile()).await;
    let assertions: Vec<_> =
        head.lines().filter_map(|line| line.strip_prefix("portcullis-assertion: ")).collect();
    assert!(assertions.len() == 1 && assertions[0].starts_with("ey"));
}

#[tokio::test]
async fn hosts_paths_and_headers_are_rewritten_as_the_route_says() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.rewrite = PathRewrite::Replace { segments: 1, with: "/v2".into() };
    settings.host = UpstreamHost::Upstream;
    settings.request_headers = vec![HeaderRule::Set("x-env".parse().unwrap(), "prod".parse().unwrap())];
    let rig = Rig::new(fake.settings(), &settings);
    let head = head_seen(&rig, &fake, get("/app/x?q")).await;
    assert!(head.starts_with("GET /v2/x?q HTTP/1.1\r\n"));
    assert!(
        head.contains(&format!("host: 127.0.0.1:{}\r\n", fake.port())) && head.contains("x-env: prod\r\n")
    );
    settings.host = UpstreamHost::Fixed(HeaderValue::from_static("fixed.example"));
    let head = head_seen(&Rig::new(fake.settings(), &settings), &fake, get("/app")).await;
    assert!(head.starts_with("GET /v2 HTTP/1.1\r\n") && head.contains("host: fixed.example\r\n"));
}

#[tokio::test]
async fn options_asterisk_stays_an_asterisk() {
    let fake = FakeUpstream::new().await;
    let request = Request::options("*").body(Empty::new()).unwrap();
    assert!(head_seen(&fake.rig(), &fake, request).await.starts_with("OPTIONS * HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_response_loses_what_was_the_upstream_s_connection_s() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.response_headers =
        vec![HeaderRule::Set("x-frame-options".parse().unwrap(), "DENY".parse().unwrap())];
    let rig = Rig::new(fake.settings(), &settings);
    let response = "HTTP/1.1 299 <script>\r\nConnection: keep-alive, x-own\r\nKeep-Alive: timeout=5\r\nX-Own: 1\r\n\
        Set-Cookie: a=1\r\nSet-Cookie: __Host-portcullis=forged\r\nUpgrade: h2c\r\nX-Frame-Options: x\r\n\
        Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let (answer, _seen) = join!(rig.get("/"), fake.answer(response));
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 299);
    assert!(answer.extensions().is_empty(), "no reason phrase of the upstream's");
    assert_eq!(*answer.headers(), fixtures::map(&[("set-cookie", "a=1"), ("x-frame-options", "DENY")]));
    assert_eq!(text(answer).await.unwrap(), "ok");
}

#[tokio::test]
async fn connect_and_trace_are_refused_before_anything_is_sent() {
    let fake = FakeUpstream::new().await;
    for method in ["CONNECT", "TRACE"] {
        let request = Request::builder().method(method).uri("/").body(Empty::<bytes::Bytes>::new()).unwrap();
        let error = fake.rig().send(request).await.unwrap_err();
        assert_eq!(error.fault(), ForwardFault::MethodRefused);
    }
}
