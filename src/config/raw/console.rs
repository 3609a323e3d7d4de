//! `[console]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Console {
    /// Policies of whom may look at how the gateway is.
    #[schemars(extend("x-default" = "whoever the route lets in", "examples" = ["staff"]))]
    pub viewer: Option<OneOrMany<String>>,
    /// Policies of whom may see people and what they did as well.
    #[schemars(extend("x-default" = "nobody", "examples" = ["auditors"]))]
    pub auditor: Option<OneOrMany<String>>,
    /// Policies of whom may act as well: end sessions, rotate keys, read the configuration again.
    #[schemars(extend("x-default" = "nobody", "examples" = ["admins"]))]
    pub operator: Option<OneOrMany<String>>,
}
