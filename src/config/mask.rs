//! What could be a secret in a text that no parser understands yet (invariant 15).

use std::ops::Range;

/// Words in a line that make what follows suspicious.
const WORDS: [&str; 7] = ["secret", "password", "passwd", "token", "private", "authorization", "cookie"];

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

/// Everything behind a suspicious word, up to the next line that begins a key, a table or a comment; keys
/// in PEM armour.
pub(super) fn suspicious(text: &str) -> Vec<Range<usize>> {
    let mut masks = Vec::new();
    let mut hiding = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let begins = begins_something(line);
        match suspicion(line) {
            Some(at) => {
                masks.push(start + at..start + line.len());
                hiding = true;
            }
            None if hiding && !begins => masks.push(start..start + line.len()),
            None => hiding = false,
        }
        start += line.len();
    }
    masks
}

/// Where in `line` a secret could begin: behind the first `=` after a suspicious word.
fn suspicion(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    if let Some(at) = lower.find("-----begin") {
        return Some(at);
    }
    let word = WORDS.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min()?;
    let rest = lower.get(word..)?;
    Some(word + rest.find('=').map_or(0, |at| at + 1))
}

/// Whether `line` is blank-free TOML's begin of something: `key = value`, `[table]`, `# comment`.
fn begins_something(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with(['[', '#']) {
        return true;
    }
    let Some((key, value)) = line.split_once('=') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-. \"'".contains(c);
    !key.is_empty() && key.chars().all(plain) && !value.trim_start_matches('=').trim().is_empty()
}
