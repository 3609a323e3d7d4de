//! Who somebody is, once a credential has been checked: the model that every room speaks.

mod claims;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod fixtures;
mod gaps;
mod strength;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use claims::Claims;
pub use gaps::{Gap, Gaps};
pub(crate) use strength::listed;
pub use strength::{Proof, Shortfall, Strength, recent_until};

use crate::clock::Timestamp;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name a provider has in the configuration: `corp` in `[providers.corp]`.
    ProviderName
}
name! {
    /// The issuer identifier of an OpenID Provider (OpenID Connect Core 1.0, section 2: `iss`).
    Issuer
}
name! {
    /// A locally unique, never reassigned identifier within an issuer (`sub`).
    Subject
}
name! {
    /// What a route is called in logs, metrics and explanations: its `name`, or host and path.
    RouteName
}

/// The identifier that one request keeps from the refusal page to the log to the app. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Bytes);

impl RequestId {
    /// Wraps the text as it is.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Bytes::copy_from_slice(text.as_ref().as_bytes()))
    }

    /// Sixteen ASCII digits or letters.
    #[must_use]
    pub fn of_digits(digits: [u8; 16]) -> Self {
        Self(Bytes::from_owner(digits))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text as the value of a header, where it can be one.
    #[must_use]
    pub fn field(&self) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(self.0.clone()).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An e-mail address and whether the provider vouches for it (`email_verified`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// The address as the provider gave it.
    pub address: String,
    /// Whether the provider says so, or the operator for addresses of which it says nothing (invariant 11).
    pub verified: bool,
    /// Whether apps are not told of it: the operator wants verified ones alone.
    #[serde(default)]
    pub withheld: bool,
}

impl Email {
    /// The part behind the last `@`, lower-cased; `None` where there is no such part.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        let (local, domain) = self.address.rsplit_once('@')?;
        (!local.is_empty() && !domain.is_empty()).then(|| domain.to_ascii_lowercase())
    }
}

/// A person, machine or program whose credential has been verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Principal {
    /// Which configured provider vouches.
    pub provider: ProviderName,
    /// Its issuer identifier.
    pub issuer: Issuer,
    /// The stable identifier at that issuer.
    pub subject: Subject,
    /// The name to show and to match `users` rules with; the subject where no other claim is mapped.
    pub user: String,
    /// The e-mail address, where one is known.
    pub email: Option<Email>,
    /// Groups, in the provider's order, without duplicates.
    pub groups: Vec<String>,
    /// OAuth scopes of the access token (RFC 6749, section 3.3); empty for a browser session.
    pub scopes: Vec<String>,
    /// When the person last proved who they are (`auth_time`).
    pub auth_time: Option<Timestamp>,
    /// Authentication context class reference (`acr`).
    pub acr: Option<String>,
    /// Every claim of the token, merged with UserInfo.
    pub claims: Claims,
    /// What of all this may be missing: not what a token says, so it is kept beside the principal.
    #[serde(skip)]
    pub gaps: Gaps,
}

impl Principal {
    /// The claim at this path.
    #[must_use]
    pub fn claim(&self, path: &ClaimPath) -> Option<&Value> {
        path.descend(|name| self.claims.get(name))
    }

    /// The same person, of whom more is known now, still signed in as `before` says: new tokens are no new sign-in
    /// (OpenID Connect Core 1.0, section 12.2). What a refresh does not repeat of `acr` and `amr` stays as it was, and
    /// `auth_time` never becomes a later one.
    #[must_use]
    pub fn signed_in_as(mut self, before: &Self) -> Self {
        self.acr = self.acr.or_else(|| before.acr.clone());
        let earliest = [self.auth_time, before.auth_time].into_iter().flatten().min();
        self.auth_time = mutant!(earliest, "refresh-is-a-sign-in" => self.auth_time);
        if let (None, Some(amr)) = (self.claims.get("amr"), before.claims.get("amr")) {
            let mut claims = (*self.claims).clone();
            claims.insert("amr".to_owned(), amr.clone());
            self.claims = claims.into();
        }
        self
    }

    /// Whether the claims say that the one at `path` is kept elsewhere.
    #[must_use]
    pub fn keeps_elsewhere(&self, path: &ClaimPath) -> bool {
        path.is_elsewhere(|name| self.claims.get(name))
    }
}

/// Where a claim is found: the members to walk through, outermost first.
///
/// Written as `groups`, as `realm_access.roles` (dots descend), or as a JSON Pointer
/// (RFC 6901) where a name holds a dot: `/https:~1~1corp.example~1groups`. A name that holds `://`
/// is taken whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads the written form; `None` where it is empty or has an empty segment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect(),
            None if text.contains("://") => vec![text.to_owned()],
            None => text.split('.').map(str::to_owned).collect(),
        };
        segments.iter().all(|segment| !segment.is_empty()).then_some(Self(segments))
    }

    /// The value at this path of `claims`.
    #[must_use]
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        self.descend(|name| claims.get(name))
    }

    /// Whether `claims` say that this one is kept elsewhere: as an aggregated or distributed claim (OpenID Connect
    /// Core 1.0, section 5.6.2), or as the groups of Entra ID once they are too many for a token.
    #[must_use]
    pub fn is_kept_elsewhere(&self, claims: &Map<String, Value>) -> bool {
        self.is_elsewhere(|name| claims.get(name))
    }

    fn is_elsewhere<'a>(&self, top: impl Fn(&str) -> Option<&'a Value>) -> bool {
        let Some(first) = self.0.first() else { return false };
        let of_groups = || {
            let many = top("hasgroups").is_some_and(|has| !matches!(has, Value::Null | Value::Bool(false)));
            many || top("groups:src1").is_some()
        };
        match top("_claim_names") {
            Some(Value::Object(names)) if names.contains_key(first) => true,
            Some(Value::Object(_)) => first == "groups" && of_groups(),
            // Sources without names: nobody can tell which claims they hold.
            None | Some(Value::Null) => top("_claim_sources").is_some() || (first == "groups" && of_groups()),
            // It says something that cannot be read: any claim may be kept elsewhere.
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => true,
        }
    }

    fn descend<'a>(&self, top: impl FnOnce(&str) -> Option<&'a Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(top(first)?, |value, segment| value.as_object()?.get(segment))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().any(|segment| segment.contains(['.', '/'])) {
            let escaped = self.0.iter().map(|s| s.replace('~', "~0").replace('/', "~1"));
            return escaped.into_iter().try_for_each(|segment| write!(f, "/{segment}"));
        }
        f.write_str(&self.0.join("."))
    }
}

/// Whether all that a claim holds is in its [`texts`]: objects, lists of them and lists of lists are not.
#[must_use]
pub fn is_text(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(items) => items.iter().all(|item| !matches!(item, Value::Array(_) | Value::Object(_))),
        Value::Object(_) => false,
    }
}

/// The texts a claim holds: a string is one, an array gives each of its strings, numbers and booleans.
#[must_use]
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Array(items) => items.iter().filter(|item| !item.is_array()).flat_map(texts).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(path: &str, claims: &Value) -> Option<Value> {
        ClaimPath::parse(path)?.find(claims.as_object()?).cloned()
    }

    #[test]
    fn claim_paths_descend_point_or_stand_whole() {
        let claims = json!({"a": {"b": ["x"]}, "https://c.example/g": 1, "a.b": 2});
        assert_eq!(found("a.b", &claims), Some(json!(["x"])));
        assert_eq!(found("/a.b", &claims), Some(json!(2)));
        assert_eq!(found("https://c.example/g", &claims), Some(json!(1)));
        assert_eq!(found("/https:~1~1c.example~1g", &claims), Some(json!(1)));
        assert_eq!(found("a.missing.c", &claims), None);
        assert_eq!(ClaimPath::parse(""), None);
        assert_eq!(ClaimPath::parse("a..b"), None);
    }

    #[test]
    fn new_tokens_are_no_new_sign_in() {
        let person = |acr: Option<&str>, amr: Value, at: Option<u64>| Principal {
            acr: acr.map(str::to_owned),
            auth_time: at.map(Timestamp::from_seconds),
            claims: json!({ "amr": amr }).as_object().unwrap().clone().into(),
            ..fixtures::alice()
        };
        let before = person(Some("mfa"), json!(["otp"]), Some(100));
        let silent = Principal { claims: Claims::default(), ..person(None, Value::Null, None) };
        assert_eq!(silent.signed_in_as(&before), before);
        let later = person(Some("pwd"), json!(["pwd"]), Some(200));
        assert_eq!(later.clone().signed_in_as(&before), Principal { auth_time: before.auth_time, ..later });
        let earlier = person(None, json!([]), Some(50));
        assert_eq!(earlier.signed_in_as(&before).auth_time, Some(Timestamp::from_seconds(50)));
    }

    #[test]
    fn a_domain_is_all_behind_the_last_at() {
        let domain = |text: &str| Email { address: text.into(), verified: true, withheld: false }.domain();
        assert_eq!(domain("a@B.example"), Some("b.example".into()));
        assert_eq!(domain("a@x@b.example"), Some("b.example".into()));
        assert_eq!(domain("@b.example"), None);
        assert_eq!(domain("b.example"), None);
    }
}
