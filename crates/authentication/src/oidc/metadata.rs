//! The provider's metadata (OpenID Connect Discovery 1.0, section 3) and what must hold for them.

use serde_json::Value;
use url::Url;

use super::http::printable;
use super::members::Members;
use super::metadata_error::MetadataError;
use super::settings::ProviderSettings;

/// The provider's endpoints, each checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metadata {
    pub(super) authorization: Option<Url>,
    pub(super) token: Option<Url>,
    pub(super) userinfo: Option<Url>,
    /// Whether the document names UserInfo, even in a way that is of no use: then somebody could say more of a
    /// person and was not asked (invariant 19).
    pub(super) has_userinfo: bool,
    pub(super) jwks: Url,
    pub(super) end_session: Option<Url>,
    /// Where tokens are taken back (RFC 8414, section 2).
    pub(super) revocation: Option<Url>,
    pub(super) iss_in_response: bool,
    pub(super) assertion_algorithms: Option<Vec<String>>,
    /// What an operator should know of the document: members that count as absent, and what will not work.
    pub(super) remarks: Vec<String>,
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
        revocation: members.endpoint("revocation_endpoint"),
        iss_in_response: members.flag("authorization_response_iss_parameter_supported"),
        assertion_algorithms: members.texts("token_endpoint_auth_signing_alg_values_supported"),
        remarks: members.remarks(settings.client.as_ref()),
    })
}
