//! What there is to say about a place in the file, while it is being read.

use std::ops::Range;

use super::located::Place;

/// A fault or a warning about a place in the file.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) expected: String,
    pub(super) help: Option<String>,
    /// Another place that belongs to it, and what stands there.
    pub(super) see: Option<Box<(Range<usize>, String)>>,
}

impl Diagnostic {
    /// Says `message` about `place`.
    pub(super) fn new(place: Place<'_>, message: impl Into<String>) -> Self {
        Self::spanning(place.span(), message)
    }

    /// Says `message` about the bytes `span`.
    pub(super) fn spanning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), expected: String::new(), help: None, see: None }
    }

    /// Adds what was expected there.
    #[must_use]
    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that belongs to it, and `what` stands there.
    #[must_use]
    pub(super) fn see(self, place: Place<'_>, what: impl Into<String>) -> Self {
        self.see_span(place.span(), what)
    }

    /// The same, for a place that is given by its bytes.
    #[must_use]
    pub(super) fn see_span(mut self, span: Range<usize>, what: impl Into<String>) -> Self {
        self.see = Some(Box::new((span, what.into())));
        self
    }
}

/// Everything said so far, bounded, and which bytes nobody may see.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    pub(super) faults: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) masks: Vec<Range<usize>>,
    /// Tables of which something has been left out: what is missing there may have been meant.
    incomplete: Vec<Range<usize>>,
    /// Diagnostics beyond [`Diagnostics::BOUND`] of a kind.
    pub(super) omitted: usize,
}

impl Diagnostics {
    /// Diagnostics of a kind that are kept.
    pub(super) const BOUND: usize = 500;

    /// Adds a fault: the file cannot be used.
    pub(super) fn fault(&mut self, diagnostic: Diagnostic) {
        Self::push(&mut self.faults, &mut self.omitted, diagnostic);
    }

    /// Adds a warning: the file can be used, but what it says was probably not meant.
    pub(super) fn warn(&mut self, diagnostic: Diagnostic) {
        Self::push(&mut self.warnings, &mut self.omitted, diagnostic);
    }

    /// Hides `span` from every report (invariant 15).
    pub(super) fn mask(&mut self, span: Range<usize>) {
        self.masks.push(span);
    }

    /// Notes that something of the table at `span` has been left out.
    pub(super) fn spoil(&mut self, span: Range<usize>) {
        self.incomplete.push(span);
    }

    /// Whether something of the table at `span` has been left out.
    pub(super) fn is_incomplete(&self, span: &Range<usize>) -> bool {
        self.incomplete.contains(span)
    }

    fn push(list: &mut Vec<Diagnostic>, omitted: &mut usize, diagnostic: Diagnostic) {
        if list.len() < Self::BOUND {
            list.push(diagnostic);
        } else {
            *omitted += 1;
        }
    }
}

/// Text from the file as part of a sentence: one line, short, nothing that moves a terminal's cursor.
pub(super) fn quoted(text: &str) -> String {
    const LENGTH: usize = 60;
    let mut short: String = text.chars().take(LENGTH).map(visible).collect();
    if text.chars().nth(LENGTH).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// The character, or U+FFFD in place of one that moves a terminal's cursor, is not seen, or turns the
/// direction of text: controls, zero-width characters, bidirectional overrides.
pub(super) fn visible(c: char) -> char {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
