//! What must be remembered of a request to refuse it well.

use http::{HeaderMap, HeaderValue, Request, Uri, header};
use url::Url;

use crate::authn::Accepted;
use crate::endpoints::ReturnTo;
use crate::gate::inbound::Inbound;
use crate::gate::origins;
use crate::gate::route::{REALM, Route};
use crate::identity::RequestId;
use crate::pages::{Look, Looks};
use crate::request::{is_form_submission, is_navigation, is_of_a_page};

/// What is the same for all refusals of a request.
#[derive(Debug)]
pub(in crate::gate) struct RefusalContext<'a> {
    pub(super) id: &'a RequestId,
    asker: Asker,
    /// What challenges call the protection space.
    pub(super) realm: &'a str,
    /// Whether the route takes access tokens by `Bearer`.
    pub(super) bearer: bool,
    /// Whether to ask for Basic: the route takes it, and no browser would put up its dialog.
    pub(super) basic: bool,
    /// The origin whose scripts may read the refusal.
    pub(super) reader: Option<HeaderValue>,
}

/// Who asks, and where they may come back to.
#[derive(Debug)]
enum Asker {
    /// A program, a script or a part of a page.
    Call,
    /// A browser that goes to this address, and the languages that it asks for.
    Navigation(Uri, Option<HeaderValue>),
    /// A browser that sends a form, from this page where it says so, and the languages that it asks for.
    Form(Option<Url>, Option<HeaderValue>),
}

impl<'a> RefusalContext<'a> {
    /// Of a request whose route is not known.
    pub(in crate::gate) fn of<B>(id: &'a RequestId, request: &Request<B>) -> Self {
        let languages = || request.headers().get(header::ACCEPT_LANGUAGE).cloned();
        let asker = if is_navigation(request.method(), request.headers()) {
            Asker::Navigation(request.uri().clone(), languages())
        } else if is_form_submission(request.method(), request.headers()) {
            Asker::Form(referer(request.headers()), languages())
        } else {
            Asker::Call
        };
        Self { id, asker, realm: REALM, bearer: false, basic: false, reader: None }
    }

    /// Refusals are in the name of `route` from now on.
    pub(in crate::gate) fn refuse_for(&mut self, route: &'a Route, headers: &HeaderMap) {
        self.realm = &route.realm;
        self.bearer = route.accept.has(Accepted::Bearer);
        self.basic = route.accept.has(Accepted::Basic) && !is_of_a_page(headers);
        self.reader = origins::reader(&route.origins, headers);
    }

    /// Whether somebody looks at the answer.
    pub(super) const fn by_a_person(&self) -> bool {
        matches!(self.asker, Asker::Navigation(..) | Asker::Form(..))
    }

    /// Whether the same may be asked again by itself.
    pub(super) const fn may_be_repeated(&self) -> bool {
        matches!(self.asker, Asker::Navigation(..))
    }

    /// How pages look for whoever asks.
    pub(in crate::gate) fn look<'l>(&self, looks: &'l Looks) -> Look<'l> {
        match &self.asker {
            Asker::Call => looks.of(None),
            Asker::Navigation(_, languages) | Asker::Form(_, languages) => looks.of(languages.as_ref()),
        }
    }

    /// The page to come back to: for a form the one that it was filled in on, or else the start of its site.
    pub(super) fn page(&self, inbound: &Inbound) -> Option<ReturnTo> {
        let origin = inbound.origin();
        match &self.asker {
            Asker::Call => None,
            Asker::Navigation(uri, _) => inbound.address(uri),
            Asker::Form(page, _) => {
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
