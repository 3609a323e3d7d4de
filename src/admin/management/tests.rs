//! Calls of the API without a socket.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::describe;
use super::operation::{Found, Operation};
use super::*;
use crate::admin::peer::Peer;
use crate::admin::testing::{START, management, sources};
use crate::clock::Clock;
use crate::identity::fixtures::alice;
use crate::identity::{Issuer, Principal, ProviderName, Subject};
use crate::session::{NewSession, Sessions, SignInOrigin, Tokens, testing};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn person(provider: &str, user: &str) -> Principal {
    Principal {
        provider: ProviderName::new(provider),
        issuer: Issuer::new(format!("https://id.{provider}.example")),
        subject: Subject::new(format!("subject-of-{user}")),
        user: user.into(),
        ..alice()
    }
}

async fn sign_in(sessions: &Sessions, person: Principal, sid: &str, app: &str) {
    let root = NewSession::Root {
        host: "login.corp.example".into(),
        principal: Arc::new(person),
        tokens: Tokens::default(),
        sid: Some(sid.into()),
        origin: SignInOrigin::new(Some("Firefox"), [10, 0, 0, 1].into()),
        began: START,
    };
    let (_, root) = sessions.create(root).await.unwrap();
    sessions.create(NewSession::child(&root, app)).await.unwrap();
}

/// Alice at two providers and twice at one of them, and Bob.
async fn people() -> Management {
    let sessions = testing::sessions(&Clock::manual(START));
    sign_in(&sessions, person("corp", "alice"), "a1", "wiki.corp.example").await;
    sign_in(&sessions, person("corp", "alice"), "a2", "mail.corp.example").await;
    sign_in(&sessions, person("partner", "alice"), "a1", "wiki.corp.example").await;
    sign_in(&sessions, person("corp", "bob"), "b1", "wiki.corp.example").await;
    management(sessions).0
}

async fn listed(management: &Management, query: &str) -> Result<SessionList, Problem> {
    sessions::list(management, query::read(query)?).await
}

async fn count(management: &Management, query: &str) -> usize {
    let list = listed(management, query).await.unwrap_or_else(|problem| panic!("{query}: {problem:?}"));
    list.sessions.len()
}

#[tokio::test]
async fn sign_ins_are_found_by_each_member_and_by_several_together() {
    let management = people().await;
    for (query, found) in [
        ("all=true", 4),
        ("user=alice", 3),
        ("user=carol", 0),
        ("provider=corp", 3),
        ("provider=gone", 0),
        ("subject=subject-of-alice", 3),
        ("subject=subject-of-alice&provider=partner", 1),
        ("sid=a1", 2),
        ("sid=a1&provider=corp", 1),
        ("host=wiki.corp.example", 3),
        ("host=WIKI.corp.example", 3),
        ("host=login.corp.example", 4),
        ("user=alice&provider=corp", 2),
        ("user=alice&host=wiki.corp.example", 2),
        ("user=alice&provider=corp&host=wiki.corp.example", 1),
        ("sid=a1&user=bob", 0),
        ("subject=subject-of-bob&sid=b1&user=bob", 1),
    ] {
        assert_eq!(count(&management, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn a_sign_in_is_told_whole_and_found_by_its_identifier() {
    let management = people().await;
    let bob = listed(&management, "user=bob").await.unwrap().sessions.remove(0);
    assert_eq!((bob.user.as_deref(), bob.subject.as_deref()), (Some("bob"), Some("subject-of-bob")));
    assert_eq!((bob.provider.as_str(), bob.issuer.as_deref()), ("corp", Some("https://id.corp.example")));
    assert_eq!((bob.sid.as_deref(), bob.device.as_deref()), (Some("b1"), Some("Firefox")));
    assert_eq!(bob.address, Some([10, 0, 0, 1].into()));
    assert_eq!(bob.created, "2027-01-15T08:00:00Z");
    assert_eq!(bob.expires, "2027-01-15T20:00:00Z");
    let mut hosts = bob.hosts.clone();
    hosts.sort();
    assert_eq!(hosts, ["login.corp.example", "wiki.corp.example"]);
    assert_eq!(bob.id.len(), 64);
    for id in [&bob.id[..8], &bob.id] {
        let found = listed(&management, &format!("id={id}")).await.unwrap();
        assert_eq!(found.sessions, std::slice::from_ref(&bob));
    }
}

#[tokio::test]
async fn pages_follow_one_another_until_there_is_none() {
    let management = people().await;
    let whole = listed(&management, "all=true").await.unwrap();
    assert_eq!(whole.next, None);
    // `sid` and `subject` are looked for at each provider: pages are of all of them together.
    for (query, found) in [("all=true", 4), ("subject=subject-of-alice", 3), ("user=alice&provider=corp", 2)]
    {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = listed(&management, &format!("{query}&limit=1{after}")).await.unwrap();
            assert!(page.sessions.len() <= 1);
            ids.extend(page.sessions.into_iter().map(|entry| entry.id));
            let Some(next) = page.next else { break };
            after = format!("&after={next}");
        }
        assert_eq!(ids.len(), found, "{query}");
        assert!(ids.is_sorted(), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_says_nothing_or_too_much_is_a_fault() {
    let management = people().await;
    let long = format!("user={}", "a".repeat(257));
    for (query, detail) in [
        ("", "say which"),
        ("all=false", "say which"),
        ("all=yes", "the query: "),
        ("all=true&user=alice", "`all` stands alone"),
        ("usr=alice", "unknown field `usr`"),
        ("user=alice&user=bob", "the parameter `user` stands twice"),
        ("user=", "`user` must be 1 to 256 characters"),
        (&long, "`user` must be 1 to 256 characters"),
        ("user=a%1b%5b2J", "without control characters"),
        ("user=a%C2%9B2J", "without control characters"),
        ("id=1234567", "8 to 64 hexadecimal digits"),
        ("id=zzzzzzzz", "8 to 64 hexadecimal digits"),
        ("host=wiki.corp.example:443", "without port"),
        ("host=a%20b", "without port"),
        ("subject=x&provider=gone", "no provider is called `gone`; the configuration has: corp, partner"),
        ("all=true&limit=0", "`limit` must be a number from 1 to 1000"),
        ("all=true&limit=1001", "`limit` must be a number from 1 to 1000"),
        ("all=true&limit=-1", "the query: "),
        ("all=true&after=12", "`after` must be 64 hexadecimal digits"),
    ] {
        let problem = listed(&management, query).await.unwrap_err();
        assert!(problem.detail.contains(detail), "{query}: {problem:?}");
        assert_eq!(problem.response().status(), StatusCode::BAD_REQUEST, "{query}");
    }
}

fn call(management: &Management) -> Call {
    let caller = OwnedCaller { id: RequestId::new("call"), client: None };
    let (operator, recorder) = (Operator::LocalUser(0).to_string(), management.operations.recorder.clone());
    Call::begin("end-sessions", operator, caller, recorder)
}

async fn ended(management: &Management, selection: Value) -> usize {
    let asked = serde_json::from_value(selection).unwrap();
    sessions::end(management, asked, &call(management)).await.unwrap().ended
}

#[tokio::test]
async fn what_is_meant_ends_and_nothing_else() {
    for (selection, gone, left) in [
        (json!({ "all": true }), 4, 0),
        (json!({ "user": "alice", "provider": "corp" }), 2, 2),
        (json!({ "sid": "a1" }), 2, 2),
        (json!({ "sid": "a1", "provider": "partner", "reason": "left" }), 1, 3),
        (json!({ "host": "mail.corp.example" }), 1, 3),
        (json!({ "user": "alice", "host": "mail.corp.example" }), 1, 3),
        (json!({ "user": "nobody" }), 0, 4),
    ] {
        let management = people().await;
        assert_eq!(ended(&management, selection.clone()).await, gone, "{selection}");
        assert_eq!(count(&management, "all=true").await, left, "{selection}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_told_of() {
    let (management, _) = management(testing::away(&Clock::manual(START)));
    let problem = listed(&management, "all=true").await.unwrap_err();
    let response = problem.response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "5");
    let asked = EndSessions { selection: SessionSelection { all: true, ..Default::default() }, reason: None };
    assert!(sessions::end(&management, asked, &call(&management)).await.is_err());
}

fn request(method: Method, path: &str, fields: &[(&'static str, &str)]) -> Request<RequestBody> {
    let mut request = Request::new(RequestBody::EMPTY);
    (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
    for (name, value) in fields {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

#[test]
fn at_the_address_the_token_decides_and_on_the_socket_the_user() {
    let who = |token: Option<&str>, peer, fields: &[(&'static str, &str)]| {
        operator(
            &request(Method::GET, "/api/v1/sessions", fields),
            &sources(token),
            peer,
            [192, 0, 2, 7].into(),
        )
    };
    let good = format!("Bearer {TOKEN}");
    let (host, bearer) = (("host", "127.0.0.1"), ("authorization", good.as_str()));
    assert_eq!(who(None, Peer::Network, &[host, bearer]), Err(Refusal::NotServed));
    assert_eq!(who(Some(TOKEN), Peer::Network, &[host, bearer]), Ok(Operator::TokenHolder));
    assert_eq!(
        who(Some(TOKEN), Peer::Network, &[("host", "ops.example"), bearer]),
        Ok(Operator::TokenHolder)
    );
    assert_eq!(
        who(Some(TOKEN), Peer::Network, &[("host", "evil.example"), bearer]),
        Err(Refusal::Misdirected)
    );
    for wrong in [
        "Bearer ",
        "Bearer x",
        TOKEN,
        "Basic 0123456789abcdef0123456789abcdef",
        &format!("{good}0"),
        &good[..20],
    ] {
        let shown = who(Some(TOKEN), Peer::Network, &[host, ("authorization", wrong)]);
        assert_eq!(shown, Err(Refusal::Unauthenticated), "{wrong}");
    }
    assert_eq!(who(Some(TOKEN), Peer::Network, &[host]), Err(Refusal::Unauthenticated));
    assert_eq!(who(Some(TOKEN), Peer::Network, &[host, bearer, bearer]), Err(Refusal::Unauthenticated));
    assert_eq!(who(None, Peer::LocalUser(7), &[("host", "evil.example")]), Ok(Operator::LocalUser(7)));
}

async fn answered(request: Request<RequestBody>) -> (u16, http::HeaderMap, Value) {
    let (head, body) = answer(request, &sources(None), (Operator::LocalUser(0), None)).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), head.headers, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn other_paths_methods_and_types_are_refused_as_problems() {
    for (method, path, fields, status) in [
        (Method::GET, "/api", &[][..], 404),
        (Method::GET, "/api/v1/session", &[], 404),
        (Method::GET, "/api/v1/sessions/", &[], 404),
        (Method::DELETE, "/api/v1/sessions", &[], 405),
        (Method::GET, "/api/v1/sessions/end", &[], 405),
        (Method::POST, "/api/v1/sessions/end", &[], 415),
        (Method::POST, "/api/v1/drain", &[("content-type", "text/plain")], 415),
        (Method::POST, "/api/v1/drain", &[("content-type", "application/json")], 400),
        (Method::GET, "/api/v1/providers?x=1", &[], 400),
    ] {
        let (told, headers, problem) = answered(request(method.clone(), path, fields)).await;
        assert_eq!((told, problem["status"].as_u64()), (status, Some(status.into())), "{method} {path}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(problem["type"], "about:blank");
        let allow = headers.get(header::ALLOW).map(|value| value.to_str().unwrap());
        let allowed = if path.ends_with("end") { "POST" } else { "GET, HEAD" };
        assert_eq!(allow, (status == 405).then_some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn providers_are_listed_and_the_process_hears_what_it_is_asked() {
    let (status, _, told) = answered(request(Method::GET, "/api/v1/providers", &[])).await;
    assert_eq!(
        (status, &told[0]["name"], &told[1]["issuer"]),
        (200, &json!("corp"), &json!("https://id.partner.example"))
    );
    assert_eq!((&told[0]["state"], &told[0]["keys"]), (&json!("ready"), &json!({ "known": true, "age": 7 })));
    let (status, _, told) = answered(request(Method::GET, "/api/v1/signals", &[])).await;
    assert_eq!((status, &told[0]["stream"], &told[0]["heard"]), (200, &json!("s1"), &json!(null)));
    let (status, _, told) = answered(request(Method::GET, "/api/v1/configuration", &[])).await;
    assert_eq!((status, told), (200, json!({ "server": { "listen": "127.0.0.1:8443" } })));
    let (management, asked) = management(testing::sessions(&Clock::manual(START)));
    let why = || Reason { reason: Some("night".into()) };
    process::ask(&management, ProcessRequest::Reload, why(), &call(&management)).unwrap();
    process::ask(&management, ProcessRequest::Drain, why(), &call(&management)).unwrap();
    assert_eq!(*asked.lock().unwrap(), [ProcessRequest::Reload, ProcessRequest::Drain]);
    let hostile = Reason { reason: Some("a\nb".into()) };
    assert!(process::ask(&management, ProcessRequest::Drain, hostile, &call(&management)).is_err());
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[test]
fn the_description_has_each_operation_and_no_other() {
    let document = describe::description();
    let mut described = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let Found::Operation(found) = Operation::find(path, &method) else { panic!("{method} {path}") };
            assert_eq!(operation["operationId"], found.id());
            described.push(found);
        }
    }
    assert_eq!(described.len(), Operation::ALL.len());
    let parameters = document["paths"]["/api/v1/sessions"]["get"]["parameters"].as_array().unwrap();
    let mut names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["after", "all", "host", "id", "limit", "provider", "sid", "subject", "user"]);
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
    assert!(!text.contains("$defs"), "{text}");
}

#[test]
fn members_that_nobody_knows_are_faults_of_a_body() {
    for body in
        [json!({ "usr": "alice" }), json!({ "all": "true" }), json!({ "user": 1 }), json!([]), json!(null)]
    {
        assert!(serde_json::from_value::<EndSessions>(body.clone()).is_err(), "{body}");
    }
    assert!(serde_json::from_value::<Reason>(json!({ "why": "x" })).is_err());
}
