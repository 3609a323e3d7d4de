//! A transmitter's metadata (Shared Signals Framework 1.0, section 7.1) and what must hold for them.

use serde_json::{Map, Value};
use url::Url;

use super::error::StreamError;
use super::settings::SignalsSettings;
use crate::identity::Issuer;
use crate::oidc::endpoint_url::{is_bare, is_local, is_safe};
use crate::oidc::http::printable;

type Members = Map<String, Value>;

/// Where the transmitter's endpoints are, each checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) jwks: Url,
    pub(super) configuration: Url,
    pub(super) status: Option<Url>,
    pub(super) verification: Option<Url>,
    /// Members of complex subjects that must be understood.
    pub(super) critical: Vec<String>,
}

/// Where the metadata are: between host and path of the identifier (section 7.2). `None` where it is no URL for that.
pub(super) fn address(transmitter: &Issuer) -> Option<Url> {
    let mut url = Url::parse(transmitter.as_str()).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none() && is_bare(&url);
    let secure = url.scheme() == "https" || is_local(&url);
    let path = format!("/.well-known/ssf-configuration{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    (plain && secure).then_some(url)
}

/// Those of `document`, which came from `address`.
pub(super) fn checked(
    document: &Members,
    address: &Url,
    settings: &SignalsSettings,
) -> Result<Metadata, StreamError> {
    let local = is_local(address);
    let issuer = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if mutant!(issuer != settings.transmitter.as_str(), "metadata-of-another-transmitter" => false) {
        let found = printable(issuer);
        let wrong = format!("issuer is {found}, and `transmitter` says {}", settings.transmitter);
        return Err(StreamError::Metadata(wrong));
    }
    let needed = |name| {
        endpoint(document, name, local)?.ok_or_else(|| StreamError::Metadata(format!("{name} is missing")))
    };
    let metadata = Metadata {
        jwks: needed("jwks_uri")?,
        configuration: needed("configuration_endpoint")?,
        status: endpoint(document, "status_endpoint", local)?,
        verification: endpoint(document, "verification_endpoint", local)?,
        critical: texts(document.get("critical_subject_members")),
    };
    let methods = texts(document.get("delivery_methods_supported"));
    if !methods.is_empty() && !methods.iter().any(|method| method == settings.delivery.urn()) {
        let urn = settings.delivery.urn();
        return Err(StreamError::Metadata(format!(
            "delivery_methods_supported does not name {urn}: set another `delivery`"
        )));
    }
    Ok(metadata)
}

fn endpoint(document: &Members, name: &str, local: bool) -> Result<Option<Url>, StreamError> {
    let Some(value) = document.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let url = value.as_str().and_then(|text| Url::parse(text).ok()).filter(|url| is_safe(url, local));
    url.map(Some).ok_or_else(|| StreamError::Metadata(format!("{name} is no URL that may be called (https)")))
}

/// The texts of a list; what else stands there is passed over.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
