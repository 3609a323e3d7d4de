//! A report on a configuration file: every fault and warning with its place, for people.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Diagnostics, visible};

/// Findings that a rendered report shows.
const SHOWN: usize = 50;

/// What a look at a configuration file found. Without faults the file can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// What keeps the file from being used, in the order of the file.
    pub faults: Vec<Finding>,
    /// What can be used but was probably not meant, in the order of the file.
    pub warnings: Vec<Finding>,
    path: String,
    text: String,
    omitted: usize,
}

/// One fault or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// What was expected in this place; may be empty.
    pub expected: String,
    /// What to do, where there is something to say beyond that.
    pub help: Option<String>,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 where the whole file is meant.
    pub column: usize,
    span: Range<usize>,
    /// Another place, its line, and what stands there.
    see: Option<(Range<usize>, usize, String)>,
}

impl Report {
    /// A report on `text`, the file at `path`; whatever `diagnostics` masks is overwritten first.
    pub(super) fn new(path: String, text: &str, diagnostics: Diagnostics) -> Self {
        let lines = Lines::of(text);
        let found = |list: Vec<Diagnostic>| {
            let mut found: Vec<_> = list.into_iter().map(|diagnostic| lines.finding(diagnostic)).collect();
            found.sort_by_key(|finding| finding.span.start);
            found
        };
        let (faults, warnings) = (found(diagnostics.faults), found(diagnostics.warnings));
        let path = path.chars().map(visible).collect();
        Self { faults, warnings, path, text: masked(text, &diagnostics.masks), omitted: diagnostics.omitted }
    }

    /// A report on a file that could not even be read as text.
    pub(super) fn unreadable(path: String, message: String, help: &str) -> Self {
        let mut diagnostics = Diagnostics::default();
        diagnostics.fault(Diagnostic::spanning(0..0, message).help(help));
        let mut report = Self::new(path, "", diagnostics);
        for fault in &mut report.faults {
            (fault.line, fault.column) = (0, 0);
        }
        report
    }

    /// Whether the file can be used.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The report for a terminal, in colour where wanted; no secret is in it. Ends with a line break,
    /// and is empty where there is nothing to say.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let faults = self.faults.iter().map(|finding| (Level::ERROR, finding));
        let warnings = self.warnings.iter().map(|finding| (Level::WARNING, finding));
        let mut text = String::new();
        for (level, finding) in faults.chain(warnings).take(SHOWN) {
            text += &self.section(&renderer, level, finding);
            text += "\n\n";
        }
        text + &self.summary()
    }

    fn section(&self, renderer: &Renderer, level: Level<'static>, finding: &Finding) -> String {
        let title = level.primary_title(finding.message.as_str());
        let help = finding.help.as_deref().map(|help| Level::HELP.message(help));
        if finding.line == 0 {
            let path = annotate_snippets::Origin::path(self.path.as_str());
            return renderer.render(&[title.element(path).elements(help)]);
        }
        let primary = self.snippet(&finding.span, finding.line, AnnotationKind::Primary, &finding.expected);
        let seen = finding
            .see
            .as_ref()
            .map(|(span, line, what)| self.snippet(span, *line, AnnotationKind::Context, what));
        renderer.render(&[title.element(primary).elements(seen).elements(help)])
    }

    fn snippet<'a>(
        &'a self,
        span: &Range<usize>,
        line: usize,
        kind: AnnotationKind,
        label: &'a str,
    ) -> Snippet<'a, Annotation<'a>> {
        let (text, span) = self.excerpt(span);
        let label = Some(label).filter(|label| !label.is_empty());
        Snippet::source(text)
            .line_start(line)
            .path(self.path.as_str())
            .annotation(kind.span(span).label(label))
    }

    /// The line where `span` begins, and the part of the span on it.
    fn excerpt(&self, span: &Range<usize>) -> (&str, Range<usize>) {
        let (before, after) = self.text.split_at(span.start);
        let from = before.rfind('\n').map_or(0, |at| at + 1);
        let to = after.find('\n').map_or(self.text.len(), |at| span.start + at);
        let line = self.text.get(from..to).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = (span.start - from).min(line.len());
        (line, start..(span.end - from).clamp(start, line.len()))
    }

    fn summary(&self) -> String {
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let (faults, warnings) = (self.faults.len(), self.warnings.len());
        let counts = match (faults, warnings) {
            (0, 0) => return String::new(),
            (_, 0) => count(faults, "fault"),
            (0, _) => count(warnings, "warning"),
            _ => format!("{}, {}", count(faults, "fault"), count(warnings, "warning")),
        };
        let hidden = (faults + warnings).saturating_sub(SHOWN) + self.omitted;
        let more = if hidden == 0 { String::new() } else { format!(" ({hidden} more not shown)") };
        format!("{}: {counts}{more}\n", self.path)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { faults, warnings, path, .. } = self;
        f.debug_struct("Report")
            .field("path", path)
            .field("faults", faults)
            .field("warnings", warnings)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Report {}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    fn finding(&self, diagnostic: Diagnostic) -> Finding {
        let span = within(self.text, diagnostic.span);
        let (line, column) = self.position(span.start);
        let see = diagnostic.see.map(|see| {
            let (span, what) = *see;
            let span = within(self.text, span);
            (span.clone(), self.position(span.start).0, what)
        });
        let Diagnostic { message, expected, help, .. } = diagnostic;
        Finding { message, expected, help, line, column, span, see }
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, 1 + self.text.get(start..at).map_or(0, |text| text.chars().count()))
    }
}

/// The span, moved outward to the borders of characters and inside the text.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let start =
        (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let end = (span.end..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    start..end.max(start)
}

/// The text with a `*` for each masked byte; line breaks stay, so that places stay.
fn masked(text: &str, masks: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for mask in masks {
        let hidden = bytes.get_mut(within(text, mask.clone())).unwrap_or_default();
        hidden.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
