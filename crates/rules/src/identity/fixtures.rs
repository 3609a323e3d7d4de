//! Somebody, for tests that change what they are about.

use super::{Claims, Gaps, Issuer, Principal, ProviderName, Subject};

/// Alice of the provider `corp`, of whom nothing else is known.
#[must_use]
pub fn alice() -> Principal {
    Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.corp.example"),
        subject: Subject::new("u1"),
        user: "alice".into(),
        email: None,
        groups: Vec::new(),
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: Claims::default(),
        gaps: Gaps::default(),
    }
}
