//! Finding a provider's metadata (OpenID Connect Discovery 1.0, section 4).

use serde_json::Value;
use url::Url;

use super::endpoint_url::{is_bare, is_local};
use super::http::{HttpClient, HttpError, Trouble};
use super::metadata::{Metadata, checked};
use super::metadata_error::MetadataError;
use super::provider_error::ProviderError;
use super::settings::ProviderSettings;
use crate::identity::Issuer;

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
