//! The events of a view as a file: for a spreadsheet, or as the lines of JSON that they are.

use std::ops::ControlFlow;

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use crate::events::{Field, Seen};
use crate::segments::{AskError, Event, Filter, Patience, Reader, push_csv};

/// Events of a file at most (invariant 14).
const MOST: usize = 20_000;

/// What the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// Below the console's own path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Csv => "events.csv",
            Self::Json => "events.json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/x-ndjson",
        }
    }
}

/// The file of what a filter finds, the oldest event first.
pub(super) fn file(
    format: Format,
    filter: &Filter,
    reader: &Reader,
    patience: &Patience,
) -> Result<String, AskError> {
    let (mut text, mut count) = (String::new(), 0);
    if format == Format::Csv {
        push_csv(Field::TABLE.iter().map(|row| row.name), &mut text);
    }
    reader.each(filter, true, patience, &mut |event| {
        push(format, &event, &mut text);
        count += 1;
        if count < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(text)
}

fn push(format: Format, event: &Event, text: &mut String) {
    let json = event.to_json();
    match format {
        Format::Json => {
            text.push_str(&json);
            text.push('\n');
        }
        Format::Csv => {
            let Ok(seen) = Seen::read(json.as_bytes()) else { return };
            let cell = |field| seen.value(field).map(|value| value.joined(", ")).unwrap_or_default();
            let cells: Vec<_> = Field::TABLE.iter().map(|row| cell(row.field)).collect();
            push_csv(cells.iter().map(String::as_str), text);
        }
    }
}

/// The file as an answer.
pub(super) fn response(format: Format, text: String) -> Response<Bytes> {
    kept(format.content_type(), format.path(), text)
}

/// A file as an answer that is kept under a name of ours, and opened nowhere.
pub(super) fn kept(content_type: &'static str, name: &str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    let fields = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    response.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
