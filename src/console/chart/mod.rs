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

/// Words below a plot at most.
const NAMES: usize = 6;

/// What stands below a plot, a place for each slot, so that each word stands under its own: of all names those that there is
/// room for, and whether one is left out where the window is narrow.
fn under<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Vec<(&'n str, bool)> {
    let (count, every) = (names.len(), names.len().div_ceil(NAMES).max(1));
    let shown = |at: usize| at.is_multiple_of(every) && (at == 0 || at + every <= count);
    let under = |(at, name)| if shown(at) { (name, (at / every) % 2 == 1) } else { ("", false) };
    names.enumerate().map(under).collect()
}
