//! All texts in one language.

use std::fmt;
use std::sync::{Arc, LazyLock};

use intl_pluralrules::{PluralCategory, PluralRuleType, PluralRules};
use unic_langid::LanguageIdentifier;

use super::pattern::{Case, Kind, Part, Pattern};
use super::read::read;
use super::word::Word;

/// What stands in a place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg<'a> {
    /// A text, as it is.
    Text(&'a str),
    /// A name, whose direction is its own (`<bdi>`).
    Name(&'a str),
    /// A name that matters (`<strong>`).
    Strong(&'a str),
    /// Markup that a page of ours has made.
    Markup(&'a str),
    /// How many there are.
    Count(u64),
}

/// All texts in one language.
pub struct Catalogue {
    tag: String,
    plurals: Option<PluralRules>,
    texts: Vec<Pattern>,
}

static ENGLISH: LazyLock<Arc<Catalogue>> = LazyLock::new(|| built_in("en", include_str!("en.ftl")));
static GERMAN: LazyLock<Arc<Catalogue>> = LazyLock::new(|| built_in("de", include_str!("de.ftl")));

fn built_in(tag: &str, file: &str) -> Arc<Catalogue> {
    Arc::new(Catalogue::new(tag.to_owned(), read(file, &[]).0))
}

impl Catalogue {
    /// English.
    #[must_use]
    pub fn english() -> &'static Arc<Self> {
        &ENGLISH
    }

    /// German.
    #[must_use]
    pub fn german() -> &'static Arc<Self> {
        &GERMAN
    }

    /// The built-in one of the language that `tag` is of.
    #[must_use]
    pub fn built_in(tag: &str) -> Option<&'static Arc<Self>> {
        match tag {
            "en" => Some(&ENGLISH),
            "de" => Some(&GERMAN),
            _ => None,
        }
    }

    pub(super) fn new(tag: String, texts: Vec<Pattern>) -> Self {
        let plurals = plurals(&tag);
        Self { tag, plurals, texts }
    }

    /// The language (RFC 5646), as `lang` says it.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub(super) fn texts(&self) -> &[Pattern] {
        &self.texts
    }

    /// A text without places, for a template to escape.
    #[must_use]
    pub fn say(&self, word: Word) -> String {
        self.plain(word, &[])
    }

    /// A text for whoever reads no markup.
    #[must_use]
    pub fn plain(&self, word: Word, args: &[(&str, Arg<'_>)]) -> String {
        let mut told = String::new();
        self.put(self.pattern(word), args, &mut Plain(&mut told));
        told
    }

    /// A text as markup: all that the file says is text, and all that a place holds as well.
    #[must_use]
    pub fn html(&self, word: Word, args: &[(&str, Arg<'_>)]) -> String {
        let mut told = String::new();
        self.put(self.pattern(word), args, &mut Html(&mut told));
        told
    }

    #[cfg(test)]
    pub(super) fn pattern_of(&self, word: Word) -> &Pattern {
        self.pattern(word)
    }

    fn pattern(&self, word: Word) -> &Pattern {
        static EMPTY: Pattern = Pattern(Vec::new());
        self.texts.get(word as usize).unwrap_or(&EMPTY)
    }

    fn put(&self, pattern: &Pattern, args: &[(&str, Arg<'_>)], into: &mut impl Writer) {
        let named = |name: &str| args.iter().find(|(known, _)| *known == name).map(|(_, arg)| *arg);
        for part in &pattern.0 {
            match part {
                Part::Text(text) => into.text(text),
                Part::Place(name) => named(name).into_iter().for_each(|arg| into.arg(arg)),
                Part::Choice { count, variants, otherwise } => {
                    let counted = named(count).and_then(Arg::count);
                    let fitting = variants.iter().find(|(case, _)| self.fits(*case, counted));
                    self.put(fitting.map_or(otherwise, |(_, pattern)| pattern), args, into);
                }
            }
        }
    }

    fn fits(&self, case: Case, count: Option<u64>) -> bool {
        match (case, count) {
            (Case::Exactly(number), Some(count)) => number == count,
            (Case::Kind(kind), Some(count)) => self.kind(count) == kind,
            (_, None) => false,
        }
    }

    fn kind(&self, count: u64) -> Kind {
        let kind = self.plurals.as_ref().and_then(|plurals| plurals.select(count).ok());
        match kind {
            Some(PluralCategory::ZERO) => Kind::Zero,
            Some(PluralCategory::ONE) => Kind::One,
            Some(PluralCategory::TWO) => Kind::Two,
            Some(PluralCategory::FEW) => Kind::Few,
            Some(PluralCategory::MANY) => Kind::Many,
            Some(PluralCategory::OTHER) | None => Kind::Other,
        }
    }
}

/// The rules of the language, or of what it is a kind of.
fn plurals(tag: &str) -> Option<PluralRules> {
    let rules = |tag: &str| {
        let language: LanguageIdentifier = tag.parse().ok()?;
        PluralRules::create(language, PluralRuleType::CARDINAL).ok()
    };
    rules(tag).or_else(|| rules(tag.split('-').next()?))
}

impl Arg<'_> {
    /// So many.
    #[must_use]
    pub fn many(count: impl std::borrow::Borrow<usize>) -> Self {
        Self::Count(u64::try_from(*count.borrow()).unwrap_or(u64::MAX))
    }

    const fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Text(_) | Self::Name(_) | Self::Strong(_) | Self::Markup(_) => None,
        }
    }
}

/// Where a text goes.
trait Writer {
    fn text(&mut self, text: &str);
    fn arg(&mut self, arg: Arg<'_>);
}

struct Plain<'a>(&'a mut String);

impl Writer for Plain<'_> {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn arg(&mut self, arg: Arg<'_>) {
        match arg {
            Arg::Text(text) | Arg::Name(text) | Arg::Strong(text) | Arg::Markup(text) => {
                self.0.push_str(text)
            }
            Arg::Count(count) => self.0.push_str(&count.to_string()),
        }
    }
}

struct Html<'a>(&'a mut String);

impl Writer for Html<'_> {
    fn text(&mut self, text: &str) {
        mutant!(escape(text, self.0), "language-file-as-markup" => self.0.push_str(text));
    }

    fn arg(&mut self, arg: Arg<'_>) {
        match arg {
            Arg::Text(text) => escape(text, self.0),
            Arg::Name(name) => self.wrapped("<bdi>", name, "</bdi>"),
            Arg::Strong(name) => self.wrapped("<strong><bdi>", name, "</bdi></strong>"),
            Arg::Markup(markup) => self.0.push_str(markup),
            Arg::Count(count) => self.0.push_str(&count.to_string()),
        }
    }
}

impl Html<'_> {
    fn wrapped(&mut self, before: &str, name: &str, behind: &str) {
        self.0.push_str(before);
        escape(name, self.0);
        self.0.push_str(behind);
    }
}

/// The characters that mean something in markup, as templates write them.
fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => into.push_str(&format!("&#{};", u32::from(c))),
            _ => into.push(c),
        }
    }
}

impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && self.texts == other.texts
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("tag", &self.tag).finish_non_exhaustive()
    }
}
