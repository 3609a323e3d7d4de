//! What is said of text that is not TOML.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue, Error};

use super::check::check;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::located::Node;
use super::{mask, schema};

/// Quotation marks that word processors and chat programs put in the place of `"` and `'`.
const TYPOGRAPHIC: [char; 10] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‛'];

/// Syntax errors, and what can be said about the structure of the lines that have none.
pub(super) fn broken(
    text: &str,
    schema: &Value,
    node: &Node<'_>,
    errors: &[Error],
    diagnostics: &mut Diagnostics,
) {
    diagnostics.masks.extend(mask::suspicious(text, &schema::keys(schema)));
    let source = BrokenFile { text, node };
    let mut incomplete: Vec<Range<usize>> = Vec::new();
    let mut yaml: Vec<Diagnostic> = Vec::new();
    for error in errors.iter().take(Diagnostics::BOUND) {
        let span = error.span().unwrap_or(0..0);
        // The first error of a line causes those that follow on it, except at values that only lack their
        // quotes.
        let line = source.line(span.start);
        if incomplete.contains(&line) && !is_unquoted(error) {
            continue;
        }
        incomplete.push(line);
        let diagnostic = source.diagnostic(error, span);
        if source.is_yaml(error) { yaml.push(diagnostic) } else { diagnostics.fault(diagnostic) }
    }
    written_as_yaml(yaml, diagnostics);
    let mut structure = Diagnostics::default();
    check(schema, node, &mut structure);
    diagnostics.masks.append(&mut structure.masks);
    // Only unknown keys are reported: a value may be what the parser has made of pieces, a key is what was
    // written.
    let sound = |diagnostic: &Diagnostic| {
        diagnostic.message.starts_with("unknown key")
            && !incomplete.contains(&source.line(diagnostic.span.start))
    };
    structure.faults.into_iter().filter(sound).for_each(|fault| diagnostics.fault(fault));
}

/// One fault for all lines of a file that is written as YAML.
fn written_as_yaml(yaml: Vec<Diagnostic>, diagnostics: &mut Diagnostics) {
    let more = yaml.len().saturating_sub(1);
    let Some(first) = yaml.into_iter().next() else { return };
    let help = "in TOML it is `[server]` on a line of its own, then `listen = \"0.0.0.0:443\"`";
    diagnostics.fault(match more {
        0 => first.help(help),
        1 => first.help(format!("{help}; one more line is written so")),
        more => first.help(format!("{help}; {more} more lines are written so")),
    });
}

fn is_unquoted(error: &Error) -> bool {
    error.message().starts_with("string values must be quoted")
}

/// The file, and as much of its tree as could be read.
struct BrokenFile<'a, 't> {
    text: &'a str,
    node: &'a Node<'t>,
}

impl BrokenFile<'_, '_> {
    fn diagnostic(&self, error: &Error, span: Range<usize>) -> Diagnostic {
        if error.message().starts_with("duplicate key") {
            return self.duplicate(span);
        }
        if self.is_yaml(error) {
            return Diagnostic::spanning(span, "not TOML: a `:` behind a key, as in YAML")
                .expected("expected `=`");
        }
        if self.text.get(span.clone()).is_some_and(|text| text.starts_with(TYPOGRAPHIC)) {
            return Diagnostic::spanning(span, "not TOML: typographic quotation marks")
                .expected("expected straight ones: `\"`")
                .help("word processors and chat programs change them; type the line anew in an editor for plain text");
        }
        in_our_words(error, span)
    }

    fn is_yaml(&self, error: &Error) -> bool {
        let line = error.span().map(|span| self.line(span.start));
        let key = line.and_then(|line| self.text.get(line)).and_then(|line| line.split_once(':'));
        let bare = |key: &str| {
            let key = key.trim().trim_start_matches("- ");
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        };
        error.message().starts_with("key with no value") && key.is_some_and(|(key, _)| bare(key))
    }

    /// The bytes of the line of the byte `at`.
    fn line(&self, at: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let breaks = |byte: &u8| *byte == b'\n';
        let at = at.min(bytes.len());
        let from = bytes[..at].iter().rposition(breaks).map_or(0, |at| at + 1);
        let to = bytes[at..].iter().position(breaks).map_or(bytes.len(), |end| at + end);
        from..to
    }

    fn duplicate(&self, span: Range<usize>) -> Diagnostic {
        let key = self.text.get(span.clone()).unwrap_or_default();
        // The key is not repeated: of a broken string it could be a part, and that string a secret.
        let diagnostic = Diagnostic::spanning(span.clone(), "the same key twice in one table")
            .expected("expected each key once");
        let first = match self.header(span.start) {
            Some(header) => self.first_header(header, span.start),
            None => self.first(key.trim_matches(['"', '\'']), span.start),
        };
        match first {
            Some(first) => diagnostic.see_span(first, "here for the first time"),
            None => diagnostic,
        }
    }

    /// The last key of that name before the byte `before`, of those that stand least deep.
    ///
    /// A parser that goes on behind an error keeps the first key of the two, and does not tell where.
    fn first(&self, key: &str, before: usize) -> Option<Range<usize>> {
        let mut found = Vec::new();
        keys(self.node.get_ref(), 0, &mut |depth, name, span| {
            if name == key && span.end <= before {
                found.push((depth, span));
            }
        });
        let table = self.table_before(before);
        let within: Vec<_> = found.into_iter().filter(|(_, span)| span.start >= table).collect();
        let least = within.iter().map(|(depth, _)| *depth).min()?;
        within
            .into_iter()
            .filter(|(depth, _)| *depth == least)
            .map(|(_, span)| span)
            .max_by_key(|span| span.start)
    }

    /// The header of a table, where the byte `at` stands in one.
    fn header(&self, at: usize) -> Option<&str> {
        self.text.get(self.line(at)).map(str::trim).filter(|line| line.starts_with('['))
    }

    /// The name of the first table before the byte `before` whose header is the same.
    fn first_header(&self, header: &str, before: usize) -> Option<Range<usize>> {
        let mut from = 0;
        for line in self.text.get(..before)?.split_inclusive('\n') {
            if line.trim() == header {
                return Some(from..from + line.trim_end().len());
            }
            from += line.len();
        }
        None
    }

    /// Where the table of the byte `at` begins: at its header, or with the file.
    fn table_before(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind("\n[")).unwrap_or_default()
    }
}

/// Tells every key below `value` with its depth and place.
fn keys(value: &DeValue<'_>, depth: usize, tell: &mut dyn FnMut(usize, &str, Range<usize>)) {
    match value {
        DeValue::Table(entries) => of_table(entries, depth, tell),
        DeValue::Array(items) => items.iter().for_each(|item| keys(item.get_ref(), depth, tell)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

fn of_table(entries: &DeTable<'_>, depth: usize, tell: &mut dyn FnMut(usize, &str, Range<usize>)) {
    for (key, value) in entries {
        tell(depth, key.get_ref(), key.span());
        keys(value.get_ref(), depth + 1, tell);
    }
}

/// What the parser says of an error, in the words of other reports.
fn in_our_words(error: &Error, span: Range<usize>) -> Diagnostic {
    let (message, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
    let expected =
        if expected == "literal string" { "text in quotes, a number, `true` or `false`" } else { expected };
    let diagnostic = Diagnostic::spanning(span, format!("not TOML: {message}"));
    if expected.is_empty() { diagnostic } else { diagnostic.expected(format!("expected {expected}")) }
}
