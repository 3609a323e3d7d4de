//! Policies as the configuration means them.

use http::Method;
use ipnet::IpNet;

use crate::identity::{ClaimPath, ProviderName, Strength};

/// How a route is opened. There is no default: a route that says nothing does not load.
#[derive(Clone, Debug, PartialEq)]
pub enum AccessSettings {
    /// Anybody, without signing in.
    Public,
    /// Anybody that some provider vouches for.
    SignedIn,
    /// Every one of these policies must allow (all are required), and none deny.
    Policies(Vec<PolicySettings>),
}

/// A named policy, or a route's own rules.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySettings {
    /// `staff` in `[policies.staff]`; `route` for rules written on the route itself.
    pub name: String,
    /// Holds where any of these holds. Empty: nobody (a policy of only `deny` rules allows the rest of
    /// the signed-in only where `allow` says so).
    pub allow: Vec<RuleSettings>,
    /// Beats every `allow`.
    pub deny: Vec<RuleSettings>,
}

/// Conditions that must all hold. An empty list sets no condition; within a list any entry suffices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSettings {
    /// `Principal::user`, compared exactly.
    pub users: Vec<String>,
    /// Verified e-mail addresses, compared without case.
    pub emails: Vec<String>,
    /// Whole domains of verified addresses, lower-case.
    pub email_domains: Vec<String>,
    /// Group names, compared exactly.
    pub groups: Vec<String>,
    /// Scopes of the access token: all of them are required.
    pub scopes: Vec<String>,
    /// Which provider vouches.
    pub providers: Vec<ProviderName>,
    /// Claims by path, each with the values that satisfy it (an empty list: present and not null/false).
    pub claims: Vec<(ClaimPath, Vec<String>)>,
    /// Request methods.
    pub methods: Vec<Method>,
    /// Path prefixes on segment borders, absolute (`/admin`), against the whole decoded path.
    pub paths: Vec<String>,
    /// Client networks.
    pub networks: Vec<IpNet>,
    /// How strong the sign-in must have been.
    pub strength: Strength,
    /// Whether the session must be bound to a device, or must not be.
    pub bound: Option<bool>,
}
