//! A provider as the configuration means it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::identity::{ClaimPath, Issuer, ProviderName};
use crate::secret::Secret;

/// One `[providers.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderSettings {
    /// `NAME`.
    pub name: ProviderName,
    /// What people read on the chooser; the name where not given.
    pub display_name: String,
    /// The issuer identifier, exactly as the provider's discovery document says it.
    pub issuer: Issuer,
    /// Where its discovery document is; below the issuer where not given (OpenID Connect Discovery 1.0, section 4).
    pub discovery: Option<Url>,
    /// How we sign people in with it; `None` where its tokens are only accepted as bearer tokens.
    pub client: Option<ClientSettings>,
    /// Audiences of access tokens accepted as `Authorization: Bearer`; empty: none are.
    pub audiences: Vec<String>,
    /// Further audiences that ID tokens may name beside us; bearer tokens for them are not accepted.
    pub trusted_audiences: Vec<String>,
    /// Which claims mean what.
    pub claims: ClaimMapping,
    /// Home-realm discovery: people of these e-mail domains are sent here (lower-case, whole domains).
    pub email_domains: Vec<String>,
    /// Allowed clock difference when `exp`, `nbf` and `iat` are checked; 0–300 s.
    pub leeway: Duration,
    /// Whether bearer tokens must carry `typ: at+jwt` (RFC 9068, section 4).
    pub require_at_jwt: bool,
    /// PEM file with the only authorities trusted for this provider; the system's where not given.
    pub ca: Option<Vec<u8>>,
    /// Bound on each call to the provider.
    pub timeout: Duration,
}

/// The relying party's registration at a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSettings {
    /// `client_id`.
    pub id: String,
    /// How the token endpoint knows us.
    pub authentication: ClientAuthentication,
    /// What assertions say beside the signature, where that is how the token endpoint knows us.
    pub assertion: AssertionSettings,
    /// How the authentication response comes.
    pub response_mode: ResponseMode,
    /// Scopes to ask for; `openid` is always among them.
    pub scopes: Vec<String>,
    /// `prompt`, where wanted.
    pub prompt: Option<String>,
    /// `acr_values`, in order of preference.
    pub acr_values: Vec<String>,
    /// Levels (`acr`) that rules of this configuration ask for, each once.
    pub levels_of_rules: Vec<String>,
    /// `max_age` of the authentication; then `auth_time` must be present and young enough.
    pub max_age: Option<Duration>,
    /// Further parameters of the authorization request.
    pub extra: Vec<(String, String)>,
    /// When UserInfo is asked.
    pub userinfo: AskUserInfo,
    /// After how long tokens are renewed at the latest, though they may be good for longer.
    pub refresh_every: Option<Duration>,
    /// What ends here when a person has signed out at the provider.
    pub logout: LogoutSettings,
}

/// What a provider's sign-out does here (OpenID Connect Back-Channel Logout 1.0, Front-Channel Logout 1.0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogoutSettings {
    /// What ends where it names a session of the provider's (`sid`).
    pub ends: LogoutEnds,
    /// Accepts logout tokens without `exp`, for so long behind their `iat`; otherwise they must have one.
    pub without_exp: Option<Duration>,
}

/// What ends where a provider names a session of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogoutEnds {
    /// What was signed in by that session.
    #[default]
    Session,
    /// All of its person, at a provider that ends several sessions and names one.
    Subject,
}

/// When UserInfo (OpenID Connect Core 1.0, section 5.3) is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskUserInfo {
    /// Where a claim is missing from the ID token that is mapped or that a rule names.
    WhenNeeded,
    /// At every sign-in.
    Always,
    /// Never: what the ID token does not say stays unknown.
    Never,
}

/// Client authentication (OpenID Connect Core 1.0, section 9).
#[derive(Clone, Debug, PartialEq)]
pub enum ClientAuthentication {
    /// A public client: PKCE alone.
    None,
    /// `client_secret_basic`, the default with a secret.
    SecretBasic(Secret),
    /// `client_secret_post`.
    SecretPost(Secret),
    /// `private_key_jwt` with this PEM key (PKCS #8; P-256, P-384, RSA or Ed25519).
    PrivateKey(Secret),
}

/// What is said with `private_key_jwt` (RFC 7523, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionSettings {
    /// `kid`; the key's thumbprint (RFC 7638) where not given, none where empty.
    pub kid: Option<String>,
    /// PEM file with the certificate of the key, whose digest is sent as `x5t#S256` (RFC 7515, section 4.1.8).
    pub certificate: Option<Vec<u8>>,
    /// `aud`.
    pub audience: AssertionAudience,
}

/// Whom an assertion is for. The issuer is the one name that no other server can ask for (RFC 7523bis,
/// section 4); some providers know their token endpoint's address alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer identifier.
    #[default]
    Issuer,
    /// The address of the token endpoint.
    TokenEndpoint,
}

impl AssertionAudience {
    /// What `issuer` takes, by its operator's documentation: Microsoft Entra ID and Okta demand the address of
    /// the token endpoint.
    #[must_use]
    pub fn usual_for(issuer: &Issuer) -> Self {
        let url = Url::parse(issuer.as_str()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let within = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if KNOW_THEIR_ENDPOINT.into_iter().any(within) { Self::TokenEndpoint } else { Self::Issuer }
    }
}

const KNOW_THEIR_ENDPOINT: [&str; 10] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "sts.windows.net",
    "ciamlogin.com",
    "okta.com",
    "okta-emea.com",
    "okta-gov.com",
    "oktapreview.com",
];

/// How an authentication response comes (OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    #[serde(rename = "q")]
    Query,
    /// As a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    #[serde(rename = "f")]
    FormPost,
}

/// Which claims become which part of the principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The user's name; without it `preferred_username`, else `email` if verified, else `sub`.
    pub user: Option<ClaimPath>,
    /// The e-mail address (`email`).
    pub email: ClaimPath,
    /// What counts as a verified address.
    pub email_verified: EmailVerification,
    /// Groups: array or string (`groups`).
    pub groups: ClaimPath,
    /// What it means where no source says anything about groups, though not all were asked.
    pub absent_groups: AbsentGroups,
    /// Claims that rules of this configuration name, in order, each once: worth a question to UserInfo.
    pub named_by_rules: Vec<ClaimPath>,
}

/// What counts as a verified address, beside those of which the provider says so (`email_verified`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// Nothing. Apps are told of addresses of which the provider says nothing.
    AsSaid,
    /// Those of these domains (lower-case, whole) of which the provider says nothing.
    Assume(Vec<String>),
    /// Nothing, and apps are told of verified addresses alone.
    Require,
}

/// What the absence of the groups claim means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentGroups {
    /// Nobody knows the groups, unless every source was asked and has answered.
    Unknown,
    /// The person is in no group: this provider always lists the groups of whoever has some.
    None,
}

/// What all providers share.
#[derive(Clone, Debug, PartialEq)]
pub struct RelyingPartySettings {
    /// The origin where sign-in happens: `https://login.corp.example`, no path.
    pub public_url: Option<Url>,
    /// All providers, in the order of the file.
    pub providers: Vec<ProviderSettings>,
}
