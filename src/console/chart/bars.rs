//! Counts over time: a bar for each slot, of one piece for each series.

use super::scale::Scale;
use super::{DRAWN, HEIGHT, SLOT};
use crate::console::text;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) struct Series {
    /// Its class in the style sheet.
    pub(in crate::console) class: &'static str,
    /// What people call it.
    pub(in crate::console) name: &'static str,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Slot {
    /// What people call it: `22:31`.
    pub(in crate::console) name: String,
    /// How many of each series; none where nobody knows, which is drawn as another thing than nothing.
    pub(in crate::console) counts: Option<Vec<u64>>,
    /// Where its number leads.
    pub(in crate::console) link: Option<String>,
}

/// A chart of bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Bars {
    pub(in crate::console) id: &'static str,
    /// What it shows, in a word or two.
    pub(in crate::console) title: String,
    pub(in crate::console) series: Vec<Series>,
    pub(in crate::console) slots: Vec<Slot>,
    /// What is counted, in the singular.
    pub(in crate::console) unit: &'static str,
    /// The zone of the slots' names.
    pub(in crate::console) zone: String,
    scale: Scale,
}

/// A piece of a bar, in units of the plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) struct Piece {
    pub(in crate::console) class: &'static str,
    pub(in crate::console) x: u64,
    pub(in crate::console) y: u64,
    pub(in crate::console) width: u64,
    pub(in crate::console) height: u64,
}

impl Bars {
    pub(in crate::console) fn new(
        id: &'static str,
        title: impl Into<String>,
        unit: &'static str,
        series: &[Series],
        slots: Vec<Slot>,
    ) -> Self {
        let most = slots.iter().filter_map(Slot::total).max().unwrap_or_default();
        let (title, zone) = (title.into(), "UTC".to_owned());
        Self { id, title, series: series.to_vec(), slots, unit, zone, scale: Scale::up_to(most) }
    }

    /// The same with slots of another zone.
    pub(in crate::console) fn in_zone(self, zone: &str) -> Self {
        Self { zone: zone.to_owned(), ..self }
    }

    /// Units of the plot's width.
    pub(in crate::console) const fn width(&self) -> u64 {
        self.slots.len() as u64 * SLOT
    }

    /// The numbers beside the plot, from above.
    pub(in crate::console) fn ticks(&self) -> Vec<String> {
        self.scale.ticks().map(text::grouped).collect()
    }

    /// The lines of those numbers.
    pub(in crate::console) fn lines(&self) -> Vec<u64> {
        self.scale.lines()
    }

    /// The pieces of the bar of `slot`, the first series lowest. Their ends are those of the sums, so that they add up.
    pub(in crate::console) fn pieces(&self, slot: &usize) -> Vec<Piece> {
        let counts = self.slots.get(*slot).and_then(|slot| slot.counts.as_deref()).unwrap_or_default();
        let (x, mut below, mut pieces) = (*slot as u64 * SLOT + (SLOT - DRAWN) / 2, 0, Vec::new());
        for (series, count) in self.series.iter().zip(counts) {
            let (from, to) = (self.scale.height(below), self.scale.height(below + count));
            below += count;
            // What is there is seen, be it ever so little beside the others.
            let height = (to - from).max(if *count > 0 { LEAST } else { 0 });
            let y = HEIGHT - (from + height).min(HEIGHT);
            if height > 0 {
                pieces.push(Piece { class: series.class, x, y, width: DRAWN, height });
            }
        }
        pieces
    }

    /// Where the room of a slot begins.
    pub(in crate::console) const fn left(&self, slot: &usize) -> u64 {
        *slot as u64 * SLOT
    }

    /// `22:31: 120 requests, 118 let in, 2 refused`.
    pub(in crate::console) fn words(&self, slot: &Slot) -> String {
        let Some(counts) = &slot.counts else { return format!("{}: not known", slot.name) };
        let parts = self.series.iter().zip(counts).filter(|(_, count)| **count > 0);
        let parts: String =
            parts.map(|(series, count)| format!(", {} {}", text::grouped(count), series.name)).collect();
        format!("{}: {}{parts}", slot.name, text::many(counts.iter().sum::<u64>(), self.unit))
    }

    /// What the chart says, in a sentence.
    pub(in crate::console) fn sentence(&self) -> String {
        let known: Vec<_> = self.slots.iter().filter(|slot| slot.counts.is_some()).collect();
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            return format!("{}: nothing is known yet.", self.title);
        };
        let all: u64 = known.iter().filter_map(|slot| slot.total()).sum();
        let (all, span) = (text::many(all, self.unit), format!("{} to {}", first.name, last.name));
        match known.iter().max_by_key(|slot| slot.total()).filter(|most| most.total() > Some(0)) {
            Some(most) => {
                let count = text::grouped(most.total().unwrap_or_default());
                format!("{all} from {span}; most at {}: {count}.", most.name)
            }
            None => format!("{all} from {span}."),
        }
    }

    /// What stands below the plot: [`super::under`].
    pub(in crate::console) fn names(&self) -> Vec<(&str, bool)> {
        super::under(self.slots.iter().map(|slot| slot.name.as_str()))
    }

    /// How many there are of a series in all.
    pub(in crate::console) fn sum(&self, series: &usize) -> u64 {
        let counts = self.slots.iter().filter_map(|slot| slot.counts.as_ref());
        counts.filter_map(|counts| counts.get(*series)).sum()
    }
}

impl Slot {
    /// All of it.
    pub(in crate::console) fn total(&self) -> Option<u64> {
        self.counts.as_ref().map(|counts| counts.iter().sum())
    }

    /// Its counts, as they are written.
    pub(in crate::console) fn cells(&self) -> Vec<String> {
        self.counts.iter().flatten().map(text::grouped).collect()
    }

    pub(in crate::console) const fn is_unknown(&self) -> bool {
        self.counts.is_none()
    }
}

/// Units of the smallest piece that can be seen.
const LEAST: u64 = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: [Series; 2] =
        [Series { class: "ok", name: "let in" }, Series { class: "refused", name: "refused" }];

    fn bars(counts: &[Option<[u64; 2]>]) -> Bars {
        let slot = |(at, counts): (usize, &Option<[u64; 2]>)| Slot {
            name: at.to_string(),
            counts: counts.map(|counts| counts.to_vec()),
            link: None,
        };
        Bars::new("id", "Requests", "request", &TWO, counts.iter().enumerate().map(slot).collect())
    }

    #[test]
    fn nothing_and_not_known_are_two_things() {
        let chart = bars(&[None, Some([0, 0]), Some([1_200, 1])]);
        assert_eq!(chart.words(&chart.slots[0]), "0: not known");
        assert_eq!(chart.words(&chart.slots[1]), "1: 0 requests");
        assert_eq!(chart.words(&chart.slots[2]), "2: 1,201 requests, 1,200 let in, 1 refused");
        assert_eq!(chart.sentence(), "1,201 requests from 1 to 2; most at 2: 1,201.");
        assert_eq!(bars(&[None]).sentence(), "Requests: nothing is known yet.");
        assert_eq!(bars(&[Some([0, 0])]).sentence(), "0 requests from 0 to 0.");
        assert!(chart.pieces(&0).is_empty() && chart.pieces(&1).is_empty());
        assert_eq!(chart.pieces(&2)[1].height, LEAST, "one among a thousand is seen");
        assert_eq!((chart.sum(&0), chart.sum(&1)), (1_200, 1));
    }

    proptest! {
        /// Against the plain rule of three, in whole numbers.
        #[test]
        fn bars_are_as_high_as_their_counts(counts in prop::collection::vec((0u64..5_000, 0u64..5_000), 1..70)) {
            let chart = bars(&counts.iter().map(|(one, other)| Some([*one, *other])).collect::<Vec<_>>());
            let top = chart.scale.top();
            for (at, (one, other)) in counts.iter().enumerate() {
                let pieces = chart.pieces(&at);
                prop_assert_eq!(pieces.len(), usize::from(*one > 0) + usize::from(*other > 0));
                for piece in &pieces {
                    prop_assert!(piece.y + piece.height <= HEIGHT && piece.x + piece.width <= chart.left(&(at + 1)));
                    prop_assert!(piece.x >= chart.left(&at));
                }
                let lowest = pieces.first().filter(|piece| piece.class == "ok");
                let drawn = lowest.map_or(0, |piece| piece.height);
                let exact = one * HEIGHT / top;
                prop_assert!(drawn.abs_diff(exact) <= 1 || drawn == LEAST && exact < LEAST, "{drawn} for {exact}");
                if let (Some(highest), true) = (pieces.last(), *one > 0 && *other > 0) {
                    let all = (one + other) * HEIGHT / top;
                    let reached = HEIGHT - highest.y;
                    prop_assert!(reached.abs_diff(all) <= 1 + LEAST, "{reached} for {all}");
                }
            }
            prop_assert!(chart.names().iter().filter(|(name, _)| !name.is_empty()).count() <= crate::console::chart::NAMES);
            prop_assert_eq!(chart.names().len(), chart.slots.len(), "each stands under its own");
        }
    }
}
