//! The one path of every request.

mod act;
mod ambiguous;
mod body;
mod credential;
mod destination;
mod exchange;
mod explained;
mod foundations;
mod freshen;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hops;
mod house;
mod ids;
mod inbound;
mod judge;
mod kept;
mod origins;
mod own;
mod readings;
mod rejection;
mod respond;
mod return_to;
mod route;
mod rows;
mod settings;
mod spent;
mod status;
#[cfg(test)]
mod tests;
mod tickets;
mod tunnel;

use std::sync::Arc;

use crate::listener::Content;
use arc_swap::ArcSwap;
use http::{Request, Response};

use exchange::Exchange;
use house::House;
use inbound::Inbound;
use rejection::Rejection;

pub use body::Body;
pub use explained::{Explained, Imagined, Next, explain};
pub use foundations::{Foundations, SealingKeys};
pub use house::BuildError;
pub use settings::{
    GateSettings, OriginSettings, OwnSettings, Preflight, RedirectSettings, RouteAction, RouteSettings,
    SentFrom, SiteData,
};
pub use status::Missing;

use crate::listener::Handler;
use crate::request::{Transport, check_field_names, is_of_a_page};
use crate::session::SessionSettings;

/// The gate: every request of every listener passes here. Cheap to clone; a reload reaches all clones.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    house: ArcSwap<House>,
    foundations: Arc<Foundations>,
}

/// A gate's next configuration, built and not yet in place.
#[derive(Debug)]
pub struct Prepared {
    gate: Gate,
    house: Arc<House>,
    session: SessionSettings,
}

impl Prepared {
    /// Puts it in the place of the old one, at once and whole. Requests under way end as they began.
    pub fn put_in_place(self) {
        self.gate.0.foundations.sessions.set_lifetimes(&self.session);
        self.gate.0.house.store(self.house);
    }
}

impl Gate {
    /// Builds the gate.
    ///
    /// # Errors
    /// Where the settings make no gate: nothing is started then.
    pub fn new(settings: &GateSettings, foundations: Foundations) -> Result<Self, BuildError> {
        let foundations = Arc::new(foundations);
        let house = House::build(settings, &foundations, None)?;
        let gate = Self(Arc::new(Shared { house: ArcSwap::from_pointee(house), foundations }));
        gate.watch_scrapes();
        Ok(gate)
    }

    /// Builds what new settings make, to be put in place once everything else has agreed as well.
    ///
    /// # Errors
    /// Where the settings make no gate: the old ones go on.
    pub fn prepare(&self, settings: &GateSettings) -> Result<Prepared, BuildError> {
        let before = self.0.house.load();
        let house = House::build(settings, &self.0.foundations, Some(&before))?;
        Ok(Prepared { gate: self.clone(), house: Arc::new(house), session: settings.session.clone() })
    }

    /// The path of a request: each step goes on or says why not.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` holds its arguments twice, and every connection keeps room for this future"
    )]
    fn pass(
        house: &House,
        exchange: &mut Exchange,
        request: Request<Content>,
    ) -> impl Future<Output = Result<Response<Body>, Rejection>> + Send {
        async move {
            let inbound =
                exchange.inbound.insert(Inbound::read(&exchange.transport, &house.trusted, &request)?);
            mutant!(check_field_names(request.headers())?, "folded-framing-names-pass" => ());
            let route = house.route(&exchange.transport, inbound)?;
            exchange.route = Some(Arc::clone(route));
            route.tolerates(&inbound.path)?;
            readings::read(house, &exchange.transport, inbound, route)?;
            let standing = route.limit_before(inbound, request.headers())?;
            exchange.slot = Some(route.concurrency.try_enter().ok_or(Rejection::Busy)?);
            exchange.asks_basic = route.accept.basic && !is_of_a_page(request.headers());
            exchange.reader = origins::reader(&route.origins, request.headers());
            if origins::is_passed_preflight(&route.origins, &request) {
                return Box::pin(act::pass_preflight(house, route, exchange, request)).await;
            }
            let authentication = judge::authenticate(house, route, exchange, &request).await?;
            let permit = match judge::decide(house, route, exchange, &authentication, &request) {
                Ok(permit) => permit,
                Err(no) => {
                    return Err(
                        Box::pin(kept::with_form(no, exchange, request, &house.foundations.clock)).await
                    );
                }
            };
            exchange.has_destination = destination::check(house, route, exchange, &authentication, &request)?;
            origins::check(route, exchange.inbound()?, &authentication, &request)?;
            exchange.standing = route.limit_after(&permit, standing)?;
            act::act(house, route, exchange, permit, &authentication, request).await
        }
    }
}

impl Handler for Gate {
    type Body = Body;

    fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<Content>,
    ) -> impl Future<Output = Response<Body>> + Send {
        let house = self.0.house.load_full();
        let mut exchange = Box::new(house.exchange(transport, request.headers()));
        let asked = respond::Asked::of(&request);
        async move {
            let mut response = match Self::pass(&house, &mut exchange, request).await {
                Ok(response) => {
                    exchange.passed(response.status());
                    response
                }
                Err(rejection) => respond::respond(&house, &mut exchange, asked, rejection).await,
            };
            respond::finish(&exchange, &mut response);
            Body::record(&mut response, exchange);
            response
        }
    }
}
