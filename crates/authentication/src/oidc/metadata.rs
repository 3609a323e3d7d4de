//! The provider's metadata (OpenID Connect Discovery 1.0, section 3) and what must hold for them.

use serde_json::Value;
use url::{Host, Url};

use super::error::ProviderError;
use super::http::{HttpClient, HttpError, Trouble, printable};
use super::members::Members;
use super::settings::ProviderSettings;
use crate::identity::Issuer;

/// What is wrong with a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Nothing is there (section 4.2).
    #[error("{url}: status {status}, so there is no discovery document; {hint}")]
    NotFound {
        /// Where it was looked for.
        url: String,
        /// 400 to 499.
        status: u16,
        /// What to do.
        hint: &'static str,
    },
    /// It is JSON of another kind.
    #[error("the openid-configuration document is {0}, expected a JSON object")]
    NotAnObject(&'static str),
    /// It speaks for somebody else (section 4.3).
    #[error(
        "the discovery document's issuer is {found}, the configured one is {configured}: they must be equal; {}",
        hint(found, configured)
    )]
    OtherIssuer {
        /// In the document, made printable.
        found: String,
        /// In the configuration.
        configured: String,
    },
    /// A member that is needed is not there.
    #[error("the discovery document names no {0}")]
    Missing(&'static str),
    /// A member that is needed is of no use.
    #[error("{member} of the discovery document is {found}, expected {expected}")]
    Unusable {
        /// Its name.
        member: &'static str,
        /// What stands there, made printable.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// An endpoint is not `https` (and the issuer not on loopback), or has a fragment or user information.
    #[error("{0} of the discovery document is not an https URL without fragment and user information")]
    Insecure(&'static str),
}

/// The provider's endpoints, each checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metadata {
    pub(super) authorization: Option<Url>,
    pub(super) token: Option<Url>,
    pub(super) userinfo: Option<Url>,
    /// Whether the document speaks of UserInfo, though it be in a way that is of no use: there is somebody who
    /// could say more, and was not asked (invariant 19).
    pub(super) has_userinfo: bool,
    pub(super) jwks: Url,
    pub(super) end_session: Option<Url>,
    pub(super) iss_in_response: bool,
    pub(super) assertion_algorithms: Option<Vec<String>>,
    /// What an operator should know of the document: members that count as absent, and what will not work.
    pub(super) remarks: Vec<String>,
}

/// The address of the issuer's discovery document (section 4); `None` where the issuer is no URL for it.
pub(super) fn discovery_url(issuer: &Issuer) -> Option<Url> {
    let url = Url::parse(issuer.as_str()).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none() && is_bare(&url);
    let secure = url.scheme() == "https" || is_local(&url);
    let well_known = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
    (plain && secure).then(|| Url::parse(&well_known).ok()).flatten()
}

/// Asks for the document at `url` and checks it. Where people sign in, the endpoints of the code flow must be
/// there.
pub(super) async fn discover(
    http: &HttpClient,
    url: &Url,
    settings: &ProviderSettings,
) -> Result<Metadata, ProviderError> {
    let document: Value = http.get_json(url).await.map_err(not_found)?;
    Ok(checked(&document, is_local(url), settings)?)
}

/// A realm, tenant or path that does not exist, as the address of the document shows it.
fn not_found(error: HttpError) -> ProviderError {
    match &error.trouble {
        Trouble::Status(status) if matches!(status.as_u16(), 400 | 403 | 404 | 405 | 410) => {
            let hint =
                "check host, realm or tenant, and path of `issuer`, or say where it is with `discovery`";
            MetadataError::NotFound { url: error.url, status: status.as_u16(), hint }.into()
        }
        Trouble::Status(_)
        | Trouble::Timeout(_)
        | Trouble::Connect(_)
        | Trouble::Tls(_)
        | Trouble::Broken(_)
        | Trouble::NotJson { .. }
        | Trouble::TooLarge
        | Trouble::NotPermitted(_) => error.into(),
    }
}

/// What is needed must hold; what is not counts as absent where it does not, and is remarked upon.
pub(super) fn checked(
    document: &Value,
    local: bool,
    settings: &ProviderSettings,
) -> Result<Metadata, MetadataError> {
    let mut members = Members::of(document, local)?;
    let issuer = members.text("issuer")?;
    if mutant!(issuer != settings.issuer.as_str(), "discovery-of-another-issuer" => false) {
        let (found, configured) = (printable(issuer), settings.issuer.to_string());
        return Err(MetadataError::OtherIssuer { found, configured });
    }
    let jwks = members.needed_endpoint("jwks_uri")?;
    let signs_in = settings.client.is_some();
    let mut of_the_code_flow = |name| match signs_in {
        true => members.needed_endpoint(name).map(Some),
        false => Ok(members.endpoint(name)),
    };
    let (authorization, token) =
        (of_the_code_flow("authorization_endpoint")?, of_the_code_flow("token_endpoint")?);
    Ok(Metadata {
        authorization,
        token,
        userinfo: members.endpoint("userinfo_endpoint"),
        has_userinfo: members.is_given("userinfo_endpoint"),
        jwks,
        end_session: members.endpoint("end_session_endpoint"),
        iss_in_response: members.flag("authorization_response_iss_parameter_supported"),
        assertion_algorithms: members.texts("token_endpoint_auth_signing_alg_values_supported"),
        remarks: members.remarks(settings.client.as_ref()),
    })
}

/// Why two issuers that should be one are not, where that can be seen.
fn hint(found: &str, configured: &str) -> String {
    let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
    if bare(found) == bare(configured) {
        return format!("they differ in the slash at the end: write `issuer = \"{found}\"`");
    }
    if bare(found).eq_ignore_ascii_case(&bare(configured)) {
        return format!("they differ in capital letters: write `issuer = \"{found}\"`");
    }
    if found.contains("{tenantid}") {
        return "it speaks for all tenants: put the identifier of yours into `issuer`".to_owned();
    }
    if found.strip_prefix("http://") == configured.strip_prefix("https://") {
        return "the provider does not know that it is reached over https: tell it its public address"
            .to_owned();
    }
    "check host and realm or tenant of `issuer`, and the public address that the provider is told".to_owned()
}

/// A document that was fetched over TLS must not lead to plain text, and none to other schemes.
pub(super) fn is_safe(url: &Url, local: bool) -> bool {
    let safe = url.scheme() == "https" || mutant!(local && is_local(url), "endpoints-in-clear-text" => true);
    safe && url.fragment().is_none() && is_bare(url)
}

/// `https://id.example@evil.example/` looks like another place than it is.
fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Whether `url` is plain `http` on this very machine.
fn is_local(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback && url.scheme() == "http"
}
