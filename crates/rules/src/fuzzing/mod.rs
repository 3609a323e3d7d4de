//! What the bodies of fuzz targets have in common. They stand beside the rooms that they test (`fuzzing.rs` there),
//! for `cargo fuzz` and for a smoke run within the unit tests; `fuzz/README.md` tells how. No build of the program
//! holds any of it.

mod edits;
#[cfg(any(test, feature = "testing"))]
mod json_values;
#[cfg(any(test, feature = "testing"))]
mod smoke;

pub use edits::edited;
#[cfg(any(test, feature = "testing"))]
pub use json_values::json_values;
#[cfg(any(test, feature = "testing"))]
pub use smoke::smoke;

/// Cuts `data` at its first `border`: what stands before it and behind it.
pub fn cut<'a>(data: &'a [u8], border: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data.windows(border.len()).position(|part| part == border) {
        Some(at) => (&data[..at], &data[at + border.len()..]),
        None => (data, &[]),
    }
}

/// The fields that lines of `name: value` spell, as far as they can be fields.
pub fn fields(lines: &[u8]) -> http::HeaderMap {
    let field = |line: &[u8]| {
        let (name, value) = cut(line, b":");
        let name = http::HeaderName::from_bytes(name).ok()?;
        http::HeaderValue::from_bytes(value.trim_ascii()).ok().map(|value| (name, value))
    };
    let mut map = http::HeaderMap::new();
    for (name, value) in lines.split(|byte| *byte == b'\n').filter_map(field) {
        map.append(name, value);
    }
    map
}
