//! The configuration in force, and what the last reload has changed.

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::diff::{Change, diff};
use super::moment::Moment;
use super::place::Section;
use super::process::Process;
use super::shell::Shell;
use super::text;
use super::written::{Line, lines};
use crate::pages::Page;

/// Lines that are shown around what has changed.
const AROUND: usize = 3;

/// Faults that are shown (invariant 14).
const FINDINGS: usize = 50;

pub(super) fn page(visit: Visit<'_>, process: &dyn Process) -> Page {
    let (shell, now) = (Shell::of(visit, Some(Section::Configuration)), process.now());
    let shown = process.configuration();
    let lines = lines(&shown.written);
    let before = shown.before.as_ref().map(|(loaded, written)| Changed {
        loaded: Moment::new(*loaded, now),
        rows: changes(&texts(&super::written::lines(written)), &texts(&lines)),
    });
    let refused = shown.refused.map(|refused| Refused {
        at: Moment::new(refused.at, now),
        reason: text::long(&refused.reason),
        // A fault can quote what was written, which those who act may read in the file as well.
        findings: refused
            .findings
            .into_iter()
            .filter(|_| shell.may_act())
            .take(FINDINGS)
            .map(|(line, words)| (line, text::long(&words)))
            .collect(),
    });
    let view = View { shell: &shell, loaded: Moment::new(shown.loaded, now), lines, before, refused };
    shell.page(StatusCode::OK, &view)
}

#[derive(Template)]
#[template(path = "console/configuration.html")]
struct View<'a> {
    shell: &'a Shell,
    loaded: Moment,
    lines: Vec<Line>,
    before: Option<Changed>,
    refused: Option<Refused>,
}

/// A reload that was refused since.
struct Refused {
    at: Moment,
    reason: String,
    findings: Vec<(usize, String)>,
}

/// What a reload has changed.
struct Changed {
    /// When the configuration before was read.
    loaded: Moment,
    rows: Vec<Row>,
}

impl Changed {
    fn count(&self) -> String {
        let count = self.rows.iter().filter(|row| matches!(row.class, "gone" | "new")).count();
        text::many(count as u64, "line")
    }
}

/// A line of the difference.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) word: &'static str,
    pub(super) text: String,
}

pub(super) fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::text).collect()
}

/// The lines that have changed, with those around them.
pub(super) fn changes(before: &[String], after: &[String]) -> Vec<Row> {
    let changes = diff(before, after);
    let is_near = |at: usize| {
        let near = &changes[at.saturating_sub(AROUND)..(at + AROUND + 1).min(changes.len())];
        near.iter().any(|change| !matches!(change, Change::Same(_)))
    };
    let (mut rows, mut left_out) = (Vec::new(), false);
    for (at, change) in changes.iter().enumerate() {
        if is_near(at) {
            if left_out && !rows.is_empty() {
                rows.push(Row { class: "gap", mark: "", word: "", text: "⋯".to_owned() });
            }
            rows.push(row(*change));
        }
        left_out = !is_near(at);
    }
    rows
}

fn row(change: Change<'_>) -> Row {
    let (class, mark, word, text) = match change {
        Change::Same(text) => ("same", " ", "", text),
        Change::Gone(text) => ("gone", "−", "removed: ", text),
        Change::New(text) => ("new", "+", "added: ", text),
    };
    Row { class, mark, word, text: text.to_owned() }
}
