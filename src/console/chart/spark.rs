//! A line without words, beside a number: how it came about.

use std::fmt::Write;

use super::{HEIGHT, SLOT};

/// A small line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::console) struct Spark {
    /// The line, as path data.
    pub(in crate::console) line: String,
    /// What is below it.
    pub(in crate::console) area: String,
    pub(in crate::console) width: u64,
}

impl Spark {
    /// Of these values; it breaks off where they are not known.
    pub(in crate::console) fn of(values: &[Option<u64>]) -> Self {
        let most = values.iter().flatten().copied().max().unwrap_or_default().max(1);
        let (mut line, mut area) = (String::new(), String::new());
        let known = values.iter().enumerate().map(|(slot, value)| (slot as u64 * SLOT + SLOT / 2, *value));
        let known: Vec<_> = known.collect();
        for run in known.split(|(_, value)| value.is_none()) {
            let points = run.iter().filter_map(|(x, value)| Some((*x, height(most, (*value)?))));
            draw(&points.collect::<Vec<_>>(), &mut line, &mut area);
        }
        Self { line, area, width: values.len() as u64 * SLOT }
    }
}

fn height(most: u64, value: u64) -> u64 {
    let drawn = u128::from(value) * u128::from(HEIGHT) / u128::from(most);
    HEIGHT - u64::try_from(drawn).unwrap_or(HEIGHT)
}

/// A run of points; a single one is drawn as wide as its slot. A `String` takes whatever is written.
fn draw(points: &[(u64, u64)], line: &mut String, area: &mut String) {
    let (Some((first, y)), Some((last, _))) = (points.first(), points.last()) else { return };
    if points.len() == 1 {
        let (from, to) = (first - SLOT / 2, last + SLOT / 2);
        let _ = write!(line, "M{from} {y}H{to}");
        let _ = write!(area, "M{from} {HEIGHT}V{y}H{to}V{HEIGHT}Z");
        return;
    }
    let _ = write!(line, "M{first} {y}");
    let _ = write!(area, "M{first} {HEIGHT}V{y}");
    for (x, y) in &points[1..] {
        let _ = write!(line, "L{x} {y}");
        let _ = write!(area, "L{x} {y}");
    }
    let _ = write!(area, "V{HEIGHT}Z");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_through_its_values_and_breaks_off_where_they_are_not_known() {
        let spark = Spark::of(&[Some(0), Some(4), None, Some(2)]);
        assert_eq!(spark.line, "M50 1000L150 0M300 500H400");
        assert_eq!(spark.area, "M50 1000V1000L150 0V1000ZM300 1000V500H400V1000Z");
        assert_eq!((Spark::of(&[None, None]).line.as_str(), spark.width), ("", 400));
        assert_eq!(Spark::of(&[Some(0)]).line, "M0 1000H100", "nothing is a line at the ground");
        assert_eq!(Spark::of(&[Some(u64::MAX), Some(u64::MAX)]).line, "M50 0L150 0");
    }
}
