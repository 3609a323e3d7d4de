//! What is in PostgreSQL, as a record that is verified: each writer's part of each day is a place.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row as Answer};

use super::columns::Day;
use super::fault::words;
use super::part::Part;
use super::server::{Link, PostgresServer};
use crate::chain::Verification;
use crate::sinks::far::FarError;

/// How long a server may take until it can be asked.
const PATIENCE: Duration = Duration::from_secs(30);
const SILENT: &str = "the server does not answer";

/// One look at a database, however long it takes: what is written meanwhile is not seen.
#[derive(Debug)]
pub struct PostgresRecord {
    runtime: Runtime,
    link: Link,
}

pub(super) fn fault(error: tokio_postgres::Error) -> io::Error {
    io::Error::other(words(&error))
}

impl PostgresRecord {
    /// Connects.
    ///
    /// # Errors
    /// Where that fails, or there are no tables of events.
    pub fn open(server: &PostgresServer) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let link = async {
            let link = server.connect(&server.connector()?, TargetSessionAttrs::Any).await?;
            let begin =
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '10min'";
            link.client.batch_execute(begin).await?;
            let there = "SELECT to_regclass('portcullis.blocks') IS NOT NULL";
            match link.client.query_one(there, &[]).await?.try_get(0)? {
                true => Ok(link),
                false => Err(FarError::Away("there are no tables of events in this database".to_owned())),
            }
        };
        let link = async {
            timeout(PATIENCE, link).await.unwrap_or_else(|_| Err(FarError::Away(SILENT.to_owned())))
        };
        let link = runtime.block_on(link).map_err(|error: FarError| io::Error::other(error.to_string()))?;
        Ok(Self { runtime, link })
    }

    /// Walks over all of it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn verify(&self, into: &mut Verification) -> io::Result<()> {
        for day in self.days()? {
            for writer in self.writers(&day)? {
                into.place(&mut Part::new(self, &day, writer))?;
            }
        }
        Ok(())
    }

    pub(super) fn ask(&self, question: &str, values: &[&(dyn ToSql + Sync)]) -> io::Result<Vec<Answer>> {
        let client: &Client = &self.link.client;
        self.runtime.block_on(client.query(question, values)).map_err(fault)
    }

    /// The days of which there is a table, of whichever kind.
    fn days(&self) -> io::Result<Vec<Day>> {
        let days = "SELECT DISTINCT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                    WHERE i.inhparent IN ('portcullis.events'::regclass, 'portcullis.blocks'::regclass) \
                    AND c.relname ~ '^(events|blocks)_[0-9]{8}$' ORDER BY 1";
        self.ask(days, &[])?.iter().map(|row| row.try_get(0).map_err(fault)).collect()
    }

    /// Who has written on a day: each is found by a look at the index.
    fn writers(&self, day: &Day) -> io::Result<BTreeSet<String>> {
        let mut writers = BTreeSet::new();
        for rows in [events_of(day), blocks_of(day)] {
            let question = format!(
                "WITH RECURSIVE found AS (
                   (SELECT writer FROM {rows} ORDER BY writer LIMIT 1)
                   UNION ALL
                   SELECT (SELECT writer FROM {rows} AND writer > found.writer ORDER BY writer LIMIT 1)
                     FROM found WHERE found.writer IS NOT NULL)
                 SELECT writer FROM found WHERE writer IS NOT NULL"
            );
            for row in self.ask(&question, &[])? {
                writers.insert(row.try_get(0).map_err(fault)?);
            }
        }
        Ok(writers)
    }
}

/// The events of a day, to be asked for by the table of all, for that may be all that one may read. The bounds are written out,
/// so that the server looks at one table alone.
pub(super) fn events_of(day: &Day) -> String {
    let (year, rest) = day.split_at_checked(4).unwrap_or_default();
    let (month, date) = rest.split_at_checked(2).unwrap_or_default();
    let start = format!("{year}-{month}-{date}T00:00:00Z");
    let next = humantime::parse_rfc3339(&start).unwrap_or(UNIX_EPOCH) + Duration::from_secs(86_400);
    // Behind the year 9999 nothing can be written.
    let is_last = next >= UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    let next =
        if is_last { "infinity".to_owned() } else { humantime::format_rfc3339_seconds(next).to_string() };
    format!("portcullis.events WHERE time >= '{start}' AND time < '{next}'")
}

/// The blocks of a day.
pub(super) fn blocks_of(day: &Day) -> String {
    format!("portcullis.blocks WHERE day = '{day}'")
}
