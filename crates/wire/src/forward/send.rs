//! The way of one request to its upstream and of the response back.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

use super::checkout::Checkout;
use super::error::BoxError;
use super::http1::{self, TooManyFields};
use super::response::{ResponseSource, UpstreamBody};
use super::sending::Sending;
use super::{ForwardContext, ForwardError, ForwardFault, Plan, Upstream, headers, retry};
use crate::policy::Permit;

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
    context: ForwardContext<'a>,
    request: Request<B>,
) -> impl Future<Output = Result<Response<UpstreamBody>, ForwardError>> + Send + use<'a, B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let prepared =
        refuse(plan, &request).and_then(|()| Sending::prepare(upstream, plan, permit, context, request));
    // A block: the future of an `async fn` holds its arguments twice.
    async move {
        let (mut sending, mut request) = prepared?;
        let (response, checkout) = retry::send(&mut sending, &mut request).await?;
        sending.receive(response, checkout)
    }
}

/// What is refused by its head alone.
fn refuse<B: Body>(plan: &Plan, request: &Request<B>) -> Result<(), ForwardError> {
    // `CONNECT` would open a tunnel to anywhere; `TRACE` would echo the identity to its bearer.
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(ForwardFault::MethodRefused.into());
    }
    let stated = request.body().size_hint().lower();
    if plan.settings.max_body.is_some_and(|max| stated > max) {
        return Err(ForwardFault::BodyTooLarge.into());
    }
    Ok(())
}

impl Sending<'_> {
    fn receive(
        self,
        mut response: Response<ResponseSource>,
        checkout: Checkout,
    ) -> Result<Response<UpstreamBody>, ForwardError> {
        self.exchange.iter().for_each(|exchange| exchange.answer());
        if let Err(error) = self.check(&response) {
            return Err(self.blame(error, &checkout));
        }
        self.upstream.succeeded(checkout.server);
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let chosen = switched.then(|| response.headers_mut().remove(http::header::UPGRADE)).flatten();
        self.plan.tell_location(&self.context, &self.app_names(&checkout), response.headers_mut());
        self.plan.finish(&self.context, &mut response);
        let idle = self.upstream.settings().timeout.idle;
        match (self.upgrade, chosen) {
            (Some(upgrade), Some(chosen)) => {
                let tunnel = upgrade.into_tunnel(&chosen, idle, checkout);
                headers::switch(response.headers_mut(), chosen);
                Ok(response.map(|_| UpstreamBody::tunnel(tunnel)))
            }
            _ => Ok(response.map(|source| UpstreamBody::new(source, idle, self.exchange, checkout))),
        }
    }

    fn check(&self, response: &Response<ResponseSource>) -> Result<(), ForwardError> {
        if response.headers().len() > self.upstream.settings().max_fields {
            return Err(http1::Http1Error::from(TooManyFields).into());
        }
        let asked =
            || self.upgrade.as_ref().is_some_and(|upgrade| upgrade.is_answered_by(response.headers()));
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS if asked() => Ok(()),
            status if status.is_informational() => Err(ForwardFault::InvalidResponse.into()),
            _ => Ok(()),
        }
    }
}
