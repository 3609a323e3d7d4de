//! What the gateway is built on, beside its settings: it outlives a reload.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ids::RequestIds;
use super::reauthorize::Reauthorization;
use super::record::RecordKeeper;
use super::refresh_tokens::{Flights, flights};
use crate::clock::Clock;
use crate::console::Console;
use crate::endpoints::{Resources, SealingKeys};
use crate::events::Recorder;
use crate::forward::Asserter;
use crate::identity::RouteName;
use crate::replicas::SharedState;
use crate::session::Sessions;
use crate::telemetry::Metrics;
use crate::trace::TraceMaker;

/// What outlives the process, or is other processes' as well.
#[derive(Debug)]
pub struct Stores {
    /// The sessions.
    pub sessions: Sessions,
    /// What replicas share beside them.
    pub replicas: SharedState,
}

/// Who is told what happens.
#[derive(Debug)]
pub struct Observers {
    /// What is counted.
    pub metrics: Metrics,
    /// What is recorded.
    pub recorder: Recorder,
    /// What makes traces.
    pub traces: TraceMaker,
}

/// What every configuration of this process is built on. Only building looks at it: each part of a snapshot is given
/// what it needs.
pub struct Foundations {
    pub(super) workers: usize,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) traces: TraceMaker,
    /// The sessions of this process: a cache in front of the state file.
    pub sessions: Sessions,
    pub(super) asserter: Arc<Asserter>,
    /// What routes with `serve = "console"` show.
    pub console: Console,
    /// Where background tasks run.
    pub(super) background: Handle,
    pub(super) endpoints: Arc<Resources>,
    pub(super) ids: Arc<RequestIds>,
    pub(super) keeper: Arc<RecordKeeper>,
    pub(super) refreshes: Flights,
    pub(super) reauthorization: Arc<Reauthorization>,
    pub(super) replicas: SharedState,
}

impl Foundations {
    /// With nothing issued or counted yet: for `workers` threads, and background tasks that run on `background`.
    #[must_use]
    pub fn new(
        workers: usize,
        clock: Clock,
        Observers { metrics, recorder, traces }: Observers,
        stores: Stores,
        keys: SealingKeys,
        asserter: Arc<Asserter>,
        background: Handle,
    ) -> Self {
        let Stores { sessions, replicas } = stores;
        sessions.record_to(recorder.clone());
        replicas.rates.iter().for_each(|rates| rates.record_to(&recorder));
        let endpoints = Resources::new(
            clock.clone(),
            (metrics.clone(), recorder.clone()),
            sessions.clone(),
            keys,
            Arc::clone(&asserter),
            Arc::clone(&replicas.one_time),
        );
        Self {
            keeper: Arc::new(RecordKeeper {
                unrouted: metrics.route(&RouteName::new("none"), workers),
                recorder,
                traces: traces.queue().clone(),
            }),
            endpoints: Arc::new(endpoints),
            ids: Arc::new(RequestIds::new()),
            refreshes: flights(),
            reauthorization: Arc::new(Reauthorization::new(metrics.clone())),
            replicas,
            console: Console::default(),
            workers,
            clock,
            metrics,
            traces,
            sessions,
            asserter,
            background,
        }
    }
}

impl fmt::Debug for Foundations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foundations").field("workers", &self.workers).finish_non_exhaustive()
    }
}
