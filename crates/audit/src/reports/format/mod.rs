//! Reports as text. Whatever somebody wrote into a name or a reason is text in each of them: it moves no cursor, is no
//! formula and no markup.

mod csv;
mod html;
mod json;
mod table;

use portcullis_events::push_inert;

use super::calendar::local;
use super::frame::{Cell, Frame};
use crate::segments::AskError;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For eyes, on a terminal.
    Table,
    /// For spreadsheets (RFC 4180).
    Csv,
    /// For programs.
    Json,
    /// For a browser, or for print.
    Html,
}

impl Format {
    /// The format of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "table" => Some(Self::Table),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "html" => Some(Self::Html),
            _ => None,
        }
    }

    /// The report as a text.
    #[must_use]
    pub fn write(self, frame: &Frame) -> String {
        match self {
            Self::Table => table::write(frame),
            Self::Csv => csv::write(frame),
            Self::Json => json::write(frame),
            Self::Html => html::write(frame),
        }
    }

    /// The report as a file, which says nothing of what was not read: it is whole, or there is none.
    ///
    /// # Errors
    /// Where there was no time for all of it.
    pub fn file(self, frame: Option<Frame>) -> Result<Option<String>, AskError> {
        match frame {
            Some(frame) if frame.is_cut => Err(AskError::TooLong),
            frame => Ok(frame.map(|frame| self.write(&frame))),
        }
    }
}

/// What it is called at its head: which report, and about which time.
fn title(frame: &Frame) -> String {
    format!(
        "{}: {} to {} ({})",
        frame.report.word(),
        local(frame.since, &frame.zone),
        local(frame.until, &frame.zone),
        frame.zone_name()
    )
}

/// A text without anything that a terminal, or whoever shows it, could take for a command.
fn visible(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut space = [0; 4];
    for letter in text.chars() {
        let letter_text = letter.encode_utf8(&mut space);
        if matches!(letter, '"' | '\\') {
            out.extend_from_slice(letter_text.as_bytes());
        } else {
            push_inert(letter_text, &mut out);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A cell for eyes. What is not there, what nobody knows and what is zero look different.
fn shown(cell: &Cell, frame: &Frame) -> String {
    match cell {
        Cell::None => "–".into(),
        Cell::Unknown => "unknown".into(),
        Cell::Text(text) => visible(text),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => local(*time, &frame.zone),
    }
}
