//! Where the provider's endpoints are.

/// Everything here lies below this path. Cookies do not know ports: without it the gateway, on another port
/// of the same host, would get ours.
pub(super) const ROOT: &str = "/op";

/// Where tokens are asked for, from the root of the host.
pub(crate) const TOKEN_PATH: &str = "/op/token";

pub(super) const AUTHORIZE: &str = "/authorize";
pub(super) const CONTINUE: &str = "/continue";
pub(super) const SIGN_IN: &str = "/sign-in";
pub(super) const CHOOSE: &str = "/choose";
pub(super) const CONSENT: &str = "/consent";
pub(super) const TOKEN: &str = "/token";
pub(super) const USERINFO: &str = "/userinfo";
pub(super) const KEYS: &str = "/jwks.json";
pub(super) const REVOKE: &str = "/revoke";
pub(super) const END_SESSION: &str = "/end-session";
pub(super) const SIGN_OUT: &str = "/sign-out";
