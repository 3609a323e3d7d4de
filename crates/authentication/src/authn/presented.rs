//! Which access token a request presents, and by which field.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use serde_json::Value;

use super::accept::{Accept, Accepted};
use super::authorization::{Authorization, PORTCULLIS_AUTHORIZATION};
use super::carrier::Carrier;
use super::error::TokenError;
use crate::secret::Secret;

/// A token that is not verified yet.
pub(super) enum Presented<'a> {
    Bearer(&'a str),
    Basic(Secret),
    Beside(Secret),
}

impl<'a> Presented<'a> {
    /// What the two fields say to a route that accepts this; `is_ours` tells tokens that our issuers are said to have
    /// made.
    pub(super) fn read(
        accept: Accept,
        headers: &'a HeaderMap,
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<Option<Self>, TokenError> {
        let usual = Authorization::of(headers);
        if !headers.contains_key(PORTCULLIS_AUTHORIZATION) {
            return Self::of(accept, usual);
        }
        // The field is meant for nobody but us: what it does not say well is not left out (invariant 3).
        let beside =
            Self::of(accept, Authorization::beside(headers))?.ok_or(TokenError::MalformedCredential)?;
        let twice = match usual {
            Authorization::Absent | Authorization::Other => false,
            Authorization::Bearer(token) => is_ours(token),
            Authorization::Basic(encoded) => {
                // Where the route takes Basic, both fields are meant for us, whatever the password is.
                accept.has(Accepted::Basic) || password(encoded).is_ok_and(|token| is_ours(token.expose()))
            }
            Authorization::Malformed(error) => return Err(error),
        };
        let twice = mutant!(twice, "two-credentials-taken" => false);
        if twice { Err(TokenError::RepeatedCredential) } else { Ok(Some(beside.beside())) }
    }

    fn of(accept: Accept, field: Authorization<'a>) -> Result<Option<Self>, TokenError> {
        match field {
            Authorization::Bearer(token) if accept.has(Accepted::Bearer) => Ok(Some(Self::Bearer(token))),
            Authorization::Basic(encoded) if accept.has(Accepted::Basic) => {
                password(encoded).map(Self::Basic).map(Some)
            }
            Authorization::Malformed(error) => Err(error),
            Authorization::Absent
            | Authorization::Other
            | Authorization::Bearer(_)
            | Authorization::Basic(_) => Ok(None),
        }
    }

    /// The token itself.
    pub(super) fn expose(&self) -> &str {
        match self {
            Self::Bearer(token) => token,
            Self::Basic(token) | Self::Beside(token) => token.expose(),
        }
    }

    fn beside(self) -> Self {
        Self::Beside(match self {
            Self::Bearer(token) => Secret::new(token),
            Self::Basic(token) | Self::Beside(token) => token,
        })
    }
}

impl From<Presented<'_>> for Carrier {
    fn from(presented: Presented<'_>) -> Self {
        match presented {
            Presented::Bearer(_) => Self::Bearer,
            Presented::Basic(token) => Self::Basic(token),
            Presented::Beside(token) => Self::Beside(token),
        }
    }
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
