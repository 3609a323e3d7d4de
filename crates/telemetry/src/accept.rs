//! Which text a reader of metrics asks for (RFC 9110, section 12.5.1).

use super::Exposition;

/// Thousandths of one.
type Quality = u16;

/// How closely a range of media types names one text, and how much that is wanted. The closest range counts, whatever
/// others say.
type Wanted = Option<(Closeness, Quality)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    AnyType,
    AnySubtype,
    Named,
    NamedWithVersion,
}

impl Exposition {
    /// The text that these lines of `Accept` want most. Where they want neither, or leave the choice, it is the older one,
    /// which every reader knows; OpenMetrics must be named. What is no range of media types is passed over.
    #[must_use]
    pub fn asked_for<'a>(accept: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut text, mut open) = (None, None);
        for range in accept.into_iter().flat_map(|line| apart(line, b',')).filter_map(Range::read) {
            text = text.max(range.wants("text", "plain", "0.0.4"));
            open = open.max(range.wants("application", "openmetrics-text", "1.0.0"));
        }
        let quality = |wanted: Wanted| wanted.map_or(0, |(_, quality)| quality);
        let is_named = open.is_some_and(|(closeness, quality)| closeness >= Closeness::Named && quality > 0);
        let is_more = quality(open) > quality(text) || (is_named && quality(open) == quality(text));
        if is_more { Self::OpenMetrics } else { Self::Text }
    }
}

/// One element of `Accept`.
struct Range {
    kind: String,
    subtype: String,
    version: Option<String>,
    quality: Quality,
}

impl Range {
    fn read(element: &[u8]) -> Option<Self> {
        let mut parts = apart(element, b';').into_iter();
        let media = str::from_utf8(parts.next()?).ok()?.trim_ascii().to_ascii_lowercase();
        let (kind, subtype) = media.split_once('/')?;
        let mut range = Self { kind: kind.into(), subtype: subtype.into(), version: None, quality: 1000 };
        for part in parts.map(|part| part.trim_ascii()).filter(|part| !part.is_empty()) {
            let (name, value) = str::from_utf8(part).ok()?.split_once('=')?;
            match name.to_ascii_lowercase().as_str() {
                "q" => range.quality = quality(value)?,
                "version" => range.version = Some(unquoted(value)),
                _ => {} // `charset` and `escaping` make no difference to what is written
            }
        }
        Some(range)
    }

    fn wants(&self, kind: &str, subtype: &str, version: &str) -> Wanted {
        let closeness = match (self.kind.as_str(), self.subtype.as_str(), &self.version) {
            ("*", "*", _) => Closeness::AnyType,
            (ours, "*", _) if ours == kind => Closeness::AnySubtype,
            (ours, own, None) if ours == kind && own == subtype => Closeness::Named,
            (ours, own, Some(asked)) if ours == kind && own == subtype && asked == version => {
                Closeness::NamedWithVersion
            }
            _ => return None,
        };
        Some((closeness, self.quality))
    }
}

/// The parts between separators that stand in no quoted string.
fn apart(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_border = |byte: &u8| {
        let plain = !is_escaped;
        is_escaped = plain && is_quoted && *byte == b'\\';
        is_quoted ^= plain && *byte == b'"';
        !is_quoted && *byte == separator
    };
    line.split(is_border).collect()
}

fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| value.to_owned(), |inner| inner.replace('\\', ""))
}

/// A weight: from 0 to 1, three digits behind the point at most.
fn quality(text: &str) -> Option<Quality> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    let is_number = digits.len() <= 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths: Quality = format!("{digits:0<3}").parse().ok().filter(|_| is_number)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str) -> Exposition {
        Exposition::asked_for([accept.as_bytes()])
    }

    #[test]
    fn open_metrics_is_written_to_whoever_wants_it_most() {
        for accept in [
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"",
            "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "text/plain;version=0.0.4, application/openmetrics-text",
            "application/*, text/*;q=0.5",
            "nonsense, text/plain;q=2, application/openmetrics-text;q=0.001",
            "a/b;c=\"x,text/plain;\\\"\", application/openmetrics-text;q=0.5",
            "*/*, text/plain;q=0.5, application/openmetrics-text;q=0.6",
        ] {
            assert_eq!(asked(accept), Exposition::OpenMetrics, "{accept}");
        }
    }

    #[test]
    fn everybody_else_gets_the_older_text() {
        for accept in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.5, text/plain;q=0.6",
            "application/openmetrics-text;q=0.1, */*;q=0.2",
            "application/openmetrics-text;q=0.5;q=x, */*;q=0.1",
            "application/openmetrics-text;q=1.001",
            "application/openmetrics-text;q=0.9999",
            "application/openmetrics-text;q=-1",
            "application/openmetrics-text;q=+1",
            "text/plain;version=1.0.0, */*;q=0.2",
        ] {
            assert_eq!(asked(accept), Exposition::Text, "{accept}");
        }
    }

    #[test]
    fn all_lines_count() {
        let lines: [&[u8]; 3] = [b"text/plain;q=0.2", b"\xFF/\xFE", b"application/openmetrics-text;q=0.3"];
        assert_eq!(Exposition::asked_for(lines), Exposition::OpenMetrics);
        assert_eq!(Exposition::asked_for([]), Exposition::Text);
    }
}
