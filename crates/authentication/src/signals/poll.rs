//! Tokens that are fetched (RFC 8936).
//!
//! A token is acknowledged by the next call, once what it asks is kept. What could not be kept or judged is neither
//! acknowledged nor refused, and comes again; so does everything where the process ends in between.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::error::StreamError;
use super::receive::{Receipt, ReceiveError};
use super::security_event::MAX_SECURITY_EVENT;
use super::security_event_error::SecurityEventError;
use super::transmitter::Transmitter;
use crate::oidc::http::{HttpError, Trouble};
use crate::oidc::json;

/// Tokens that are asked for at a time; fewer where so many are too large for one answer.
const AT_ONCE: u32 = 50;
/// Tokens of an answer that are looked at, whatever was asked for.
const MOST: usize = 1000;
/// The pause behind an answer without new tokens that came at once, and the longest: the transmitter does not wait for news.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// An answer that comes no sooner has waited for news.
const WAITED: Duration = Duration::from_secs(1);
/// The pause where a token could not be judged or kept.
const UNKEPT: Duration = Duration::from_secs(2);

/// What the next call says of the tokens of the one before.
#[derive(Debug, Default)]
struct Outcomes {
    kept: Vec<String>,
    refused: Map<String, Value>,
    /// Some could be neither kept nor refused.
    passing: bool,
    /// Something came that had not come before.
    news: bool,
}

impl Transmitter {
    /// Fetches tokens from `endpoint`, until that fails.
    pub(super) async fn poll(self: &Arc<Self>, endpoint: &Url) -> StreamError {
        let (mut outcomes, mut at_once, mut pause) = (Outcomes::default(), AT_ONCE, PAUSES.0);
        loop {
            let (body, asked) = (outcomes.body(at_once), Instant::now());
            let answer = self.ask(&self.waiting_http, Method::POST, endpoint, Some(&body)).await;
            let sets = match answer {
                Ok(answer) if answer.status() == StatusCode::OK => match sets(answer.body()) {
                    Ok(sets) => sets,
                    Err(error) => return error,
                },
                Ok(answer) => {
                    return StreamError::Refused { doing: "fetching signals", status: answer.status() };
                }
                // Nothing new in all that time; whether the answers arrived is not known, and they are given again.
                Err(StreamError::Http(HttpError { trouble: Trouble::Timeout(_), .. })) => continue,
                Err(StreamError::Http(HttpError { trouble: Trouble::TooLarge, .. })) if at_once > 1 => {
                    at_once /= 2;
                    continue;
                }
                Err(error) => return error,
            };
            outcomes = self.received_all(sets).await;
            if outcomes.passing {
                sleep(UNKEPT).await;
            } else if outcomes.news {
                pause = PAUSES.0;
            } else if asked.elapsed() < WAITED {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }

    async fn received_all(self: &Arc<Self>, sets: Vec<(String, String)>) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for (id, text) in sets {
            let received = match text.len() {
                0..=MAX_SECURITY_EVENT => self.receive(text, None).await,
                _ => Err(SecurityEventError::NotSent.into()),
            };
            outcomes.note(id, received);
        }
        outcomes
    }
}

impl Outcomes {
    fn note(&mut self, id: String, received: Result<Receipt, ReceiveError>) {
        match received {
            Ok(receipt) => {
                self.news |= receipt != Receipt::Repeated;
                self.kept.push(id);
            }
            Err(ReceiveError::Refused(error)) if !error.is_passing() => {
                let told = json!({ "err": error.code(), "description": error.description() });
                self.refused.insert(id, told);
            }
            Err(ReceiveError::Refused(_) | ReceiveError::Store(_)) => {
                let acknowledged = mutant!(None, "acknowledged-before-it-is-kept" => Some(id));
                self.kept.extend(acknowledged);
                self.passing = true;
            }
        }
    }

    /// A call that answers the one before and asks for more (section 2.4).
    fn body(&self, at_once: u32) -> Value {
        let mut body = json!({ "maxEvents": at_once, "returnImmediately": false });
        if !self.kept.is_empty() {
            body["ack"] = self.kept.clone().into();
        }
        if !self.refused.is_empty() {
            body["setErrs"] = self.refused.clone().into();
        }
        body
    }
}

/// The tokens of an answer, by their identifiers.
fn sets(body: &[u8]) -> Result<Vec<(String, String)>, StreamError> {
    let wrong = |why: &str| StreamError::Answer { doing: "fetching signals", why: why.to_owned() };
    let answer = json::object(body).map_err(|_| wrong("it is no JSON object"))?;
    let sets = match answer.get("sets") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(sets) => sets.as_object().ok_or_else(|| wrong("sets is no object"))?,
    };
    let text = |(id, text): (&String, &Value)| Some((id.clone(), text.as_str()?.to_owned()));
    sets.iter().take(MOST).map(|set| text(set).ok_or_else(|| wrong("a token of sets is no text"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::StoreUnavailable;

    #[test]
    fn what_could_not_be_kept_or_judged_is_neither_acknowledged_nor_refused() {
        let mut outcomes = Outcomes::default();
        outcomes.note("again".into(), Ok(Receipt::Repeated));
        assert!(!outcomes.news, "a transmitter that gives the same again and again is asked after a pause");
        outcomes.note("kept".into(), Ok(Receipt::Recorded));
        outcomes.note("bad".into(), Err(SecurityEventError::OtherType.into()));
        assert!(outcomes.news && !outcomes.passing);
        let away = StoreUnavailable::new(std::io::Error::other("away"));
        outcomes.note("unkept".into(), Err(away.into()));
        outcomes.note("unjudged".into(), Err(SecurityEventError::Unchecked("no keys").into()));
        assert!(outcomes.passing);
        let refused = json!({"bad": {"err": "invalid_request", "description": "wrong-purpose"}});
        let body =
            json!({"maxEvents": 7, "returnImmediately": false, "ack": ["again", "kept"], "setErrs": refused});
        assert_eq!(outcomes.body(7), body);
        assert_eq!(Outcomes::default().body(1), json!({"maxEvents": 1, "returnImmediately": false}));
    }

    #[test]
    fn an_answer_is_tokens_by_identifier_or_nothing_is_taken_of_it() {
        let two = br#"{"sets":{"a":"x.y.z","b":"u.v.w"},"moreAvailable":true}"#;
        assert_eq!(sets(two).unwrap(), [("a".into(), "x.y.z".into()), ("b".into(), "u.v.w".into())]);
        for nothing in [&b"{}"[..], br#"{"sets":null}"#, br#"{"sets":{}}"#] {
            assert!(sets(nothing).unwrap().is_empty());
        }
        for wrong in
            [&b""[..], b"[]", br#"{"sets":[]}"#, br#"{"sets":{"a":1}}"#, br#"{"sets":{"a":"x","a":"y"}}"#]
        {
            assert!(sets(wrong).is_err(), "{}", wrong.escape_ascii());
        }
    }
}
