//! Taking a JWT apart (RFC 7515, section 5.2; RFC 8725): strictly, once, believing nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::TokenError;
use super::settings::MAX_TOKEN;
use crate::oidc::jwks::{Algorithm, json};

const MAX_KID: usize = 1024;

/// A token whose signature has not been checked: its claims choose the keys and decide nothing else.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Map<String, Value>,
    /// Header, dot, payload: the bytes that are signed.
    pub(super) signed: &'a [u8],
    /// In base64url.
    pub(super) signature: &'a str,
}

/// What we look at in a JOSE header. `jku`, `jwk`, `x5u` and `x5c` are never looked at (invariant 5).
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) is_at_jwt: bool,
}

impl<'a> Token<'a> {
    /// Reads the compact serialization.
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN {
            return Err(TokenError::TooLarge);
        }
        let (signed, header, payload, signature) = split(text)?;
        let header = Header::read(&part(header)?)?;
        Ok(Self { header, claims: part(payload)?, signed: signed.as_bytes(), signature })
    }
}

/// Exactly three parts: a JWE has five, and a JWS that carries another one is not for us.
fn split(text: &str) -> Result<(&str, &str, &str, &str), TokenError> {
    let parts = text.rsplit_once('.').and_then(|(signed, signature)| {
        let (header, payload) = signed.split_once('.')?;
        (!payload.contains('.')).then_some((signed, header, payload, signature))
    });
    parts.ok_or(TokenError::Malformed("expected three parts separated by dots"))
}

fn part(text: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Malformed("expected base64url without padding"))?;
    json::object(&bytes)
        .map_err(|_| TokenError::Malformed("expected JSON objects in which no member stands twice"))
}

impl Header {
    fn read(header: &Map<String, Value>) -> Result<Self, TokenError> {
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let algorithm = algorithm.ok_or(TokenError::UnsupportedAlgorithm)?;
        refuse_processing(header)?;
        Ok(Self { algorithm, kid: kid(header)?, is_at_jwt: is_at_jwt(header)? })
    }
}

/// Parameters that would change what the signature covers or how the payload is read.
fn refuse_processing(header: &Map<String, Value>) -> Result<(), TokenError> {
    let asked = ["crit", "b64", "zip", "enc", "cty"].into_iter().find(|name| header.contains_key(*name));
    asked.map_or(Ok(()), |name| Err(TokenError::UnsupportedHeader(name)))
}

fn kid(header: &Map<String, Value>) -> Result<Option<String>, TokenError> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.clone())),
        Some(_) => Err(TokenError::Malformed("expected kid to be a string of at most 1,024 bytes")),
    }
}

/// `at+jwt` (RFC 9068, section 2.1), or the `JWT` or nothing that says nothing; any other type is made
/// for another purpose: `logout+jwt`, `secevent+jwt`, `dpop+jwt` (RFC 8725, section 3.11).
fn is_at_jwt(header: &Map<String, Value>) -> Result<bool, TokenError> {
    let Some(typ) = header.get("typ") else {
        return Ok(false);
    };
    let typ = typ.as_str().ok_or(TokenError::WrongType)?.to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Ok(true),
        "jwt" => Ok(false),
        _ => Err(TokenError::WrongType),
    }
}
