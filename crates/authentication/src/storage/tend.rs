//! What is done for the state file beside its operations: it is looked at, and tried again when it fails.

use std::sync::Weak;
use std::time::Duration;

use rusqlite::Connection;

use super::Database;
use super::database::DatabaseInner;
use super::health::displaced;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// As much as a sign-in writes and more: a disk that takes a page but no sign-in is not well.
const PROBE: &str = "INSERT OR REPLACE INTO probe (id, filler) VALUES (1, zeroblob(65536))";
const CLEAN: &str = "DELETE FROM probe";

impl Database {
    /// Looks after the state file until the last handle is gone; one task of the process runs it. It holds
    /// no handle itself.
    pub fn tend(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = self.downgrade();
        async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while look(&inner).await.is_some() {
                ticks.tick().await;
            }
        }
    }
}

async fn look(inner: &Weak<DatabaseInner>) -> Option<()> {
    let database = Database::upgrade(inner)?;
    if let Some(opened) = database.opened() {
        let path = database.file().to_owned();
        let found = tokio::task::spawn_blocking(move || displaced(&path, opened)).await;
        database.health().found(found.ok().flatten());
    }
    if database.health().is_failing() {
        drop(database.write(probe).await); // what comes of it is noted
    }
    Some(())
}

fn probe(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute(PROBE, [])?;
    connection.execute(CLEAN, []).map(drop)
}
