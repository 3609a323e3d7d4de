//! Reports, as `portcullis report` makes them.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use super::record_model::{AskReport, Reading, ReportFormat};
use super::selection::plain;
use super::{Management, Problem, events, json};
use crate::operate::Call;
use crate::reports::{Format, Question, Report};
use crate::segments::{AskError, Patience, read_apart};

/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl ReportFormat {
    const fn format(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Csv => Format::Csv,
            Self::Html => Format::Html,
            Self::Table => Format::Table,
        }
    }

    /// The media type, as the description has it.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Table => "text/plain; charset=utf-8",
        }
    }
}

/// The report at a path. By what it is asked for is recorded as well.
pub(super) async fn show(
    management: &Management,
    path: &str,
    asked: AskReport,
    called: &Call,
) -> Result<Response<Full<Bytes>>, Problem> {
    let word = path.rsplit('/').next().unwrap_or_default();
    let report = Report::named(word).ok_or_else(unknown)?;
    let (question, names) = question(management, report, &asked)?;
    // Whom it is about stays out of it: names are personal, and the reason of a call is not.
    called.because(Some(&format!("{word}{names}")));
    let (answer, format) = (std::sync::Arc::clone(&management.reports), asked.format);
    let read = move |patience: &Patience| format.format().file(answer(&question, patience)?);
    let read = read_apart(PATIENCE, read).await;
    let read = read.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let text = read.map_err(|error: AskError| events::fault(&error))?.ok_or_else(events::no_store)?;
    Ok(json(StatusCode::OK, format.media_type(), text))
}

/// What is asked, and the names by which it is, each behind a comma.
fn question(
    management: &Management,
    report: Report,
    asked: &AskReport,
) -> Result<(Question, String), Problem> {
    let now = management.operations.recorder.clock().moment();
    let AskReport { since, until, zone, user, route, provider, names, format: _ } = asked;
    let mut question = Question::new(report, since, until.as_deref(), zone, now)
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    question.names = *names;
    let mut named = String::new();
    for (name, value) in [("user", user), ("route", route), ("provider", provider)] {
        let Some(value) = value else { continue };
        question.filter.set(name, value, now).map_err(|error| Problem::bad_request(error.to_string()))?;
        named.push_str(", ");
        named.push_str(name);
    }
    Ok((question, named))
}

fn unknown() -> Problem {
    let words = Report::TABLE.map(|(_, word, _)| word).join(", ");
    Problem::new(StatusCode::NOT_FOUND, format!("there is no such report: expected one of {words}"))
}

/// Takes the word of a command that has read the files of the record.
pub(super) fn note(reading: &Reading, called: &Call) -> Result<(), Problem> {
    let Reading { command, asked_by } = reading;
    plain("command", Some(command))?;
    plain("asked_by", asked_by.as_deref())?;
    let told = match asked_by {
        Some(names) => format!("{command}, by command: {names}"),
        None => format!("{command}, by command"),
    };
    called.because(Some(&told));
    Ok(())
}
