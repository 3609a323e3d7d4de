//! A field that must be there once.

use http::header::GetAll;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The field called `name`, where it is there once: of two, one was planted.
#[must_use]
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    only(headers.get_all(name))
}

/// The one of these fields, where it is one: for a caller who has looked them up already.
#[must_use]
pub fn only<'a>(fields: GetAll<'a, HeaderValue>) -> Option<&'a HeaderValue> {
    let mut fields = fields.iter();
    fields.next().filter(|_| mutant!(fields.next().is_none(), "first-of-two-fields" => true))
}

#[cfg(test)]
mod tests {
    use http::header::ORIGIN;

    use super::*;

    #[test]
    fn of_two_fields_none_counts() {
        let mut headers = HeaderMap::new();
        assert!(single(&headers, &ORIGIN).is_none());
        headers.append(ORIGIN, HeaderValue::from_static("https://a.example"));
        assert_eq!(single(&headers, &ORIGIN).unwrap(), "https://a.example");
        headers.append(ORIGIN, HeaderValue::from_static("https://b.example"));
        assert!(single(&headers, &ORIGIN).is_none());
    }
}
