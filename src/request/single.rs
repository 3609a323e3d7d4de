//! A field that must be there once.

use http::header::GetAll;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The field called `name`, where it is there once: of two, one was planted.
#[must_use]
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    only(headers.get_all(name))
}

/// The same of fields that were looked up.
#[must_use]
pub fn only<'a>(fields: GetAll<'a, HeaderValue>) -> Option<&'a HeaderValue> {
    let mut fields = fields.iter();
    fields.next().filter(|_| fields.next().is_none())
}
