//! A provider, for tests and fuzzers that change what they are about.

#![allow(clippy::expect_used, reason = "it fails as tests do")]

use std::time::Duration;

use super::settings::*;
use crate::identity::{ClaimPath, Issuer, ProviderName};

/// The provider `corp`, where nobody signs in and whose tokens nobody takes.
#[must_use]
pub fn provider(issuer: &str) -> ProviderSettings {
    let path = |text| ClaimPath::parse(text).expect("a path");
    ProviderSettings {
        name: ProviderName::new("corp"),
        display_name: "Corp".into(),
        issuer: Issuer::new(issuer),
        discovery: None,
        client: None,
        audiences: Vec::new(),
        trusted_audiences: Vec::new(),
        claims: ClaimMapping {
            user: None,
            email: path("email"),
            email_verified: EmailVerification::AsSaid,
            groups: path("groups"),
            absent_groups: AbsentGroups::Unknown,
            named_by_rules: Vec::new(),
        },
        email_domains: Vec::new(),
        leeway: Duration::from_secs(30),
        require_at_jwt: false,
        ca: None,
        timeout: Duration::from_secs(10),
    }
}

/// A public client called `portcullis`.
#[must_use]
pub fn client() -> ClientSettings {
    ClientSettings {
        id: "portcullis".into(),
        authentication: ClientAuthentication::None,
        assertion: AssertionSettings::default(),
        response_mode: ResponseMode::Query,
        scopes: Vec::new(),
        prompt: None,
        acr_values: Vec::new(),
        max_age: None,
        extra: Vec::new(),
        userinfo: AskUserInfo::WhenNeeded,
        refresh_every: None,
        levels_of_rules: Vec::new(),
        logout: LogoutSettings::default(),
    }
}
