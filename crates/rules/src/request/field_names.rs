//! Field names that a server behind us could take for framing or hop-by-hop fields (invariant 21).
//!
//! CGI, WSGI and uWSGI hand `Transfer_Encoding` to their apps under the very name of `Transfer-Encoding`,
//! PHP does so with dots, and others with every byte that is no letter or digit. Removed, such a field
//! would hide an attack; forwarded, it would be one: so the request is refused.

use http::{HeaderMap, HeaderName};

/// The names that frame a message or speak to one connection alone (RFC 9110, section 7.6.1; RFC 9112,
/// section 6), and those that say where it goes or whether its content follows.
const NAMES: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What looks like one of these is between a client and a proxy (RFC 9110, section 11.7), whatever follows.
const PROXY: &str = "proxy-";

/// For each folded first byte: the lengths (63: that or more) that a name in question has.
static LENGTHS: [u64; 256] = lengths();

/// A field is spelled so that a server could take it for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a field is spelled so that a server could take it for `{meant}`")]
pub struct FieldNameError {
    /// The name that it could be taken for.
    pub meant: &'static str,
}

/// Looks at the names of a head or of trailers.
///
/// # Errors
/// The first name that is refused by [`check_field_name`].
pub fn check_field_names(fields: &HeaderMap) -> Result<(), FieldNameError> {
    fields.keys().try_for_each(check_field_name)
}

/// Looks at one name.
///
/// # Errors
/// Where it is not `Transfer-Encoding` or the like, but for its separators.
pub fn check_field_name(name: &HeaderName) -> Result<(), FieldNameError> {
    check(name.as_str().as_bytes())
}

/// Whether a server could take `name` for `meant`, which is written with `-` alone.
#[must_use]
pub fn could_be(name: &HeaderName, meant: &str) -> bool {
    let name = trimmed(name.as_str().as_bytes()).unwrap_or_default();
    name.len() == meant.len() && name.iter().zip(meant.bytes()).all(|(byte, other)| fold(*byte) == other)
}

/// Names that begin, measure and end unlike all of them cost one look-up.
fn check(name: &[u8]) -> Result<(), FieldNameError> {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return Ok(()) };
    let lengths = LENGTHS[usize::from(fold(*first))];
    let in_question = lengths & (1 << name.len().min(63)) != 0 && name.iter().any(|byte| is_separator(*byte));
    if !in_question && first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return Ok(());
    }
    meant(name).map_or(Ok(()), |meant| Err(FieldNameError { meant }))
}

/// Servers that fold bytes to `-` may take away those at the ends as well.
fn trimmed(name: &[u8]) -> Option<&[u8]> {
    let start = name.iter().position(u8::is_ascii_alphanumeric)?;
    let end = name.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    name.get(start..end)
}

fn meant(name: &[u8]) -> Option<&'static str> {
    let trimmed = mutant!(trimmed(name)?, "separators-at-the-ends" => name);
    let begins = |text: &str| {
        trimmed.len() >= text.len()
            && trimmed.iter().zip(text.bytes()).all(|(byte, other)| fold(*byte) == other)
    };
    let found = NAMES.into_iter().find(|text| text.len() == trimmed.len() && begins(text));
    found.or_else(|| begins(PROXY).then_some("proxy-*"))
}

/// What is neither letter nor digit nor the `-` that these names are written with.
const fn is_separator(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte != b'-'
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

const fn lengths() -> [u64; 256] {
    let mut lengths = [0; 256];
    lengths[PROXY.as_bytes()[0] as usize] = !0 << PROXY.len();
    let mut index = 0;
    while index < NAMES.len() {
        let name = NAMES[index].as_bytes();
        lengths[name[0] as usize] |= 1 << name.len();
        index += 1;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn refused(name: &str) -> Option<&'static str> {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let fields = HeaderMap::from_iter([(name, HeaderValue::from_static("1"))]);
        check_field_names(&fields).err().map(|error| error.meant)
    }

    #[test]
    fn invariant_21_what_a_server_could_fold_is_told_from_what_it_is() {
        for (name, meant) in [
            ("Transfer_Encoding", "transfer-encoding"),
            ("transfer.encoding", "transfer-encoding"),
            ("Transfer~Encoding", "transfer-encoding"),
            ("CONTENT_LENGTH", "content-length"),
            ("content|length", "content-length"),
            ("Keep_Alive", "keep-alive"),
            ("HTTP2_Settings", "http2-settings"),
            ("proxy_connection", "proxy-connection"),
            ("proxy.authorization", "proxy-authorization"),
            ("proxy_anything", "proxy-*"),
            ("Host_", "host"),
            (".host", "host"),
            ("_connection", "connection"),
            ("-Te-", "te"),
            ("trailer.", "trailer"),
            ("upgrade_", "upgrade"),
            ("~expect", "expect"),
            ("-content-length", "content-length"),
        ] {
            assert_eq!(refused(name), Some(meant), "{name}");
        }
        for name in [
            "transfer-encoding",
            "content-length",
            "host",
            "te",
            "proxy-connection",
            "proxy-features",
            "accept",
            "user_agent",
            "content_type",
            "x_transfer_encoding",
            "content-lengths",
            "my.field",
            "hosts_",
            "priority",
            "_",
            "-.-",
        ] {
            assert_eq!(refused(name), None, "{name}");
        }
    }

    /// The rule said slowly.
    fn obviously(name: &str) -> bool {
        let one = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let one = one.trim_matches('-');
        (NAMES.contains(&one) || (one.starts_with(PROXY) && one != "proxy")) && {
            let written = name.to_lowercase();
            written != one
        }
    }

    proptest! {
        #[test]
        fn invariant_21_the_quick_look_misses_nothing(
            parts in prop::collection::vec(prop::sample::select(vec!["transfer", "encoding", "content", "length", "proxy",
                "host", "te", "keep", "alive", "http2", "settings", "connection", "a", "upgrade"]), 1..4),
            separators in prop::collection::vec(prop::sample::select(vec!["-", "_", ".", "~", ""]), 5),
        ) {
            let mut name = separators[4].to_owned();
            for (part, separator) in parts.iter().zip(&separators) {
                name.push_str(part);
                name.push_str(separator);
            }
            prop_assert_eq!(refused(&name).is_some(), obviously(&name), "{}", name);
        }
    }
}
