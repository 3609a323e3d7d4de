//! Taking a signed JWT apart (RFC 7515, section 5.2; RFC 8725): strictly, once, believing nothing. Bearer tokens and
//! ID tokens alike.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Algorithm, Key};
use crate::oidc::json;

/// The longest `kid`, in bytes.
const MAX_KID: usize = 1024;

/// A token whose signature has not been checked: its claims choose the keys and decide nothing else.
pub struct Jws<'a> {
    /// Its JOSE header.
    pub header: JoseHeader,
    /// Its payload, read as a JSON object.
    pub claims: Map<String, Value>,
    /// The `jwk` of its header, of a proof of a device alone: there the key is what is presented.
    pub presented_key: Option<Value>,
    /// Header, dot, payload: the bytes that are signed.
    pub(super) signed: &'a [u8],
    /// The signature, still in base64url.
    pub(super) signature: &'a str,
}

/// What we look at in a JOSE header. `jku`, `x5u` and `x5c` are never looked at, and `jwk` of nothing that an issuer signs
/// (invariant 5).
#[derive(Clone, Debug)]
pub struct JoseHeader {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, where there is one.
    pub kid: Option<String>,
    /// What `typ` says.
    pub typ: Typ,
}

/// What a `typ` says (RFC 7515, section 4.1.9; RFC 8725, section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typ {
    /// Nothing: `JWT`, or no `typ` at all.
    Plain,
    /// An access token: `at+jwt` (RFC 9068, section 2.1).
    AccessToken,
    /// A logout token: `logout+jwt` (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    Logout,
    /// A proof that a device has a key: `dbsc+jwt` (Device Bound Session Credentials, section 9.10).
    DeviceProof,
    /// A security event: `secevent+jwt` (RFC 8417, section 2.3).
    SecurityEvent,
    /// Some other purpose, such as `dpop+jwt`.
    Other,
}

/// Why a text is no JWS for us. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// No JWS in compact form, or JSON that is none or says a thing twice (RFC 8725, section 3.2).
    #[error("not a signed JWT in compact form: {0}")]
    Malformed(&'static str),
    /// An `alg` that is none, symmetric or unknown.
    #[error("alg: expected one of RS/PS/ES256–512 and EdDSA, got {0}")]
    UnsupportedAlgorithm(&'static str),
    /// A header parameter that changes what is signed or how it is read: `crit`, `b64`, `zip`, `enc`, `cty`.
    #[error("its header asks for processing that is not supported: {0}")]
    UnsupportedHeader(&'static str),
}

impl<'a> Jws<'a> {
    /// Reads the compact serialization. The caller bounds its length.
    ///
    /// # Errors
    /// [`JwsError`], by cause.
    pub fn parse(text: &'a str) -> Result<Self, JwsError> {
        let (signed, header, payload, signature) = split(text)?;
        let mut members = part(header)?;
        let header = JoseHeader::read(&members)?;
        let presented = header.typ == Typ::DeviceProof;
        let presented_key = members.remove("jwk").filter(|_| presented);
        Ok(Self { header, claims: part(payload)?, presented_key, signed: signed.as_bytes(), signature })
    }
}

impl Jws<'_> {
    /// Whether it is signed by `key`, with an algorithm that the key is bound to.
    #[must_use]
    pub fn is_signed_by(&self, key: &Key) -> bool {
        key.verify(self.header.algorithm, self.signed, self.signature).is_ok()
    }
}

/// Exactly three parts: a JWE has five, and a JWS that carries another one is not for us.
fn split(text: &str) -> Result<(&str, &str, &str, &str), JwsError> {
    let parts = text.rsplit_once('.').and_then(|(signed, signature)| {
        let (header, payload) = signed.split_once('.')?;
        (!payload.contains('.')).then_some((signed, header, payload, signature))
    });
    let encrypted = text.bytes().filter(|byte| *byte == b'.').count() == 4;
    parts.ok_or(JwsError::Malformed(if encrypted {
        "it has five parts: it is encrypted (JWE); have the provider only sign it"
    } else {
        "expected three parts separated by dots"
    }))
}

fn part(text: &str) -> Result<Map<String, Value>, JwsError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| JwsError::Malformed("expected base64url without padding"))?;
    json::object(&bytes)
        .map_err(|_| JwsError::Malformed("expected JSON objects in which no member stands twice"))
}

impl JoseHeader {
    fn read(header: &Map<String, Value>) -> Result<Self, JwsError> {
        let algorithm = algorithm(header.get("alg"))?;
        mutant!(refuse_processing(header)?, "critical-header-ignored" => ());
        Ok(Self { algorithm, kid: kid(header)?, typ: typ(header) })
    }
}

/// Names that are told when they are refused; a name that only looks like one could be anything.
const REFUSED: [&str; 6] = ["HS256", "HS384", "HS512", "ES256K", "Ed448", "none"];

fn algorithm(alg: Option<&Value>) -> Result<Algorithm, JwsError> {
    let name = alg.and_then(Value::as_str).unwrap_or_default();
    Algorithm::parse(name).ok_or_else(|| {
        let known = REFUSED.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        JwsError::UnsupportedAlgorithm(match known {
            Some("none") => "none (it is not signed)",
            Some(known) => known,
            None => "an unknown one",
        })
    })
}

/// Parameters that would change what the signature covers or how the payload is read.
fn refuse_processing(header: &Map<String, Value>) -> Result<(), JwsError> {
    let asked = ["crit", "b64", "zip", "enc", "cty"].into_iter().find(|name| header.contains_key(*name));
    asked.map_or(Ok(()), |name| Err(JwsError::UnsupportedHeader(name)))
}

fn kid(header: &Map<String, Value>) -> Result<Option<String>, JwsError> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.clone())),
        Some(_) => Err(JwsError::Malformed("expected kid to be a string of at most 1,024 bytes")),
    }
}

fn typ(header: &Map<String, Value>) -> Typ {
    let Some(typ) = header.get("typ") else {
        return Typ::Plain;
    };
    let typ = typ.as_str().unwrap_or_default().to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Typ::AccessToken,
        "logout+jwt" => Typ::Logout,
        "dbsc+jwt" => Typ::DeviceProof,
        "secevent+jwt" => Typ::SecurityEvent,
        "jwt" => Typ::Plain,
        _ => Typ::Other,
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").field("header", &self.header).finish_non_exhaustive()
    }
}
