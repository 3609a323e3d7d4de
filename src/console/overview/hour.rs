//! The last hour, as charts.

use super::shares::{Kind, kind, outcome_in_words, thousandths};
use crate::console::chart::{Bars, Line, Lines, Series, Slot, Spark};
use crate::console::text;
use crate::history::{Counters, Minute};
use crate::telemetry::{BUCKETS, Outcome};

/// What is said of the last hour.
pub(super) struct Hour {
    pub(super) tiles: Vec<Tile>,
    pub(super) requests: Bars,
    pub(super) latency: Lines,
    pub(super) sign_ins: Bars,
    pub(super) outcomes: Vec<OutcomeRow>,
    /// Minutes of it of which nothing is known.
    pub(super) unknown: usize,
}

/// A number, and how it came about.
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    pub(super) value: String,
    pub(super) beside: String,
    pub(super) spark: Spark,
}

/// How often requests came to this.
pub(super) struct OutcomeRow {
    pub(super) words: &'static str,
    pub(super) class: &'static str,
    pub(super) count: u64,
    pub(super) width: u64,
}

const SIGN_INS: [Series; 2] =
    [Series { class: "ok", name: "succeeded" }, Series { class: "refused", name: "failed" }];

/// Shares of a thousand that are told of latencies, each with its class and its name.
const PERCENTILES: [(u64, &str, &str); 3] =
    [(500, "p50", "half"), (950, "p95", "95 %"), (990, "p99", "99 %")];

impl Hour {
    pub(super) fn of(minutes: &[Minute]) -> Self {
        let all = sum(minutes);
        Self {
            tiles: tiles(minutes, &all),
            requests: requests(minutes),
            latency: latency(minutes),
            sign_ins: sign_ins(minutes),
            outcomes: outcomes(&all.outcomes),
            unknown: minutes.iter().filter(|minute| minute.counted.is_none()).count(),
        }
    }
}

fn sum(minutes: &[Minute]) -> Counters {
    let mut all = Counters::default();
    for counted in minutes.iter().filter_map(|minute| minute.counted) {
        all.outcomes.iter_mut().zip(counted.outcomes).for_each(|(all, count)| *all += count);
        all.latencies.iter_mut().zip(counted.latencies).for_each(|(all, count)| *all += count);
        all.sign_ins.0 += counted.sign_ins.0;
        all.sign_ins.1 += counted.sign_ins.1;
    }
    all
}

fn of_kind(counted: &Counters, wanted: Kind) -> u64 {
    let counts = Outcome::ALL.into_iter().zip(counted.outcomes);
    counts.filter(|(outcome, _)| kind(*outcome) == wanted).map(|(_, count)| count).sum()
}

fn tiles(minutes: &[Minute], all: &Counters) -> Vec<Tile> {
    let spark = |of: &dyn Fn(&Counters) -> u64| {
        Spark::of(&minutes.iter().map(|minute| minute.counted.as_ref().map(of)).collect::<Vec<_>>())
    };
    let share = |count: u64| match all.requests() {
        0 => String::new(),
        total => percent(thousandths(count, total)),
    };
    let kinds = [(Kind::LetIn, "Let in"), (Kind::Refused, "Refused"), (Kind::Failed, "Failed")];
    let of_kinds = kinds.map(|(wanted, label)| {
        let count = of_kind(all, wanted);
        let spark = spark(&|counted| of_kind(counted, wanted));
        Tile { label, class: wanted.class(), value: text::grouped(count), beside: share(count), spark }
    });
    let requests = Tile {
        label: "Requests",
        class: "",
        value: text::grouped(all.requests()),
        beside: a_minute(minutes, all),
        spark: spark(&Counters::requests),
    };
    let (succeeded, failed) = all.sign_ins;
    let sign_ins = Tile {
        label: "Sign-ins",
        class: "",
        value: text::grouped(succeeded),
        beside: if failed == 0 { "none failed".into() } else { format!("{} failed", text::grouped(failed)) },
        spark: spark(&|counted| counted.sign_ins.0),
    };
    let slow = |counted: &Counters| counted.percentile(950).map(|bucket| bucket as u64 + 1);
    let latency = Tile {
        label: "95 % answered",
        class: "",
        value: all.percentile(950).map_or_else(|| "–".into(), bound),
        beside: all.percentile(500).map_or_else(String::new, |half| format!("half {}", bound(half))),
        spark: Spark::of(
            &minutes.iter().map(|minute| minute.counted.as_ref().and_then(slow)).collect::<Vec<_>>(),
        ),
    };
    [requests].into_iter().chain(of_kinds).chain([sign_ins, latency]).collect()
}

/// How many there were in a minute of which something is known.
fn a_minute(minutes: &[Minute], all: &Counters) -> String {
    let known = minutes.iter().filter(|minute| minute.counted.is_some()).count() as u64;
    format!("{} a minute", text::grouped(all.requests().checked_div(known).unwrap_or_default()))
}

/// `12.5 %`.
pub(super) fn percent(thousandths: u64) -> String {
    match thousandths % 10 {
        0 => format!("{} %", thousandths / 10),
        tenths => format!("{}.{tenths} %", thousandths / 10),
    }
}

/// `22:31`, of UTC.
fn name(minute: &Minute) -> String {
    minute.begins.rfc3339().get(11..16).unwrap_or_default().to_owned()
}

fn slots(minutes: &[Minute], counts: impl Fn(&Counters) -> Vec<u64>) -> Vec<Slot> {
    let slot = |minute: &Minute| Slot {
        name: name(minute),
        counts: minute.counted.as_ref().map(&counts),
        link: None,
    };
    minutes.iter().map(slot).collect()
}

fn requests(minutes: &[Minute]) -> Bars {
    let series = Kind::ALL.map(|kind| Series { class: kind.class(), name: kind.word() });
    let counts = |counted: &Counters| Kind::ALL.map(|kind| of_kind(counted, kind)).to_vec();
    Bars::new("requests", "Requests by minute", "request", &series, slots(minutes, counts))
}

fn sign_ins(minutes: &[Minute]) -> Bars {
    let counts = |counted: &Counters| vec![counted.sign_ins.0, counted.sign_ins.1];
    Bars::new("sign-ins", "Sign-ins by minute", "sign-in", &SIGN_INS, slots(minutes, counts))
}

fn latency(minutes: &[Minute]) -> Lines {
    let line = |(share, class, name): (u64, &'static str, &'static str)| Line {
        class,
        name,
        places: minutes.iter().map(|minute| minute.counted.as_ref()?.percentile(share)).collect(),
    };
    let places = (0..=BUCKETS.len()).map(bound).collect();
    let slots = minutes.iter().map(name).collect();
    Lines::new("latency", "How long requests took", PERCENTILES.map(line).to_vec(), slots, places)
}

/// `≤ 25 ms`: what is known of a request in this bucket.
fn bound(bucket: usize) -> String {
    let words = |micros: u64| match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 if micros.is_multiple_of(1_000) => format!("{} ms", micros / 1_000),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{} s", micros / 1_000_000),
    };
    match BUCKETS.get(bucket) {
        Some(bound) => format!("≤ {}", words(*bound)),
        None => format!("> {}", words(BUCKETS[BUCKETS.len() - 1])),
    }
}

fn outcomes(counts: &[u64; Outcome::ALL.len()]) -> Vec<OutcomeRow> {
    let most = counts.iter().copied().max().unwrap_or_default();
    let row = |(outcome, count): (Outcome, u64)| OutcomeRow {
        words: outcome_in_words(outcome),
        class: kind(outcome).class(),
        count,
        width: thousandths(count, most),
    };
    Outcome::ALL.into_iter().zip(*counts).filter(|(_, count)| *count > 0).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn minute(number: u64, counted: Option<Counters>) -> Minute {
        Minute { begins: Timestamp::from_seconds(number * 60), counted }
    }

    fn counters(allowed: u64, forbidden: u64, bucket: usize) -> Counters {
        let mut counters = Counters { sign_ins: (allowed, forbidden), ..Counters::default() };
        counters.outcomes[Outcome::Allowed as usize] = allowed;
        counters.outcomes[Outcome::Forbidden as usize] = forbidden;
        counters.latencies[bucket] = allowed + forbidden;
        counters
    }

    #[test]
    fn an_hour_is_the_sum_of_its_minutes() {
        let hour = Hour::of(&[
            minute(0, None),
            minute(1, Some(counters(6, 1, 2))),
            minute(2, Some(counters(1, 0, 5))),
        ]);
        let tile = |label: &str| {
            let tile = hour.tiles.iter().find(|tile| tile.label == label).unwrap();
            (tile.value.clone(), tile.beside.clone())
        };
        assert_eq!(tile("Requests"), ("8".into(), "4 a minute".into()));
        assert_eq!(tile("Let in"), ("7".into(), "87.5 %".into()));
        assert_eq!(tile("Refused"), ("1".into(), "12.5 %".into()));
        assert_eq!(tile("Failed"), ("0".into(), "0 %".into()));
        assert_eq!(tile("Sign-ins"), ("7".into(), "1 failed".into()));
        assert_eq!(tile("95 % answered"), ("≤ 10 ms".into(), "half ≤ 1 ms".into()));
        assert_eq!(hour.requests.words(&hour.requests.slots[1]), "00:01: 7 requests, 6 let in, 1 refused");
        assert_eq!(hour.latency.words(&2), "00:02: half ≤ 10 ms, 95 % ≤ 10 ms, 99 % ≤ 10 ms");
        assert_eq!((hour.unknown, hour.outcomes.len()), (1, 2));
        assert_eq!(hour.outcomes.iter().map(|row| row.count).sum::<u64>(), 8);
    }

    #[test]
    fn without_requests_nothing_is_made_up() {
        let hour = Hour::of(&[minute(0, Some(Counters::default()))]);
        let values: Vec<_> = hour.tiles.iter().map(|tile| tile.value.as_str()).collect();
        assert_eq!(values, ["0", "0", "0", "0", "0", "–"]);
        assert!(hour.tiles[1].beside.is_empty() && hour.outcomes.is_empty() && hour.latency.is_empty());
    }

    #[test]
    fn bounds_are_in_words() {
        let words: Vec<_> = (0..=BUCKETS.len()).map(bound).collect();
        assert_eq!(words[..4], ["≤ 250 µs", "≤ 500 µs", "≤ 1 ms", "≤ 2.5 ms"]);
        assert_eq!(words[10..], ["≤ 1 s", "≤ 5 s", "≤ 30 s", "> 30 s"]);
    }
}
