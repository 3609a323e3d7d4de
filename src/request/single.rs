//! A field that must be there once.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The field called `name`, where it is there once: of two, one was planted.
#[must_use]
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none())
}
