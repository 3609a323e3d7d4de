//! `[[routes]]` `cors` and `origin`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// What scripts of other origins may do; the app's own CORS fields are passed on as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cors {
    /// Origins whose scripts may read it when the gateway refuses them (401, 403, 429 and so on); without that a
    /// browser tells them nothing but that the network failed.
    #[schemars(extend("x-default" = "none", "examples" = ["https://spa.corp.example"]))]
    pub origins: Option<OneOrMany<String>>,
    /// What happens to preflights, which carry no credential.
    #[schemars(extend("default" = "judge"))]
    pub preflight: Option<PreflightWord>,
}

/// What happens to preflights.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum PreflightWord {
    /// they are judged as everything else: refused, where the route is not public
    Judge,
    /// they go on to the app, in nobody's name; `OPTIONS` with a cookie, a token, a body or another method in its
    /// fields is no preflight
    Pass,
}

/// Whose pages may make a browser send unsafe methods and open WebSockets.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum OriginWord {
    /// anybody's, as far as `SameSite=Lax` lets them: those of other hosts of the same site among them
    Any,
    /// those of this very host and of `cors.origins`
    SameHost,
}
