//! In whose words and colours a page is shown.

use http::HeaderValue;

use super::brand::Brand;
use crate::words::{Arg, Catalogue, Languages, Word};

/// How pages of one configuration look, in every language.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    brand: Brand,
    languages: Languages,
}

impl Looks {
    /// Pages of `brand`, in `languages`.
    #[must_use]
    pub const fn new(brand: Brand, languages: Languages) -> Self {
        Self { brand, languages }
    }

    /// For whoever sends `accepted` as `Accept-Language`.
    #[must_use]
    pub fn of(&self, accepted: Option<&HeaderValue>) -> Look<'_> {
        Look { brand: &self.brand, words: self.languages.of(accepted) }
    }
}

/// How a page looks for whoever asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Name, logo, colours, links and texts of the operators.
    pub brand: &'a Brand,
    words: &'a Catalogue,
}

impl<'a> Look<'a> {
    /// Pages of `brand` in the language of `words`.
    #[must_use]
    pub const fn new(brand: &'a Brand, words: &'a Catalogue) -> Self {
        Self { brand, words }
    }

    /// The language (RFC 5646).
    #[must_use]
    pub fn lang(&self) -> &'a str {
        self.words.tag()
    }

    /// A text without places, for a template to escape.
    #[must_use]
    pub fn say(&self, word: impl std::borrow::Borrow<Word>) -> String {
        self.words.say(*word.borrow())
    }

    /// A text as markup, with what is in its places.
    #[must_use]
    pub fn tell(&self, word: Word, args: &[(&str, Arg<'_>)]) -> String {
        self.words.html(word, args)
    }

    /// A text with what is in its places, for a template to escape.
    #[must_use]
    pub fn plain(&self, word: Word, args: &[(&str, Arg<'_>)]) -> String {
        self.words.plain(word, args)
    }
}
