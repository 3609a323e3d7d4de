//! A text with places in it.

/// A text, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern(pub(super) Vec<Part>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What stands there.
    Text(String),
    /// The place of an argument, by its name.
    Place(&'static str),
    /// One of several texts, by a count.
    Choice {
        /// The argument that is counted.
        count: &'static str,
        /// The texts, the first that fits before all others.
        variants: Vec<(Case, Pattern)>,
        /// The text where none fits.
        otherwise: Pattern,
    },
}

/// When a text is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// The count is this very number.
    Exactly(u64),
    /// The count is of this kind in the language (Unicode CLDR, plural rules).
    Kind(Kind),
}

/// A kind of count. Which a number is each language says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Pattern {
    /// The arguments that stand in it anywhere, each once and in alphabetical order.
    pub(super) fn arguments(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.iter().flat_map(Part::arguments).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Part {
    fn arguments(&self) -> Vec<&'static str> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Place(name) => vec![name],
            Self::Choice { count, variants, otherwise } => {
                let inner = variants.iter().map(|(_, pattern)| pattern).chain([otherwise]);
                [*count].into_iter().chain(inner.flat_map(Pattern::arguments)).collect()
            }
        }
    }
}
