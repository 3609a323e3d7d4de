//! A report as a file, as the command writes it.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::asked::Asked;
use super::streamed::{LONGEST, now};
use crate::console::answer::Visit;
use crate::console::export;
use crate::console::message::Message;
use crate::console::process::Process;
use crate::console::reading::{self, Reading};
use crate::console::record::Unanswered;
use crate::console::seats::Seats;
use crate::reports::{Format, Report};
use crate::segments::{Patience, read_apart};

/// What the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum FileFormat {
    Csv,
    Json,
    Html,
}

impl FileFormat {
    pub(in crate::console) const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Html];

    /// How its name ends, and what people call it.
    pub(in crate::console) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    const fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Json => Format::Json,
            Self::Html => Format::Html,
        }
    }
}

/// The file of a report.
///
/// # Errors
/// What is said in place of it.
pub(in crate::console) async fn file(
    visit: Visit<'_>,
    process: &Arc<dyn Process>,
    seats: &Seats,
    (report, format): (Report, FileFormat),
    query: &str,
) -> Result<Response<Bytes>, Message> {
    let asked = Asked::read(report, query, now(&**process)).map_err(Message::Unclear)?;
    let _seat = seats.take(visit.session).ok_or(Message::TooMany)?;
    reading::record(visit, &**process, Reading::ReportFile(report), query);
    let (process, question) = (Arc::clone(process), asked.question);
    let read = move |patience: &Patience| format.format().file(process.report(&question, patience)?);
    let text = Unanswered::or(read_apart(LONGEST, read).await)?;
    let name = format!("{}.{}", report.word(), format.ending());
    Ok(export::kept(format.content_type(), &name, text))
}
