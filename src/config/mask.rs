//! What could be a secret in a text that no parser understands yet (invariant 15).

use std::collections::HashMap;
use std::ops::Range;

use super::words::nearest;

const QUOTES: [char; 2] = ['"', '\''];

/// User names and passwords in URLs.
pub(super) fn userinfo(text: &str) -> Vec<Range<usize>> {
    let authority = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(['/', '"', '\'', '?', '#', '\n', ' ']).unwrap_or(rest.len());
        let host = rest.get(..end)?.rfind('@')?;
        Some(at..at + host)
    };
    text.match_indices("://").filter_map(|(at, found)| authority(at + found.len())).collect()
}

/// What could be a secret in a file that is not even TOML: everything, except lines whose keys are all
/// harmless (`false` in `known`) and in which nothing could be the value of another key.
///
/// Nothing is guessed from words: one byte in the wrong place and `client_secret` is no such word any more.
pub(super) fn suspicious(text: &str, known: &HashMap<&str, bool>) -> Vec<Range<usize>> {
    let mut masks = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        masks.extend(hidden_from(line, known).map(|from| start + from..start + line.len()));
        start += line.len();
    }
    masks
}

/// Where in the line begins what nobody may see; `None`: all of it may be seen.
fn hidden_from(line: &str, known: &HashMap<&str, bool>) -> Option<usize> {
    let bare = without_strings(line);
    let parts: Vec<&str> = bare.split('=').collect();
    let Some((_, [first, ..])) = parts.split_last() else {
        let harmless = is_header(line) || !bare.contains(|c: char| c == '"' || c.is_alphanumeric());
        return (!harmless).then_some(0);
    };
    if is_harmless(&parts, known) {
        return None;
    }
    let looks_like_a_key = nearest(first.trim(), known.keys().copied()).is_some();
    Some(line.find('=').filter(|_| looks_like_a_key).map_or(0, |at| at + 1))
}

/// Whether each part between two `=` ends in a harmless key, and has no word besides it.
fn is_harmless(parts: &[&str], known: &HashMap<&str, bool>) -> bool {
    let literal =
        |word: &&str| ["", "true", "false"].contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    let words = |part: &'_ str| -> Vec<String> {
        split(part).filter(|word| !literal(word)).map(str::to_owned).collect()
    };
    let Some((value, keys)) = parts.split_last() else { return false };
    let alone = keys.len() == 1 && !value.contains('"');
    (alone || words(value).is_empty())
        && keys
            .iter()
            .all(|part| matches!(words(part).as_slice(), [key] if known.get(key.as_str()) == Some(&false)))
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
}

/// `[table]`, `[[array]]`.
fn is_header(line: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    line.starts_with('[') && line.trim().trim_start_matches('[').trim_end_matches(']').chars().all(name)
}

/// The line with a `"` in place of each string.
///
/// A string that is not closed may have swallowed the key of what follows. Where it could have, it stays as
/// it is written, and is looked at with the rest of the line.
fn without_strings(line: &str) -> String {
    let mut bare = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(QUOTES) {
        bare.extend([&rest[..at], "\""]);
        let (quote, string) = rest[at..].split_at(1);
        match string.split_once(quote) {
            Some((_, after)) => rest = after,
            None if string.contains('=') || string.contains(QUOTES) => return bare + string,
            None => return bare,
        }
    }
    bare + rest
}
