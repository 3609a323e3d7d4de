//! Where a provider has the person's browser say, in a frame, that they have signed out there (OpenID Connect
//! Front-Channel Logout 1.0).
//!
//! A `GET` that changes something and asks for nothing of ours: browsers bring no cookie into the frame of another site.
//! What speaks is `sid`. The provider makes it up for one session, and tells it to those alone with whom that session
//! signs in: a page of another site does not know it, and who does can end that one session. Where it is missing nothing
//! ends. A cookie that comes along is not asked, or else any page of the same site could sign its visitors out
//! (invariant 18). Of a session that is not known nothing is kept (invariant 14).

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use url::Url;

use super::answer::Answer;
use super::context::RequestContext;
use super::error::EndpointError;
use super::provider_logout::{Accepted, end_sessions, knows};
use super::response::show;
use super::sign_in_request::parameter;
use super::state::Endpoints;
use crate::events::{Channel, LogoutTokenRefused};
use crate::oidc::Provider;
use crate::pages::Framed;
use crate::telemetry::LogoutChannel;

/// The longest `sid` that is looked for.
const LONGEST_SID: usize = 1024;

pub(super) async fn answer<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    let said = |name| parameter(request.uri(), name).filter(|value| !value.is_empty());
    let iss = said("iss");
    let theirs = providers(endpoints, iss.as_deref());
    let refused = |reason| {
        let (caller, channel) = (context.caller(), Channel::Front);
        endpoints.resources.recorder.emit(&LogoutTokenRefused { caller, provider: None, channel, reason });
        endpoints.resources.metrics.logout("", LogoutChannel::Front, reason);
        framed(context, StatusCode::BAD_REQUEST, &theirs).into()
    };
    if theirs.is_empty() {
        return refused("unknown-issuer");
    }
    let Some(sid) = said("sid").filter(|sid| sid.len() <= LONGEST_SID) else { return refused("no-sid") };
    match end(endpoints, context, &theirs, &sid).await {
        Ok(()) => framed(context, StatusCode::OK, &theirs).into(),
        Err(error) => error.into(),
    }
}

/// Those of the issuer; all where none is named, as Microsoft Entra ID does.
fn providers<'e>(endpoints: &'e Endpoints, iss: Option<&str>) -> Vec<&'e Provider> {
    let all = endpoints.providers.iter().filter(|provider| provider.settings().client.is_some());
    let named = all.filter(|provider| iss.is_none_or(|iss| provider.issuer().as_str() == iss));
    let mut providers: Vec<&Provider> = Vec::new();
    for provider in named {
        if !providers.iter().any(|known| known.issuer() == provider.issuer()) {
            providers.push(provider);
        }
    }
    providers
}

async fn end(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    theirs: &[&Provider],
    sid: &str,
) -> Result<(), EndpointError> {
    let (sessions, metrics) = (&endpoints.resources.sessions, &endpoints.resources.metrics);
    let mut all = 0;
    for provider in theirs {
        let name = provider.name();
        let known = mutant!(knows(sessions, provider, sid).await?, "unknown-sid-remembered" => true);
        let ended = if known {
            end_sessions(sessions, provider, Some(sid), None, context.owned_caller()).await?
        } else {
            0
        };
        if ended > 0 {
            let told = Accepted { channel: Channel::Front, subject: None, ended };
            told.record(&endpoints.resources.recorder, context.caller(), provider);
            metrics.logout(name.as_str(), LogoutChannel::Front, "ended");
        }
        all += ended;
    }
    if all == 0 {
        let only = if let [only] = theirs { only.name().as_str() } else { "" };
        metrics.logout(only, LogoutChannel::Front, "nothing-left");
    }
    Ok(())
}

/// A page that those providers alone may frame.
fn framed(context: RequestContext<'_>, status: StatusCode, theirs: &[&Provider]) -> Response<Bytes> {
    let by: Vec<Url> = theirs.iter().flat_map(|provider| provider.seen_at()).collect();
    show(Framed { status, by: &by }.page(context.look))
}
