//! `Forwarded` (RFC 7239).

use http::{HeaderMap, header};

use super::hop::{ClientHop, bounded, host, lines, scheme, walk};
use super::{ForwardingError, MAX_HOPS};
use crate::request::TrustedProxies;

const FIELD: &str = "Forwarded";
const BROKEN: ForwardingError =
    ForwardingError::Unreadable { field: FIELD, expected: "elements such as for=192.0.2.1;proto=https" };

/// One `forwarded-element`: what one proxy saw.
#[derive(Default)]
struct Element {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

pub(super) fn read(headers: &HeaderMap, trusted: &TrustedProxies) -> Result<ClientHop, ForwardingError> {
    let elements = elements(headers)?;
    let nodes = elements.iter().rev().map(|element| element.node.as_deref());
    let Some(end) = walk(nodes, FIELD, trusted)? else { return Ok(ClientHop::default()) };
    let nearest = elements.iter().rev().nth(end.behind);
    let proto = nearest.and_then(|element| element.proto.as_deref());
    let asked = nearest.and_then(|element| element.host.as_deref());
    Ok(ClientHop {
        client: Some(end.client),
        scheme: proto.map(|text| scheme(text, FIELD)).transpose()?,
        host: asked.map(|text| host(text, FIELD)).transpose()?,
    })
}

/// Every line is read on its own, and whole: a quote that a client left open must not swallow what the proxy
/// wrote behind it.
fn elements(headers: &HeaderMap) -> Result<Vec<Element>, ForwardingError> {
    let mut elements = Vec::new();
    for line in lines(headers, &header::FORWARDED, FIELD)? {
        let mut rest = line;
        while !rest.trim().is_empty() {
            let element;
            (element, rest) = take_element(rest)?;
            elements.extend(element);
            bounded(elements.len(), FIELD)?;
        }
    }
    Ok(elements)
}

/// The first element of a line, `None` where it is empty (`, ,`), and what stands behind its comma.
fn take_element(line: &str) -> Result<(Option<Element>, &str), ForwardingError> {
    let mut element = Element::default();
    let mut rest = line.trim_start();
    let mut pairs = 0;
    loop {
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        if rest.is_empty() || rest.starts_with(',') {
            return Ok(((pairs > 0).then_some(element), rest.strip_prefix(',').unwrap_or(rest)));
        }
        rest = take_pair(&mut element, rest)?;
        pairs += 1;
        if pairs > MAX_HOPS {
            return Err(BROKEN);
        }
    }
}

/// `name=value`, up to the separator behind it.
fn take_pair<'a>(element: &mut Element, text: &'a str) -> Result<&'a str, ForwardingError> {
    let (name, rest) = text.split_once('=').ok_or(BROKEN)?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(BROKEN);
    }
    let (value, rest) = take_value(rest)?;
    let rest = rest.trim_start();
    if !(rest.is_empty() || rest.starts_with([',', ';'])) {
        return Err(BROKEN);
    }
    element.set(name, value).map(|()| rest)
}

fn take_value(text: &str) -> Result<(String, &str), ForwardingError> {
    if let Some(quoted) = text.strip_prefix('"') {
        return take_quoted(quoted);
    }
    // Ports and brackets belong in quotes (section 4); common proxies leave those away.
    let end = text.find([',', ';', ' ', '\t', '"', '=']).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    if value.is_empty() { Err(BROKEN) } else { Ok((value.to_owned(), rest)) }
}

/// The text of a quoted-string behind its opening quote (RFC 9110, section 5.6.4).
fn take_quoted(text: &str) -> Result<(String, &str), ForwardingError> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok((value, letters.as_str())),
            '\\' => value.push(letters.next().ok_or(BROKEN)?),
            other => value.push(other),
        }
    }
    Err(BROKEN)
}

impl Element {
    /// Sets a parameter; a second one of the same name is refused (section 4), unknown ones are passed over.
    fn set(&mut self, name: &str, value: String) -> Result<(), ForwardingError> {
        let slot = match name.to_ascii_lowercase().as_str() {
            "for" => &mut self.node,
            "proto" => &mut self.proto,
            "host" => &mut self.host,
            _ => return Ok(()),
        };
        slot.replace(value).map_or(Ok(()), |_| Err(BROKEN))
    }
}
