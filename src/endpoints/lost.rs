//! A sign-in that comes back and is not known any more: by the back button, from a bookmark, after too long a time,
//! or because the browser had begun too many. It signs nobody in. But where it was to lead is known: whoever is signed in
//! by now is sent there, and whoever is not begins anew, once.

use http::HeaderMap;

use super::answer::Answer;
use super::context::RequestContext;
use super::error::{EndpointError, LostSignIn};
use super::return_to::ReturnTo;
use super::sign_in_request::AGAIN;
use super::state::Endpoints;

/// Where a lost sign-in was to lead.
#[derive(Debug)]
pub(super) struct LostDestination {
    /// The page, where it is known and ours.
    pub(super) return_to: Option<ReturnTo>,
    /// Whether it had been begun anew already. Without this, a browser that keeps no cookies would be redirected
    /// for ever.
    pub(super) again: bool,
}

impl LostDestination {
    /// What is known of the sign-in with this `state`.
    pub(super) fn of_state(endpoints: &Endpoints, state: &str) -> Self {
        let Some(destination) = endpoints.cookies.flows.destination(state) else { return Self::unknown() };
        Self { return_to: endpoints.hosts.return_to(&destination.return_to), again: destination.again }
    }

    /// Where nothing is known of it.
    pub(super) const fn unknown() -> Self {
        Self { return_to: None, again: false }
    }

    /// Where the browser is sent, if anywhere.
    fn redirect(&self, here: &str, signed_in: bool) -> Option<String> {
        match (&self.return_to, signed_in) {
            (Some(to), true) if to.origin() == here => Some(to.as_str().to_owned()),
            (Some(to), signed_in) if signed_in || !self.again => Some(to.sign_in_address(&[(AGAIN, "1")])),
            (None, true) => Some("/".to_owned()),
            (Some(_) | None, _) => None,
        }
    }
}

/// Refuses the sign-in for `reason`, and says where the browser goes instead.
pub(super) async fn refuse(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    lost: LostDestination,
    reason: String,
) -> Answer {
    let found = match endpoints.session(context, headers).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let signed_in = found.session().is_some();
    let redirect = lost.redirect(&context.origin(), signed_in);
    let retry = lost.return_to.as_ref().map(|to| to.sign_in_address(&[]));
    let refusal = EndpointError::LostSignIn(Box::new(LostSignIn { reason, redirect, retry }));
    Answer::to(found.principal().cloned(), Err(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(return_to: Option<&str>, again: bool, signed_in: bool) -> Option<String> {
        let return_to = return_to.map(|address| ReturnTo::parse(address, |_| true).unwrap());
        LostDestination { return_to, again }.redirect("https://login.example", signed_in)
    }

    #[test]
    fn who_is_signed_in_goes_on_and_who_is_not_begins_anew_once() {
        let (here, app) = (Some("https://login.example/a"), Some("https://wiki.example/b"));
        let sign_in = |host: &str, page: &str| {
            Some(format!(
                "https://{host}/.portcullis/sign-in?again=1&return_to=https%3A%2F%2F{host}%2F{page}"
            ))
        };
        for again in [false, true] {
            assert_eq!(redirect(here, again, true).as_deref(), here);
            assert_eq!(
                redirect(app, again, true),
                sign_in("wiki.example", "b"),
                "its host has no session yet"
            );
            assert_eq!(redirect(None, again, true).as_deref(), Some("/"));
            assert_eq!(redirect(None, again, false), None);
        }
        assert_eq!(redirect(here, false, false), sign_in("login.example", "a"));
        assert_eq!(redirect(app, false, false), sign_in("wiki.example", "b"));
        assert_eq!(
            redirect(app, true, false),
            None,
            "a browser that keeps no cookies would go round for ever"
        );
    }
}
