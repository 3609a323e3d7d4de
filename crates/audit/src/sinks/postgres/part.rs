//! What one writer has written on one day, as a place of a chain: each block's opening, its rows, its footer.

use std::collections::VecDeque;
use std::io;

use tokio_postgres::Row as Answer;

use super::blocks::place;
use super::columns::{self, Day, Row};
use super::record::{PostgresRecord, blocks_of, events_of, fault};
use crate::chain::{Finding, Footer, Hash, Opening, Piece, Place, Placed, What, note};

/// Rows that are asked for at once.
const ROWS: i64 = 500;

pub(super) struct Part<'a> {
    record: &'a PostgresRecord,
    day: &'a Day,
    writer: String,
    name: String,
    events: Pages<Event>,
    blocks: Pages<Block>,
    line: u64,
    at: u64,
    notes: Vec<String>,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Event {
    block: i64,
    n: i16,
    line: String,
    row: Row,
}

#[derive(Debug)]
struct Block {
    number: i64,
    opening: Option<String>,
    footer: String,
}

/// Rows that are read as they are needed.
#[derive(Debug)]
struct Pages<T> {
    rows: VecDeque<T>,
    is_end: bool,
}

/// What comes next.
enum Next {
    Opening(String),
    Event(Event),
    Footer(String),
}

impl<'a> Part<'a> {
    pub(super) fn new(record: &'a PostgresRecord, day: &'a Day, writer: String) -> Self {
        let name = place(day, &writer);
        let events = Pages { rows: VecDeque::new(), is_end: false };
        let blocks = Pages { rows: VecDeque::new(), is_end: false };
        let (notes, findings) = (Vec::new(), Vec::new());
        Self { record, day, writer, name, events, blocks, line: 0, at: 0, notes, findings }
    }

    fn advance(&mut self) -> io::Result<Option<Next>> {
        self.read_events((i64::MIN, i16::MIN))?;
        self.read_blocks(i64::MIN)?;
        let (event, block) = (self.events.rows.front(), self.blocks.rows.front_mut());
        Ok(match (event, block) {
            (None, None) => None,
            (Some(event), Some(block)) if event.block < block.number => self.next_event()?,
            (Some(_), None) => self.next_event()?,
            (event, Some(block)) => {
                let belongs = event.is_some_and(|event| event.block == block.number);
                match block.opening.take() {
                    Some(opening) => Some(Next::Opening(opening)),
                    None if belongs => self.next_event()?,
                    None => self.next_footer()?,
                }
            }
        })
    }

    fn next_event(&mut self) -> io::Result<Option<Next>> {
        let Some(event) = self.events.rows.pop_front() else { return Ok(None) };
        self.read_events((event.block, event.n))?;
        Ok(Some(Next::Event(event)))
    }

    fn next_footer(&mut self) -> io::Result<Option<Next>> {
        let Some(block) = self.blocks.rows.pop_front() else { return Ok(None) };
        self.read_blocks(block.number)?;
        Ok(Some(Next::Footer(block.footer)))
    }

    /// Reads the rows behind this one, where none is left.
    fn read_events(&mut self, (block, n): (i64, i16)) -> io::Result<()> {
        if !self.events.rows.is_empty() || self.events.is_end {
            return Ok(());
        }
        let names = columns::names().collect::<Vec<_>>().join(", ");
        let question = format!(
            "SELECT block, n, line, {names} FROM {} AND writer = $1 AND (block, n) > ($2, $3) \
             ORDER BY block, n LIMIT $4",
            events_of(self.day)
        );
        let rows = self.record.ask(&question, &[&self.writer, &block, &n, &ROWS])?;
        self.events.take(rows.iter().map(Event::read))
    }

    fn read_blocks(&mut self, number: i64) -> io::Result<()> {
        if !self.blocks.rows.is_empty() || self.blocks.is_end {
            return Ok(());
        }
        let question = format!(
            "SELECT number, opening, footer FROM {} AND writer = $1 AND number > $2 ORDER BY number LIMIT $3",
            blocks_of(self.day)
        );
        let rows = self.record.ask(&question, &[&self.writer, &number, &ROWS])?;
        self.blocks.take(rows.iter().map(Block::read))
    }

    /// A row whose columns say something else than its line, or that belongs to no block.
    fn examine(&mut self, event: &Event) {
        let mut find = |what, words: String| {
            let finding = Finding::of(what, &self.name, words);
            self.findings.push(finding.at(self.line + 1, self.at));
        };
        let meant = Row::of(event.line.as_bytes()).map(|(row, _)| row);
        let differs = meant.map_or(Some("line"), |meant| event.row.differs(&meant));
        if let Some(column) = mutant!(differs, "postgres-columns-unverified" => None) {
            find(What::Changed, format!("the column `{column}` is not what its line says"));
        }
        if self.blocks.rows.is_empty() {
            find(
                What::Inserted,
                format!("there is no block {}, which the row says that it is in", event.block),
            );
        }
    }

    /// Whose chain it says that it is of.
    fn is_of(&mut self, chain: &str) {
        let is_own =
            chain.strip_prefix(&self.writer).is_some_and(|rest| rest.strip_prefix('/') == Some(self.day));
        if !is_own && !self.findings.iter().any(|finding| finding.what == What::Renamed) {
            let words = format!("what stands there is of the chain {chain}");
            self.findings.push(Finding::of(What::Renamed, &self.name, words).at(self.line + 1, self.at));
        }
    }

    fn piece(&mut self, next: &Next) -> (Piece, u64) {
        let text = match next {
            Next::Opening(text) | Next::Footer(text) | Next::Event(Event { line: text, .. }) => {
                format!("{text}\n")
            }
        };
        let (line, bytes) = (text.as_bytes(), text.len() as u64);
        let hash = Hash::of(line);
        let read = match next {
            Next::Opening(_) => Opening::read(line).map(|opening| Piece::Opening(opening, hash)),
            Next::Footer(_) => Footer::read(line).map(Piece::Footer),
            Next::Event(event) => {
                self.examine(event);
                self.notes.extend(note(line));
                None
            }
        };
        match &read {
            Some(Piece::Opening(opening, _)) => self.is_of(&opening.chain),
            Some(Piece::Footer(footer)) => self.is_of(&footer.chain),
            Some(Piece::Line(_) | Piece::Hidden(_) | Piece::Past(_) | Piece::Rest) | None => {}
        }
        (read.unwrap_or(Piece::Line(hash)), bytes)
    }
}

impl Event {
    fn read(row: &Answer) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            block: row.try_get(0)?,
            n: row.try_get(1)?,
            line: row.try_get(2)?,
            row: Row::read(row, 3)?,
        })
    }
}

impl Block {
    fn read(row: &Answer) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { number: row.try_get(0)?, opening: row.try_get(1)?, footer: row.try_get(2)? })
    }
}

impl<T> Pages<T> {
    fn take(&mut self, rows: impl Iterator<Item = Result<T, tokio_postgres::Error>>) -> io::Result<()> {
        self.rows = rows.collect::<Result<_, _>>().map_err(fault)?;
        self.is_end = self.rows.is_empty();
        Ok(())
    }
}

impl Place for Part<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> io::Result<Option<Placed>> {
        let Some(next) = self.advance()? else { return Ok(None) };
        let (piece, bytes) = self.piece(&next);
        self.line += 1;
        let placed = Placed { line: self.line, at: self.at, bytes, piece };
        self.at += bytes;
        Ok(Some(placed))
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}
