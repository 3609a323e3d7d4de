//! What a tolerated spelling is to servers that read it otherwise than we do (invariant 20).

use std::collections::BTreeSet;

use super::decode::unit;
use super::{PathExceptions, RequestPath};

/// Servers that decode a path over and over do it so many times at most.
const DEPTHS: usize = 3;

/// Stand-ins for an encoded `/` and `\` that stay encoded: control characters are in no path.
const APART: [(u8, u8, &str); 2] = [(b'/', 1, "%2F"), (b'\\', 2, "%5C")];

/// What a server takes for a separator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separators {
    /// The plain `/` alone.
    Plain,
    /// What becomes a `/` by decoding as well (PEP 3333, and whoever decodes first and splits later).
    Decoded,
    /// And what becomes a `\`.
    Backslashes,
}

/// What a server does with `;` in a segment.
#[derive(Clone, Copy)]
enum PathParameters {
    Kept,
    /// Cut off each segment (Java servlets).
    Dropped,
    /// Cut off with all that follows (RFC 2396, section 3.3, as some read it).
    Last,
}

/// What a server does with empty segments.
#[derive(Clone, Copy)]
enum EmptySegments {
    Kept,
    Collapsed,
    /// The first two slashes begin an authority (RFC 3986, section 4.2).
    Authority,
}

impl RequestPath {
    /// The other paths that a server may take this one for, where something in it needs a route's tolerance: each
    /// once, as a path whose [`decoded`](RequestPath::decoded) is that reading. A server that is sent it without its
    /// first `stripped` segments reads what is left: those readings are among them, behind what was taken off.
    /// `None` where it is encoded more than three times over: nobody can tell them all.
    #[must_use]
    pub fn readings(&self, stripped: usize) -> Option<Vec<Self>> {
        if self.exceptions.is_empty() {
            return Some(Vec::new());
        }
        let mut texts = texts(&self.raw)?;
        let rest = self.behind(stripped);
        if mutant!(stripped > 0 && !rest.is_empty(), "stripped-reading-forgotten" => false) {
            let prefix = self.first(stripped);
            texts.extend(self::texts(rest)?.into_iter().map(|text| format!("{prefix}{text}")));
        }
        texts.remove(self.decoded());
        let reading = |text: String| Self {
            raw: self.raw.clone(),
            decoded: Some(text.into_boxed_str()),
            exceptions: PathExceptions::default(),
        };
        Some(texts.into_iter().map(reading).collect())
    }

    /// What is left of it to a server that decodes an address before it takes it apart: what stands in front of the
    /// first `?`, `#` or `;`. `None` where none of them is in it.
    #[must_use]
    pub fn cut_short(&self) -> Option<Self> {
        let (rest, _) = self.decoded().split_once(['?', '#', ';'])?;
        let decoded = Some(rest.into());
        Some(Self { raw: self.raw.clone(), decoded, exceptions: PathExceptions::default() })
    }

    /// The first `segments` segments, decoded.
    fn first(&self, segments: usize) -> &str {
        let end = self.decoded().match_indices('/').nth(segments).map(|(at, _)| at);
        end.and_then(|end| self.decoded().get(..end)).unwrap_or_else(|| self.decoded())
    }
}

/// What servers make of a path as it is written; `None` where it is encoded deeper than anybody decodes.
fn texts(raw: &str) -> Option<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    let last = mutant!(Separators::Backslashes, "backslash-reading-forgotten" => Separators::Decoded);
    for separators in [Separators::Plain, Separators::Decoded, last] {
        let mut bytes = raw.as_bytes().to_vec();
        for _ in 0..DEPTHS {
            bytes = decoded(&bytes, separators);
            texts.extend(segmented(&bytes));
        }
        // There is still something to decode.
        if decoded(&bytes, separators) != bytes {
            return None;
        }
    }
    Some(texts)
}

/// Every escape decoded once, but for separators that stay apart.
fn decoded(bytes: &[u8], separators: Separators) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some((byte, next)) = unit(bytes, at) {
        let apart = APART.iter().find(|(separator, ..)| *separator == byte && next > at + 1);
        text.push(match (separators, byte, apart) {
            (Separators::Plain, _, Some((_, stand_in, _))) => *stand_in,
            (Separators::Backslashes, b'\\', _) => b'/',
            (Separators::Plain | Separators::Decoded | Separators::Backslashes, byte, _) => byte,
        });
        at = next;
    }
    text
}

/// The paths that servers make of decoded bytes.
fn segmented(bytes: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let ways = [PathParameters::Kept, PathParameters::Dropped, PathParameters::Last];
    let cut: BTreeSet<_> = ways.into_iter().map(|way| without_parameters(&text, way)).collect();
    cut.into_iter().flat_map(|text| {
        [EmptySegments::Kept, EmptySegments::Collapsed, EmptySegments::Authority]
            .map(|way| spelled(&without_empty(&text, way)))
    })
}

fn without_parameters(text: &str, way: PathParameters) -> String {
    let name = |part: &str| part.split(';').next().unwrap_or_default().to_owned();
    match way {
        PathParameters::Kept => text.to_owned(),
        PathParameters::Dropped => text.split('/').map(name).collect::<Vec<_>>().join("/"),
        PathParameters::Last => name(text),
    }
}

fn without_empty(text: &str, way: EmptySegments) -> String {
    match (way, text.strip_prefix("//")) {
        (EmptySegments::Collapsed, _) => {
            let mut before = None;
            text.chars().filter(|letter| before.replace(*letter) != Some('/') || *letter != '/').collect()
        }
        (EmptySegments::Authority, Some(rest)) => {
            rest.find('/').map_or("/", |border| &rest[border..]).to_owned()
        }
        (EmptySegments::Kept, _) | (EmptySegments::Authority, None) => text.to_owned(),
    }
}

/// As [`RequestPath::decoded`] is written: `%` and separators that stay apart in their escapes.
fn spelled(text: &str) -> String {
    let text = text.replace('%', "%25");
    APART.iter().fold(text, |text, (_, stand_in, written)| text.replace(char::from(*stand_in), written))
}

#[cfg(test)]
mod tests;
