//! A form that somebody sent just when their session was over, brought through the sign-in.
//!
//! It lives in the browser, sealed, as a sign-in in flight does (decision 4): strangers fill no store
//! (invariant 14). Only a form that a page of the same origin sent is kept, or else signing in would send
//! another site's form in the person's name (invariant 18).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri, header};
use serde::{Deserialize, Serialize};

use super::body::read_to_end;
use crate::clock::{Clock, Timestamp};
use crate::listener::RequestBody;
use crate::request::is_form_submission;
use crate::secret::SealingKey;

/// The most bytes of a form that is kept.
const MAX_FORM: usize = 64 * 1024;

/// How long a kept form is good.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What it is sealed under, so that nothing else that the key seals is taken for a form (invariant 7).
const NAME: &[u8] = b"portcullis-form";

/// A form and where it was going.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferredForm {
    /// Scheme and authority: it goes back there and nowhere else.
    origin: String,
    /// Path and query.
    target: String,
    /// How the body is written; `application/x-www-form-urlencoded` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipart: Option<String>,
    /// As it came; of `multipart/form-data`, which holds any bytes, in Base64.
    body: String,
    at: Timestamp,
}

impl DeferredForm {
    /// Reads the form out of a request to `origin`, where it is one worth keeping.
    pub async fn read(origin: String, request: Request<RequestBody>, clock: &Clock) -> Option<Self> {
        if !is_form(request.method(), request.headers()) {
            return None;
        }
        let (target, encoding) = (target(request.uri()), encoding(request.headers())?);
        let body = read_to_end(request.into_body(), MAX_FORM).await?;
        let (multipart, body) = match encoding {
            Encoding::UrlEncoded => (None, urlencoded(body)?),
            Encoding::Multipart(media_type) => (Some(media_type), STANDARD.encode(body)),
        };
        Some(Self { origin, target, multipart, body, at: clock.now() })
    }

    /// Path and query of where it was going.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// Its fields, in order; none where a browser has to read it.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let urlencoded = if self.multipart.is_none() { self.body.as_bytes() } else { b"" };
        url::form_urlencoded::parse(urlencoded).into_owned().collect()
    }

    /// Media type with its boundary, and the body in Base64, where it is `multipart/form-data`. It goes back to the
    /// browser that wrote it, and nobody here looks into it.
    pub(super) fn multipart(&self) -> Option<(&str, &str)> {
        self.multipart.as_deref().map(|media_type| (media_type, self.body.as_str()))
    }

    /// The form as text for its browser to keep.
    pub(super) fn seal(&self, key: &SealingKey) -> Option<String> {
        key.seal_json(NAME, self).map(|sealed| STANDARD.encode(sealed))
    }

    /// The form that a browser of `origin` kept, if it is ours, for there, and not too old.
    pub(super) fn open(key: &SealingKey, sealed: &str, origin: &str, clock: &Clock) -> Option<Self> {
        let form: Self = key.open_json(NAME, &STANDARD.decode(sealed).ok()?)?;
        let here = mutant!(form.origin == origin, "kept-form-elsewhere" => true);
        let fresh = mutant!(clock.now().since(form.at) < LIFETIME, "kept-form-for-ever" => true);
        (here && fresh).then_some(form)
    }
}

/// A form of the same origin, by the browser's own word.
fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    is_form_submission(method, headers)
        && says("sec-fetch-mode", "navigate")
        && mutant!(says("sec-fetch-site", "same-origin"), "kept-form-of-another-site" => true)
        && encoding(headers).is_some()
}

/// How a body is written, where that is a way that can be taken up again.
enum Encoding {
    UrlEncoded,
    /// With its boundary.
    Multipart(String),
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let said = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => Some(Encoding::UrlEncoded),
        "multipart/form-data" => Some(Encoding::Multipart(said.to_owned())),
        _ => None,
    }
}

/// The body as text, unless it holds a NUL: no page can carry one, and the browser would send another form.
fn urlencoded(body: Bytes) -> Option<String> {
    let body = String::from_utf8(body.into()).ok()?;
    let whole = !body.contains("%00") && !body.contains('\0');
    whole.then_some(body)
}

fn target(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |target| target.as_str()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://wiki.example";

    fn form(clock: &Clock) -> DeferredForm {
        let (origin, target) = (HERE.to_owned(), "/save?draft=1".to_owned());
        let body = "a=1&a=2&text=%C3%A4+%26".to_owned();
        DeferredForm { origin, target, multipart: None, body, at: clock.now() }
    }

    #[test]
    fn a_form_comes_back_to_its_origin_with_its_fields_in_order() {
        let (key, clock) = (SealingKey::random(), Clock::manual(Timestamp::from_seconds(1_000)));
        let sealed = form(&clock).seal(&key).unwrap();
        let open = DeferredForm::open(&key, &sealed, HERE, &clock).unwrap();
        let fields = [("a", "1"), ("a", "2"), ("text", "ä &")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!((open.target(), open.fields()), ("/save?draft=1", fields.to_vec()));
    }

    #[test]
    fn invariant_7_a_kept_form_is_good_for_its_key_its_origin_and_an_hour() {
        let (key, clock) = (SealingKey::random(), Clock::manual(Timestamp::from_seconds(1_000)));
        let sealed = form(&clock).seal(&key).unwrap();
        assert_eq!(DeferredForm::open(&SealingKey::random(), &sealed, HERE, &clock), None);
        assert_eq!(DeferredForm::open(&key, &sealed, "https://mail.example", &clock), None);
        assert_eq!(DeferredForm::open(&key, &format!("{sealed}A"), HERE, &clock), None);
        clock.advance(Duration::from_secs(3599));
        assert!(DeferredForm::open(&key, &sealed, HERE, &clock).is_some());
        clock.advance(Duration::from_secs(1));
        assert_eq!(DeferredForm::open(&key, &sealed, HERE, &clock), None);
    }

    #[test]
    fn invariant_18_only_a_form_of_the_same_origin_is_kept() {
        let kept = |site: &'static str, mode: &'static str, media: &'static str| {
            let names =
                ["sec-fetch-site", "sec-fetch-mode", "content-type"].map(http::HeaderName::from_static);
            let values = [site, mode, media].map(http::HeaderValue::from_static);
            is_form(&Method::POST, &names.into_iter().zip(values).collect())
        };
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert!(kept("same-origin", "navigate", form));
        assert!(!kept("cross-site", "navigate", form));
        assert!(!kept("same-site", "navigate", form));
        assert!(!kept("none", "navigate", form));
        assert!(!kept("same-origin", "cors", form));
        assert!(kept("same-origin", "navigate", "Multipart/Form-Data; boundary=x"));
        assert!(!kept("same-site", "navigate", "multipart/form-data; boundary=x"));
        assert!(!kept("same-origin", "navigate", "text/plain"), "its fields cannot be told apart");
        assert!(!is_form(&Method::POST, &HeaderMap::new()));
    }
}
