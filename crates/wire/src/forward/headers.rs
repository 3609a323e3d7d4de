//! What must not pass from one connection to the next, and what must not pass at all.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{HeaderRule, ReservedHeaders};
use crate::http1::tokens;
use crate::trace::{TRACEPARENT, TRACESTATE};

/// Takes from a request's head every reserved name and every hop-by-hop field (RFC 9110, section
/// 7.6.1) with what `Connection` names; and what it says of traces, which the gateway says anew.
///
/// All of it is taken before the gateway adds anything: a name listed in `Connection` can only remove
/// what came in (CVE-2024-45410).
pub(super) fn strip_request(headers: &mut HeaderMap, reserved: &ReservedHeaders) {
    let ours = |name: &HeaderName| mutant!(reserved.holds(name.as_str()), "identity-not-stripped" => false);
    strip(headers, |name| is_hop_by_hop(name) || is_of_traces(name) || ours(name));
}

/// Takes from a response's head what belongs to the upstream's connection alone.
pub(super) fn strip_response(headers: &mut HeaderMap) {
    let chunked = strip(headers, is_hop_by_hop).contains(&header::TRANSFER_ENCODING);
    if mutant!(chunked, "length-beside-chunks" => false) {
        // The body has been read by its chunks. With a length beside them a proxy in front of us could frame
        // it differently (RFC 9112, section 6.3).
        headers.remove(header::CONTENT_LENGTH);
    }
    one_content_length(headers);
}

/// Takes out the names that are `doomed`, `Connection` among them, and those that it lists; gives back the
/// former. Most heads have one such name or none.
fn strip(headers: &mut HeaderMap, doomed: impl Fn(&HeaderName) -> bool) -> Vec<HeaderName> {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| doomed(name)).cloned().collect();
    if mutant!(gone.contains(&header::CONNECTION), "fields-of-connection-pass" => false) {
        let named = named_by_connection(headers);
        remove(headers, &named);
    }
    remove(headers, &gone);
    gone
}

/// Trailers that may go to the upstream: no identity, no framing, no routing (invariant 9; RFC 9110,
/// section 6.5.1).
pub(super) fn strip_request_trailers(trailers: &mut HeaderMap, reserved: &ReservedHeaders) {
    let doomed: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| {
            is_no_trailer(name)
                || is_of_traces(name)
                || mutant!(reserved.holds(name.as_str()), "identity-in-trailers" => false)
        })
        .cloned()
        .collect();
    remove(trailers, &doomed);
}

/// Trailers that may go to the client.
pub(super) fn strip_response_trailers(trailers: &mut HeaderMap) {
    let doomed: Vec<HeaderName> = trailers.keys().filter(|name| is_no_trailer(name)).cloned().collect();
    remove(trailers, &doomed);
}

fn remove(headers: &mut HeaderMap, doomed: &[HeaderName]) {
    for name in doomed {
        headers.remove(name);
    }
}

/// Leaves one `Content-Length` with one number, where there are several alike (RFC 9110, section 8.6).
fn one_content_length(headers: &mut HeaderMap) {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return };
    if lengths.next().is_some() || first.as_bytes().contains(&b',') {
        // The reader of the head has made sure that all of them say the same.
        let text = first.to_str().unwrap_or_default();
        let one = text.split(',').next().and_then(|one| HeaderValue::from_str(one.trim()).ok());
        let one = one.unwrap_or_else(|| first.clone());
        headers.insert(header::CONTENT_LENGTH, one);
    }
}

fn is_of_traces(name: &HeaderName) -> bool {
    mutant!(name == TRACEPARENT || name == TRACESTATE, "trace-of-a-stranger-reaches-the-app" => false)
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    let own = matches!(
        name.as_str(),
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    );
    mutant!(
        own,
        "proxy-authorization-passes" => own && name.as_str() != "proxy-authorization",
        "te-passes" => own && name.as_str() != "te",
    )
}

/// Whether a field may not come as a trailer: a server that merges trailers into the head would take it for
/// framing, routing, a credential or a condition of the request (RFC 9110, section 6.5.1).
fn is_no_trailer(name: &HeaderName) -> bool {
    is_hop_by_hop(name)
        || matches!(
            name.as_str(),
            "authorization"
                | "content-encoding"
                | "content-length"
                | "content-range"
                | "content-type"
                | "cookie"
                | "depth"
                | "destination"
                | "host"
                | "if"
                | "overwrite"
                | "set-cookie"
                | "trailer"
        )
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let fields = headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    let tokens = fields.flat_map(|field| field.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    tokens
        .filter(|token| !token.eq_ignore_ascii_case(b"close") && !token.eq_ignore_ascii_case(b"keep-alive"))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .collect()
}

/// Whether the client takes trailers (`TE: trailers`; RFC 9110, section 10.1.4), as gRPC says it does.
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    tokens(headers, &header::TE).any(|token| token.eq_ignore_ascii_case("trailers"))
}

/// Turns a `101` that was received into the one that is sent: the protocol is all that it says (RFC 9110, section 15.2.2).
pub(super) fn switch(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Applies the operator's rules, in their order.
pub(super) fn apply(rules: &[HeaderRule], headers: &mut HeaderMap) {
    for rule in rules {
        match rule {
            HeaderRule::Set(name, value) => {
                headers.insert(name, value.clone());
            }
            HeaderRule::Default(name, value) => {
                headers.entry(name).or_insert_with(|| value.clone());
            }
            HeaderRule::Remove(name) => {
                headers.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::fixtures::map;

    fn stripped(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = map(fields);
        strip_request(&mut headers, &ReservedHeaders::new([]));
        headers
    }

    #[test]
    fn invariant_9_reserved_names_go_in_every_spelling_and_number() {
        let left = stripped(&[
            ("X-Auth-Request-User", "root"),
            ("x-auth-request-user", "admin"),
            ("X_Auth_Request_User", "admin"),
            ("remote.user", "admin"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("TraceState", "a=1"),
            ("accept", "*/*"),
        ]);
        assert_eq!(left, map(&[("accept", "*/*")]));
    }

    #[test]
    fn hop_by_hop_fields_go_with_what_connection_names() {
        let left = stripped(&[
            ("connection", "close, X-Own"),
            ("connection", "keep-alive , te,x-other"),
            ("x-own", "1"),
            ("x-other", "2"),
            ("te", "trailers"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
            ("proxy-authorization", "Basic eDp5"),
            ("proxy-connection", "x"),
            ("authorization", "Basic eDp5"),
        ]);
        assert_eq!(left, map(&[("authorization", "Basic eDp5")]));
    }

    #[test]
    fn invariant_12_hop_by_hop_fields_go_whether_connection_names_them_or_not() {
        for name in [
            "connection",
            "http2-settings",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "transfer-encoding",
            "upgrade",
        ] {
            assert_eq!(stripped(&[(name, "x"), ("own", "1")]), map(&[("own", "1")]), "{name}");
        }
    }

    #[test]
    fn invariant_9_trailers_carry_no_identity_and_no_framing() {
        let mut trailers = map(&[
            ("x_auth_request_user", "root"),
            ("content-length", "3"),
            ("authorization", "Bearer x"),
            ("tracestate", "a=1"),
            ("grpc-status", "0"),
        ]);
        strip_request_trailers(&mut trailers, &ReservedHeaders::new([]));
        assert_eq!(trailers, map(&[("grpc-status", "0")]));
    }

    #[test]
    fn invariant_12_a_response_states_its_length_once_or_by_chunks() {
        let mut headers = map(&[("transfer-encoding", "chunked"), ("content-length", "5")]);
        strip_response(&mut headers);
        assert!(headers.is_empty());
        for same in [&[("content-length", "5"), ("content-length", "5")][..], &[("content-length", "5, 5")]] {
            let mut headers = map(same);
            strip_response(&mut headers);
            assert_eq!(headers, map(&[("content-length", "5")]));
        }
    }

    #[test]
    fn rules_set_default_and_remove() {
        let name = HeaderName::from_static;
        let value = HeaderValue::from_static;
        let rules = [
            HeaderRule::Set(name("a"), value("1")),
            HeaderRule::Default(name("b"), value("2")),
            HeaderRule::Default(name("c"), value("3")),
            HeaderRule::Remove(name("d")),
        ];
        let mut headers = map(&[("a", "x"), ("a", "y"), ("b", "own"), ("d", "x")]);
        apply(&rules, &mut headers);
        assert_eq!(headers, map(&[("a", "1"), ("b", "own"), ("c", "3")]));
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_nobody_reserved_or_named(
            fields in prop::collection::vec(("[a-zA-Z_.-]{1,6}|te|upgrade|x_forwarded_for|Remote-User|X.Real.Ip", "[ -~]{0,9}"), 0..12),
            connection in "([a-zA-Z_-]{1,4}|keep-alive|close|,| ){0,6}",
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in &fields {
                if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                    headers.append(name, value);
                }
            }
            headers.append("connection", HeaderValue::from_str(&connection).unwrap());
            let reserved = ReservedHeaders::new([]);
            let named: Vec<String> = connection.split(',').map(|t| t.trim().to_lowercase()).collect();
            let kept = |name: &str| !reserved.holds(name) && !["te", "upgrade", "connection"].contains(&name)
                && (name == "close" || name == "keep-alive" || !named.iter().any(|n| n == name));
            let slow: Vec<(String, HeaderValue)> = headers.iter()
                .filter(|(name, _)| kept(name.as_str())).map(|(n, v)| (n.to_string(), v.clone())).collect();
            strip_request(&mut headers, &reserved);
            let mut left: Vec<(String, HeaderValue)> = headers.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
            let mut slow = slow;
            left.sort_by(|a, b| a.0.cmp(&b.0));
            slow.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(left, slow);
        }
    }
}
