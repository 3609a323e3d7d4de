//! The one path of every request.

mod ambiguous;
mod authorize;
mod body;
mod compile;
mod credential;
mod destination;
mod dispatch;
mod endpoints;
mod explained;
mod foundations;
mod ids;
mod inbound;
mod origins;
mod readings;
mod record;
mod refresh_tokens;
mod rejection;
mod respond;
mod route;
mod settings;
mod snapshot;
mod status;
mod statuses;
#[cfg(test)]
mod tests;
mod tunnel;

use std::sync::Arc;

use crate::listener::RequestBody;
use arc_swap::ArcSwap;
use http::{Request, Response};

use inbound::Inbound;
use record::RequestRecord;
use rejection::Rejection;
use snapshot::Snapshot;

pub use body::Body;
pub use explained::{Explained, Imagined, Next, explain};
pub use foundations::Foundations;
pub use settings::{
    GateSettings, OriginSettings, OwnSettings, Preflight, RedirectSettings, RouteAction, RouteSettings,
    SentFrom,
};
pub use snapshot::BuildError;
pub use status::Missing;

use crate::authn::Accepted;
use crate::listener::Handler;
use crate::request::{Transport, check_field_names, is_of_a_page};
use crate::session::SessionSettings;

/// The gate: every request of every listener passes here. Cheap to clone; a reload reaches all clones.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    snapshot: ArcSwap<Snapshot>,
    foundations: Arc<Foundations>,
}

/// A gate's next configuration, built and not yet in place.
#[derive(Debug)]
pub struct Prepared {
    gate: Gate,
    snapshot: Arc<Snapshot>,
    session: SessionSettings,
}

impl Prepared {
    /// Puts it in the place of the old one, at once and whole. Requests under way end as they began.
    pub fn put_in_place(self) {
        self.gate.0.foundations.sessions.set_lifetimes(&self.session);
        self.gate.0.snapshot.store(self.snapshot);
    }
}

impl Gate {
    /// Builds the gate.
    ///
    /// # Errors
    /// Where the settings make no gate: nothing is started then.
    pub fn new(settings: &GateSettings, foundations: Foundations) -> Result<Self, BuildError> {
        let foundations = Arc::new(foundations);
        let snapshot = Snapshot::build(settings, &foundations, None)?;
        let gate = Self(Arc::new(Shared { snapshot: ArcSwap::from_pointee(snapshot), foundations }));
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

    /// The path of a request: each step goes on or says why not.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` holds its arguments twice, and every connection keeps room for this future"
    )]
    fn pass(
        snapshot: &Snapshot,
        record: &mut RequestRecord,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<Body>, Rejection>> + Send {
        async move {
            let inbound =
                record.inbound.insert(Inbound::read(&record.transport, &snapshot.trusted, &request)?);
            mutant!(check_field_names(request.headers())?, "folded-framing-names-pass" => ());
            let route = snapshot.route(&record.transport, inbound)?;
            record.route = Some(Arc::clone(route));
            route.tolerates(&inbound.path)?;
            readings::read(snapshot, &record.transport, inbound, route)?;
            let standing = route.limit_before(inbound, request.headers())?;
            record.slot = Some(route.concurrency.try_enter().ok_or(Rejection::Busy)?);
            record.asks_basic = route.accept.has(Accepted::Basic) && !is_of_a_page(request.headers());
            record.reader = origins::reader(&route.origins, request.headers());
            if origins::is_passed_preflight(&route.origins, &request) {
                return Box::pin(dispatch::pass_preflight(snapshot, route, record, request)).await;
            }
            let authentication = authorize::authenticate(snapshot, route, record, &request).await?;
            let permit = match authorize::decide(snapshot, route, record, &authentication, &request) {
                Ok(permit) => permit,
                Err(no) => {
                    let clock = &snapshot.foundations.clock;
                    return Err(Box::pin(authorize::with_form(no, record, request, clock)).await);
                }
            };
            record.has_destination = destination::check(snapshot, route, record, &authentication, &request)?;
            origins::check(route, record.inbound()?, &authentication, &request)?;
            record.standing = route.limit_after(&permit, standing)?;
            dispatch::dispatch(snapshot, route, record, permit, &authentication, request).await
        }
    }
}

impl Handler for Gate {
    type Body = Body;

    fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Body>> + Send {
        let snapshot = self.0.snapshot.load_full();
        let mut record = Box::new(snapshot.record(transport, request.headers()));
        let asked = respond::RefusalContext::of(&request);
        async move {
            let mut response = match Self::pass(&snapshot, &mut record, request).await {
                Ok(response) => {
                    record.passed(response.status());
                    response
                }
                Err(rejection) => respond::respond(&snapshot, &mut record, asked, rejection).await,
            };
            respond::finish(&record, &mut response);
            Body::record(&mut response, record);
            response
        }
    }
}
