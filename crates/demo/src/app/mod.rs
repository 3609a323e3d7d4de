//! A sample app. It has no sign-in of its own: it shows what the gateway tells it, and verifies it.

mod assertion;
mod notes;
mod page;
mod told;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use url::Url;

use self::assertion::Verifier;
use self::notes::Notes;
use self::page::Surroundings;
use self::told::Told;
use super::reply::{self, Reply};
use portcullis_rules::clock::Clock;

/// The app.
#[derive(Debug)]
pub(super) struct App {
    around: Surroundings,
    verifier: Verifier,
    notes: Notes,
}

/// What a client would like to read (RFC 9110, section 12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Representation {
    Page,
    Json,
    Text,
}

impl App {
    /// An app behind `gateway`; `curl` is the command that calls its API.
    pub(super) fn new(gateway: &Url, provider: Url, curl: String, clock: Clock) -> Self {
        let verifier = Verifier::new(gateway, clock);
        let around = Surroundings { gateway: gateway.clone(), provider, curl };
        Self { around, verifier, notes: Notes::default() }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Bytes>) -> Reply {
        let told = Told::read(&request, self.verifier.proof(request.headers()).await);
        match (request.uri().path(), request.method()) {
            ("/favicon.ico", _) => reply::text(StatusCode::NOT_FOUND, ""),
            ("/notes", &Method::POST) => self.leave_note(&told, &request),
            (_, &Method::GET | &Method::HEAD) => self.show(&told, representation(&request)),
            _ => reply::json(StatusCode::OK, &told.json()),
        }
    }

    fn show(&self, told: &Told, representation: Representation) -> Reply {
        match representation {
            Representation::Page => page::page(told, &self.around, self.notes.all()),
            Representation::Json => reply::json(StatusCode::OK, &told.json()),
            Representation::Text => reply::text(StatusCode::OK, summary(told)),
        }
    }

    /// Notes are for people whom the app knows, from forms of its own.
    fn leave_note(&self, told: &Told, request: &Request<Bytes>) -> Reply {
        if !told.is_proven() || !self.is_own_form(request.headers()) {
            return reply::text(
                StatusCode::FORBIDDEN,
                "expected a form of this app, sent through the gateway\n",
            );
        }
        let mut fields = url::form_urlencoded::parse(request.body());
        if let (Some(author), Some((_, text))) = (told.user(), fields.find(|(name, _)| name == "note")) {
            self.notes.leave(author, &text);
        }
        reply::see_other("/#notes")
    }

    /// Browsers say where a form comes from.
    fn is_own_form(&self, headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = self.around.gateway.origin().ascii_serialization();
        match (said("sec-fetch-site"), said("origin")) {
            (Some(site), _) => site == "same-origin",
            (None, Some(said)) => said == origin,
            (None, None) => false,
        }
    }
}

/// Browsers ask for HTML, programs for JSON, curl for anything.
fn representation(request: &Request<Bytes>) -> Representation {
    let accept =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") || accept.contains("application/json") {
        return Representation::Json;
    }
    if accept.contains("text/html") { Representation::Page } else { Representation::Text }
}

fn summary(told: &Told) -> String {
    let who = told.user().unwrap_or("stranger");
    let proof = if told.is_proven() { "The gateway vouches for you." } else { "Nobody vouches for you." };
    let id = told.request_id.as_deref().unwrap_or("none");
    format!(
        "Hello, {who}. {proof}\nYou asked for {} {} (request id {id}).\nFor all of it: -H 'Accept: application/json'\n",
        told.method, told.target
    )
}
