//! Charts, drawn as SVG by ourselves: attributes and classes alone, for a page's policy allows no other style; each with a
//! sentence, points that can be focused, and a table of the same numbers.
//!
//! A plot is drawn in units of its own and stretched to its window, so that what it shows stays exact at any width; words
//! stand beside it as text.

mod bars;
#[cfg(test)]
mod contrast;
mod lines;
mod ranking;
mod scale;
mod spark;

pub(super) use bars::{Bars, Series, Slot};
pub(super) use lines::{Line, Lines};
pub(super) use ranking::{Ranked, Ranking};
pub(super) use spark::Spark;

/// Units of a plot's height.
pub(super) const HEIGHT: u64 = 1_000;

/// Units of what belongs to one slot, and of the part of it that is drawn on.
pub(super) const SLOT: u64 = 100;
const DRAWN: u64 = 78;
