//! Which access token a request presents, and by which field.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use serde_json::Value;

use super::credential::{Credential, PORTCULLIS_AUTHORIZATION, credential, credential_beside, names_basic};
use super::{Accept, TokenError};
use crate::secret::Secret;

/// By which field an access token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization: Bearer`.
    Bearer,
    /// The password of `Authorization: Basic`, which browsers go on sending by themselves.
    Basic,
    /// `X-Portcullis-Authorization`; what stands in `Authorization` is the app's.
    Beside,
}

impl Carrier {
    /// The one by which an accepted token came.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(PORTCULLIS_AUTHORIZATION) {
            return Self::Beside;
        }
        if names_basic(headers) { Self::Basic } else { Self::Bearer }
    }
}

/// A token that is not verified yet.
pub(super) struct Presented<'a> {
    text: Text<'a>,
    pub(super) by: Carrier,
}

enum Text<'a> {
    AsItCame(&'a str),
    Decoded(Secret),
}

impl<'a> Presented<'a> {
    /// What the two fields say to a route that accepts this; `is_ours` tells tokens that our issuers are said to have
    /// made.
    pub(super) fn read(
        accept: Accept,
        headers: &'a HeaderMap,
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<Option<Self>, TokenError> {
        let usual = credential(headers);
        if !headers.contains_key(PORTCULLIS_AUTHORIZATION) {
            return Self::of(accept, usual);
        }
        // The field is meant for nobody but us: what it does not say well is not left out (invariant 3).
        let beside = Self::of(accept, credential_beside(headers))?.ok_or(TokenError::MalformedCredential)?;
        let twice = match usual {
            Credential::Absent | Credential::Other => false,
            Credential::Bearer(token) => is_ours(token),
            Credential::Basic(encoded) => {
                accept.basic || password(encoded).is_ok_and(|token| is_ours(token.expose()))
            }
            Credential::Malformed(error) => return Err(error),
        };
        let beside = Self { by: Carrier::Beside, ..beside };
        if twice { Err(TokenError::RepeatedCredential) } else { Ok(Some(beside)) }
    }

    fn of(accept: Accept, credential: Credential<'a>) -> Result<Option<Self>, TokenError> {
        match credential {
            Credential::Bearer(token) if accept.bearer => {
                Ok(Some(Self { text: Text::AsItCame(token), by: Carrier::Bearer }))
            }
            Credential::Basic(encoded) if accept.basic => {
                Ok(Some(Self { text: Text::Decoded(password(encoded)?), by: Carrier::Basic }))
            }
            Credential::Malformed(error) => Err(error),
            Credential::Absent | Credential::Other | Credential::Bearer(_) | Credential::Basic(_) => Ok(None),
        }
    }

    /// The token itself.
    pub(super) fn expose(&self) -> &str {
        match &self.text {
            Text::AsItCame(token) => token,
            Text::Decoded(token) => token.expose(),
        }
    }
}

/// The token of a request that it has let in, for an app that is handed tokens.
#[must_use]
pub fn presented_token(accept: Accept, headers: &HeaderMap) -> Option<Secret> {
    let presented = Presented::read(accept, headers, |_| false).ok().flatten()?;
    Some(Secret::new(presented.expose()))
}

/// What stands behind the first colon (RFC 7617, section 2). The user name before it is not looked at.
fn password(encoded: &[u8]) -> Result<Secret, TokenError> {
    let encoded = encoded.strip_prefix(b" ").ok_or(TokenError::MalformedCredential)?;
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = Secret::new(decoded.ok_or(TokenError::MalformedCredential)?);
    let (_, password) = pair.expose().split_once(':').ok_or(TokenError::MalformedCredential)?;
    Ok(Secret::new(password))
}

/// Takes padding and stray bits as well: what somebody could take for a token of ours is one.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether head or claims of what may be a JWT name an issuer that `is_known`. Believes nothing of it otherwise.
pub(super) fn names_issuer(token: &str, is_known: impl Fn(&str) -> bool) -> bool {
    token.split('.').take(2).any(|part| {
        let claims = LENIENT.decode(part).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        claims.as_ref().and_then(|claims| claims.get("iss")?.as_str()).is_some_and(&is_known)
    })
}
