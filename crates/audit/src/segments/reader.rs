//! Reading a store: pages of events, all events of a time, people, figures. A reader never writes, and stops nobody who
//! does.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_events::Kind;
use rusqlite::Connection;

use super::catalogue::{Catalogue, Damaged, Listed};
use super::directory::{Names, Person};
use super::error::StoreError;
use super::event::Event;
use super::filter::Filter;
use super::keys::{Pseudonym, StoreKeys};
use super::outcomes;
use super::page::{Page, Pager, Question};
use super::question::Asked;
use super::read_lane::{AskError, Patience, ReadLane, Turn};
use super::rows::{COLUMNS, Segment};
use super::summary::{self, Summary, Sums};
use super::tail::Mark;

/// A store that is read. Cheap to clone; all clones share the turns at reading.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    keys: StoreKeys,
    catalogue: Catalogue,
    lane: ReadLane,
}

/// What was read on the way through a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Segments that were read.
    pub segments: usize,
    /// Segments that were to be read.
    pub of: usize,
    /// Whether everything that was asked for was given.
    pub is_whole: bool,
    /// Segments that could not be read.
    pub damaged: Vec<Damaged>,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Segments.
    pub segments: usize,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Events in the closed ones.
    pub events: u64,
    /// The time of the oldest event in the closed ones, in microseconds since 1970.
    pub since: Option<u64>,
}

impl Extent {
    /// How long it takes until so many bytes are full, at the rate up to now, in microseconds.
    #[must_use]
    pub fn lasts(&self, size: u64, now: u64) -> Option<u64> {
        let span = now.checked_sub(self.since?)?;
        let left = u128::from(size.saturating_sub(self.bytes)) * u128::from(span);
        u64::try_from(left.checked_div(self.bytes.into())?).ok()
    }
}

impl Reader {
    /// Opens the store in a folder.
    ///
    /// # Errors
    /// Where there is none, or it may not be read.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let keys = StoreKeys::load(folder)?;
        let (folder, catalogue) = (folder.to_owned(), Catalogue::new(folder));
        let reader = Self(Arc::new(Inner { folder, keys, catalogue, lane: ReadLane::default() }));
        reader.names().map(|_| reader)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    pub(super) fn names(&self) -> Result<Names, StoreError> {
        Names::open(&self.0.folder, &self.0.keys)
    }

    /// The newest events that fit, behind the cursor where there is one.
    ///
    /// # Errors
    /// Where the store cannot be read, there was no turn in time, or the cursor is of another question.
    pub fn page(&self, question: Question<'_>, patience: &Patience) -> Result<Page, AskError> {
        if question.behind.is_some_and(|cursor| !cursor.is_of(question.filter)) {
            return Err(AskError::Cursor);
        }
        let (_turn, mut names, asked) = self.begin(question.filter, patience)?;
        let (listed, damaged) = self.0.catalogue.list()?;
        let mut pager = Pager::new(question, damaged);
        if !asked.is_nobody() {
            pager.walk(&self.0.catalogue, listed, &asked, &mut names, patience)?;
        }
        Ok(pager.page())
    }

    /// A turn at reading, whoever is known, and what is asked of every segment.
    pub(super) fn begin(
        &self,
        filter: &Filter,
        patience: &Patience,
    ) -> Result<(Turn<'_>, Names, Asked), AskError> {
        let turn = self.0.lane.turn(patience)?;
        let names = self.names()?;
        let asked = self.asked(filter, &names)?;
        Ok((turn, names, asked))
    }

    /// What is asked of every segment by whoever asks for all that somebody did.
    pub(super) fn asked_of(&self, person: Pseudonym) -> Asked {
        Asked::new(&Filter::default(), Some(vec![person]), &self.0.keys)
    }

    fn asked(&self, filter: &Filter, names: &Names) -> Result<Asked, StoreError> {
        let called = |users: &[String]| {
            let all = users.iter().map(|user| names.called(user)).collect::<Result<Vec<_>, _>>()?;
            Ok(all.concat())
        };
        let people = (!filter.users.is_empty()).then(|| called(&filter.users)).transpose()?;
        Ok(Asked::new(filter, people, &self.0.keys))
    }

    /// Gives every event that fits, segment by segment, the oldest segment first, in the order in which they were written;
    /// without what is personal unless `personal`. `take` says whether it goes on.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn each(
        &self,
        filter: &Filter,
        personal: bool,
        patience: &Patience,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Walked, AskError> {
        let (_turn, mut names, asked) = self.begin(filter, patience)?;
        let nobody = asked.is_nobody();
        self.walk(
            patience,
            |listed| !nobody && asked.meets(listed.since(), listed.until()),
            |segment, listed| each_of(segment, listed, &asked, personal.then_some(&mut names), take),
        )
    }

    /// Gives what fits and was written since the mark, and moves it; nothing at the first time, which is from when on.
    /// Intervals are told once they are over. `take` says whether it goes on; then the mark is where it would have been.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn news(
        &self,
        filter: &Filter,
        mark: &mut Mark,
        personal: bool,
        patience: &Patience,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Walked, AskError> {
        let (_turn, mut names, asked) = self.begin(filter, patience)?;
        let before = mark.clone();
        let walked = self.walk(
            patience,
            |listed| before.is_behind(listed),
            |segment, listed| mark.tell(segment, listed, &asked, personal.then_some(&mut names), take),
        )?;
        mark.begin();
        Ok(walked)
    }

    /// Gives how much happened between two hours, hour by hour, from the first up to before the second (both in
    /// microseconds since 1970, as whole hours): of closed segments by what they have counted, of others by counting.
    /// One set of what events have in common can come several times: from each segment, and from each process.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn summaries(
        &self,
        hours: std::ops::Range<u64>,
        patience: &Patience,
        take: &mut dyn FnMut(Summary),
    ) -> Result<Walked, AskError> {
        let _turn = self.0.lane.turn(patience)?;
        let hours = summary::hour(hours.start)..summary::hour(hours.end);
        let meets = |listed: &Listed| {
            summary::hour(listed.until()) >= hours.start && summary::hour(listed.since()) < hours.end
        };
        self.walk(patience, meets, |segment, listed| {
            summarise(segment, listed, hours.clone(), take)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Everybody whom the store knows, whoever was seen last first. `take` says whether it goes on.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn people(
        &self,
        patience: &Patience,
        take: &mut dyn FnMut(Person) -> ControlFlow<()>,
    ) -> Result<(), AskError> {
        let _turn = self.0.lane.turn(patience)?;
        Ok(self.names()?.people(&mut |person| take(person).is_continue() && !patience.has_left())?)
    }

    /// How much there is.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn extent(&self) -> Result<Extent, StoreError> {
        let (listed, _) = self.0.catalogue.list()?;
        let closed = || listed.iter().filter_map(|listed| listed.bounds);
        Ok(Extent {
            segments: listed.len(),
            bytes: listed.iter().map(|listed| listed.bytes).sum(),
            events: closed().map(|bounds| bounds.events).sum(),
            since: closed().map(|bounds| bounds.since).min(),
        })
    }

    /// Goes through the segments that meet what is asked for, one after another.
    pub(super) fn walk(
        &self,
        patience: &Patience,
        meets: impl Fn(&Listed) -> bool,
        mut read: impl FnMut(&Connection, &Listed) -> rusqlite::Result<ControlFlow<()>>,
    ) -> Result<Walked, AskError> {
        let (mut listed, damaged) = self.0.catalogue.list()?;
        listed.retain(meets);
        let mut walked = Walked { segments: 0, of: listed.len(), is_whole: false, damaged };
        patience.begin(listed.len());
        for listed in &listed {
            if patience.is_over() {
                return Ok(walked);
            }
            patience.step();
            match visit(&self.0.catalogue, listed, patience, |segment| read(segment, listed))? {
                Visit::Read(ControlFlow::Break(())) => return Ok(walked),
                Visit::Read(ControlFlow::Continue(())) => walked.segments += 1,
                Visit::Gone => walked.of -= 1,
                Visit::Damaged(damaged) => walked.damaged.push(damaged),
            }
        }
        walked.is_whole = walked.segments == walked.of && walked.damaged.is_empty();
        Ok(walked)
    }
}

/// What became of a visit to a segment.
pub(super) enum Visit<T> {
    Read(T),
    /// It was removed meanwhile.
    Gone,
    Damaged(Damaged),
}

/// Opens a segment and reads it: what it says at one moment.
pub(super) fn visit<T>(
    catalogue: &Catalogue,
    listed: &Listed,
    patience: &Patience,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<Visit<T>, AskError> {
    if patience.has_left() {
        return Err(AskError::Left);
    }
    let mut connection = match catalogue.open(listed) {
        Ok(Some(connection)) => connection,
        Ok(None) => return Ok(Visit::Gone),
        Err(error) => return Ok(Visit::Damaged(Damaged::new(&listed.path, &error))),
    };
    let watched = patience.watch(&mut connection);
    let answer = watched.and_then(|()| connection.execute_batch("BEGIN")).and_then(|()| read(&connection));
    match answer {
        Ok(answer) => Ok(Visit::Read(answer)),
        Err(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
            Err(if patience.has_left() { AskError::Left } else { AskError::TooLong })
        }
        Err(cause) => {
            let error = StoreError::sqlite(&listed.path)(cause);
            Ok(Visit::Damaged(Damaged::new(&listed.path, &error)))
        }
    }
}

/// The tables of a segment that have rows, and whether they are of what goes on.
pub(super) fn tables(listed: &Listed) -> &'static [(&'static str, bool)] {
    if listed.name.is_open { &[("event", false), ("going_on", true)] } else { &[("event", false)] }
}

pub(super) fn each_of(
    connection: &Connection,
    listed: &Listed,
    asked: &Asked,
    mut names: Option<&mut Names>,
    take: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> rusqlite::Result<ControlFlow<()>> {
    let Some(condition) = asked.condition(connection)? else { return Ok(ControlFlow::Continue(())) };
    let mut segment = Segment::new(connection, &listed.name.process);
    for (table, goes_on) in tables(listed) {
        let sql = format!("SELECT {COLUMNS} FROM {table} WHERE {} ORDER BY n", condition.text());
        if segment.give(&sql, &condition.values, *goes_on, names.as_deref_mut(), take)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn summarise(
    connection: &Connection,
    listed: &Listed,
    hours: std::ops::Range<i64>,
    take: &mut dyn FnMut(Summary),
) -> rusqlite::Result<()> {
    let mut sums = HashMap::new();
    if listed.name.is_open {
        for (table, _) in tables(listed) {
            summary::count(connection, table, &mut sums)?;
        }
    } else {
        summary::read(connection, hours.clone(), &mut |key, found| sums.extend([(key, found)]))?;
    }
    let mut segment = Segment::new(connection, &listed.name.process);
    for (key, sums) in sums.into_iter().filter(|(key, _)| hours.contains(&key.hour)) {
        take(told(&mut segment, key, sums)?);
    }
    Ok(())
}

fn told(segment: &mut Segment<'_>, key: summary::Key, sums: Sums) -> rusqlite::Result<Summary> {
    let Sums { count, bytes, us, us_max, latency } = sums;
    Ok(Summary {
        hour: summary::beginning(key.hour),
        kind: Kind::named(&segment.word(key.kind)?),
        outcome: key.outcome.and_then(outcomes::of),
        provider: key.provider.map(|number| segment.word(number)).transpose()?,
        route: key.route.map(|number| segment.word(number)).transpose()?,
        person: key.person.map(|number| segment.person(number)).transpose()?.flatten(),
        count,
        bytes,
        us,
        us_max,
        latency,
    })
}
