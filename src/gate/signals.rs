//! The transmitters of signals of a configuration, and how they are.

use std::sync::Arc;

use super::build_error::BuildError;
use super::foundations::Foundations;
use super::settings::GateSettings;
use super::snapshot::Snapshot;
use super::status::UnavailablePart;
use crate::endpoints::SIGNALS;
use crate::signals::{Delivery, TransmitterParts, TransmitterTask};
use crate::telemetry::Scrape;

/// Those of `settings`; what `before` has and still fits is kept, with its stream.
pub(super) fn transmitters(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&Snapshot>,
) -> Result<Vec<Arc<TransmitterTask>>, BuildError> {
    let public = settings.relying_party.public_url.as_ref();
    let same = |before: &&Snapshot| before.routing.public.as_ref().map(|public| &public.url) == public;
    let kept = before.filter(same).map_or(&[][..], |before| &before.transmitters);
    let started = settings.signals.iter().map(|one| {
        if let Some(task) = kept.iter().find(|task| task.transmitter.settings() == one) {
            return Ok(Arc::clone(task));
        }
        let endpoint = public.filter(|_| one.delivery == Delivery::Push).map(|public| {
            let mut endpoint = public.clone();
            endpoint.set_path(&format!("{SIGNALS}/{}", one.name));
            endpoint
        });
        let parts = TransmitterParts {
            settings: one.clone(),
            endpoint,
            gateway: public.map_or("portcullis", |url| url.as_str().trim_end_matches('/')).to_owned(),
            key: foundations.endpoints.signals_key().clone(),
            clock: foundations.clock.clone(),
            sessions: foundations.sessions.clone(),
            metrics: foundations.metrics.clone(),
            recorder: foundations.keeper.recorder.clone(),
        };
        TransmitterTask::start(parts, &foundations.background)
            .map_err(|cause| BuildError::Transmitter(one.name.clone(), cause))
    });
    started.collect()
}

/// Takes the streams away, at their transmitters, that `before` had and `after` has not. Those that have changed are the
/// newer ones' to look after.
pub(super) fn delete_streams(before: &Snapshot, after: &Snapshot) {
    let is_kept =
        |task: &&Arc<TransmitterTask>| after.transmitters.iter().any(|kept| Arc::ptr_eq(kept, task));
    for gone in before.transmitters.iter().filter(|task| !is_kept(task)) {
        let of = |task: &Arc<TransmitterTask>| {
            let settings = task.transmitter.settings();
            (settings.name.clone(), settings.transmitter.clone())
        };
        match after.transmitters.iter().any(|task| of(task) == of(gone)) {
            true => gone.stop(),
            false => gone.delete(),
        }
    }
}

/// Streams that do not do their work.
pub(super) fn missing(snapshot: &Snapshot) -> impl Iterator<Item = UnavailablePart> {
    snapshot.transmitters.iter().filter_map(|task| {
        let why = task.transmitter.status().reason?;
        Some(UnavailablePart { what: format!("signals {}", task.transmitter.settings().name), why })
    })
}

/// What is measured of streams at a scrape.
pub(super) fn scrapes(snapshot: &Snapshot) -> Vec<Scrape> {
    let now = snapshot.clock.now();
    let of_stream = |task: &Arc<TransmitterTask>| {
        let status = task.transmitter.status();
        let value = |name, help, value| Scrape {
            name,
            help,
            labels: vec![("transmitter", task.transmitter.settings().name.clone())],
            value,
        };
        let up = f64::from(u8::from(status.reason.is_none()));
        let verified = "Time since it was seen that the stream of signals works";
        let heard = "Time since a good security event token came";
        let age = |at: Option<crate::clock::Timestamp>| at.map(|at| now.since(at).as_secs_f64());
        let ages = [
            age(status.verified).map(|age| value("signals_verified_age_seconds", verified, age)),
            age(status.heard).map(|age| value("signals_heard_age_seconds", heard, age)),
        ];
        let up = value(
            "signals_up",
            "Whether the stream of signals is set up and its last calls were answered",
            up,
        );
        std::iter::once(up).chain(ages.into_iter().flatten())
    };
    snapshot.transmitters.iter().flat_map(of_stream).collect()
}
