//! The far end of a sink of the kind `postgres`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;

use super::PostgresSettings;
use super::server::Tls;
use super::session::{Days, Session, Writer, by_days};
use super::upkeep::{Upkeep, look_after};
use crate::sinks::far::{Far, FarContext, FarError, Parcel};
use crate::sinks::health::Status;

/// Later than every day.
const END: &str = "99999999";
/// How long upkeep may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_millis(500);

pub(in crate::sinks) struct PostgresSink {
    settings: PostgresSettings,
    writer: Writer,
    status: Arc<Status>,
    tls: Tls,
    /// None: it is being dropped.
    runtime: Option<Runtime>,
    session: Option<Session>,
    upkeep: Upkeep,
}

impl PostgresSink {
    pub(in crate::sinks) fn open(
        settings: &PostgresSettings,
        context: &FarContext,
    ) -> Result<Self, FarError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| FarError::Away(error.to_string()))?;
        let FarContext { sink, process, ties, status, clock } = context.clone();
        let writer = Writer { name: format!("{sink}/{process}").into(), ties, clock };
        Ok(Self {
            tls: settings.server.connector()?,
            settings: settings.clone(),
            writer,
            status,
            runtime: Some(runtime),
            session: None,
            upkeep: Upkeep::default(),
        })
    }

    /// Does something with the session, which is opened where there is none, until then. One by which something failed is
    /// not used again: what it knows of the tables may not be so.
    fn within(
        &mut self,
        until: Instant,
        work: impl AsyncFnOnce(&mut Session, &PostgresSettings, &Writer, &Status) -> Result<(), FarError>,
    ) -> Result<(), FarError> {
        let Some(runtime) = &self.runtime else { return Err(FarError::Away("it ends".to_owned())) };
        let (settings, writer, session) = (&self.settings, &self.writer, &mut self.session);
        runtime.block_on(async {
            let whole = async {
                let session = match &mut *session {
                    Some(open) => open,
                    none @ None => none.insert(Session::open(&settings.server, &self.tls).await?),
                };
                work(session, settings, writer, &self.status).await
            };
            let done = timeout_at(until.into(), whole).await;
            let done = done.unwrap_or_else(|_| Err(FarError::Away("no answer in time".to_owned())));
            if let Some(failed) = session.take_if(|_| done.is_err()) {
                failed.link.break_off().await;
            }
            done
        })
    }

    fn write(&mut self, lines: &Days<'_>, until: Instant) -> Result<(), FarError> {
        self.within(until, async |session, _, writer, _| session.write(lines, writer).await)
    }

    /// What fails of it is told in the log, and holds up nothing: it is tried again.
    fn look_after(&mut self) {
        let now = self.writer.clock.now();
        if !self.upkeep.is_due(now) {
            return;
        }
        let done = self.within(Instant::now() + PATIENCE, look_after);
        if let Err(error) = &done {
            tracing::warn!(sink = %self.writer.name, %error, "the tables of events could not be looked after; it is tried again");
        }
        self.upkeep.was(done.is_ok(), now);
    }

    /// Lets go of a connection that has ended, so that nobody waits for it later.
    fn forget_closed(&mut self) {
        let (Some(runtime), Some(session)) = (&self.runtime, &self.session) else { return };
        // The task that would notice runs while something is waited for.
        runtime.block_on(tokio::task::yield_now());
        if session.link.client.is_closed() {
            self.session = None;
        }
    }
}

impl Far for PostgresSink {
    fn send(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), FarError> {
        self.write(&by_days(parcel.frame)?, until)?;
        self.look_after();
        Ok(())
    }

    fn check(&mut self) -> Result<(), FarError> {
        self.forget_closed();
        self.look_after();
        Ok(())
    }

    fn finish(&mut self, _until: Instant) -> bool {
        self.writer.end_before(END);
        true
    }
}

impl Drop for PostgresSink {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if let Some(session) = self.session.take() {
            let _ = runtime.block_on(async { tokio::time::timeout(GOOD_BYE, session.link.end()).await });
        }
        // A name that is being looked up holds up nobody.
        runtime.shutdown_background();
    }
}
