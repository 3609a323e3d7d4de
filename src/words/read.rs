//! Reads a file of texts.

use std::collections::HashMap;
use std::fmt;

use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern as Written, PatternElement, Variant, VariantKey,
};
use fluent_syntax::parser::parse_runtime;
use fluent_syntax::unicode::unescape_unicode_to_string;

use super::catalogue::Catalogue;
use super::pattern::{Case, Kind, Part, Pattern};
use super::word::Word;

/// The most bytes of a file.
pub const LARGEST_FILE: usize = 256 * 1024;

/// The most letters of a text.
const LONGEST: usize = 2000;

/// What is wrong with a file; the pages have the text of the built-in language in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is no such text.
    Unknown(String),
    /// These texts are not in the file.
    Missing(Vec<&'static str>),
    /// A text that cannot be used, and why.
    Unusable(String, &'static str),
    /// So many places that are no texts.
    Unreadable(usize),
}

impl Catalogue {
    /// The texts of `file` in the language that `tag` names, with those of the built-in language, else English, where the
    /// file has none that can be used; and what is wrong with it.
    #[must_use]
    pub fn read(tag: &str, file: &str) -> (Self, Vec<Flaw>) {
        let language = tag.split('-').next().unwrap_or_default();
        let fallback = Self::built_in(language).unwrap_or_else(|| Self::english());
        let (texts, flaws) = read(file, fallback.texts());
        (Self::new(tag.to_owned(), texts), flaws)
    }
}

/// The texts of `file` in the order of [`Word::ALL`].
pub(super) fn read(file: &str, fallback: &[Pattern]) -> (Vec<Pattern>, Vec<Flaw>) {
    let (file, refused) = if may_be_parsed(file) { (file, 0) } else { ("", 1) };
    let (resource, errors) = match parse_runtime(file) {
        Ok(resource) => (resource, 0),
        Err((resource, errors)) => (resource, errors.len()),
    };
    let known: HashMap<_, _> = Word::ALL.iter().map(|word| (word.key(), *word)).collect();
    let (mut found, mut flaws) = (HashMap::new(), Vec::new());
    for entry in resource.body {
        let Entry::Message(message) = entry else { continue };
        let name = message.id.name;
        let Some(word) = known.get(name) else {
            flaws.push(Flaw::Unknown(name.chars().take(64).collect()));
            continue;
        };
        match message.value.ok_or("it is empty").and_then(|value| checked(&value, *word)) {
            Ok(pattern) => drop(found.insert(*word, pattern)),
            Err(why) => flaws.push(Flaw::Unusable(name.to_owned(), why)),
        }
    }
    let errors = errors + refused;
    if errors > 0 {
        flaws.push(Flaw::Unreadable(errors));
    }
    let missing: Vec<_> =
        Word::ALL.iter().filter(|word| !found.contains_key(word)).map(|word| word.key()).collect();
    if !missing.is_empty() {
        flaws.push(Flaw::Missing(missing));
    }
    let text = |word: &Word| {
        found.remove(word).or_else(|| fallback.get(*word as usize).cloned()).unwrap_or_default()
    };
    (Word::ALL.iter().map(text).collect(), flaws)
}

/// The most texts in one another; each takes the parser deeper.
const DEEPEST: usize = 50;

/// Whether the parser survives the file: it cuts a number of `\u` that is too short behind its next byte, whatever letter that
/// is in the middle of, and follows braces as deep as they go.
fn may_be_parsed(file: &str) -> bool {
    let cut = |rest: &str| {
        let digits = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        rest.as_bytes().get(digits).is_some_and(|next| !next.is_ascii())
    };
    let mut depth = 0_usize;
    let shallow = file.bytes().all(|byte| {
        depth = match byte {
            b'{' => depth + 1,
            b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        depth <= DEEPEST
    });
    shallow && !["\\u", "\\U"].iter().any(|escape| file.split(escape).skip(1).any(cut))
}

/// A text in which everything that it is told has its place.
fn checked(written: &Written<&str>, word: Word) -> Result<Pattern, &'static str> {
    let pattern = pattern(written, word)?;
    let mut wanted = word.arguments().to_vec();
    wanted.sort_unstable();
    if pattern.arguments() != wanted {
        return Err("a variable is missing");
    }
    let length: usize = pattern.0.iter().map(Part::length).sum();
    if length > LONGEST { Err("it is too long") } else { Ok(pattern) }
}

fn pattern(written: &Written<&str>, word: Word) -> Result<Pattern, &'static str> {
    written.elements.iter().map(|element| part(element, word)).collect::<Result<_, _>>().map(Pattern)
}

fn part(element: &PatternElement<&str>, word: Word) -> Result<Part, &'static str> {
    match element {
        PatternElement::TextElement { value } => Ok(Part::Text(inert(value))),
        PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
            InlineExpression::StringLiteral { value } => {
                Ok(Part::Text(inert(&unescape_unicode_to_string(value))))
            }
            InlineExpression::VariableReference { id } => argument(id.name, word).map(Part::Place),
            InlineExpression::NumberLiteral { .. }
            | InlineExpression::FunctionReference { .. }
            | InlineExpression::MessageReference { .. }
            | InlineExpression::TermReference { .. }
            | InlineExpression::Placeable { .. } => Err("it uses more than texts, variables and counts"),
        },
        PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
            choice(selector, variants, word)
        }
    }
}

fn choice(
    selector: &InlineExpression<&str>,
    written: &[Variant<&str>],
    word: Word,
) -> Result<Part, &'static str> {
    let InlineExpression::VariableReference { id } = selector else {
        return Err("it chooses by no variable");
    };
    let count = argument(id.name, word)?;
    let (mut variants, mut otherwise) = (Vec::new(), None);
    for variant in written {
        let pattern = pattern(&variant.value, word)?;
        if variant.default {
            otherwise = Some(pattern);
        } else {
            variants.push((case(&variant.key).ok_or("it chooses by no kind of count")?, pattern));
        }
    }
    // The one for a number itself goes before those for kinds of numbers.
    variants.sort_by_key(|(case, _)| matches!(case, Case::Kind(_)));
    Ok(Part::Choice { count, variants, otherwise: otherwise.unwrap_or_default() })
}

fn case(key: &VariantKey<&str>) -> Option<Case> {
    match key {
        VariantKey::NumberLiteral { value } => value.parse().ok().map(Case::Exactly),
        VariantKey::Identifier { name } => Some(Case::Kind(match *name {
            "zero" => Kind::Zero,
            "one" => Kind::One,
            "two" => Kind::Two,
            "few" => Kind::Few,
            "many" => Kind::Many,
            "other" => Kind::Other,
            _ => return None,
        })),
    }
}

fn argument(name: &str, word: Word) -> Result<&'static str, &'static str> {
    let known = word.arguments().iter().copied().find(|known| *known == name);
    known.ok_or("it has a variable that there is not")
}

/// The text without what steers others: control characters, and what turns the direction of more than itself (Unicode
/// Standard Annex 9, sections 2.1 to 2.5).
fn inert(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|c| !steers(*c)).collect()
}

impl Part {
    fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::Place(_) => 0,
            Self::Choice { variants, otherwise, .. } => {
                let inner = variants.iter().map(|(_, pattern)| pattern).chain([otherwise]);
                inner.flat_map(|pattern| &pattern.0).map(Self::length).sum()
            }
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(key) => write!(f, "there is no text called `{key}`"),
            Self::Missing(keys) => {
                let shown = keys.iter().take(5).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let more = keys.len().saturating_sub(5);
                write!(f, "texts are missing: {shown}")?;
                if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
            }
            Self::Unusable(key, why) => write!(f, "the text `{key}` cannot be used: {why}"),
            Self::Unreadable(count) => write!(f, "{count} places cannot be read"),
        }
    }
}
