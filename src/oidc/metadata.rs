//! The provider's metadata (OpenID Connect Discovery 1.0, section 3) and what must hold for them.

use serde::Deserialize;
use url::{Host, Url};

use super::error::ProviderError;
use super::http::HttpClient;
use crate::identity::Issuer;

/// What is wrong with a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It speaks for somebody else (section 4.3).
    #[error(
        "the discovery document's issuer is {found}, the configured one is {configured}: they must be equal"
    )]
    OtherIssuer {
        /// In the document, made printable.
        found: String,
        /// In the configuration.
        configured: String,
    },
    /// An endpoint that is needed is not there.
    #[error("the discovery document names no {0}")]
    Missing(&'static str),
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
    pub(super) jwks: Url,
    pub(super) end_session: Option<Url>,
    pub(super) iss_in_response: bool,
    pub(super) assertion_algorithms: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    userinfo_endpoint: Option<Url>,
    jwks_uri: Option<Url>,
    end_session_endpoint: Option<Url>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
}

/// The address of the issuer's discovery document (section 4); `None` where the issuer is no URL for it.
pub(super) fn discovery_url(issuer: &Issuer) -> Option<Url> {
    let url = Url::parse(issuer.as_str()).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none() && is_bare(&url);
    let secure = url.scheme() == "https" || is_local(&url);
    let well_known = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
    (plain && secure).then(|| Url::parse(&well_known).ok()).flatten()
}

/// Asks for the document at `url` and checks it. With `sign_in` the endpoints of the code flow must be there.
pub(super) async fn discover(
    http: &HttpClient,
    url: &Url,
    issuer: &Issuer,
    sign_in: bool,
) -> Result<Metadata, ProviderError> {
    let document: Document = http.get_json(url).await?;
    Ok(checked(document, is_local(url), issuer, sign_in)?)
}

fn checked(
    document: Document,
    local: bool,
    issuer: &Issuer,
    sign_in: bool,
) -> Result<Metadata, MetadataError> {
    if document.issuer != issuer.as_str() {
        let found = super::http::printable(&document.issuer);
        return Err(MetadataError::OtherIssuer { found, configured: issuer.to_string() });
    }
    let rule = Rule { local, sign_in };
    Ok(Metadata {
        authorization: rule.needed("authorization_endpoint", document.authorization_endpoint)?,
        token: rule.needed("token_endpoint", document.token_endpoint)?,
        userinfo: rule.secure("userinfo_endpoint", document.userinfo_endpoint)?,
        jwks: rule.secure("jwks_uri", document.jwks_uri)?.ok_or(MetadataError::Missing("jwks_uri"))?,
        end_session: rule.secure("end_session_endpoint", document.end_session_endpoint)?,
        iss_in_response: document.authorization_response_iss_parameter_supported,
        assertion_algorithms: document.token_endpoint_auth_signing_alg_values_supported,
    })
}

struct Rule {
    local: bool,
    sign_in: bool,
}

impl Rule {
    fn needed(&self, name: &'static str, url: Option<Url>) -> Result<Option<Url>, MetadataError> {
        if self.sign_in && url.is_none() {
            return Err(MetadataError::Missing(name));
        }
        self.secure(name, url)
    }

    /// A document that was fetched over TLS must not lead to plain text, and none to other schemes.
    fn secure(&self, name: &'static str, url: Option<Url>) -> Result<Option<Url>, MetadataError> {
        let good = |url: &Url| {
            let safe = url.scheme() == "https" || (self.local && is_local(url));
            safe && url.fragment().is_none() && is_bare(url)
        };
        if url.as_ref().is_some_and(|url| !good(url)) {
            return Err(MetadataError::Insecure(name));
        }
        Ok(url)
    }
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
