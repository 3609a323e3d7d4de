//! What a request says of traces, read once more the slow way.

#![allow(clippy::panic, reason = "it fails as tests do")]

use http::HeaderMap;

use portcullis_rules::fuzzing::fields;

use portcullis_rules::clock::Clock;

use super::{RequestTrace, Sampler, TRACEPARENT, TRACESTATE, TraceMaker, TraceParent, Tracer};

/// What is taken of a trusted proxy's head is what a slow reading takes, and nothing else goes on; of a stranger's head
/// nothing goes on.
pub fn trace_context(data: &[u8]) {
    let head = fields(data);
    let parent = slow_parent(&head);
    assert_eq!(TraceParent::of(&head).map(|parent| parent.value().as_bytes().to_vec()), parent, "{head:?}");
    let state = parent.as_ref().and_then(|_| slow_state(&head));
    let passed = Tracer::passing().trace(&head, true).map(|trace| written(&trace));
    assert_eq!(passed, parent.map(|parent| (parent, state)), "{head:?}");
    let own = Tracer::new(Sampler::new(0.0), &TraceMaker::new(Clock::system(), 0)).trace(&head, false);
    let own = own.unwrap_or_else(|| panic!("no trace for {head:?}"));
    assert!(!own.own.sampled && written(&own).1.is_none(), "{head:?}");
}

fn written(trace: &RequestTrace) -> (Vec<u8>, Option<String>) {
    let mut headers = HeaderMap::new();
    trace.write(&mut headers);
    let text = |name| headers.get(name).map(|value| value.as_bytes().to_vec());
    let state = text(TRACESTATE).map(|state| String::from_utf8_lossy(&state).into_owned());
    (text(TRACEPARENT).unwrap_or_default(), state)
}

/// The value as version 00 writes it; none where it is no `traceparent`.
fn slow_parent(head: &HeaderMap) -> Option<Vec<u8>> {
    let mut lines = head.get_all(TRACEPARENT).iter();
    let text = String::from_utf8_lossy(lines.next()?.as_bytes());
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let [version, trace, span, flags, ..] = parts.as_slice() else { return None };
    let is_hex = |part: &str, length: usize| {
        part.chars().count() == length && part.chars().all(|letter| "0123456789abcdef".contains(letter))
    };
    let good = is_hex(version, 2)
        && *version != "ff"
        && (*version != "00" || parts.len() == 4)
        && is_hex(trace, 32)
        && trace.chars().any(|digit| digit != '0')
        && is_hex(span, 16)
        && span.chars().any(|digit| digit != '0')
        && is_hex(flags, 2);
    let sampled = flags.chars().last().is_some_and(|digit| "13579bdf".contains(digit));
    let written = format!("00-{trace}-{span}-0{}", u8::from(sampled));
    (good && lines.next().is_none()).then(|| written.into_bytes())
}

fn slow_state(head: &HeaderMap) -> Option<String> {
    let mut taken: Vec<(String, String)> = Vec::new();
    for line in head.get_all(TRACESTATE) {
        for member in line.to_str().ok()?.split(',') {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let known = taken.iter().any(|(other, _)| other == key);
            if known || !slow_key(key) || value.contains('=') || value.is_empty() || value.len() > 256 {
                return None;
            }
            if !value.chars().all(|letter| (' '..='~').contains(&letter)) {
                return None;
            }
            taken.push((key.to_owned(), value.to_owned()));
        }
    }
    let joined = taken.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    (1..=32).contains(&taken.len()).then_some(joined)
}

fn slow_key(key: &str) -> bool {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let starts =
        |part: &str, allowed: &str| part.chars().next().is_some_and(|letter| allowed.contains(letter));
    let inner = |part: &str| part.chars().all(|letter| format!("{letters}0123456789_-*/").contains(letter));
    match key.split_once('@') {
        None => key.len() <= 256 && starts(key, letters) && inner(key),
        Some((tenant, system)) => {
            let sizes = tenant.len() <= 241 && system.len() <= 14;
            let starts = starts(tenant, &format!("{letters}0123456789")) && starts(system, letters);
            sizes && starts && inner(tenant) && inner(system)
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn smoke() {
        portcullis_rules::fuzzing::smoke("trace_context", 20_000, super::trace_context);
    }
}
