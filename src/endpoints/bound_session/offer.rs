//! Telling a browser how to bind the session that it is just given (section 9.1).

use http::{HeaderName, HeaderValue};

use crate::endpoints::context::RequestContext;
use crate::endpoints::paths::BIND;
use crate::endpoints::state::Endpoints;
use crate::request::Scheme;
use crate::session::{Bind, BindingScope, Session};

const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");

/// The field for the answer that sets the cookie of `session`; `None` where it is not to be bound: by the configuration,
/// because the binding of the sign-in host covers it, or because as many hosts of its site are bound as a browser takes.
///
/// The algorithms are those that are accepted; `none`, which the draft has as well, is none of them.
pub(in crate::endpoints) async fn offer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    session: &Session,
) -> Option<(HeaderName, HeaderValue)> {
    if endpoints.binding.bind == Bind::Off || !is_secure(context) || is_covered(endpoints, session) {
        return None;
    }
    // A root is the first of its family.
    if session.root.is_some() && !has_room(endpoints, context, session).await {
        return None;
    }
    let challenge = endpoints.resources.sessions.registration_challenge(session);
    let field = format!("(ES256 RS256);path=\"{BIND}\";challenge=\"{challenge}\"");
    Some((REGISTRATION, HeaderValue::try_from(field).ok()?))
}

/// What a session of this host is bound for.
pub(super) fn scope(endpoints: &Endpoints, host: &str) -> BindingScope {
    let public = endpoints.hosts.public.as_ref().is_some_and(|public| public.authority.host() == host);
    match &endpoints.binding.site {
        Some(site) if public => BindingScope::Site(site.clone()),
        Some(_) | None => BindingScope::Host,
    }
}

/// Browsers bind over TLS, and on the machine itself.
fn is_secure(context: RequestContext<'_>) -> bool {
    let host = context.authority.host();
    let loopback = host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    context.forwarding.scheme == Scheme::Https
        || loopback
        || host == "localhost"
        || host.ends_with(".localhost")
}

/// Whether the root's binding is to cover the host.
fn is_covered(endpoints: &Endpoints, session: &Session) -> bool {
    let site = endpoints.binding.site.as_deref().map(|site| BindingScope::Site(site.to_owned()));
    session.root.is_some() && site.is_some_and(|site| site.holds_site_of(&session.host))
}

async fn has_room(endpoints: &Endpoints, context: RequestContext<'_>, session: &Session) -> bool {
    match endpoints.resources.sessions.has_room_to_bind(session).await {
        Ok(true) => true,
        Ok(false) => {
            super::record_refusal(endpoints, context, Some(session.id), super::TOO_MANY_HOSTS);
            super::count(endpoints, super::Step::Registration, "too-many-hosts");
            false
        }
        // The session is there, and goes on unbound.
        Err(error) => {
            tracing::warn!(id = %context.id, %error, "a session is not offered to be bound");
            false
        }
    }
}
