//! A request on its way to an upstream: what it needs, and one attempt at sending it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use tokio::time::{Instant, timeout_at};

use super::body::{BodyLimits, OutboundBody};
use super::checkout::Checkout;
use super::error::BoxError;
use super::exchange::Exchange;
use super::failure::Failure;
use super::http1::Http1Connection;
use super::location::AppNames;
use super::plan::OriginHeaders;
use super::pooled::{Http2Sender, PooledConnection};
use super::request_copy::RequestCopy;
use super::request_writer::{HeadLines, RequestWriter};
use super::response::ResponseSource;
use super::timer::TICK;
use super::upgrade::UpgradeRequest;
use super::{ForwardContext, ForwardError, ForwardFault, Plan, Upstream, headers, http2, rewrite};
use crate::policy::Permit;
use crate::request::Scheme;

/// Servers that are tried for one request before it fails.
const MAX_SERVERS: usize = 3;

/// A request on its way, as it is sent in each attempt.
pub(super) struct Sending<'a> {
    pub(super) upstream: &'a Arc<Upstream>,
    pub(super) plan: &'a Plan,
    permit: &'a Permit,
    pub(super) context: ForwardContext<'a>,
    pub(super) exchange: Option<Arc<Exchange>>,
    origin: OriginHeaders,
    trailers: bool,
    pub(super) upgrade: Option<UpgradeRequest>,
}

impl<'a> Sending<'a> {
    /// Makes of a request what goes out whatever its server: the head that the route wants, and the body under watch.
    pub(super) fn prepare<B>(
        upstream: &'a Arc<Upstream>,
        plan: &'a Plan,
        permit: &'a Permit,
        context: ForwardContext<'a>,
        mut request: Request<B>,
    ) -> Result<(Self, Request<OutboundBody>), ForwardError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let upgrade = UpgradeRequest::take(&mut request);
        let trailers = upstream.may_be_http2() && headers::takes_trailers(request.headers());
        let (mut head, body) = request.into_parts();
        // What the listener has put there is not for the connection to an upstream.
        head.extensions.clear();
        let target = rewrite::target(std::mem::take(&mut head.uri), context.path, &plan.settings.rewrite)?;
        head.uri = target.into();
        let origin = plan.prepare(permit, &context, head.version, &mut head.headers)?;
        let (body, exchange) = OutboundBody::new(body, body_limits(upstream, plan));
        let request = Request::from_parts(head, body);
        Ok((Self { upstream, plan, permit, context, exchange, origin, trailers, upgrade }, request))
    }

    /// A connection to the first server that gives one.
    pub(super) async fn connect(&self, fresh: bool) -> Result<Checkout, ForwardError> {
        let mut tried = Vec::new();
        let mut last = ForwardError::from(ForwardFault::Connect);
        let worker = self.context.transport.worker;
        while let Some(server) = self.upstream.pick(worker, &tried).filter(|_| tried.len() < MAX_SERVERS) {
            let active = self.upstream.enter(worker, server);
            let to = &self.upstream.servers()[server].connector;
            match active.pool().check_out(to, self.upgrade.is_some(), fresh).await {
                Ok(connection) => {
                    return Ok(Checkout { upstream: Arc::clone(self.upstream), server, active, connection });
                }
                Err(error) => {
                    self.upstream.failed(server);
                    tried.push(server);
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn write(
        &self,
        checkout: &Checkout,
        request: &mut Request<OutboundBody>,
    ) -> Result<HeadLines<'_>, ForwardError> {
        if let Some(path) = &self.origin.destination {
            self.app_names(checkout).set_destination(path, request.headers_mut())?;
        }
        let server = &self.upstream.servers()[checkout.server];
        let writer = RequestWriter {
            http2: checkout.connection.is_http2(),
            tls: server.tls,
            host: self.plan.host(&self.origin.host, &server.host),
            origin: &self.origin,
            plan: self.plan,
            permit: self.permit,
            trailers: self.trailers,
            upgrade: self.upgrade.as_ref(),
        };
        writer.write(request)
    }

    /// One attempt: sends the request, and waits for the head of its answer.
    pub(super) async fn transmit(
        &self,
        checkout: &mut Checkout,
        request: &mut Request<OutboundBody>,
    ) -> Result<Response<ResponseSource>, Failure> {
        let lines = self.write(checkout, request).map_err(Failure::Failed)?;
        match &mut checkout.connection {
            PooledConnection::Http1 { connection, .. } => {
                self.transmit_http1(connection, request, lines).await
            }
            // Boxed: large, and over HTTP/2 dwarfed by the streams' own costs.
            PooledConnection::Http2 { sender, .. } => Box::pin(self.transmit_http2(sender, request)).await,
        }
    }

    async fn transmit_http1(
        &self,
        connection: &mut Http1Connection,
        request: &mut Request<OutboundBody>,
        lines: HeadLines<'_>,
    ) -> Result<Response<ResponseSource>, Failure> {
        // A body is read from as soon as it is sent, and cannot be sent again.
        let repeatable = request.body().is_empty();
        connection.begin(request, &lines, self.response_limit());
        let error = match poll_fn(|cx| self.poll_http1(connection, cx)).await {
            Ok(response) => return Ok(response.map(|()| ResponseSource::Connection)),
            Err(error) => error,
        };
        let ended = repeatable && error.fault() == ForwardFault::Reset;
        Err(match ended {
            true if connection.is_unsent() => Failure::Unsent(error),
            true if connection.is_silent() => Failure::Unanswered(error, None),
            true | false => Failure::Failed(error),
        })
    }

    fn poll_http1(
        &self,
        connection: &mut Http1Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, ForwardError>> {
        let interim = |answer| self.pass_interim(answer);
        loop {
            if let Poll::Ready(answer) = connection.poll_answer(cx, &interim) {
                return Poll::Ready(answer.map_err(ForwardError::from));
            }
            // The upstream's time begins anew with each part of the request: it cannot answer what it has not
            // got.
            if self.has_moved() {
                connection.deadline.begin(self.response_limit());
            }
            ready!(connection.deadline.poll_over(cx));
            // Nor is the upstream late where it is the client that is waited for.
            if !self.is_alive() {
                return Poll::Ready(Err(ForwardFault::ResponseTimeout.into()));
            }
            connection.deadline.begin(self.response_limit());
        }
    }

    /// Passes an interim answer on to the client (RFC 9110, section 15.2), except a `100 Continue` that we
    /// have waited for ourselves: the client gets its own when its body is read.
    fn pass_interim(&self, mut answer: Response<()>) {
        let go_on = || self.exchange.as_ref().is_some_and(|exchange| exchange.go_on());
        let ours = answer.status() == StatusCode::CONTINUE && go_on();
        if let Some(client) = self.context.transport.interim.as_ref().filter(|_| !ours) {
            mutant!(self.plan.finish(&self.context, &mut answer), "interim-answers-unfiltered" => ());
            answer.headers_mut().remove(http::header::CONTENT_LENGTH);
            mutant!(client.send(answer), "interim-answers-swallowed" => drop(answer));
        }
    }

    async fn transmit_http2(
        &self,
        sender: &mut Http2Sender,
        request: &mut Request<OutboundBody>,
    ) -> Result<Response<ResponseSource>, Failure> {
        let copy = RequestCopy::of(request, self.upstream.replay_budget());
        let taken = std::mem::replace(request, Request::new(OutboundBody::EMPTY));
        let mut sending = std::pin::pin!(sender.try_send_request(taken));
        let mut due = Instant::now() + self.response_limit();
        loop {
            // In ticks: a body that moves wakes nobody here, and is looked for from time to time.
            match timeout_at(due.min(Instant::now() + TICK), sending.as_mut()).await {
                Ok(Ok(response)) => {
                    copy.release();
                    return Ok(response.map(ResponseSource::Incoming));
                }
                Ok(Err(error)) => return Err(http2::failure(error, request, copy)),
                Err(_) if Instant::now() < due && !self.has_moved() => {}
                Err(_) if Instant::now() < due || self.is_alive() => {
                    due = Instant::now() + self.response_limit()
                }
                Err(_) => return Err(Failure::Failed(ForwardFault::ResponseTimeout.into())),
            }
        }
    }

    /// Whether the upstream need not have answered yet: its time runs from when it has all of the request.
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
    pub(super) fn blame(&self, error: ForwardError, checkout: &Checkout) -> ForwardError {
        match self.exchange.as_ref().and_then(|exchange| exchange.fault()) {
            Some(fault) => ForwardError::new(fault, error),
            None => {
                self.upstream.failed(checkout.server);
                error.at(self.upstream.servers()[checkout.server].connector.label())
            }
        }
    }

    /// What the app may call itself.
    pub(super) fn app_names(&self, checkout: &Checkout) -> AppNames<'_> {
        let server = &self.upstream.servers()[checkout.server];
        let scheme = if server.tls { Scheme::Https } else { Scheme::Http };
        AppNames { hosts: [self.plan.host(&self.origin.host, &server.host), &server.host], scheme }
    }
}

pub(super) fn body_limits(upstream: &Upstream, plan: &Plan) -> BodyLimits {
    BodyLimits {
        max: plan.settings.max_body,
        idle: upstream.settings().timeout.idle,
        rate: plan.settings.min_body_rate,
        reserved: Arc::clone(&plan.reserved),
    }
}
