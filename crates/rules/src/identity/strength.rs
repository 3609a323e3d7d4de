//! How strong a sign-in was: at which level, by which methods, and how long ago.

use std::fmt::Display;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Principal, texts};
use crate::clock::Timestamp;

/// By how much the clocks of a provider and of the gateway may differ where the age of a sign-in is judged.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);
/// How far ahead the time of a sign-in may lie: as far as any provider's `leeway` lets the dates of a token.
const LONGEST_AHEAD: Duration = Duration::from_secs(300);

/// The most entries of a list that are written out.
const MAX_LISTED: usize = 10;
/// The most characters that are written out of what a provider calls a level or a method.
const MAX_SHOWN: usize = 100;

/// The strength of a sign-in that somebody asks for (OpenID Connect Core 1.0, sections 2 and 3.1.2.1; RFC 9470). The
/// default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strength {
    /// Authentication context classes (`acr`), the preferred one first: one of them is needed. Empty: any will do.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub acr: Vec<String>,
    /// Authentication methods (`amr`; RFC 8176): all of them are needed.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How long ago the person may have proven who they are (`auth_time`), in whole seconds.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// When the person must have proven it again: later than this, with no allowance for clocks.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
}

/// One thing that a [`Strength`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// One of these levels (`acr`).
    Level(Box<[String]>),
    /// All of these methods (`amr`).
    Methods(Box<[String]>),
    /// A sign-in no longer ago than this (`auth_time`).
    Recent(Duration),
    /// A sign-in later than this (`auth_time`).
    After(Timestamp),
}

/// What a sign-in was to prove and did not, in words that its person may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What was asked for.
    pub wanted: String,
    /// What came.
    pub found: String,
}

impl Strength {
    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.acr.is_empty() && self.amr.is_empty() && self.max_age.is_none() && self.after.is_none()
    }

    /// All that is asked for.
    pub fn proofs(&self) -> impl Iterator<Item = Proof> {
        let list = |list: &[String]| (!list.is_empty()).then(|| list.into());
        let (level, methods) = (list(&self.acr).map(Proof::Level), list(&self.amr).map(Proof::Methods));
        let times = [self.max_age.map(Proof::Recent), self.after.map(Proof::After)];
        [level, methods].into_iter().chain(times).flatten()
    }

    /// The same, and a sign-in later than `after`.
    #[must_use]
    pub fn and_after(self, after: Option<Timestamp>) -> Self {
        Self { after: self.after.max(after), ..self }
    }

    /// `max_age` as providers and programs are asked for it: 0 where whatever sign-in there is is not enough.
    #[must_use]
    pub fn max_age_to_ask(&self) -> Option<Duration> {
        self.after.map_or(self.max_age, |_| Some(Duration::ZERO))
    }

    /// Whether the sign-in of `principal` is known to be as strong at `now`. What the provider did not say is not
    /// met.
    #[must_use]
    pub fn is_met(&self, principal: &Principal, now: Timestamp) -> bool {
        self.proofs().all(|proof| proof.is_given(principal, now) == Some(true))
    }
}

impl Proof {
    /// Whether the sign-in of `principal` is such a one at `now`; `None` where the provider did not say.
    #[must_use]
    #[inline(never)] // most rules ask for none, and what they do is not to grow by it
    pub fn is_given(&self, principal: &Principal, now: Timestamp) -> Option<bool> {
        match self {
            Self::Level(wanted) => principal.acr.as_ref().map(|acr| wanted.contains(acr)),
            Self::Methods(wanted) => methods(principal).map(|found| {
                let has = |method: &String| found.contains(method);
                mutant!(wanted.iter().all(has), "one-method-is-enough" => wanted.iter().any(has))
            }),
            Self::Recent(max_age) => principal.auth_time.map(|at| is_recent(at, *max_age, now)),
            Self::After(after) => principal.auth_time.map(|at| {
                let later = *after < at && at <= now + LONGEST_AHEAD;
                mutant!(later, "old-sign-in-after-a-signal" => true)
            }),
        }
    }

    /// What it asks for, in words.
    #[must_use]
    pub fn wanted(&self) -> String {
        match self {
            Self::Level(levels) => format!("one of the authentication levels (acr): {}", listed(levels)),
            Self::Methods(methods) => format!("all of the authentication methods (amr): {}", listed(methods)),
            Self::Recent(max_age) => format!("a sign-in at most {} ago", span(*max_age)),
            Self::After(after) => format!("a new sign-in, later than {}", after.rfc3339()),
        }
    }

    /// What there is of `principal` at `now`, in words.
    #[must_use]
    pub fn found(&self, principal: &Principal, now: Timestamp) -> String {
        match self {
            Self::Level(_) => principal.acr.as_ref().map_or_else(|| unknown("level"), |acr| cut(acr)),
            Self::Methods(_) => methods(principal).map_or_else(
                || unknown("methods"),
                |found| listed(&found.iter().map(|method| cut(method)).collect::<Vec<_>>()),
            ),
            Self::Recent(_) | Self::After(_) => principal
                .auth_time
                .map_or_else(|| unknown("time"), |at| format!("a sign-in {} ago", span(now.since(at)))),
        }
    }

    /// What it asks for, and what there is of `principal` at `now`.
    #[must_use]
    pub fn shortfall(&self, principal: &Principal, now: Timestamp) -> Shortfall {
        Shortfall { wanted: self.wanted(), found: self.found(principal, now) }
    }
}

/// Until when, that second included, a sign-in of `auth_time` is no older than `max_age`.
#[must_use]
pub fn recent_until(auth_time: Timestamp, max_age: Duration) -> Timestamp {
    auth_time + max_age + CLOCK_LEEWAY
}

/// One that lies ahead would stay recent for as long as it does.
fn is_recent(auth_time: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    auth_time <= now + LONGEST_AHEAD
        && mutant!(now <= recent_until(auth_time, max_age), "old-sign-in-is-recent" => true)
}

fn methods(principal: &Principal) -> Option<Vec<String>> {
    principal.claims.get("amr").filter(|amr| !amr.is_null()).map(texts)
}

fn unknown(what: &str) -> String {
    format!("the {what} of the sign-in unknown")
}

/// As much of it as a page shows.
fn cut(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

fn span(span: Duration) -> String {
    humantime::format_duration(Duration::from_secs(span.as_secs())).to_string()
}

/// The first entries of `list`, and how many there are beside.
pub(crate) fn listed<T: Display>(list: &[T]) -> String {
    if list.is_empty() {
        return "none".into();
    }
    let shown: Vec<_> = list.iter().take(MAX_LISTED).map(ToString::to_string).collect();
    let more = list.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::identity::fixtures::alice;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn signed_in(acr: Option<&str>, amr: &serde_json::Value, seconds_ago: Option<u64>) -> Principal {
        let claims = json!({ "amr": amr });
        Principal {
            acr: acr.map(str::to_owned),
            auth_time: seconds_ago.map(|ago| Timestamp::from_seconds(NOW.seconds() - ago)),
            claims: claims.as_object().unwrap().clone().into(),
            ..alice()
        }
    }

    fn text(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn one_level_is_enough_and_every_method_is_needed() {
        let level = Strength { acr: text(&["mfa", "hwk"]), ..Strength::default() };
        for (acr, met) in [(Some("hwk"), true), (Some("pwd"), false), (Some("mf"), false), (None, false)] {
            assert_eq!(level.is_met(&signed_in(acr, &json!([]), None), NOW), met, "{acr:?}");
        }
        let methods = Strength { amr: text(&["pwd", "otp"]), ..Strength::default() };
        for (amr, met) in [
            (json!(["otp", "sms", "pwd"]), true),
            (json!(["pwd"]), false),
            (json!([]), false),
            (json!("pwd otp"), false),
            (json!(null), false),
        ] {
            assert_eq!(methods.is_met(&signed_in(None, &amr, None), NOW), met, "{amr}");
        }
    }

    #[test]
    fn a_sign_in_gets_old_by_its_age_and_a_minute_for_the_clocks() {
        let recent = Strength { max_age: Some(Duration::from_secs(900)), ..Strength::default() };
        for (ago, met) in [(0, true), (900, true), (960, true), (961, false)] {
            assert_eq!(recent.is_met(&signed_in(None, &json!([]), Some(ago)), NOW), met, "{ago} s");
        }
        assert!(!recent.is_met(&signed_in(None, &json!([]), None), NOW), "nobody said when");
        let ahead = |seconds| Principal {
            auth_time: Some(NOW + Duration::from_secs(seconds)),
            ..signed_in(None, &json!([]), None)
        };
        assert!(recent.is_met(&ahead(300), NOW) && !recent.is_met(&ahead(301), NOW));
    }

    #[test]
    fn a_new_sign_in_is_one_later_than_it_was_asked_for() {
        let after = Strength::default().and_after(Some(Timestamp::from_seconds(NOW.seconds() - 100)));
        for (ago, met) in [(0, true), (99, true), (100, false), (101, false)] {
            assert_eq!(after.is_met(&signed_in(None, &json!([]), Some(ago)), NOW), met, "{ago} s");
        }
        assert!(!after.is_met(&signed_in(None, &json!([]), None), NOW), "nobody said when");
        let ahead =
            Principal { auth_time: Some(NOW + LONGEST_AHEAD * 2), ..signed_in(None, &json!([]), None) };
        assert!(!after.is_met(&ahead, NOW));
        let (later, earlier) = (Some(NOW), Some(Timestamp::from_seconds(1)));
        assert_eq!(after.clone().and_after(later).after, later);
        assert_eq!(after.clone().and_after(earlier).and_after(None), after);
        let hour = Strength { max_age: Some(Duration::from_secs(3600)), ..Strength::default() };
        assert_eq!(hour.max_age_to_ask(), hour.max_age);
        assert_eq!(hour.and_after(later).max_age_to_ask(), Some(Duration::ZERO));
    }

    #[test]
    fn what_the_provider_did_not_say_is_unknown() {
        let silent = signed_in(None, &json!(null), None);
        let asked = Strength {
            acr: text(&["mfa"]),
            amr: text(&["otp"]),
            max_age: Some(Duration::from_secs(60)),
            after: Some(NOW),
        };
        assert_eq!(asked.proofs().map(|proof| proof.is_given(&silent, NOW)).collect::<Vec<_>>(), [None; 4]);
        let told = signed_in(Some("pwd"), &json!(["pwd"]), Some(3600));
        let found: Vec<_> = asked.proofs().map(|proof| proof.found(&told, NOW)).collect();
        assert_eq!(found, ["pwd", "pwd", "a sign-in 1h ago", "a sign-in 1h ago"]);
    }
}
