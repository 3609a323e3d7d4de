//! From a JWK Set as it came to keys that are safe to use (RFC 7517, RFC 7518 section 6, RFC 8037).

use std::collections::HashSet;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::error::{DocumentError, KeyRefusal};
use super::key::Material;
use super::settings::{MAX_BYTES, MAX_KEYS};
use super::{Algorithm, Key, KeySet};
use crate::oidc::http::is_html;
use crate::oidc::json;
use crate::secret::fingerprint;

/// The longest `kid`, in bytes.
const MAX_KID: usize = 1024;

type Members = Map<String, Value>;

/// Reads a JWK Set. Keys that are not for us are left out, each with its reason (and its place in the
/// document); members such as `x5u` and `x5c` are not even looked at.
pub(super) fn read(body: &[u8]) -> Result<(KeySet, Vec<(usize, KeyRefusal)>), DocumentError> {
    let (mut keys, mut refusals, mut known) = (Vec::<Key>::new(), Vec::new(), HashSet::new());
    let mut left_out = Vec::new();
    for (place, jwk) in entries(body)?.into_iter().enumerate() {
        match read_key(&jwk) {
            // The same key twice is one key, not an ambiguity.
            Ok(key) if !known.insert(*key.identity()) => {}
            Ok(key) => keys.push(key),
            Err(refusal) => {
                left_out.extend(jwk.get("kid").and_then(Value::as_str).map(|kid| (kid.into(), refusal)));
                refusals.push((place, refusal));
            }
        }
    }
    Ok((KeySet::new(keys, left_out), refusals))
}

fn entries(body: &[u8]) -> Result<Vec<Value>, DocumentError> {
    if body.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge(body.len()));
    }
    let document = json::object(body);
    if document.is_err() && is_html(body) {
        return Err(DocumentError::Html);
    }
    match document?.remove("keys") {
        Some(Value::Array(keys)) if keys.len() > MAX_KEYS => Err(DocumentError::TooMany(keys.len())),
        Some(Value::Array(keys)) => Ok(keys),
        Some(_) | None => Err(DocumentError::NoKeys),
    }
}

impl Key {
    /// The key of a JWK that stands alone (RFC 7517, section 4), as a device presents it; `None` where it is none that is
    /// safe to use, or has private members.
    #[must_use]
    pub fn from_jwk(jwk: &Value) -> Option<Self> {
        read_key(jwk).ok()
    }
}

fn read_key(jwk: &Value) -> Result<Key, KeyRefusal> {
    let jwk = jwk.as_object().ok_or(KeyRefusal::NotAnObject)?;
    check_public(jwk)?;
    check_use(jwk)?;
    let kid = kid(jwk)?;
    let (material, public, possible) = material(jwk)?;
    let algorithms = algorithms(jwk, possible)?;
    let identity = identity(kid.as_deref(), &public, &algorithms);
    Ok(Key::new(kid, algorithms, material, identity))
}

/// `d` and its company, and `k` of symmetric keys (RFC 7518, sections 6.2.2, 6.3.2, 6.4.1).
fn check_public(jwk: &Members) -> Result<(), KeyRefusal> {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if private.iter().any(|member| given(jwk, member).is_some()) { Err(KeyRefusal::Private) } else { Ok(()) }
}

fn check_use(jwk: &Members) -> Result<(), KeyRefusal> {
    let for_signatures = given(jwk, "use").is_none_or(|purpose| purpose == "sig");
    let verifies = given(jwk, "key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    });
    if for_signatures && verifies { Ok(()) } else { Err(KeyRefusal::OtherUse) }
}

/// An optional member; `null`, which some write for what they leave out, counts as absent.
fn given<'a>(jwk: &'a Members, member: &str) -> Option<&'a Value> {
    jwk.get(member).filter(|value| !value.is_null())
}

fn kid(jwk: &Members) -> Result<Option<Box<str>>, KeyRefusal> {
    match given(jwk, "kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.as_str().into())),
        Some(_) => Err(KeyRefusal::BadKid),
    }
}

/// The algorithms of type and curve, narrowed by the JWK's `alg`.
fn algorithms(jwk: &Members, possible: &[Algorithm]) -> Result<Box<[Algorithm]>, KeyRefusal> {
    let Some(declared) = given(jwk, "alg") else {
        return Ok(possible.into());
    };
    let declared = declared.as_str().and_then(Algorithm::parse).ok_or(KeyRefusal::OtherAlgorithm)?;
    possible.contains(&declared).then(|| [declared].into()).ok_or(KeyRefusal::OtherAlgorithm)
}

type ReadKey = (Material, Vec<u8>, &'static [Algorithm]);

fn material(jwk: &Members) -> Result<ReadKey, KeyRefusal> {
    let text = |member| jwk.get(member).and_then(Value::as_str);
    match (text("kty"), text("crv")) {
        (Some("RSA"), _) => rsa(jwk),
        (Some("EC"), Some("P-256")) => ec(jwk, 32, &ECDSA_P256_SHA256_FIXED, &[Algorithm::ES256]),
        (Some("EC"), Some("P-384")) => ec(jwk, 48, &ECDSA_P384_SHA384_FIXED, &[Algorithm::ES384]),
        (Some("EC"), Some("P-521")) => ec(jwk, 66, &ECDSA_P521_SHA512_FIXED, &[Algorithm::ES512]),
        (Some("OKP"), Some("Ed25519")) => ed25519(jwk),
        _ => Err(KeyRefusal::UnsupportedType),
    }
}

fn rsa(jwk: &Members) -> Result<ReadKey, KeyRefusal> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    if !(2048..=8192).contains(&bit_length(&n)) {
        return Err(KeyRefusal::ModulusSize);
    }
    check_exponent(&e)?;
    RsaPublicKeyComponents { n: &n, e: &e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| KeyRefusal::BadMaterial)?;
    let key = DecodingKey::from_rsa_raw_components(&n, &e);
    Ok((Material::Jsonwebtoken(key), [n, e].concat(), &Algorithm::RSA))
}

/// Odd, from 3 up, of 8 bytes at most: under an exponent of 1 anybody signs.
fn check_exponent(e: &[u8]) -> Result<(), KeyRefusal> {
    let odd = e.last().is_some_and(|byte| byte % 2 == 1);
    if odd && e != [1] && e.len() <= 8 { Ok(()) } else { Err(KeyRefusal::BadMaterial) }
}

fn bit_length(significant: &[u8]) -> usize {
    let leading = significant.first().map_or(0, |byte| byte.leading_zeros() as usize);
    significant.len() * 8 - leading
}

fn ec(
    jwk: &Members,
    size: usize,
    curve: &'static dyn VerificationAlgorithm,
    algorithms: &'static [Algorithm],
) -> Result<ReadKey, KeyRefusal> {
    let point = [vec![4], coordinate(jwk, "x", size)?, coordinate(jwk, "y", size)?].concat();
    // Parsing checks that the point lies on the curve (RFC 8725, section 3.4).
    let parsed = ParsedPublicKey::new(curve, &point).map_err(|_| KeyRefusal::BadMaterial)?;
    let material = match algorithms {
        [Algorithm::ES512] => Material::P521(parsed),
        _ => Material::Jsonwebtoken(DecodingKey::from_ec_der(&point)),
    };
    Ok((material, point, algorithms))
}

/// A coordinate at the length of its curve (RFC 7518, section 6.2.1.2), though some leave out the zeros it begins with.
fn coordinate(jwk: &Members, member: &str, size: usize) -> Result<Vec<u8>, KeyRefusal> {
    let significant = number(jwk, member)?;
    let zeros = size.checked_sub(significant.len()).ok_or(KeyRefusal::BadMaterial)?;
    Ok([vec![0; zeros], significant].concat())
}

fn ed25519(jwk: &Members) -> Result<ReadKey, KeyRefusal> {
    let x = bytes(jwk, "x")?;
    ParsedPublicKey::new(&ED25519, &x).map_err(|_| KeyRefusal::BadMaterial)?;
    if x.len() != 32 {
        return Err(KeyRefusal::BadMaterial);
    }
    Ok((Material::Jsonwebtoken(DecodingKey::from_ed_der(&x)), x, &[Algorithm::EdDSA]))
}

/// A number without the zero that some put before one whose first bit is set (RFC 7518, section 6.3.1.1, forbids
/// that; the number is the same).
fn number(jwk: &Members, member: &str) -> Result<Vec<u8>, KeyRefusal> {
    let bytes = bytes(jwk, member)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// Base64url, padded or not: a key is no less the provider's for a `=`.
fn bytes(jwk: &Members, member: &str) -> Result<Vec<u8>, KeyRefusal> {
    let text = jwk.get(member).and_then(Value::as_str).ok_or(KeyRefusal::BadMaterial)?;
    URL_SAFE_INDIFFERENT.decode(text).map_err(|_| KeyRefusal::BadMaterial)
}

const URL_SAFE_INDIFFERENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn identity(kid: Option<&str>, public: &[u8], algorithms: &[Algorithm]) -> [u8; 32] {
    let described = format!("{kid:?} {algorithms:?} {public:?}");
    fingerprint(described.as_bytes())
}

#[cfg(test)]
mod tests;
