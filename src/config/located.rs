//! A written value together with its place in the file.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::raw::OneOrMany;

/// The file as a tree whose every node knows where it was written.
pub(super) type Node<'t> = Spanned<DeValue<'t>>;

/// A place in the file: a node, or where nothing was written, the nearest node around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a>(&'a Node<'a>);

impl<'a> Place<'a> {
    /// The place of `node`.
    pub(super) const fn of(node: &'a Node<'a>) -> Self {
        Self(node)
    }

    /// The bytes of the file that it takes up.
    pub(super) fn span(self) -> Range<usize> {
        self.0.span()
    }

    /// The value under `key`, or this place where there is none.
    fn key(self, key: &str) -> Self {
        self.0.get_ref().as_table().and_then(|table| table.get(key)).map_or(self, Self)
    }

    /// The element `index` of an array; something that stands alone is its own element.
    fn index(self, index: usize) -> Self {
        self.0.get_ref().as_array().and_then(|array| array.get(index)).map_or(self, Self)
    }
}

/// A value of the raw shape and where it was written.
#[derive(Debug)]
pub(super) struct Located<'a, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) place: Place<'a>,
}

impl<T: ?Sized> Clone for Located<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Located<'_, T> {}

/// `at!(route.upstream)`: the field together with the place of the key of the same name.
macro_rules! at {
    ($at:ident . $field:ident) => {
        $at.field(stringify!($field), &$at.value.$field)
    };
}
pub(super) use at;

impl<'a, T: ?Sized> Located<'a, T> {
    /// `value` stands at `place`.
    pub(super) const fn new(value: &'a T, place: Place<'a>) -> Self {
        Self { value, place }
    }

    /// `value` stands under `key`; see [`at!`].
    pub(super) fn field<U>(self, key: &str, value: &'a U) -> Located<'a, U> {
        Located { value, place: self.place.key(key) }
    }
}

impl<'a, T> Located<'a, Option<T>> {
    /// The value, where one is written.
    pub(super) fn given(self) -> Option<Located<'a, T>> {
        self.value.as_ref().map(|value| Located { value, place: self.place })
    }
}

impl<'a, T> Located<'a, Option<OneOrMany<T>>> {
    /// All values, none where nothing is written.
    pub(super) fn all(self) -> Vec<Located<'a, T>> {
        self.given().map(Located::items).unwrap_or_default()
    }
}

impl<'a, T> Located<'a, OneOrMany<T>> {
    /// The values in their order, whether one stands there or a list.
    pub(super) fn items(self) -> Vec<Located<'a, T>> {
        match self.value {
            OneOrMany::One(value) => vec![Located { value, place: self.place }],
            OneOrMany::Many(values) => Located { value: values, place: self.place }.elements(),
        }
    }
}

impl<'a, T> Located<'a, Vec<T>> {
    /// The elements in their order, each with its place.
    pub(super) fn elements(self) -> Vec<Located<'a, T>> {
        let places = (0..).map(|index| self.place.index(index));
        self.value.iter().zip(places).map(|(value, place)| Located { value, place }).collect()
    }
}

impl<'a, T> Located<'a, Option<T>> {
    /// The keys of the table that was written here, those that have been left out included.
    pub(super) fn names(self) -> Vec<&'a str> {
        let table = self.value.as_ref().and_then(|_| self.place.0.get_ref().as_table());
        table.into_iter().flat_map(|table| table.keys()).map(|key| key.get_ref().as_ref()).collect()
    }
}

impl<'a, T> Located<'a, BTreeMap<String, T>> {
    /// The entries, in the order of the file.
    pub(super) fn entries(self) -> Vec<(&'a str, Located<'a, T>)> {
        let at =
            |(key, value): (&'a String, _)| (key.as_str(), Located { value, place: self.place.key(key) });
        let mut entries: Vec<_> = self.value.iter().map(at).collect();
        entries.sort_by_key(|(_, at)| at.place.span().start);
        entries
    }
}
