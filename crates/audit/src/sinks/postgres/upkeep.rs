//! What is to be done without being asked: the tables of the next days, and those of days that are over.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::PostgresSettings;
use super::columns::Day;
use super::session::{Session, Writer, day_of};
use crate::clock::Timestamp;
use crate::sinks::far::FarError;
use crate::sinks::health::{Note, Status};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// How often, after it could not.
const AGAIN: Duration = Duration::from_secs(60);
const DAY: u64 = 86_400;

/// When it looks next.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    done: Option<(Day, Instant)>,
    failed: Option<Instant>,
}

impl Upkeep {
    /// Whether it is time to look: each hour, and when another day begins.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let rests = self.failed.is_some_and(|failed| failed.elapsed() < AGAIN);
        let is_done = self.done.as_ref().is_some_and(|(day, at)| *day == day_of(now) && at.elapsed() < EVERY);
        !rests && !is_done
    }

    /// It was done, or could not be.
    pub(super) fn was(&mut self, done: bool, now: Timestamp) {
        if done {
            (self.done, self.failed) = (Some((day_of(now), Instant::now())), None);
        } else {
            self.failed = Some(Instant::now());
        }
    }
}

/// Makes the tables of today and tomorrow, and removes those that are older than is kept, where the role may.
pub(super) async fn look_after(
    session: &mut Session,
    settings: &PostgresSettings,
    writer: &Writer,
    status: &Status,
) -> Result<(), FarError> {
    let now = writer.clock.now();
    let today = day_of(now);
    session.ready(&day_of(Timestamp::from_seconds(now.seconds() + DAY)), writer).await?;
    session.ready(&today, writer).await?;
    writer.end_before(&today);
    let may = "SELECT has_function_privilege('portcullis.drop_days(date)', 'EXECUTE')";
    if !session.link.client.query_one(may, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(());
    }
    let oldest = day_of(Timestamp::from_seconds(now.seconds().saturating_sub(settings.keep.as_secs())));
    let gone = session.remove(&oldest, &today, writer).await?;
    if let Some((newest, _)) = gone.last() {
        let file = PathBuf::from(format!("portcullis.events_{newest}"));
        let (count, bytes) = (gone.len() as u64, gone.iter().map(|(_, bytes)| bytes).sum());
        status.note(Note::Removed { file, count, bytes });
    }
    Ok(())
}
