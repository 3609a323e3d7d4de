//! The Common Log Format of web servers, and the Combined one: for what reads nothing else. It tells of requests alone, and
//! of them the least; no referrer, for it carries queries.

use portcullis_events::{Field, Kind, Seen, push_inert};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes a request that has ended; nothing of any other event.
pub(super) fn write(seen: &Seen<'_>, combined: bool, out: &mut Vec<u8>) {
    if !matches!(seen.kind(), Some(Kind::AccessGranted | Kind::AccessRefused)) {
        return;
    }
    let text = |field| seen.text(field).filter(|text| !text.is_empty());
    push_word(text(Field::Client), out);
    out.extend_from_slice(b" - ");
    push_word(text(Field::User), out);
    out.extend_from_slice(format!(" [{}] \"", date(text(Field::Time).unwrap_or_default())).as_bytes());
    push_word(text(Field::Method), out);
    out.push(b' ');
    push_word(text(Field::Path), out);
    out.extend_from_slice(b" HTTP/");
    push_word(text(Field::Http).or(Some("1.1")), out);
    let number = |field| seen.number(field).filter(|number| *number > 0);
    let bytes = number(Field::Bytes).map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    out.extend_from_slice(format!("\" {:03} {bytes}", number(Field::Status).unwrap_or(0)).as_bytes());
    if combined {
        out.extend_from_slice(b" \"-\" \"");
        push_inert(text(Field::Agent).unwrap_or("-"), out);
        out.push(b'"');
    }
    out.push(b'\n');
}

/// A word without spaces; `-` where there is none.
fn push_word(text: Option<&str>, out: &mut Vec<u8>) {
    for (index, part) in text.unwrap_or("-").split(char::is_whitespace).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\\u0020");
        }
        push_inert(part, out);
    }
}

/// `30/Nov/2026:19:05:13 +0000`, of `2026-11-30T19:05:13.123456Z`.
fn date(time: &str) -> String {
    let part = |range: std::ops::Range<usize>| time.get(range).unwrap_or("00");
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!("{}/{}/{}:{} +0000", part(8..10), month.unwrap_or(&"Jan"), part(0..4), part(11..19))
}
