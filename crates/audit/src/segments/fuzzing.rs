//! Questions as strangers write them.

#![allow(clippy::panic, clippy::expect_used, reason = "it fails as tests do")]

use std::str::FromStr as _;

use rusqlite::{Connection, params_from_iter};

use super::cursor::Cursor;
use super::filter::Filter;
use super::keys::{Pseudonym, StoreKeys};
use super::question::Asked;
use super::{erasures, push_csv, schema};
use crate::clock::Moment;

/// Rows of a segment: when, kind, route, provider, status. The words are those of [`WORDS`], from 1 on.
const ROWS: &str = "
    INSERT INTO person VALUES (1, x'00000000000000000000000000000000');
    INSERT INTO event(time, id, kind, route, provider, status, outcome, person)
      VALUES (1000, 1, 1, 3, 5, 200, 1, 1), (2000, 2, 2, 4, 6, 404, 5, NULL), (2000, 3, 2, NULL, NULL, NULL, NULL, NULL);";
const WORDS: [&str; 6] =
    ["access.granted", "sign-in.failed", "wiki", "a'); DROP TABLE event; --", "corp", "%"];

/// Lines such as `user alice`: whatever they ask for has a bound, is a question that a segment answers, and what it answers
/// is what was asked for; a cursor is read as it was written.
pub fn event_filters(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut filter = Filter::default();
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let _ = filter.set(name, value, Moment::from_micros(3000));
        cursor(value, &filter);
        csv(line);
    }
    assert!(filter.users.len() <= 16 && filter.routes.len() <= 16 && filter.providers.len() <= 16);
    ask(&filter);
}

fn ask(filter: &Filter) {
    let segment = segment();
    let people = (!filter.users.is_empty()).then(|| vec![Pseudonym([0; 16])]);
    let asked = Asked::new(filter, people, &StoreKeys::of(&[7; 64]));
    let Some(condition) = asked.condition(&segment).expect("a question that is understood") else { return };
    let chosen = condition.text();
    let sql =
        format!("SELECT time, route, status FROM event WHERE {chosen} ORDER BY time DESC, id DESC LIMIT 9");
    let mut statement = segment.prepare(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let mut rows = statement.query(params_from_iter(&condition.values)).expect("values that fit");
    while let Some(row) = rows.next().expect("an answer") {
        let number = |column| row.get::<_, Option<i64>>(column).expect("a number").map(i64::cast_unsigned);
        let (time, route, status) = (number(0).unwrap_or(0), number(1), number(2));
        assert!(filter.until.is_none_or(|until| time < until));
        assert!(filter.since.is_none_or(|since| time >= since));
        let named = route.and_then(|route| WORDS.get(route as usize - 1)).map(|word| (*word).to_owned());
        assert!(filter.routes.is_empty() || named.is_some_and(|named| filter.routes.contains(&named)));
        let within = |(from, to)| status.is_some_and(|status| (from..=to).contains(&status));
        assert!(filter.status.is_none_or(within));
    }
}

fn segment() -> Connection {
    let segment = schema::in_memory().expect("a segment");
    for (index, word) in WORDS.iter().enumerate() {
        let number = index as i64 + 1;
        segment.execute("INSERT INTO word VALUES (?1, ?2)", (number, *word)).expect("a word");
    }
    segment.execute_batch(ROWS).expect("rows");
    segment
}

fn cursor(text: &str, filter: &Filter) {
    let Ok(cursor) = Cursor::from_str(text) else { return };
    assert!(text.len() <= 64, "{text:?}");
    assert_eq!(Cursor::from_str(&cursor.to_string()), Ok(cursor.clone()));
    let _ = cursor.is_of(filter);
}

/// Whatever stands in a cell is one cell, which calculates nothing and steers nothing.
fn csv(text: &str) {
    let mut row = String::new();
    push_csv(["1", text, "2"], &mut row);
    assert!(row.starts_with("1,") && row.ends_with(",2\r\n"), "{row:?}");
    let inside = &row[2..row.len() - 4];
    let cell = match inside.strip_prefix('"') {
        Some(quoted) => {
            quoted.strip_suffix('"').unwrap_or_else(|| panic!("{row:?}")).replace("\"\"", "\u{1}")
        }
        None => inside.to_owned(),
    };
    assert!(!cell.contains('"') && !cell.contains(['\u{1b}', '\n', '\r']), "{row:?}");
    let is_number = || cell.parse::<f64>().is_ok();
    assert!(!cell.starts_with(['=', '+', '-', '@']) || is_number(), "{row:?}");
}

/// A list of erasures: whoever is read of it stands there, and up to when.
pub fn erasures(data: &[u8]) {
    if let Ok(read) = erasures::parse(data) {
        let text = String::from_utf8_lossy(data);
        for person in read.people() {
            let until = read.until(person).expect("when that was");
            let digits = person.to_string();
            let said = text.lines().any(|line| {
                line.get(..32).is_some_and(|start| start.eq_ignore_ascii_case(&digits))
                    && line.get(33..).and_then(|rest| rest.parse().ok()) == Some(until)
            });
            assert!(said, "{digits} {until} stands nowhere");
        }
    }
}

#[cfg(test)]
mod smoke {
    #[test]
    fn erasures() {
        portcullis_rules::fuzzing::smoke("erasures", 1_000, super::erasures);
    }

    #[test]
    fn event_filters() {
        portcullis_rules::fuzzing::smoke("event_filters", 1_000, super::event_filters);
    }
}
