//! A connection that writes: what it knows of the tables, and how a batch becomes rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Statement, Transaction};

use super::blocks::{Block, Chain, LINES};
use super::columns::{self, Columns, Day, Row};
use super::fault;
use super::migrate::migrate;
use super::server::{Link, PostgresServer, Tls};
use crate::chain::Ties;
use crate::clock::{Clock, Timestamp};
use crate::sinks::far::FarError;
use crate::sinks::spool::Frame;

/// Who writes.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    /// Sink and process.
    pub(super) name: Arc<str>,
    pub(super) ties: Ties,
    pub(super) clock: Clock,
}

/// A line with its line feed, and what its columns are.
#[derive(Debug)]
pub(super) struct Line<'a> {
    text: &'a [u8],
    row: Row,
}

/// The lines of a batch by the days that they belong to.
pub(super) type Days<'a> = BTreeMap<Day, Vec<Line<'a>>>;

pub(super) fn by_days(frame: &Frame) -> Result<Days<'_>, FarError> {
    let mut days = Days::new();
    for text in frame.text.split_inclusive(|byte| *byte == b'\n') {
        let none = || FarError::Refused("a line of it is no event".to_owned());
        let (row, day) = Row::of(text).ok_or_else(none)?;
        days.entry(day).or_default().push(Line { text, row });
    }
    Ok(days)
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) link: Link,
    insert: Statement,
    /// Days whose tables are there.
    days: BTreeSet<Day>,
    /// The chains of this process, as far as they are committed.
    chains: BTreeMap<Day, Chain>,
}

impl Session {
    /// Connects, and sees to the tables.
    pub(super) async fn open(server: &PostgresServer, tls: &Tls) -> Result<Self, FarError> {
        let mut link = server.connect(tls, TargetSessionAttrs::ReadWrite).await?;
        migrate(&mut link.client).await?;
        let insert = link.client.prepare_typed(&insert(), &types()).await?;
        Ok(Self { link, insert, days: BTreeSet::new(), chains: BTreeMap::new() })
    }

    /// Sees to it that a day can be written, and where its chain stands.
    pub(super) async fn ready(&mut self, day: &Day, writer: &Writer) -> Result<(), FarError> {
        if !self.days.contains(day) {
            self.link.client.execute("SELECT portcullis.make_day($1::text::date)", &[day]).await?;
            self.days.insert(day.clone());
        }
        if !self.chains.contains_key(day) {
            let chain = self.last_block(day, writer).await?;
            // What was committed without an answer is signed as well.
            chain.tell(&writer.ties, true);
            self.chains.insert(day.clone(), chain);
        }
        Ok(())
    }

    async fn last_block(&self, day: &Day, writer: &Writer) -> Result<Chain, FarError> {
        let last = "SELECT number, footer FROM portcullis.blocks WHERE writer = $1 AND day = $2::text::date \
                    ORDER BY number DESC LIMIT 1";
        let chain = Chain::new(&writer.name, day);
        let Some(last) = self.link.client.query_opt(last, &[&&*writer.name, day]).await? else {
            return Ok(chain);
        };
        Ok(chain.behind(last.try_get::<_, i64>(0)?.cast_unsigned(), last.try_get(1)?))
    }

    /// Writes lines, and the blocks of their chains, all of them or none; what is there already is not written again.
    pub(super) async fn write(&mut self, lines: &Days<'_>, writer: &Writer) -> Result<(), FarError> {
        for day in lines.keys() {
            self.ready(day, writer).await?;
        }
        let (mut chains, mut news) = (self.chains.clone(), BTreeMap::<_, bool>::new());
        let transaction = self.link.client.transaction().await?;
        for (day, lines) in lines {
            let Some(chain) = chains.get_mut(day) else { continue };
            for lines in lines.chunks(LINES) {
                let fresh = insert_lines(&transaction, &self.insert, chain, lines, writer).await?;
                if fresh.is_empty() {
                    continue;
                }
                let block = chain.block(fresh, None, writer.clock.now());
                insert_block(&transaction, day, &block, writer).await?;
                chain.advance(&block);
                *news.entry(day).or_default() |= block.is_news;
            }
        }
        transaction.commit().await?;
        self.chains = chains;
        news.into_iter().for_each(|(day, is_news)| self.tell(day, &writer.ties, is_news));
        Ok(())
    }

    fn tell(&self, day: &Day, ties: &Ties, is_news: bool) {
        if let Some(chain) = self.chains.get(day) {
            chain.tell(ties, is_news);
        }
    }

    /// Removes the days before this one, and says so in the chain of today at once; what is gone, each with its bytes.
    pub(super) async fn remove(
        &mut self,
        before: &Day,
        today: &Day,
        writer: &Writer,
    ) -> Result<Vec<(Day, u64)>, FarError> {
        let transaction = self.link.client.transaction().await?;
        let drop = "SELECT day, bytes, last_writer FROM portcullis.drop_days($1::text::date) ORDER BY day";
        let gone = transaction.query(drop, &[before]).await?;
        let (Some(newest), Some(chain)) = (gone.last(), self.chains.get_mut(today)) else {
            return Ok(Vec::new());
        };
        let last_writer: Option<&str> = newest.try_get(2)?;
        let removed = super::blocks::place(newest.try_get(0)?, last_writer.unwrap_or_default());
        let block = chain.block([], Some(removed), writer.clock.now());
        mutant!(insert_block(&transaction, today, &block, writer).await?, "postgres-removal-untold" => ());
        transaction.commit().await?;
        chain.advance(&block);
        chain.tell(&writer.ties, true);
        self.days.retain(|day| day >= before);
        self.chains.retain(|day, _| day >= before);
        let bytes =
            |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.cast_unsigned()));
        gone.iter().map(bytes).collect()
    }
}

impl Writer {
    /// Nothing more comes to the chains of the days before this one, or hardly anything.
    pub(super) fn end_before(&self, day: &str) {
        let is_past = |chain: &str| {
            let rest = chain.strip_prefix(&*self.name).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|of| of < day)
        };
        let heads = self.ties.heads().into_iter().filter(|head| is_past(&head.chain));
        heads.for_each(|head| self.ties.end(&head.chain));
    }
}

/// Inserts lines, and gives those that were not there yet.
async fn insert_lines<'a>(
    transaction: &Transaction<'_>,
    insert: &Statement,
    chain: &Chain,
    lines: &[Line<'a>],
    writer: &Writer,
) -> Result<Vec<&'a [u8]>, FarError> {
    let mut columns = Columns::default();
    lines.iter().for_each(|line| columns.push(&line.row));
    let text = |line: &Line<'_>| String::from_utf8_lossy(line.text.trim_ascii_end()).into_owned();
    let texts: Vec<_> = lines.iter().map(text).collect();
    let numbers: Vec<_> = (0..).take(lines.len()).collect::<Vec<i16>>();
    let (name, block) = (&*writer.name, chain.next().cast_signed());
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&name, &block];
    values.extend(columns.values());
    values.extend([&texts as &(dyn ToSql + Sync), &numbers]);
    let rows = transaction.query(insert, &values).await.map_err(|error| fault::of_data(&error))?;
    let written = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<i16>, _>>()?;
    let is_fresh = |n: &i16| mutant!(written.contains(n), "postgres-chains-what-was-there" => true);
    Ok(lines.iter().zip(numbers).filter(|(_, n)| is_fresh(n)).map(|(line, _)| line.text).collect())
}

async fn insert_block(
    transaction: &Transaction<'_>,
    day: &Day,
    block: &Block,
    writer: &Writer,
) -> Result<(), FarError> {
    let insert = "INSERT INTO portcullis.blocks (day, writer, number, opening, footer) \
                  VALUES ($1::text::date, $2, $3, $4, $5)";
    let number = block.number.cast_signed();
    transaction.execute(insert, &[day, &&*writer.name, &number, &block.opening, &block.footer]).await?;
    Ok(())
}

/// The statement that takes rows as an array of each column.
fn insert() -> String {
    let names = columns::names().collect::<Vec<_>>().join(", ");
    let arrays =
        (3..3 + columns::names().count() + 2).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    let known = mutant!("ON CONFLICT DO NOTHING ", "postgres-twice-is-a-fault" => "");
    format!(
        "INSERT INTO portcullis.events ({names}, line, n, writer, block) SELECT u.*, $1, $2 \
         FROM unnest({arrays}) AS u({names}, line, n) {known}RETURNING n"
    )
}

fn types() -> Vec<Type> {
    let mut types = vec![Type::TEXT, Type::INT8];
    types.extend(columns::types());
    types.extend([Type::TEXT_ARRAY, Type::INT2_ARRAY]);
    types
}

/// The day of a moment.
pub(super) fn day_of(moment: Timestamp) -> Day {
    moment.rfc3339().chars().filter(char::is_ascii_digit).take(8).collect()
}
