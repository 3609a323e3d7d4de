//! What the app is told with a request.

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::assertion::Proof;

/// Headers of the family `x-auth-request`.
const PREFIX: &str = "x-auth-request-";

/// A request as the app sees it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// What the gateway calls the request.
    pub(super) request_id: Option<String>,
    /// Identity headers, decoded.
    pub(super) identity: Identity,
    /// What the app could verify.
    pub(super) proof: Proof,
    /// Every header, those of the gateway first.
    pub(super) headers: Vec<(String, String)>,
}

/// What identity headers say. Only as good as the network between gateway and app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user: Option<String>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) groups: Vec<String>,
}

impl Told {
    /// Reads `request`.
    pub(super) fn read<B>(request: &Request<B>, proof: Proof) -> Self {
        let map = request.headers();
        Self {
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            request_id: text(map, "x-request-id"),
            identity: Identity::read(map),
            proof,
            headers: headers(map),
        }
    }

    /// Who asks, where that is proven. What headers say alone, anybody could have written.
    pub(super) fn user(&self) -> Option<&str> {
        let Proof::Verified { claims, .. } = &self.proof else { return None };
        let said = |name: &str| claims.get(name).and_then(Value::as_str);
        said("preferred_username").or_else(|| said("sub"))
    }

    /// Whether the app knows who asks.
    pub(super) const fn is_proven(&self) -> bool {
        matches!(self.proof, Proof::Verified { .. })
    }

    /// Whether somebody says who asks, and this app does not believe it.
    pub(super) const fn is_doubtful(&self) -> bool {
        matches!(self.proof, Proof::Refused(_)) || (!self.is_proven() && self.identity.user.is_some())
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let assertion = match &self.proof {
            Proof::Verified { claims, kid, .. } => json!({ "verified": true, "kid": kid, "claims": claims }),
            Proof::Absent => json!({ "verified": false, "why": "there is none" }),
            Proof::Refused(why) => json!({ "verified": false, "why": why }),
        };
        json!({
            "method": self.method,
            "target": self.target,
            "request_id": self.request_id,
            "user": self.user(),
            "identity": {
                "user": self.identity.user,
                "preferred_username": self.identity.name,
                "email": self.identity.email,
                "groups": self.identity.groups,
            },
            "assertion": assertion,
            "headers": self.headers,
        })
    }
}

impl Identity {
    /// What was said, under the names of the headers that said it.
    pub(super) fn rows(&self) -> Vec<(&'static str, &str)> {
        let rows = [
            ("X-Auth-Request-User", &self.user),
            ("X-Auth-Request-Preferred-Username", &self.name),
            ("X-Auth-Request-Email", &self.email),
        ];
        rows.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    fn read(map: &HeaderMap) -> Self {
        let said = |name: &str| text(map, &format!("{PREFIX}{name}"));
        let groups = said("groups").unwrap_or_default();
        Self {
            user: said("user").map(|value| decoded(&value)),
            name: said("preferred-username").map(|value| decoded(&value)),
            email: said("email").map(|value| decoded(&value)),
            groups: groups.split(',').filter(|group| !group.is_empty()).map(decoded).collect(),
        }
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let mut headers: Vec<_> =
        map.iter().map(|(name, value)| (name.to_string(), shown(name, value))).collect();
    headers.sort_by_key(|(name, _)| !is_gateways(name));
    headers
}

/// Whether only the gateway can have written a header of that name.
pub(super) fn is_gateways(name: &str) -> bool {
    let families = [PREFIX, "x-forwarded-", "portcullis-"];
    families.iter().any(|family| name.starts_with(family)) || ["x-request-id", "forwarded"].contains(&name)
}

/// The gateway percent-encodes what is not plain ASCII.
fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn text(map: &HeaderMap, name: &str) -> Option<String> {
    map.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Values as they came; of credentials only that they came, for people share pictures of a demo's screen.
fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    match name.as_str() {
        "authorization" | "proxy-authorization" => {
            let scheme = text.split(' ').next().unwrap_or_default();
            format!("{scheme} … ({} bytes, not shown)", text.len())
        }
        "cookie" => {
            let names = text.split(';').map(|pair| pair.split('=').next().unwrap_or_default().trim());
            names.map(|name| format!("{name}=…")).collect::<Vec<_>>().join("; ")
        }
        _ => text.into_owned(),
    }
}
