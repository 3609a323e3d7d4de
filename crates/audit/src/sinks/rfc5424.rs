//! An event as a message of syslog (RFC 5424): what matters as structured data, and its line as it was written.

use portcullis_events::{Field, Level, Seen};

/// Bytes of a message that receivers take: rsyslog's default, and what RFC 5425 asks of everybody.
pub(super) const LONGEST: usize = 8192;
/// `log audit`, times eight.
const FACILITY: u8 = 13 * 8;
/// What stands as structured data: what is searched for.
const FIELDS: [Field; 8] = [
    Field::Event,
    Field::Type,
    Field::Id,
    Field::User,
    Field::Client,
    Field::Route,
    Field::Status,
    Field::Outcome,
];
/// Bytes of a value there.
const LONGEST_VALUE: usize = 128;

/// Writes the message for a line, which is said in these words. A line that is none of ours goes as it is.
pub(super) fn write(line: &[u8], said: &[u8], host: &str, process: &str, out: &mut Vec<u8>) {
    let (start, seen) = (out.len(), Seen::read(line).ok());
    let level = seen.as_ref().and_then(Seen::kind).map_or(Level::Info, |kind| kind.row().level);
    let time = seen.as_ref().and_then(|seen| seen.text(Field::Time)).unwrap_or("-");
    let kind = seen.as_ref().map_or("-", Seen::word);
    let kind = if kind.len() <= 32 && kind.bytes().all(|byte| byte.is_ascii_graphic()) { kind } else { "-" };
    let priority = FACILITY + severity(level);
    out.extend_from_slice(format!("<{priority}>1 {time} {host} portcullis {process} {kind} ").as_bytes());
    out.extend_from_slice(b"[portcullis@32473");
    FIELDS
        .iter()
        .filter_map(|field| parameter(*field, seen.as_ref()?))
        .for_each(|text| out.extend_from_slice(text.as_bytes()));
    let room = LONGEST.saturating_sub(out.len() - start + " truncated=\"yes\"] ".len());
    if said.len() > room {
        out.extend_from_slice(b" truncated=\"yes\"");
    }
    out.extend_from_slice(b"] ");
    out.extend_from_slice(cut(said, room));
}

const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
    }
}

/// ` name="value"`, where the event has it. What ends a value is escaped (RFC 5424, section 6.3.3).
fn parameter(field: Field, seen: &Seen<'_>) -> Option<String> {
    let number = seen.number(field).map(|number| number.to_string());
    let value = seen.text(field).map(ToOwned::to_owned).or(number)?;
    let mut text = format!(" {}=\"", field.row().name);
    for c in String::from_utf8_lossy(cut(value.as_bytes(), LONGEST_VALUE)).chars() {
        if mutant!(matches!(c, '"' | '\\' | ']'), "syslog-value-unescaped" => false) {
            text.push('\\');
        }
        text.push(if c.is_control() { ' ' } else { c });
    }
    text.push('"');
    Some(text)
}

/// The first bytes of a text, up to whole characters.
fn cut(text: &[u8], most: usize) -> &[u8] {
    let is_inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let mut end = most.min(text.len());
    while is_inside(&end) {
        end -= 1;
    }
    &text[..end]
}

/// The name of this machine, as messages tell it.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
