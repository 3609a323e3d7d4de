//! A line for eyes.

use portcullis_events::{Field, Level, Seen, Value, push_inert};

/// What stands at the beginning, or tells nothing to eyes.
const LEFT_OUT: [&str; 4] = ["v", "time", "event", "type"];

/// Writes time, level and type, and then whatever else it tells.
pub(super) fn write(seen: &Seen<'_>, out: &mut Vec<u8>) {
    let level = match seen.kind().map_or(Level::Info, |kind| kind.row().level) {
        Level::Info => " INFO ",
        Level::Warn => " WARN ",
        Level::Error => "ERROR ",
    };
    push_inert(seen.text(Field::Time).unwrap_or("-"), out);
    out.push(b' ');
    out.extend_from_slice(level.as_bytes());
    push_inert(seen.word(), out);
    for (name, value) in seen.members().filter(|(name, _)| !LEFT_OUT.contains(name)) {
        out.push(b' ');
        push_inert(name, out);
        out.push(b'=');
        push_value(value, out);
    }
    out.push(b'\n');
}

fn push_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => push_text(text, out),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Flag(flag) => out.extend_from_slice(flag.to_string().as_bytes()),
        Value::Texts(texts) => {
            for (index, text) in texts.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"[" } else { b", " });
                push_text(text, out);
            }
            out.extend_from_slice(if texts.is_empty() { b"[]" } else { b"]" });
        }
        // It stands in a line of ours, escaped.
        Value::Other(raw) => out.extend_from_slice(raw.as_bytes()),
    }
}

/// In quotes where its end could not be seen otherwise.
fn push_text(text: &str, out: &mut Vec<u8>) {
    let plain = |letter: char| !letter.is_whitespace() && !"\"\\=[],".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return push_inert(text, out);
    }
    out.push(b'"');
    push_inert(text, out);
    out.push(b'"');
}
