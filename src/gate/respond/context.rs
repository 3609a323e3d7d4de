//! What must be remembered of a request to refuse it well.

use http::{HeaderMap, Request, Uri, header};
use url::Url;

use super::super::inbound::Inbound;
use crate::endpoints::ReturnTo;
use crate::request::{is_form_submission, is_navigation};

/// Who asks, and where they may come back to.
#[derive(Clone, Debug)]
pub(in crate::gate) enum RefusalContext {
    /// A program, a script or a part of a page.
    Call,
    /// A browser that goes to this address.
    Navigation(Uri),
    /// A browser that sends a form, from this page where it says so.
    Form(Option<Url>),
}

impl RefusalContext {
    pub(in crate::gate) fn of<B>(request: &Request<B>) -> Self {
        if is_navigation(request.method(), request.headers()) {
            Self::Navigation(request.uri().clone())
        } else if is_form_submission(request.method(), request.headers()) {
            Self::Form(referer(request.headers()))
        } else {
            Self::Call
        }
    }

    /// Whether somebody looks at the answer.
    pub(super) const fn by_a_person(&self) -> bool {
        matches!(self, Self::Navigation(_) | Self::Form(_))
    }

    /// Whether the same may be asked again by itself.
    pub(super) const fn may_be_repeated(&self) -> bool {
        matches!(self, Self::Navigation(_))
    }

    /// The page to come back to: for a form the one that it was filled in on, or else the start of its site.
    pub(super) fn page(&self, inbound: &Inbound) -> Option<ReturnTo> {
        let origin = inbound.origin();
        match self {
            Self::Call => None,
            Self::Navigation(uri) => inbound.address(uri),
            Self::Form(page) => {
                let here = page.as_ref().and_then(|page| ReturnTo::parse(page.as_str(), |_| true));
                let here = here.filter(|page| page.origin() == origin);
                here.or_else(|| ReturnTo::asked(&origin, "/", None))
            }
        }
    }
}

fn referer(headers: &HeaderMap) -> Option<Url> {
    Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()
}
