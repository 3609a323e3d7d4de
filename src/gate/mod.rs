//! The one path of every request.

mod admit;
mod ambiguous;
mod authenticate;
mod authorize;
mod body;
mod build_error;
mod console;
mod credential;
mod credential_end;
mod destination;
mod destination_error;
mod dispatch;
mod endpoints;
mod explained;
mod foundations;
mod ids;
mod imagined;
mod inbound;
mod limits;
mod origins;
mod path_mask;
mod reach;
mod reauthorize;
mod record;
mod refresh_call;
mod refresh_tokens;
mod rejection;
mod respond;
mod review;
mod route;
mod routed;
mod routing;
mod service;
mod services;
mod settings;
mod signals;
mod snapshot;
mod spans;
mod status;
mod statuses;
#[cfg(test)]
mod tests;
mod tunnel;
mod words;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response, StatusCode};

use authenticate::authenticate;
use authorize::{Denial, Permitted, RequestFields, decide};
use dispatch::dispatch;
use inbound::{Inbound, RequestInfo};
use record::{Notes, RequestRecord};
use rejection::Rejection;
use respond::{RefusalContext, finish, respond, respond_unread};
use routed::Routed;
use snapshot::Snapshot;

pub use body::Body;
pub use build_error::BuildError;
pub use explained::{Explained, Explainer, Imagined, Next, explain};
pub use foundations::{Foundations, Observers, Stores};
pub use imagined::{ImaginedPerson, path_of};
pub use path_mask::{PathMask, PathMasks};
pub use reach::{May, Reach, Reachable, deciding_rules};
pub use settings::{
    BrandingSettings, ConsoleSettings, GateSettings, OriginSettings, OwnSettings, Preflight,
    RedirectSettings, RouteAction, RouteSettings, SentFrom,
};
pub use status::{ProviderCondition, UnavailablePart};

use crate::events::RequestUnreadable;
use crate::forward::ServerState;
use crate::limit::LimitUsage;
use crate::listener::{Handler, RequestBody};
use crate::request::{Transport, check_field_names};
use crate::session::SessionSettings;
use crate::signals::{SignalsSettings, StreamStatus, TransmitterTask};
use crate::telemetry::{Metrics, Outcome, RequestStats};
use crate::trace::{SpanKind, span, within};

/// The gate: every request of every listener passes here. Cheap to clone; a reload reaches all clones.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    snapshot: ArcSwap<Snapshot>,
    foundations: Foundations,
}

/// A gate's next configuration, built and not yet in place.
#[derive(Debug)]
pub struct Prepared {
    gate: Gate,
    snapshot: Arc<Snapshot>,
    session: SessionSettings,
}

impl Prepared {
    /// Puts it in the place of the old one, at once and whole. Requests under way keep the snapshot that they began
    /// with, and are cut off where the new one would not let them in.
    pub fn put_in_place(self) {
        let foundations = &self.gate.0.foundations;
        foundations.sessions.set_lifetimes(&self.session);
        let before = self.gate.0.snapshot.swap(Arc::clone(&self.snapshot));
        signals::delete_streams(&before, &self.snapshot);
        foundations.reauthorization.put_in_force(&self.snapshot, &foundations.background);
    }
}

impl Gate {
    /// Builds the gate.
    ///
    /// # Errors
    /// Where the settings make no gate: nothing is started then.
    pub fn new(settings: &GateSettings, foundations: Foundations) -> Result<Self, BuildError> {
        let snapshot = Arc::new(Snapshot::build(settings, &foundations, None)?);
        let (reauthorization, background) = (&foundations.reauthorization, &foundations.background);
        reauthorization.put_in_force(&snapshot, background);
        background.spawn(Arc::clone(reauthorization).keep_calling());
        let gate = Self(Arc::new(Shared { snapshot: ArcSwap::new(snapshot), foundations }));
        gate.watch_scrapes();
        Ok(gate)
    }

    /// Builds what new settings make, to be put in place once everything else has agreed as well.
    ///
    /// # Errors
    /// Where the settings make no gate: the old ones go on.
    pub fn prepare(&self, settings: &GateSettings) -> Result<Prepared, BuildError> {
        let before = self.0.snapshot.load();
        let snapshot = Snapshot::build(settings, &self.0.foundations, Some(&before))?;
        Ok(Prepared { gate: self.clone(), snapshot: Arc::new(snapshot), session: settings.session.clone() })
    }

    /// The parts that cannot do their work at the moment; the others go on.
    #[must_use]
    pub fn missing(&self) -> Vec<UnavailablePart> {
        status::missing(&self.0.snapshot.load())
    }

    /// The configured providers, in the order of the configuration, and how they are.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderCondition> {
        self.0.snapshot.load().provider_tasks.iter().map(|task| ProviderCondition::of(task)).collect()
    }

    /// Each server of each upstream, in the order of the configuration, and how it is.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerState> {
        self.0.snapshot.load().upstreams.iter().flat_map(|checked| checked.upstream.state()).collect()
    }

    /// What has been counted since the start: of each route in the order of the configuration, of each endpoint, and of
    /// what no route claims.
    #[must_use]
    pub fn counts(&self) -> Vec<Arc<RequestStats>> {
        self.0.snapshot.load().counts()
    }

    /// The streams of signals, in the order of the configuration, and how they are.
    #[must_use]
    pub fn signals(&self) -> Vec<(SignalsSettings, StreamStatus)> {
        let snapshot = self.0.snapshot.load();
        let of =
            |task: &Arc<TransmitterTask>| (task.transmitter.settings().clone(), task.transmitter.status());
        snapshot.transmitters.iter().map(of).collect()
    }

    /// The routes that have limits, by their names, and those limits as they stand; `portcullis` for the gateway's own
    /// endpoints, which share theirs.
    #[must_use]
    pub fn limits(&self) -> BTreeMap<String, Vec<LimitUsage>> {
        let snapshot = self.0.snapshot.load();
        let rows = snapshot.routing.table.iter().chain(snapshot.routing.endpoints.iter());
        let limited = rows.filter(|(_, route)| !route.service.limits.is_empty());
        limited.map(|(_, route)| (route.name.to_string(), route.service.limits.usage())).collect()
    }

    /// The counters of this process, which the admin listener shows.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.foundations.metrics.clone()
    }

    /// Counts a reload.
    pub fn reloaded(&self, good: bool) {
        self.0.foundations.metrics.reload(if good { "ok" } else { "refused" });
    }

    fn watch_scrapes(&self) {
        let shared = Arc::downgrade(&self.0);
        let values =
            move || shared.upgrade().map_or_else(Vec::new, |shared| status::scrapes(&shared.snapshot.load()));
        self.0.foundations.metrics.scrape_from("gate", values);
    }
}

/// The path of a request that has been read. Each step takes what the one before it found out, and goes on or says why
/// not; what it finds out is noted on the way, and no step reads a note.
#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` holds its arguments twice, and every connection keeps room for this future"
)]
fn pass<'s>(
    snapshot: &'s Snapshot,
    info: RequestInfo<'_>,
    notes: &mut Notes,
    asked: &mut RefusalContext<'s>,
    request: Request<RequestBody>,
) -> impl Future<Output = Result<Response<Body>, Rejection>> + Send {
    async move {
        mutant!(check_field_names(request.headers())?, "folded-framing-names-pass" => ());
        snapshot.check_record()?;
        let route = snapshot.routing.route(info.inbound)?;
        notes.route = Some(Arc::clone(route));
        let routed = Routed::new(&snapshot.routing, info.inbound, route)?;
        let rate = match &route.service.limits.shared {
            None => admit::count_client(snapshot, route, info.inbound, request.headers()),
            Some(limits) => {
                admit::count_client_for_all(snapshot, route, limits, info.inbound, request.headers()).await
            }
        }?;
        // The record holds the place until the response has ended: a slow download burdens the app as long as it
        // lasts.
        notes.concurrency = Some(admit::enter(snapshot, route)?);
        // From here on it is known in whose realm a refusal is, and which scripts may read it.
        asked.refuse_for(route, request.headers());
        let permitted = if origins::is_passed_preflight(&route.origins, &request) {
            // It carries no credential, so that there is nobody to judge; the app answers it.
            Permitted::preflight(routed)
        } else {
            let authenticated = {
                let _span = span("authentication", SpanKind::Internal);
                authenticate(snapshot, info, routed, &request).await?
            };
            notes.principal = authenticated.principal().map(Arc::clone);
            notes.shown = authenticated.shown();
            notes.credential = authenticated.credential(&snapshot.clock);
            let decision = {
                let _span = span("policy", SpanKind::Internal);
                decide(&snapshot.routing, authenticated, RequestFields::Sent(request.headers()))
            };
            match decision {
                Ok(permitted) => permitted,
                Err(Denial::SignIn(provider, strength)) => {
                    return Err(Rejection::sign_in(route.accept, provider, *strength, request));
                }
                Err(Denial::StepUp(step_up)) => {
                    return Err(Rejection::step_up(step_up, request));
                }
                Err(Denial::Refused(no)) => return Err(no),
            }
        };
        let session = permitted.grounds.authentication.session();
        route.note_use(session.map(|opened| &*opened.session));
        notes.rate = match &route.service.limits.shared {
            None => admit::count_principal(snapshot, &permitted, rate),
            Some(limits) => admit::count_principal_for_all(snapshot, &permitted, limits, rate).await,
        }?;
        notes.decision = Some(permitted.permit.reason());
        let response = dispatch(snapshot, info, notes, &permitted, request).await?;
        notes.grounds = Some(permitted.grounds);
        let outcome = route.outcome_of(response.status());
        if !matches!(outcome, Outcome::Own | Outcome::Public | Outcome::Allowed) {
            notes.is_refused();
        }
        notes.answered(response.status(), outcome, "");
        Ok(response)
    }
}

impl Handler for Gate {
    type Body = Body;

    fn unreadable(&self, transport: &Transport, reason: &dyn Display, status: Option<StatusCode>) {
        self.0.foundations.keeper.recorder.emit(&RequestUnreadable {
            client: transport.peer.ip(),
            reason: &reason.to_string(),
            status: status.map(|status| status.as_u16()),
        });
    }

    fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Body>> + Send {
        let snapshot = self.0.snapshot.load_full();
        // Boxed, for it moves on into the body of the response, whose end is the end of the request.
        let mut record = Box::new(snapshot.record(transport, &request));
        async move {
            let RequestRecord { id, trace, transport, inbound, notes, .. } = &mut *record;
            let (id, trace, transport) = (&*id, trace.as_deref(), &*transport);
            let mut asked = RefusalContext::of(id, &request);
            let mut response = 'answered: {
                let inbound = match Inbound::read(transport, &snapshot.trusted, &request) {
                    Ok(head) => inbound.insert(head),
                    Err(no) => break 'answered respond_unread(&snapshot, &asked, notes, &no),
                };
                let info = RequestInfo { id, trace, transport, inbound };
                let recording = trace.and_then(|trace| trace.recording.as_ref());
                let passed = {
                    let mut passing = pin!(pass(&snapshot, info, notes, &mut asked, request));
                    poll_fn(|cx| within(recording, || passing.as_mut().poll(cx))).await
                };
                let no = match passed {
                    Ok(response) => break 'answered response,
                    Err(no) => no,
                };
                respond(&snapshot, info, &asked, notes, no).await
            };
            finish(id, &notes.rate, &mut response);
            Body::record(&mut response, record);
            response
        }
    }
}
