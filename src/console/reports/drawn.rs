//! What of a report says more as a picture: days as bars, and what there is most of as a ranking.

use crate::console::chart::{Bars, Ranked, Ranking, Series, Slot};
use crate::console::text;
use crate::reports::{Cell, Frame, Lead, Report};

/// A picture.
pub(super) enum Drawn {
    Days(Bars),
    Most(Ranking),
}

/// Bars of a chart at most: more days are drawn several to a bar.
const SLOTS: usize = 120;

/// Rows of a ranking at most.
const RANKED: usize = 10;

/// A column, and how it is drawn.
type Drawing = (&'static str, Series);

const fn series(column: &'static str, class: &'static str, name: &'static str) -> Drawing {
    (column, Series { class, name })
}

/// The picture of a report, where it has one.
pub(super) fn drawn(frame: &Frame, link: impl Fn(&Lead) -> Option<String>) -> Option<Drawn> {
    let (signed_in, people) = (
        [
            series("signed in", "ok", "signed in"),
            series("failed", "failed", "failed"),
            series("credentials refused", "refused", "credentials refused"),
        ],
        [series("requests", "ok", "requests")],
    );
    let outcomes = [
        series("let in", "ok", "let in"),
        series("refused", "refused", "refused"),
        series("failed", "failed", "failed"),
    ];
    let drawn = match frame.report {
        Report::SignIns => Drawn::Days(days(frame, ("Sign-ins", "attempt"), &signed_in, link)),
        Report::Access => Drawn::Days(days(frame, ("Requests", "request"), &outcomes, link)),
        Report::Apps => Drawn::Most(most(frame, ("Requests by app", "app", "request"), &outcomes, link)),
        Report::People => {
            Drawn::Most(most(frame, ("Requests by person", "person", "request"), &people, link))
        }
        Report::Refusals => {
            let times = [series("times", "refused", "refusals")];
            Drawn::Most(most(frame, ("Refusals by reason", "reason", "refusal"), &times, link))
        }
        Report::Providers => {
            let sign_ins = [series("sign-ins", "ok", "signed in"), series("failed", "failed", "failed")];
            Drawn::Most(most(frame, ("Sign-ins by provider", "provider", "sign-in"), &sign_ins, link))
        }
        Report::Anomalies => Drawn::Most(counted(frame, ("Findings by kind", "finding", "finding"))),
        Report::AccessReview => Drawn::Most(counted(frame, ("What is to be looked at", "review", "row"))),
        Report::Sessions | Report::Dormant | Report::Changes => return None,
    };
    let is_empty = match &drawn {
        Drawn::Days(_) => false,
        Drawn::Most(ranking) => ranking.rows.is_empty(),
    };
    (!is_empty).then_some(drawn)
}

fn number(frame: &Frame, row: &[Cell], column: &str) -> u64 {
    let index = frame.columns.iter().position(|known| known.name == column);
    match index.and_then(|index| row.get(index)) {
        Some(Cell::Number(number)) => *number,
        Some(Cell::None | Cell::Unknown | Cell::Text(_) | Cell::Time(_)) | None => 0,
    }
}

fn word(frame: &Frame, row: &[Cell], column: &str) -> String {
    let index = frame.columns.iter().position(|known| known.name == column);
    match index.and_then(|index| row.get(index)) {
        Some(Cell::Text(text)) => text::short(text),
        Some(Cell::Unknown) => "unknown".to_owned(),
        Some(Cell::None | Cell::Number(_) | Cell::Time(_)) | None => "none".to_owned(),
    }
}

/// The rows, which are days, as bars: several of them to a bar where there are many.
fn days(
    frame: &Frame,
    (title, unit): (&'static str, &'static str),
    drawings: &[Drawing],
    link: impl Fn(&Lead) -> Option<String>,
) -> Bars {
    let each = frame.rows.len().div_ceil(SLOTS).max(1);
    let rows: Vec<_> = frame.rows.iter().zip(&frame.leads).collect();
    let slot = |days: &[(&Vec<Cell>, &Lead)]| {
        let sum = |column: &str| days.iter().map(|(row, _)| number(frame, row, column)).sum();
        let (first, last) = (days.first(), days.last());
        let name = |day: Option<&(&Vec<Cell>, &Lead)>| day.map(|(row, _)| word(frame, row, "day"));
        let (from, to) = (name(first).unwrap_or_default(), name(last).unwrap_or_default());
        Slot {
            name: if from == to { from } else { format!("{from} to {to}") },
            counts: Some(drawings.iter().map(|(column, _)| sum(column)).collect()),
            link: first.filter(|_| days.len() == 1).and_then(|(_, lead)| link(lead)),
        }
    };
    let series: Vec<_> = drawings.iter().map(|(_, series)| *series).collect();
    Bars::new("days", title, unit, &series, rows.chunks(each).map(slot).collect()).in_zone(frame.zone_name())
}

/// The rows that have most, by the values of `column`.
fn most(
    frame: &Frame,
    (title, column, unit): (&'static str, &'static str, &'static str),
    drawings: &[Drawing],
    link: impl Fn(&Lead) -> Option<String>,
) -> Ranking {
    let row = |(row, lead): (&Vec<Cell>, &Lead)| Ranked {
        name: word(frame, row, column),
        link: link(lead),
        counts: drawings.iter().map(|(column, _)| number(frame, row, column)).collect(),
    };
    let mut rows: Vec<_> = frame.rows.iter().zip(&frame.leads).map(row).collect();
    // Several apps refuse for one reason; two people of one name are two.
    if frame.report == Report::Refusals {
        rows = merged(rows);
    }
    let series: Vec<_> = drawings.iter().map(|(_, series)| *series).collect();
    Ranking::new("most", title, (column, unit), &series, rows, RANKED)
}

/// Those of one name as one, which then leads nowhere.
fn merged(rows: Vec<Ranked>) -> Vec<Ranked> {
    let mut merged: Vec<Ranked> = Vec::new();
    for row in rows {
        match merged.iter_mut().find(|known| known.name == row.name) {
            Some(known) => {
                known.link = None;
                known.counts.iter_mut().zip(row.counts).for_each(|(all, count)| *all += count);
            }
            None => merged.push(row),
        }
    }
    merged
}

/// How many rows have each value of `column`.
fn counted(frame: &Frame, (title, column, unit): (&'static str, &'static str, &'static str)) -> Ranking {
    let mut rows: Vec<Ranked> = Vec::new();
    for row in &frame.rows {
        let name = word(frame, row, column);
        match rows.iter_mut().find(|known| known.name == name) {
            Some(known) => known.counts.iter_mut().for_each(|count| *count += 1),
            None => rows.push(Ranked { name, link: None, counts: vec![1] }),
        }
    }
    let rows_are = [Series { class: "info", name: "rows" }];
    Ranking::new("most", title, (column, unit), &rows_are, rows, RANKED)
}
