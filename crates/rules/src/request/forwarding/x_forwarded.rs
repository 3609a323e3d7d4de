//! `X-Forwarded-For`, `-Proto` and `-Host`, which no standard defines and most proxies send.

use http::{HeaderMap, HeaderName};

use super::ForwardingError;
use super::hop::{ClientHop, bounded, host, lines, scheme, walk};
use crate::request::TrustedProxies;

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";

pub(super) fn read(headers: &HeaderMap, trusted: &TrustedProxies) -> Result<ClientHop, ForwardingError> {
    let nodes = list(headers, &HeaderName::from_static("x-forwarded-for"), FOR)?;
    let end = walk(nodes.iter().rev().map(|node| Some(*node)), FOR, trusted)?;
    let behind = end.as_ref().map_or(0, |end| end.behind);
    let proto = list(headers, &HeaderName::from_static("x-forwarded-proto"), PROTO)?;
    let asked = list(headers, &HeaderName::from_static("x-forwarded-host"), HOST)?;
    Ok(ClientHop {
        client: end.map(|end| end.client),
        scheme: at(&proto, behind, PROTO)?.map(|text| scheme(text, PROTO)).transpose()?,
        host: at(&asked, behind, HOST)?.map(|text| host(text, HOST)).transpose()?,
    })
}

/// The members of a list field, over all of its lines; empty ones do not count (RFC 9110, section 5.6.1).
fn list<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    field: &'static str,
) -> Result<Vec<&'a str>, ForwardingError> {
    let lines = lines(headers, name, field)?;
    let members = lines.into_iter().flat_map(|line| line.split(',')).map(str::trim);
    let members: Vec<_> = members.filter(|member| !member.is_empty()).take(super::MAX_HOPS + 1).collect();
    bounded(members.len(), field).map(|()| members)
}

/// The one value, or that of the hop where the walk ended; a list too short to say is refused.
fn at<'a>(
    members: &[&'a str],
    behind: usize,
    field: &'static str,
) -> Result<Option<&'a str>, ForwardingError> {
    if members.len() < 2 {
        return Ok(members.first().copied());
    }
    let member = members.iter().rev().nth(behind).copied();
    member.map(Some).ok_or(ForwardingError::Unreadable { field, expected: "one value, or one for every hop" })
}
