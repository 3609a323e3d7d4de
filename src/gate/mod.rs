//! The one path of every request.

mod act;
mod body;
mod exchange;
mod foundations;
mod freshen;
mod house;
mod ids;
mod inbound;
mod judge;
mod own;
mod rejection;
mod respond;
mod return_to;
mod route;
mod settings;
mod status;
mod tickets;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;

use exchange::Exchange;
use house::House;
use inbound::Inbound;
use rejection::Rejection;

pub use body::Body;
pub use foundations::Foundations;
pub use house::BuildError;
pub use settings::{GateSettings, RedirectSettings, RouteAction, RouteSettings};
pub use status::{Missing, Readiness};

use crate::listener::Handler;
use crate::request::Transport;

/// The gate: every request of every listener passes here. Cheap to clone; a reload reaches all clones.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    house: ArcSwap<House>,
    foundations: Arc<Foundations>,
}

impl Gate {
    /// Builds the gate.
    ///
    /// # Errors
    /// Where the settings make no gate: nothing is started then.
    pub fn new(settings: &GateSettings, foundations: Foundations) -> Result<Self, BuildError> {
        let foundations = Arc::new(foundations);
        let house = House::build(settings, &foundations, None)?;
        Ok(Self(Arc::new(Shared { house: ArcSwap::from_pointee(house), foundations })))
    }

    /// Puts new settings in the place of the old ones, at once and whole. Requests under way end as they
    /// began.
    ///
    /// # Errors
    /// Where the settings make no gate: the old ones go on.
    pub fn reload(&self, settings: &GateSettings) -> Result<(), BuildError> {
        let before = self.0.house.load_full();
        let house = House::build(settings, &self.0.foundations, Some(&before))?;
        self.0.house.store(Arc::new(house));
        Ok(())
    }

    /// The path of a request: each step goes on or says why not.
    async fn pass(
        house: &House,
        exchange: &mut Exchange,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Rejection> {
        let inbound = Inbound::read(&exchange.transport, &house.trusted, &request)?;
        let inbound = exchange.inbound.insert(inbound);
        let route = Arc::clone(exchange.route.insert(Arc::clone(house.route(inbound)?)));
        route.tolerates(&inbound.path)?;
        let standing = route.limiter.before(inbound.forwarding.client, request.headers())?;
        exchange.slot = Some(route.concurrency.try_enter().ok_or(Rejection::Busy)?);
        let authentication = judge::authenticate(house, &route, &request).await?;
        let permit = judge::decide(&route, exchange, &authentication, &request)?;
        let standing = judge::limit(&route, &permit, standing)?;
        let mut response = act::act(house, &route, exchange, permit, &authentication, request).await?;
        standing.write_headers(response.headers_mut());
        Ok(response)
    }
}

impl Handler for Gate {
    type Body = Body;

    async fn handle(&self, transport: &Arc<Transport>, request: Request<Incoming>) -> Response<Body> {
        let house = self.0.house.load_full();
        let mut exchange = Box::new(house.exchange(transport, &request));
        let asked = respond::Asked::of(&request);
        let mut response = match Self::pass(&house, &mut exchange, request).await {
            Ok(response) => {
                exchange.passed(response.status());
                response
            }
            Err(rejection) => respond::respond(&house, &mut exchange, &asked, rejection),
        };
        respond::finish(&exchange, &mut response);
        response.map(|body| body.recorded_by(exchange))
    }
}
