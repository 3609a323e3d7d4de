//! Values over time that are no counts but places in an order, such as bounds of how long something took: each place has a
//! line of its own, so that what is drawn is as exact as what is known.

use std::fmt::Write;

use super::{HEIGHT, SLOT};

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Line {
    /// Its class in the style sheet.
    pub(in crate::console) class: &'static str,
    /// What people call it.
    pub(in crate::console) name: &'static str,
    /// The place in each slot; none where there is nothing.
    pub(in crate::console) places: Vec<Option<usize>>,
}

/// A chart of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Lines {
    pub(in crate::console) id: &'static str,
    /// What it shows, in a word or two.
    pub(in crate::console) title: String,
    /// What it says, in a sentence.
    pub(in crate::console) sentence: String,
    pub(in crate::console) lines: Vec<Line>,
    /// What the slots are called.
    pub(in crate::console) slots: Vec<String>,
    /// What the places are called, the lowest one first.
    places: Vec<String>,
    /// The lowest and the highest place that is drawn.
    drawn: (usize, usize),
}

impl Lines {
    pub(in crate::console) fn new(
        id: &'static str,
        title: impl Into<String>,
        lines: Vec<Line>,
        slots: Vec<String>,
        places: Vec<String>,
    ) -> Self {
        let used = || lines.iter().flat_map(|line| line.places.iter().flatten().copied());
        let (low, high) = (used().min().unwrap_or(0), used().max().unwrap_or(0));
        // One place around what is there, and two at least, so that a level line is no edge.
        let drawn = (low.saturating_sub(1), (high + 1).min(places.len().saturating_sub(1)).max(1));
        let (title, sentence) = (title.into(), String::new());
        let mut chart = Self { id, title, sentence, lines, slots, places, drawn };
        chart.sentence = chart.in_a_sentence();
        chart
    }

    /// Units of the plot's width.
    pub(in crate::console) const fn width(&self) -> u64 {
        self.slots.len() as u64 * SLOT
    }

    /// The names of the places beside the plot, from above, equally far apart.
    pub(in crate::console) fn ticks(&self) -> Vec<&str> {
        (self.drawn.0..=self.drawn.1).rev().map(|place| self.place(place)).collect()
    }

    /// The lines of those places.
    pub(in crate::console) fn rules(&self) -> Vec<u64> {
        (self.drawn.0..=self.drawn.1).rev().map(|place| self.height(place)).collect()
    }

    /// How a line goes, as path data: straight through each slot, upright between two, broken where there is nothing.
    pub(in crate::console) fn path(&self, line: &Line) -> String {
        let (mut path, mut pen) = (String::new(), false);
        for (slot, place) in line.places.iter().enumerate() {
            let Some(y) = place.map(|place| self.height(place)) else {
                pen = false;
                continue;
            };
            let (from, to) = (slot as u64 * SLOT, (slot as u64 + 1) * SLOT);
            // A `String` takes whatever is written.
            let _ = match pen {
                true => write!(path, "V{y}H{to}"),
                false => write!(path, "M{from} {y}H{to}"),
            };
            pen = true;
        }
        path
    }

    /// Where the room of a slot begins.
    pub(in crate::console) const fn left(&self, slot: &usize) -> u64 {
        *slot as u64 * SLOT
    }

    /// `22:31: p50 ≤ 1 ms, p95 ≤ 5 ms`.
    pub(in crate::console) fn words(&self, slot: &usize) -> String {
        let name = self.slots.get(*slot).map_or("", String::as_str);
        let said = self.lines.iter().filter_map(|line| {
            let place = line.places.get(*slot).copied().flatten()?;
            Some(format!("{} {}", line.name, self.place(place)))
        });
        let said: Vec<_> = said.collect();
        if said.is_empty() { format!("{name}: nothing") } else { format!("{name}: {}", said.join(", ")) }
    }

    /// What a line says in a slot.
    pub(in crate::console) fn cell(&self, line: &Line, slot: &usize) -> &str {
        line.places.get(*slot).copied().flatten().map_or("–", |place| self.place(place))
    }

    /// What stands below the plot: [`super::under`].
    pub(in crate::console) fn names(&self) -> Vec<(&str, bool)> {
        super::under(self.slots.iter().map(String::as_str))
    }

    pub(in crate::console) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.places.iter().all(Option::is_none))
    }

    fn place(&self, place: usize) -> &str {
        self.places.get(place).map_or("", String::as_str)
    }

    fn height(&self, place: usize) -> u64 {
        let (low, high) = self.drawn;
        let (above, all) = (high.saturating_sub(place) as u64, (high - low).max(1) as u64);
        above * HEIGHT / all
    }

    fn in_a_sentence(&self) -> String {
        let most = |line: &Line| {
            Some(format!(
                "{} at most {}",
                line.name,
                self.place(line.places.iter().flatten().max().copied()?)
            ))
        };
        let said: Vec<_> = self.lines.iter().filter_map(most).collect();
        if said.is_empty() {
            format!("{}: nothing yet.", self.title)
        } else {
            format!("{}.", said.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(places: &[Option<usize>]) -> Lines {
        let line = Line { class: "p95", name: "p95", places: places.to_vec() };
        let slots = (0..places.len()).map(|slot| format!("0{slot}")).collect();
        Lines::new(
            "id",
            "Latency",
            vec![line],
            slots,
            ["1 ms", "2 ms", "5 ms", "more"].map(str::to_owned).into(),
        )
    }

    #[test]
    fn a_line_is_where_its_values_are_and_broken_where_there_are_none() {
        let drawn = chart(&[Some(1), Some(2), None, Some(1)]);
        assert_eq!(drawn.ticks(), ["more", "5 ms", "2 ms", "1 ms"]);
        assert_eq!(drawn.rules(), [0, 333, 666, 1000]);
        assert_eq!(drawn.path(&drawn.lines[0]), "M0 666H100V333H200M300 666H400");
        assert_eq!(drawn.words(&1), "01: p95 5 ms");
        assert_eq!(drawn.words(&2), "02: nothing");
        assert_eq!(drawn.sentence, "p95 at most 5 ms.");
        assert_eq!(drawn.cell(&drawn.lines[0], &2), "–");
    }

    #[test]
    fn a_level_line_has_room_around_it_and_none_is_none() {
        let level = chart(&[Some(0), Some(0)]);
        assert_eq!(level.ticks(), ["2 ms", "1 ms"]);
        let nothing = chart(&[None]);
        assert!(nothing.is_empty() && nothing.path(&nothing.lines[0]).is_empty());
        assert_eq!(nothing.sentence, "Latency: nothing yet.");
        let top = chart(&[Some(3)]);
        assert_eq!(top.ticks(), ["more", "5 ms"]);
    }
}
