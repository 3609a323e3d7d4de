//! `[providers.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, OneOrMany, Span};

/// An OpenID Provider, under a name of your choice. Give it a `client_id` to sign people in with it, `audiences` to
/// let its access tokens in, or both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Provider {
    /// The issuer identifier, exactly as the provider's discovery document says it: discovery does the rest.
    #[schemars(extend("examples" = ["https://id.corp.example"]))]
    pub issuer: String,
    /// Where the discovery document is, where that is not below the issuer.
    #[schemars(extend("x-default" = "`issuer` and `/.well-known/openid-configuration`", "examples" = ["https://id.corp.example/custom/openid-configuration"]))]
    pub discovery: Option<String>,
    /// What the chooser calls it.
    #[schemars(extend("x-default" = "its name", "examples" = ["Corp"]))]
    pub display_name: Option<String>,
    /// Our registration at the provider. With it people can sign in here.
    #[schemars(extend("x-default" = "nobody signs in here", "examples" = ["portcullis"]))]
    pub client_id: Option<String>,
    /// Our secret, from the environment or a file: never in this file, never printed, never logged.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"env": "CORP_CLIENT_SECRET"}]))]
    pub client_secret: Option<SecretSource>,
    /// How the secret is shown to the token endpoint.
    #[schemars(extend("default" = "basic"))]
    pub client_auth: Option<ClientAuth>,
    /// A PEM key (PKCS #8) to sign `private_key_jwt` with, instead of a secret.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/corp.pem"}]))]
    pub private_key: Option<SecretSource>,
    /// How the provider calls that key (`kid`). With `""` none is sent, for a key that was registered without one.
    #[schemars(extend("x-default" = "the key's RFC 7638 thumbprint", "examples" = ["portcullis-2026"]))]
    pub client_assertion_kid: Option<String>,
    /// PEM file with the certificate of that key, for a provider that was given one: its SHA-256 digest is sent as
    /// `x5t#S256`.
    #[schemars(extend("x-default" = "none", "examples" = [{"file": "/etc/portcullis/corp.crt"}]))]
    pub client_assertion_certificate: Option<File>,
    /// Whom assertions that are signed with that key are for (`aud`).
    #[schemars(extend("x-default" = "`issuer`; `token-endpoint` at Microsoft Entra ID and Okta, which demand that"))]
    pub client_assertion_audience: Option<AssertionAudience>,
    /// Scopes to ask for; `openid` is always among them.
    #[schemars(extend("default" = ["openid", "profile", "email"]))]
    pub scopes: Option<OneOrMany<String>>,
    /// Audiences of access tokens that are accepted as `Authorization: Bearer`.
    #[schemars(extend("x-default" = "no token is accepted", "examples" = ["https://api.corp.example"]))]
    pub audiences: Option<OneOrMany<String>>,
    /// Audiences that an ID token may name beside our `client_id`, such as a project or another client of the same
    /// provider. They are trusted with what is said of people here; their bearer tokens are not accepted.
    #[schemars(extend("x-default" = "those of `audiences`", "examples" = ["269371582334156802"]))]
    pub trusted_audiences: Option<OneOrMany<String>>,
    /// Which claims mean what.
    #[schemars(extend("examples" = [{"user": "upn", "groups": "roles"}]))]
    pub claims: Option<Claims>,
    /// What counts as a verified e-mail address beside those of which the provider says so: addresses of domains that
    /// are the organisation's own, where it says nothing (`{ assume = ["corp.example"] }`). `"require"` tells apps of
    /// verified addresses alone.
    #[schemars(extend("x-default" = "what the provider says", "examples" = ["require"]))]
    pub email_verified: Option<EmailVerified>,
    /// People of these e-mail domains are sent here without being asked (home-realm discovery).
    #[schemars(extend("x-default" = "none", "examples" = ["corp.example"]))]
    pub email_domains: Option<OneOrMany<String>>,
    /// `prompt` of the authorization request.
    #[schemars(extend("x-default" = "not sent", "examples" = ["select_account"]))]
    pub prompt: Option<OneOrMany<String>>,
    /// How the answer to it comes. With `form_post` the browser posts it: then the cookie of a sign-in under way is
    /// `SameSite=None`, and `public_url` must be https.
    #[schemars(extend("default" = "query"))]
    pub response_mode: Option<ResponseMode>,
    /// `acr_values` of the authorization request, in order of preference.
    #[schemars(extend("x-default" = "not sent", "examples" = ["urn:mfa"]))]
    pub acr_values: Option<OneOrMany<String>>,
    /// `max_age` of the authorization request: whoever signed in at the provider longer ago does so again.
    #[schemars(extend("x-default" = "not sent"))]
    pub max_age: Option<Span>,
    /// Further parameters of the authorization request.
    #[schemars(extend("x-default" = "none", "examples" = [{"hd": "corp.example"}]))]
    pub extra_params: Option<BTreeMap<String, String>>,
    /// When UserInfo is asked.
    #[schemars(extend("default" = "when-needed"))]
    pub userinfo: Option<Userinfo>,
    /// How often tokens of sessions are renewed at the least, and with them what is known of the person. Without it they
    /// are renewed when they expire (`expires_in`, else the ID token's `exp`, else every hour).
    #[schemars(extend("x-default" = "when they expire", "examples" = ["10m"]))]
    pub refresh_every: Option<Span>,
    /// What ends here when the provider says that one of its sessions is over (`sid`; back-channel and front-channel
    /// logout). `"subject"` ends all sign-ins of the person, for a provider that ends several sessions and names one.
    #[schemars(extend("default" = "session"))]
    pub logout_ends: Option<LogoutEnds>,
    /// Accepts logout tokens without `exp`, for so long after their `iat`: for a provider that does not send one yet.
    #[schemars(extend("x-default" = "`exp` is demanded", "examples" = ["2m"]))]
    pub logout_without_exp: Option<Span>,
    /// Clock difference allowed when times in tokens are checked, at most five minutes.
    #[schemars(extend("default" = "60s"))]
    pub leeway: Option<Span>,
    /// Whether bearer tokens must say `typ: at+jwt` (RFC 9068).
    #[schemars(extend("default" = false))]
    pub require_at_jwt: Option<bool>,
    /// PEM file with the only authorities trusted for this provider.
    #[schemars(extend("x-default" = "the system's authorities", "examples" = [{"file": "/etc/portcullis/ca.pem"}]))]
    pub ca: Option<File>,
    /// Bound on each call to the provider.
    #[schemars(extend("default" = "10s"))]
    pub timeout: Option<Span>,
}

/// Where a secret is: exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SecretSource {
    /// The environment variable that holds it.
    #[schemars(extend("x-default" = "one of the two", "examples" = ["CORP_CLIENT_SECRET"]))]
    pub env: Option<String>,
    /// The file that holds it; a line break at its end does not count.
    #[schemars(extend("x-default" = "one of the two", "examples" = ["/etc/portcullis/corp.secret"]))]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ClientAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum AssertionAudience {
    /// The issuer identifier.
    Issuer,
    /// The address of the token endpoint.
    TokenEndpoint,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// As a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum LogoutEnds {
    /// The sign-ins that were made with that session.
    Session,
    /// All sign-ins of the person whose session it was.
    Subject,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Userinfo {
    /// Where claims are missing from the ID token that are mapped here or that rules name.
    WhenNeeded,
    /// At every sign-in.
    Always,
    /// Never: what the ID token does not say stays unknown.
    Never,
}

/// Paths of claims: `groups`; `realm_access.roles` descends; `/a.b/c` is a JSON Pointer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Claims {
    /// The user's name.
    #[schemars(extend("x-default" = "`preferred_username`, else a verified `email`, else `sub`"))]
    pub user: Option<String>,
    /// The e-mail address.
    #[schemars(extend("default" = "email"))]
    pub email: Option<String>,
    /// Groups: an array or a string.
    #[schemars(extend("default" = "groups"))]
    pub groups: Option<String>,
    /// What it means that a token does not list groups and UserInfo was not asked or failed, as with every bearer
    /// token. Groups that the provider keeps elsewhere (Entra ID over 200 of them) are unknown in any case.
    #[schemars(extend("default" = "unknown"))]
    pub absent_groups: Option<AbsentGroups>,
}

/// What counts as a verified e-mail address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum EmailVerified {
    Word(EmailVerifiedWord),
    Assumed(AssumedDomains),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum EmailVerifiedWord {
    /// Apps are told of verified addresses alone.
    Require,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AssumedDomains {
    /// Whole domains. Only where nobody can choose an address of them: a fault at an issuer that serves anybody.
    #[schemars(extend("examples" = ["corp.example"]))]
    pub assume: OneOrMany<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum AbsentGroups {
    /// Nobody knows the groups, so `deny` rules of groups hold.
    Unknown,
    /// There are none: the provider always lists the groups of whoever has some.
    None,
}
