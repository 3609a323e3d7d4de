//! What a stranger writes into `Accept`, read once more the slow way.

#![allow(clippy::panic, reason = "it fails as tests do")]

use super::Exposition;

/// The text that is chosen is the one that a slow reading of the same rules chooses.
pub fn accept(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let slow = slow(&lines);
    let chosen = Exposition::asked_for(lines.iter().copied());
    assert!(chosen == slow, "{chosen:?} for {:?}", data.escape_ascii().to_string());
}

/// Every element with its parts, letter by letter.
fn elements(line: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut all = vec![vec![Vec::new()]];
    let mut rest = line.iter().copied();
    let mut quoted = false;
    while let Some(byte) = rest.next() {
        match (quoted, byte) {
            (false, b',') => all.push(vec![Vec::new()]),
            (false, b';') => all.last_mut().into_iter().for_each(|element| element.push(Vec::new())),
            (true, b'\\') => push(&mut all, [Some(byte), rest.next()]),
            _ => {
                quoted ^= byte == b'"';
                push(&mut all, [Some(byte), None]);
            }
        }
    }
    all
}

fn push(all: &mut [Vec<Vec<u8>>], bytes: [Option<u8>; 2]) {
    let part = all.last_mut().and_then(|element| element.last_mut());
    part.into_iter().for_each(|part| part.extend(bytes.into_iter().flatten()));
}

/// Kind, subtype, version and thousandths of an element; none where it is no range.
fn range(parts: &[Vec<u8>]) -> Option<(String, String, Option<String>, u32)> {
    let parts: Vec<&str> = parts.iter().map(|part| str::from_utf8(part).ok()).collect::<Option<Vec<_>>>()?;
    let trimmed = |part: &&str| part.trim_matches([' ', '\t', '\n', '\r', '\x0C']).to_owned();
    let parts: Vec<String> = parts.iter().map(trimmed).collect();
    let media = parts[0].to_ascii_lowercase();
    let at = media.find('/')?;
    let (mut version, mut thousandths) = (None, 1000);
    for part in parts[1..].iter().filter(|part| !part.is_empty()) {
        let border = part.find('=')?;
        let (name, value) = (&part[..border], &part[border + 1..]);
        if name.eq_ignore_ascii_case("q") {
            thousandths = weight(value)?;
        } else if name.eq_ignore_ascii_case("version") {
            let is_quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
            let inner =
                if is_quoted { value[1..value.len() - 1].replace('\\', "") } else { value.to_owned() };
            version = Some(inner);
        }
    }
    Some((media[..at].to_owned(), media[at + 1..].to_owned(), version, thousandths))
}

/// All weights there are, each in every spelling.
fn weight(text: &str) -> Option<u32> {
    (0..=1000).find(|thousandths| {
        let full = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let mut spelling = full.as_str();
        loop {
            if spelling == text {
                return true;
            }
            match spelling.strip_suffix('0').filter(|shorter| shorter.contains('.')) {
                Some(shorter) => spelling = shorter,
                None => return spelling.strip_suffix('.') == Some(text),
            }
        }
    })
}

fn slow(lines: &[&[u8]]) -> Exposition {
    let ranges: Vec<_> =
        lines.iter().flat_map(|line| elements(line)).filter_map(|parts| range(&parts)).collect();
    let best = |kind: &str, subtype: &str, ours: &str| {
        let of = |matches: &dyn Fn(&str, &str, &Option<String>) -> bool| {
            let fitting = ranges.iter().filter(|(k, s, version, _)| matches(k, s, version));
            fitting.map(|(.., weight)| *weight).max()
        };
        let named = |k: &str, s: &str| k == kind && s == subtype;
        let exact = of(&|k, s, version| named(k, s) && version.as_deref() == Some(ours));
        let plain = of(&|k, s, version| named(k, s) && version.is_none());
        let rough = of(&|k, s, _| k == kind && s == "*").or_else(|| of(&|k, s, _| k == "*" && s == "*"));
        (exact.or(plain), rough)
    };
    let (open, open_rough) = best("application", "openmetrics-text", "1.0.0");
    let (text, text_rough) = best("text", "plain", "0.0.4");
    let text = text.or(text_rough).unwrap_or(0);
    let is_open = match open {
        Some(weight) => weight > text || (weight == text && weight > 0),
        None => open_rough.unwrap_or(0) > text,
    };
    if is_open { Exposition::OpenMetrics } else { Exposition::Text }
}

#[cfg(test)]
mod tests {
    #[test]
    fn smoke() {
        portcullis_rules::fuzzing::smoke("accept", 20_000, super::accept);
    }
}
