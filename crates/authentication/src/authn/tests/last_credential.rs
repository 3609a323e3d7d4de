//! A connection that remembers whose its last requests were.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

use super::authenticate::{Asked, BOTH, Gate, HOST, NEITHER, SESSION, connection, headers, word};
use super::*;
use crate::identity::Principal;
use crate::request::Transport;
use crate::secret::Secret;
use crate::session::{Session, SessionKey, Tokens};

/// A connection on which the same request has come often enough to be remembered.
async fn settled(authenticator: &Authenticator, fields: &HeaderMap, expected: &str) -> Arc<Transport> {
    let connection = connection();
    for _ in 0..4 {
        assert_eq!(word(&recognized(authenticator, &connection, BOTH, fields).await), expected);
    }
    connection
}

/// Whose a request with these fields is on `connection`.
async fn recognized(
    authenticator: &Authenticator,
    connection: &Arc<Transport>,
    accept: Accept,
    fields: &HeaderMap,
) -> Result<Authentication, AuthenticationError> {
    authenticator.recognize(accept, &Asked::on(connection, HOST, fields).view()).await
}

fn recalls(authenticator: &Authenticator, connection: &Arc<Transport>, fields: &HeaderMap) -> bool {
    authenticator.recalls(BOTH, &Asked::on(connection, HOST, fields).view())
}

fn bearer(token: &str) -> HeaderMap {
    headers(&[(AUTHORIZATION, &format!("Bearer {token}"))])
}

fn good() -> String {
    token(&header(), &claims())
}

/// Somebody who is signed in, and the cookie.
async fn signed_in(gate: &Gate) -> (HeaderMap, SessionKey, Arc<Session>) {
    let (key, session) = gate.sign_in().await;
    let set = gate.cookie.set(&key);
    (headers(&[(COOKIE, set.to_str().unwrap().split(';').next().unwrap())]), key, session)
}

async fn said(authenticator: &Authenticator, cache: &Arc<Transport>, fields: &HeaderMap) -> &'static str {
    word(&recognized(authenticator, cache, BOTH, fields).await)
}

async fn subject(authenticator: &Authenticator, cache: &Arc<Transport>, fields: &HeaderMap) -> String {
    let found = recognized(authenticator, cache, BOTH, fields).await.unwrap();
    found.principal().unwrap().subject.to_string()
}

#[tokio::test]
async fn what_comes_again_is_answered_by_the_connection_itself() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let fields = bearer(&good());
    let cache = settled(&authenticator, &fields, "bearer").await;
    assert!(recalls(&authenticator, &cache, &fields));
    assert!(!recalls(&authenticator, &connection(), &fields), "another connection's is not");
    let cookie = headers(&[(COOKIE, &gate.cookie_header().await)]);
    let cache = settled(&authenticator, &cookie, "session").await;
    assert!(recalls(&authenticator, &cache, &cookie));
}

#[tokio::test]
async fn a_token_ends_with_its_exp_on_the_connection_that_knows_it() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let fields = bearer(&token(&header(), &with(claims(), "exp", (NOW + 60).into())));
    let cache = settled(&authenticator, &fields, "bearer").await;
    gate.world.pass(60 + LEEWAY - 1);
    assert_eq!(said(&authenticator, &cache, &fields).await, "bearer");
    gate.world.pass(1);
    assert_eq!(said(&authenticator, &cache, &fields).await, "token error");
}

#[tokio::test]
async fn invariant_5_a_token_ends_with_its_key_on_the_connection_that_knows_it() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let fields = bearer(&good());
    let cache = settled(&authenticator, &fields, "bearer").await;
    gate.world.rotate(&[OTHER_KEY.jwk("other")]).await;
    assert_eq!(said(&authenticator, &cache, &fields).await, "token error");
}

#[tokio::test]
async fn invariant_4_a_connection_answers_for_no_other_token() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (mine, yours) = (good(), token(&header(), &with(claims(), "sub", "u2".into())));
    let cache = settled(&authenticator, &bearer(&mine), "bearer").await;
    for place in 0..mine.len() {
        let mut bytes = mine.clone().into_bytes();
        bytes[place] ^= 1;
        let other = String::from_utf8(bytes).unwrap();
        assert!(!recalls(&authenticator, &cache, &bearer(&other)), "byte {place}");
    }
    for other in [&mine[1..], &mine[..mine.len() - 1], &format!("{mine}A"), ""] {
        assert!(!recalls(&authenticator, &cache, &bearer(other)));
    }
    for _ in 0..3 {
        assert_eq!(subject(&authenticator, &cache, &bearer(&yours)).await, "u2");
        assert_eq!(subject(&authenticator, &cache, &bearer(&mine)).await, "u1");
    }
    for (token, who) in [(&yours, "u2"), (&yours, "u2"), (&yours, "u2"), (&mine, "u1")] {
        assert_eq!(subject(&authenticator, &cache, &bearer(token)).await, who);
    }
}

#[tokio::test]
async fn invariant_3_a_known_token_does_not_excuse_what_comes_beside_it() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (token, cookie) = (format!("Bearer {}", good()), gate.cookie_header().await);
    let cache = settled(&authenticator, &headers(&[(AUTHORIZATION, &token)]), "bearer").await;
    for second in [token.as_str(), "Basic YTpi", ""] {
        for fields in [[token.as_str(), second], [second, token.as_str()]] {
            let twice = headers(&fields.map(|field| (AUTHORIZATION, field)));
            assert_eq!(said(&authenticator, &cache, &twice).await, "token error");
        }
    }
    let known = settled(&authenticator, &headers(&[(COOKIE, &cookie)]), "session").await;
    for bad in ["Bearer", &token[..token.len() - 9], "", "\"Bearer\" x"] {
        let beside = headers(&[(AUTHORIZATION, bad), (COOKIE, &cookie)]);
        assert_eq!(said(&authenticator, &known, &beside).await, "token error", "{bad}");
    }
    let as_cookie = headers(&[(COOKIE, &token)]);
    assert_eq!(said(&authenticator, &cache, &as_cookie).await, "anonymous", "a token in a cookie is none");
}

/// Either field alone is one thing, both together are another.
#[tokio::test]
async fn invariant_3_a_known_token_does_not_answer_for_the_other_field() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (mine, theirs) = (format!("Bearer {}", good()), "Bearer opaque");
    let cache = settled(&authenticator, &headers(&[(AUTHORIZATION, &mine)]), "bearer").await;
    for beside in [mine.as_str(), theirs, "", "Basic YTpi"] {
        let both = headers(&[(AUTHORIZATION, &mine), (PORTCULLIS_AUTHORIZATION, beside)]);
        assert_eq!(said(&authenticator, &cache, &both).await, "token error", "{beside}");
    }
    let both = headers(&[(AUTHORIZATION, theirs), (PORTCULLIS_AUTHORIZATION, &mine)]);
    let cache = settled(&authenticator, &both, "bearer").await;
    assert_eq!(said(&authenticator, &cache, &headers(&[(AUTHORIZATION, theirs)])).await, "token error");
    let (cookie, _, _) = signed_in(&gate).await;
    let cache = settled(&authenticator, &cookie, "session").await;
    let mut beside = cookie.clone();
    beside.insert(PORTCULLIS_AUTHORIZATION, theirs.parse().unwrap());
    assert_eq!(said(&authenticator, &cache, &beside).await, "token error");
}

#[tokio::test]
async fn invariant_3_a_known_session_does_not_answer_for_basic() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (mut fields, _, _) = signed_in(&gate).await;
    let cache = settled(&authenticator, &fields, "session").await;
    let forged = good();
    let pair = format!("x:{}", &forged[..forged.len() - 9]);
    let field = format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pair));
    fields.insert(AUTHORIZATION, field.parse().unwrap());
    let accept = SESSION.with(Accepted::Basic);
    let found = recognized(&authenticator, &cache, accept, &fields).await;
    assert_eq!(word(&found), "token error");
}

#[tokio::test]
async fn a_connection_knows_nobody_where_the_route_takes_no_such_credential() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (token, cookie) = (format!("Bearer {}", good()), gate.cookie_header().await);
    let both = headers(&[(AUTHORIZATION, &token), (COOKIE, &cookie)]);
    let cache = settled(&authenticator, &both, "bearer").await;
    assert_eq!(word(&recognized(&authenticator, &cache, SESSION, &both).await), "session");
    assert_eq!(word(&recognized(&authenticator, &cache, NEITHER, &both).await), "anonymous");
    let cookie = headers(&[(COOKIE, &cookie)]);
    let cache = settled(&authenticator, &cookie, "session").await;
    assert_eq!(word(&recognized(&authenticator, &cache, NEITHER, &cookie).await), "anonymous");
}

#[tokio::test]
async fn another_configuration_asks_anew() {
    let gate = Gate::new();
    let fields = bearer(&good());
    let cache = settled(&gate.authenticator(), &fields, "bearer").await;
    assert!(!recalls(&gate.authenticator(), &cache, &fields));
    let cookie = headers(&[(COOKIE, &gate.cookie_header().await)]);
    let cache = settled(&gate.authenticator(), &cookie, "session").await;
    assert!(!recalls(&gate.authenticator(), &cache, &cookie), "its cookie may have another name");
    let moved = ProviderSettings { issuer: Issuer::new("https://other.example"), ..settings() };
    let authenticator = gate.authenticator_of(moved, gate.sessions.clone());
    assert_eq!(said(&authenticator, &cache, &cookie).await, "ended", "nobody vouches any more (invariant 8)");
}

#[tokio::test]
async fn invariant_8_an_ended_session_is_over_on_the_connection_that_knows_it() {
    for (index, how) in ["signed out", "idle", "by another of the family"].into_iter().enumerate() {
        let gate = Gate::new();
        let authenticator = gate.authenticator();
        let (cookie, key, session) = signed_in(&gate).await;
        let cache = settled(&authenticator, &cookie, "session").await;
        match index {
            0 => gate.sessions.end(key.id()).await.unwrap(),
            1 => gate.world.pass(3600),
            _ => {
                let child = crate::session::NewSession::child(&session, "mail.corp.example");
                let (child, _) = gate.sessions.create(child).await.unwrap();
                gate.sessions.end(child.id()).await.unwrap();
            }
        }
        assert_eq!(said(&authenticator, &cache, &cookie).await, "ended", "{how}");
    }
}

#[tokio::test]
async fn invariant_4_new_tokens_and_groups_are_seen_on_the_connection_that_knows_the_old() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (cookie, key, session) = signed_in(&gate).await;
    let cache = settled(&authenticator, &cookie, "session").await;
    let tokens = Tokens { access: Some(Secret::new("fresh")), ..Tokens::default() };
    let groups = Arc::new(Principal { groups: vec!["ops".into()], ..(*session.principal).clone() });
    gate.sessions.replace_tokens(&key, &session, tokens, Some(groups)).await.unwrap();
    for _ in 0..4 {
        let found = recognized(&authenticator, &cache, BOTH, &cookie).await.unwrap();
        assert_eq!(found.principal().unwrap().groups, ["ops"]);
        assert_eq!(found.tokens().unwrap().access, Some(Secret::new("fresh")));
    }
}

#[tokio::test]
async fn invariant_7_a_known_session_opens_nothing_for_another_host_or_another_cookie() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (cookie, ..) = signed_in(&gate).await;
    let cache = settled(&authenticator, &cookie, "session").await;
    let elsewhere = authenticator.recognize(BOTH, &Asked::on(&cache, "evil.example", &cookie).view()).await;
    assert_eq!(word(&elsewhere), "ended");
    let mine = cookie[COOKIE].to_str().unwrap().to_owned();
    let stranger = gate.cookie.set(&SessionKey::random());
    let stranger = stranger.to_str().unwrap().split(';').next().unwrap();
    for tossed in [headers(&[(COOKIE, &mine), (COOKIE, stranger)]), headers(&[(COOKIE, stranger)])] {
        assert_eq!(said(&authenticator, &cache, &tossed).await, "ended");
    }
    assert_eq!(said(&authenticator, &cache, &cookie).await, "session");
}

#[tokio::test]
async fn invariant_14_and_15_a_connection_keeps_no_large_field_and_prints_none() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let large = format!("{}; other={}", gate.cookie_header().await, "x".repeat(5_000));
    let cookie = headers(&[(COOKIE, &large)]);
    let cache = settled(&authenticator, &cookie, "session").await;
    assert!(!recalls(&authenticator, &cache, &cookie));
    let token = good();
    let cache = settled(&authenticator, &bearer(&token), "bearer").await;
    assert!(!format!("{cache:?}").contains(token.rsplit('.').next().unwrap()));
}
