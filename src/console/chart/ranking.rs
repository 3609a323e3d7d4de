//! What there is most of: a bar for each name, with its numbers beside it, so that the picture is its own table.

use std::cmp::Reverse;

use super::bars::Series;
use crate::console::text;

/// A name, and how much there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Ranked {
    /// What it is called.
    pub(in crate::console) name: String,
    /// Where it leads.
    pub(in crate::console) link: Option<String>,
    /// How many of each series.
    pub(in crate::console) counts: Vec<u64>,
}

impl Ranked {
    /// Its counts, as they are written.
    pub(in crate::console) fn cells(&self) -> Vec<String> {
        self.counts.iter().map(text::grouped).collect()
    }

    fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// A ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct Ranking {
    pub(in crate::console) id: &'static str,
    /// What it shows, in a word or two.
    pub(in crate::console) title: &'static str,
    /// What the names are.
    pub(in crate::console) column: &'static str,
    pub(in crate::console) series: Vec<Series>,
    /// Those that have most, the most first.
    pub(in crate::console) rows: Vec<Ranked>,
    /// How many others there are.
    pub(in crate::console) hidden: u64,
    /// What is counted, in the singular.
    unit: &'static str,
    /// All of it, those that are not shown as well.
    all: u64,
}

impl Ranking {
    /// Of the names that have anything the first `most`.
    pub(in crate::console) fn new(
        id: &'static str,
        title: &'static str,
        (column, unit): (&'static str, &'static str),
        series: &[Series],
        mut rows: Vec<Ranked>,
        most: usize,
    ) -> Self {
        rows.retain(|row| row.total() > 0);
        rows.sort_by_key(|row| Reverse(row.total()));
        let all = rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.total()));
        let hidden = rows.len().saturating_sub(most) as u64;
        rows.truncate(most);
        Self { id, title, column, series: series.to_vec(), rows, hidden, unit, all }
    }

    /// What it says, in a sentence.
    pub(in crate::console) fn sentence(&self) -> String {
        let all = text::many(self.all, self.unit);
        match self.rows.first() {
            Some(first) => format!("{all}; most: {}, {}.", first.name, text::grouped(first.total())),
            None => format!("{all}."),
        }
    }

    /// How many there are of a series, in the rows that are shown.
    pub(in crate::console) fn sum(&self, series: &usize) -> u64 {
        self.rows.iter().filter_map(|row| row.counts.get(*series)).sum()
    }

    /// The parts of a row's bar: a class, where it begins and how wide it is, in thousandths of the longest.
    pub(in crate::console) fn parts(&self, row: &Ranked) -> Vec<(&'static str, u64, u64)> {
        let longest = self.rows.first().map_or(1, Ranked::total).max(1);
        let scale =
            |count: u64| u64::try_from(u128::from(count) * 1_000 / u128::from(longest)).unwrap_or(1_000);
        let (mut before, mut parts) = (0_u64, Vec::new());
        for (series, count) in self.series.iter().zip(&row.counts) {
            let (begin, end) = (scale(before), scale(before.saturating_add(*count)));
            // What is there is seen, be it ever so little beside the others.
            let width = (end - begin).max(if *count > 0 { LEAST } else { 0 });
            if width > 0 {
                parts.push((series.class, begin.min(1_000 - LEAST), width));
            }
            before = before.saturating_add(*count);
        }
        parts
    }
}

/// Thousandths of the smallest part that can be seen.
const LEAST: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: [Series; 2] =
        [Series { class: "ok", name: "let in" }, Series { class: "refused", name: "refused" }];

    fn ranking(counts: &[[u64; 2]], most: usize) -> Ranking {
        let row = |(at, counts): (usize, &[u64; 2])| Ranked {
            name: format!("app-{at}"),
            link: None,
            counts: counts.to_vec(),
        };
        let rows = counts.iter().enumerate().map(row).collect();
        Ranking::new("most", "Requests by app", ("app", "request"), &TWO, rows, most)
    }

    #[test]
    fn the_most_stands_first_and_what_is_left_out_is_said() {
        let ranking = ranking(&[[1, 0], [0, 0], [10, 2], [3, 0]], 2);
        let names: Vec<_> = ranking.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, ranking.hidden), (vec!["app-2", "app-3"], 1));
        assert_eq!(ranking.sentence(), "16 requests; most: app-2, 12.");
        assert_eq!(ranking.parts(&ranking.rows[0]), [("ok", 0, 833), ("refused", 833, 167)]);
        assert_eq!(self::ranking(&[], 2).sentence(), "0 requests.");
    }

    proptest! {
        #[test]
        fn bars_are_as_long_as_their_counts(counts in prop::collection::vec(any::<[u64; 2]>(), 0..20)) {
            let ranking = ranking(&counts, 10);
            for row in &ranking.rows {
                for (_, begin, width) in ranking.parts(row) {
                    prop_assert!(begin <= 1_000 - LEAST && width >= 1 && begin + width <= 1_000 + LEAST);
                }
            }
        }
    }
}
