//! `[policies.NAME]` and rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, Scalar, Span};

/// A policy allows where any rule of `allow` holds and no rule of `deny` does. One of `deny` rules alone only
/// takes away: something else on the route has to allow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Policy {
    /// Rules that let people in; any of them suffices.
    #[schemars(extend("x-default" = "none", "examples" = [[{"groups": ["staff"]}]]))]
    pub allow: Option<OneOrMany<Rule>>,
    /// Rules that keep people out, whatever `allow` says.
    #[schemars(extend("x-default" = "none", "examples" = [[{"networks": ["203.0.113.0/24"]}]]))]
    pub deny: Option<OneOrMany<Rule>>,
}

/// A rule holds where all its conditions hold; a condition holds where any of its values fits. At least one
/// condition is needed. What the provider did not say is unknown, not none: then a rule of `allow` does not hold, and
/// one of `deny` does, unless another of its conditions fails.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Rule {
    /// User names, compared exactly.
    #[schemars(extend("x-default" = "anybody", "examples" = ["alice"]))]
    pub users: Option<OneOrMany<String>>,
    /// The same as `users`.
    #[schemars(extend("x-default" = "anybody", "examples" = ["alice"]))]
    pub user: Option<OneOrMany<String>>,
    /// Verified e-mail addresses.
    #[schemars(extend("x-default" = "any", "examples" = ["alice@corp.example"]))]
    pub emails: Option<OneOrMany<String>>,
    /// Whole domains of verified e-mail addresses; a subdomain is another domain.
    #[schemars(extend("x-default" = "any", "examples" = ["corp.example"]))]
    pub email_domains: Option<OneOrMany<String>>,
    /// Groups, compared exactly.
    #[schemars(extend("x-default" = "any", "examples" = ["staff"]))]
    pub groups: Option<OneOrMany<String>>,
    /// Scopes of the access token; unlike elsewhere all of them are required.
    #[schemars(extend("x-default" = "any", "examples" = ["orders:read"]))]
    pub scopes: Option<OneOrMany<String>>,
    /// Names of providers that vouch, or `any`. Where several could, a rule of `allow` that names users, addresses or
    /// groups says whose it means.
    #[schemars(extend("x-default" = "any", "examples" = ["corp"]))]
    pub providers: Option<OneOrMany<String>>,
    /// The same as `providers`.
    #[schemars(extend("x-default" = "any", "examples" = ["corp"]))]
    pub provider: Option<OneOrMany<String>>,
    /// Claims by path, each with a value or values; `[]` asks only that the claim is there.
    #[schemars(extend("x-default" = "any", "examples" = [{"department": "billing"}]))]
    pub claims: Option<BTreeMap<String, OneOrMany<Scalar>>>,
    /// Methods of the request.
    #[schemars(extend("x-default" = "all", "examples" = ["GET"]))]
    pub methods: Option<OneOrMany<String>>,
    /// Paths and what is below them, from the root of the host.
    #[schemars(extend("x-default" = "all", "examples" = ["/reports"]))]
    pub paths: Option<OneOrMany<String>>,
    /// Networks of the client.
    #[schemars(extend("x-default" = "all", "examples" = ["192.0.2.0/24"]))]
    pub networks: Option<OneOrMany<String>>,
    /// Levels of the sign-in (`acr`), by the provider's names, the preferred one first. Whom a rule of `allow` would let
    /// in but for this, `amr` or `max_auth_age`, is sent to sign in anew as it asks; a program gets the challenge of
    /// RFC 9470.
    #[schemars(extend("x-default" = "any", "examples" = ["mfa"]))]
    pub acr: Option<OneOrMany<String>>,
    /// Methods of the sign-in (`amr`; RFC 8176), such as `otp` or `hwk`; all of them are required.
    #[schemars(extend("x-default" = "any", "examples" = ["otp"]))]
    pub amr: Option<OneOrMany<String>>,
    /// How long ago the person may have signed in at the provider (`auth_time`), from a minute on. Clocks may differ by
    /// a minute beside.
    #[schemars(extend("x-default" = "any time"))]
    pub max_auth_age: Option<Span>,
    /// Whether the session must be bound to its device (`true`), or must not be. Access tokens are not. Right after a
    /// sign-in, while a browser may be about to bind its session, that is unknown: the page asks again by itself.
    #[schemars(extend("x-default" = "either"))]
    pub bound: Option<bool>,
}
