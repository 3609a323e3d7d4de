//! The way of one request to its upstream and of the response back.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use hyper::client::conn::http2::SendRequest;
use tokio::time::{Instant, timeout_at};

use super::again::Failure;
use super::body::{BodyLimits, RequestBody};
use super::error::Cause;
use super::exchange::Exchange;
use super::http1::{self, Connection, TooManyFields};
use super::http2::{self, Backup};
use super::location::Inside;
use super::plan::OriginHeaders;
use super::pool::Checkout;
use super::response::{Content, Lease, UpstreamBody};
use super::timer::TICK;
use super::upgrade::UpgradeRequest;
use super::wire::{Lines, Wire};
use super::{Fault, ForwardContext, ForwardError, Plan, Upstream, headers, rewrite};
use crate::policy::Permit;
use crate::request::Scheme;

/// Servers that are tried for one request before it fails.
const MAX_SERVERS: usize = 3;

/// Sends a permitted request to its upstream and gives back the response as it begins; both bodies are
/// streamed. After a `101` the caller runs [`UpstreamBody::take_tunnel`].
///
/// Dropping the future, or the response's body before its end, breaks off the exchange. A server that
/// takes no connection is passed over for the next. A request is sent again only where nothing has been done
/// with it, as far as its server says or nothing of it has left; or once, where it is idempotent and without a
/// body, and a kept connection ended instead of an answer.
///
/// # Errors
/// Where there is no response to pass on; nothing has been sent to the upstream for faults of the
/// client's head.
pub fn forward<'a, B>(
    upstream: &'a Arc<Upstream>,
    plan: &'a Plan,
    permit: &'a Permit,
    passage: ForwardContext<'a>,
    request: Request<B>,
) -> impl Future<Output = Result<Response<UpstreamBody>, ForwardError>> + Send + use<'a, B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Cause>,
{
    let prepared = Sending::prepare(upstream, plan, permit, passage, request);
    // A block: the future of an `async fn` holds its arguments twice.
    async move {
        let (mut sending, mut request) = prepared?;
        let (response, lease) = sending.send(&mut request).await?;
        sending.receive(response, lease)
    }
}

/// What is refused by its head alone.
fn refuse<B: Body>(plan: &Plan, request: &Request<B>) -> Result<(), ForwardError> {
    // `CONNECT` would open a tunnel to anywhere; `TRACE` would echo the identity to its bearer.
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Fault::MethodRefused.into());
    }
    let stated = request.body().size_hint().lower();
    if plan.settings.max_body.is_some_and(|max| stated > max) {
        return Err(Fault::BodyTooLarge.into());
    }
    Ok(())
}

pub(super) fn limits(upstream: &Upstream, plan: &Plan) -> BodyLimits {
    BodyLimits {
        max: plan.settings.max_body,
        idle: upstream.settings().timeout.idle,
        rate: plan.settings.min_body_rate,
        reserved: Arc::clone(&plan.reserved),
    }
}

/// A request on its way.
pub(super) struct Sending<'a> {
    pub(super) upstream: &'a Arc<Upstream>,
    pub(super) plan: &'a Plan,
    permit: &'a Permit,
    passage: ForwardContext<'a>,
    pub(super) exchange: Option<Arc<Exchange>>,
    told: OriginHeaders,
    trailers: bool,
    upgrade: Option<UpgradeRequest>,
}

impl<'a> Sending<'a> {
    fn prepare<B>(
        upstream: &'a Arc<Upstream>,
        plan: &'a Plan,
        permit: &'a Permit,
        passage: ForwardContext<'a>,
        mut request: Request<B>,
    ) -> Result<(Self, Request<RequestBody>), ForwardError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Cause>,
    {
        refuse(plan, &request)?;
        let upgrade = UpgradeRequest::take(&mut request);
        let trailers = upstream.may_be_http2() && headers::takes_trailers(request.headers());
        let (mut head, body) = request.into_parts();
        head.extensions.clear();
        let target = rewrite::target(std::mem::take(&mut head.uri), passage.path, &plan.settings.rewrite)?;
        head.uri = target.into();
        let told = plan.prepare(permit, &passage, head.version, &mut head.headers)?;
        let (body, exchange) = RequestBody::new(body, limits(upstream, plan));
        let request = Request::from_parts(head, body);
        Ok((Self { upstream, plan, permit, passage, exchange, told, trailers, upgrade }, request))
    }

    async fn send(
        &mut self,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Content>, Lease), ForwardError> {
        let mut lease = self.connect(false).await?;
        match self.transmit(&mut lease, request).await {
            Ok(response) => Ok((response, lease)),
            // Boxed: rare, and every request carries the room for this future.
            Err(failure) => Box::pin(self.send_again(failure, lease, request)).await,
        }
    }

    /// A connection to the first server that gives one.
    pub(super) async fn connect(&self, fresh: bool) -> Result<Lease, ForwardError> {
        let mut tried = Vec::new();
        let mut last = ForwardError::from(Fault::Connect);
        let worker = self.passage.transport.worker;
        while let Some(server) = self.upstream.pick(worker, &tried).filter(|_| tried.len() < MAX_SERVERS) {
            let active = self.upstream.enter(worker, server);
            let target = &self.upstream.targets()[server];
            let lent = active.pool().lend(&target.connector, self.upgrade.is_some(), fresh).await;
            match lent {
                Ok(lent) => return Ok(Lease { upstream: Arc::clone(self.upstream), server, active, lent }),
                Err(error) => {
                    self.upstream.failed(server);
                    tried.push(server);
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn write(&self, lease: &Lease, request: &mut Request<RequestBody>) -> Result<Lines<'_>, ForwardError> {
        if let Some(path) = &self.told.destination {
            self.app(lease).ask(path, request.headers_mut())?;
        }
        let target = &self.upstream.targets()[lease.server];
        let wire = Wire {
            http2: matches!(lease.lent, Checkout::Http2 { .. }),
            tls: target.tls,
            host: self.plan.host(&self.told.host, &target.host),
            told: &self.told,
            plan: self.plan,
            permit: self.permit,
            trailers: self.trailers,
            upgrade: self.upgrade.as_ref(),
        };
        wire.write(request)
    }

    pub(super) async fn transmit(
        &self,
        lease: &mut Lease,
        request: &mut Request<RequestBody>,
    ) -> Result<Response<Content>, Failure> {
        let lines = self.write(lease, request).map_err(Failure::Failed)?;
        match &mut lease.lent {
            Checkout::Http1 { connection, .. } => self.transmit_http1(connection, request, lines).await,
            // Boxed: large, and over HTTP/2 dwarfed by the streams' own costs.
            Checkout::Http2 { sender, .. } => Box::pin(self.transmit_http2(sender, request)).await,
        }
    }

    async fn transmit_http1(
        &self,
        connection: &mut Connection,
        request: &mut Request<RequestBody>,
        lines: Lines<'_>,
    ) -> Result<Response<Content>, Failure> {
        // A body is read from as soon as it is sent, and cannot be sent again.
        let repeatable = request.body().is_empty();
        connection.begin(request, &lines, self.response_limit());
        let error = match poll_fn(|cx| self.poll_http1(connection, cx)).await {
            Ok(response) => return Ok(response.map(|()| Content::Connection)),
            Err(error) => error,
        };
        let ended = repeatable && error.fault() == Fault::Reset;
        Err(match ended {
            true if connection.is_unsent() => Failure::Unsent(error),
            true if connection.is_silent() => Failure::Unanswered(error, None),
            true | false => Failure::Failed(error),
        })
    }

    fn poll_http1(
        &self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, ForwardError>> {
        let interim = |answer| self.pass_interim(answer);
        loop {
            if let Poll::Ready(answer) = connection.poll_answer(cx, &interim) {
                return Poll::Ready(answer.map_err(ForwardError::from));
            }
            if self.has_moved() {
                connection.deadline.begin(self.response_limit());
            }
            ready!(connection.deadline.poll_over(cx));
            if !self.is_alive() {
                return Poll::Ready(Err(Fault::ResponseTimeout.into()));
            }
            connection.deadline.begin(self.response_limit());
        }
    }

    /// An interim answer goes to the client as it is (RFC 9110, section 15.2), save the one word that we have asked
    /// for ourselves: the client is given it when its body is read.
    fn pass_interim(&self, mut answer: Response<()>) {
        let go_on = || self.exchange.as_ref().is_some_and(|exchange| exchange.go_on());
        let ours = answer.status() == StatusCode::CONTINUE && go_on();
        if let Some(client) = self.passage.transport.interim.as_ref().filter(|_| !ours) {
            mutant!(self.plan.finish(&self.passage, &mut answer), "interim-answers-unfiltered" => ());
            answer.headers_mut().remove(http::header::CONTENT_LENGTH);
            mutant!(client.send(answer), "interim-answers-swallowed" => drop(answer));
        }
    }

    async fn transmit_http2(
        &self,
        sender: &mut SendRequest<RequestBody>,
        request: &mut Request<RequestBody>,
    ) -> Result<Response<Content>, Failure> {
        let backup = Backup::of(request, self.upstream.held());
        let taken = std::mem::replace(request, Request::new(RequestBody::EMPTY));
        let mut sending = std::pin::pin!(sender.try_send_request(taken));
        let mut due = Instant::now() + self.response_limit();
        loop {
            match timeout_at(due.min(Instant::now() + TICK), sending.as_mut()).await {
                Ok(Ok(response)) => {
                    backup.release();
                    return Ok(response.map(Content::Incoming));
                }
                Ok(Err(error)) => return Err(http2::failure(error, request, backup)),
                Err(_) if Instant::now() < due && !self.has_moved() => {}
                Err(_) if Instant::now() < due || self.is_alive() => {
                    due = Instant::now() + self.response_limit()
                }
                Err(_) => return Err(Failure::Failed(Fault::ResponseTimeout.into())),
            }
        }
    }

    /// The time for a response runs from when the upstream has all of the request.
    fn is_alive(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.is_alive())
    }

    fn has_moved(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.has_moved())
    }

    fn response_limit(&self) -> Duration {
        self.upstream.settings().timeout.response
    }

    /// Says whose fault it was, and remembers it of the server where it was the server's.
    pub(super) fn blame(&self, error: ForwardError, lease: &Lease) -> ForwardError {
        match self.exchange.as_ref().and_then(|exchange| exchange.fault()) {
            Some(fault) => ForwardError::new(fault, error),
            None => {
                self.upstream.failed(lease.server);
                error.at(self.upstream.targets()[lease.server].connector.label())
            }
        }
    }

    fn receive(
        self,
        mut response: Response<Content>,
        lease: Lease,
    ) -> Result<Response<UpstreamBody>, ForwardError> {
        self.exchange.iter().for_each(|exchange| exchange.answer());
        if let Err(error) = self.check(&response) {
            return Err(self.blame(error, &lease));
        }
        self.upstream.succeeded(lease.server);
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let chosen = switched.then(|| response.headers_mut().remove(http::header::UPGRADE)).flatten();
        self.plan.tell_location(&self.passage, &self.app(&lease), response.headers_mut());
        self.plan.finish(&self.passage, &mut response);
        let idle = self.upstream.settings().timeout.idle;
        match (self.upgrade, chosen) {
            (Some(asked), Some(chosen)) => {
                let tunnel = asked.into_tunnel(&chosen, idle, lease);
                headers::switch(response.headers_mut(), chosen);
                Ok(response.map(|_| UpstreamBody::tunnel(tunnel)))
            }
            _ => Ok(response.map(|content| UpstreamBody::new(content, idle, self.exchange, lease))),
        }
    }

    /// What the app may call itself.
    fn app(&self, lease: &Lease) -> Inside<'_> {
        let target = &self.upstream.targets()[lease.server];
        let scheme = if target.tls { Scheme::Https } else { Scheme::Http };
        Inside { hosts: [self.plan.host(&self.told.host, &target.host), &target.host], scheme }
    }

    fn check(&self, response: &Response<Content>) -> Result<(), ForwardError> {
        if response.headers().len() > self.upstream.settings().max_fields {
            return Err(http1::Error::from(TooManyFields).into());
        }
        let asked = || self.upgrade.as_ref().is_some_and(|asked| asked.is_answered_by(response.headers()));
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if asked() => Ok(()),
            status if status.is_informational() => Err(Fault::InvalidResponse.into()),
            _ => Ok(()),
        }
    }
}

impl Checkout {
    pub(super) const fn is_fresh(&self) -> bool {
        match self {
            Self::Http1 { fresh, .. } | Self::Http2 { fresh, .. } => *fresh,
        }
    }
}
