//! Paths against the rules read once more: one whole pass for each, with another crate's decoder.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_decode_str, utf8_percent_encode};

use super::{PathException, PathExceptions, RequestPath};

/// Any text as a path: it is read or refused as the slow reference says, leads nowhere else when it is read again,
/// never climbs, and whatever server opens another path is among its readings.
pub fn request_path(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else { return };
    let path = RequestPath::parse(raw).ok();
    let read = path.as_ref().map(|path| (path.decoded().to_owned(), path.exceptions()));
    let expected = reference(raw).filter(|_| raw.len() <= 8192);
    assert_eq!(read, expected, "the reference reads another path");
    let Some(path) = path else { return };
    assert_eq!(path.raw(), raw, "the path judged is the path forwarded");
    assert_eq!(opened(path.raw()), opened(path.decoded()), "the upstream opens what is judged");
    let again = utf8_percent_encode(path.decoded(), NOT_PLAIN).to_string();
    let again = RequestPath::parse(&again).map(|again| again.decoded().to_owned());
    assert_eq!(again.as_deref(), Ok(path.decoded()), "read again it is another");
    stripped(&path);
    read_otherwise(&path);
}

/// Everything that is not plain in a path, but for `/` and the three escapes that `decoded` keeps.
const NOT_PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'?').add(b'#').add(b';').add(b'\\');

/// The segments that an upstream opens: decoded once, parameters and empty segments dropped.
fn opened(path: &str) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    path.split('/').map(decode).map(|text| name(&text)).filter(|name| !name.is_empty()).collect()
}

fn stripped(path: &RequestPath) {
    let segments = opened(path.raw());
    for taken in 0..=segments.len().min(4) {
        assert!(path.raw().ends_with(path.behind(taken)));
        assert_eq!(opened(path.behind(taken)), segments[taken..], "behind {taken} segments");
    }
    assert_eq!(path.behind(0), path.raw());
}

fn read_otherwise(path: &RequestPath) {
    let raw = path.raw();
    for stripped in [0, 1] {
        let Some(others) = path.readings(stripped) else {
            let deep = decoded(raw, 3) != decoded(raw, 4);
            assert!(deep || stripped > 0, "refused though it goes no deeper");
            return;
        };
        assert!(!path.exceptions().is_empty() || others.is_empty(), "a plain path has one reading");
        let mut readings: BTreeSet<_> = others.iter().map(|other| other.decoded().to_owned()).collect();
        readings.insert(path.decoded().to_owned());
        assert!(readings.iter().all(|reading| !climbs(reading)), "{readings:?} climbs");
        if stripped == 0 && !path.exceptions().is_empty() {
            let missing = servers(raw).into_iter().find(|opened| !readings.contains(opened));
            assert_eq!(missing, None, "not among {readings:?}");
        }
    }
}

/// Text and exceptions of the path, where it is one.
fn reference(raw: &str) -> Option<(String, PathExceptions)> {
    let refused = raw.contains(['\\', '?', '#', ' ']) || !raw.starts_with('/') || malformed(raw);
    let once = percent_decode_str(raw).decode_utf8().ok()?.into_owned();
    let end = String::from_utf8(everything_decoded(raw)).ok()?;
    let controls = once.contains(char::is_control) || end.contains(char::is_control);
    (!refused && !controls && !climbs(raw)).then(|| (judged(raw).replace("//", "/"), tolerated(raw, &once)))
}

fn malformed(raw: &str) -> bool {
    raw.split('%').skip(1).any(|rest| {
        let digits = rest.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether a segment is a dot segment, to whoever decodes as often as it goes.
fn climbs(path: &str) -> bool {
    let end = String::from_utf8_lossy(&everything_decoded(path)).into_owned();
    end.split(['/', '\\']).any(|segment| [".", ".."].contains(&name(segment).as_str()))
}

fn everything_decoded(raw: &str) -> Vec<u8> {
    let mut bytes = raw.as_bytes().to_vec();
    loop {
        let next: Vec<u8> = percent_decode(&bytes).collect();
        if next == bytes {
            return bytes;
        }
        bytes = next;
    }
}

fn judged(raw: &str) -> String {
    let plain = raw.replace("%3b", ";").replace("%3B", ";");
    let kept = names(&plain).replace("%25", "%2525");
    let kept = ["%2f", "%2F"].iter().fold(kept, |text, slash| text.replace(slash, "%252F"));
    let kept = ["%5c", "%5C"].iter().fold(kept, |text, slash| text.replace(slash, "%255C"));
    let mut text = percent_decode_str(&kept).decode_utf8_lossy().into_owned();
    while text.contains("///") {
        text = text.replace("///", "//");
    }
    text
}

fn tolerated(raw: &str, once: &str) -> PathExceptions {
    let lower = raw.to_ascii_lowercase();
    let double = once.match_indices('%').any(|(at, _)| {
        once.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    [
        (PathException::EncodedSlash, lower.contains("%2f") || lower.contains("%5c")),
        (PathException::EmptySegment, judged(raw).contains("//")),
        (PathException::Semicolon, once.contains(';')),
        (PathException::DoubleEncoding, double),
    ]
    .into_iter()
    .filter(|(_, there)| *there)
    .fold(PathExceptions::default(), |all, (exception, _)| all.with(exception))
}

/// What servers open, each the obvious way.
fn servers(raw: &str) -> Vec<String> {
    let apart = segments_first(raw);
    let mut all = vec![names(&apart), collapsed(&names(&apart)), collapsed(&apart), apart];
    for times in 1..=3 {
        let plain = decoded(raw, times);
        for text in [plain.clone(), plain.replace('\\', "/")] {
            for text in [text.clone(), names(&text), name(&text)] {
                all.extend([written(&text), written(&collapsed(&text)), written(&behind_authority(&text))]);
            }
        }
    }
    all
}

fn decoded(text: &str, times: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    (0..times).for_each(|_| bytes = percent_decode(&bytes).collect());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn collapsed(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    text
}

fn name(segment: &str) -> String {
    segment.split(';').next().unwrap_or_default().to_owned()
}

fn names(text: &str) -> String {
    text.split('/').map(name).collect::<Vec<_>>().join("/")
}

fn behind_authority(text: &str) -> String {
    match text.strip_prefix("//").map(|rest| rest.split_once('/')) {
        None => text.to_owned(),
        Some(None) => "/".to_owned(),
        Some(Some((_, path))) => format!("/{path}"),
    }
}

/// Segments first, each decoded by itself: a slash in one stays in it.
fn segments_first(raw: &str) -> String {
    let segment = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8_lossy().into_owned();
        text.replace('%', "%25").replace('/', "%2F").replace('\\', "%5C")
    };
    raw.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn written(text: &str) -> String {
    text.replace('%', "%25")
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("request_path", 4000, request_path);
}
