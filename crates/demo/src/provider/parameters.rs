//! The parameters of a request, in a query or a form.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};

use super::fault::Fault;

/// Parameters looked at; what comes behind them is not read.
const MAX_COUNT: usize = 64;

/// Parameters, each at most once; one that is sent without a value counts as left out (RFC 6749,
/// section 3.1).
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, Value>);

#[derive(Clone, Debug)]
enum Value {
    Once(String),
    Repeated,
}

impl Parameters {
    /// Those of a query or of a form.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let mut values = BTreeMap::new();
        let pairs = url::form_urlencoded::parse(encoded).filter(|(_, value)| !value.is_empty());
        for (name, value) in pairs.take(MAX_COUNT) {
            let value = Value::Once(value.into_owned());
            values.entry(name.into_owned()).and_modify(|known| *known = Value::Repeated).or_insert(value);
        }
        Self(values)
    }

    /// Those of `request`: of the query with `GET`, of the form with `POST`.
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        if request.method() == Method::POST {
            let body = if is_form(request.headers()) { request.body().as_ref() } else { &[] };
            return Self::parse(body);
        }
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    /// The value of `name`, where it is there exactly once.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Once(value) => Some(value),
            Value::Repeated => None,
        }
    }

    /// The value of `name`, an own copy.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Refuses what is said twice: two readers could believe different values.
    pub(super) fn refuse_repeated(&self) -> Result<(), Fault> {
        let repeated = self.0.values().any(|value| matches!(value, Value::Repeated));
        if repeated { Err(Fault::invalid_request("a parameter is there more than once")) } else { Ok(()) }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_said_twice_is_not_believed() {
        let parameters = Parameters::parse(b"a=1&b=2&a=3&c=");
        assert_eq!((parameters.get("a"), parameters.get("b"), parameters.get("c")), (None, Some("2"), None));
        assert!(parameters.refuse_repeated().is_err());
        assert!(Parameters::parse(b"a=1&a=&b=2").refuse_repeated().is_ok());
    }

    #[test]
    fn only_a_form_is_read_as_one() {
        let request = |content_type: &str| {
            let request = Request::post("/?a=query").header(header::CONTENT_TYPE, content_type);
            Parameters::of(&request.body(Bytes::from_static(b"a=form")).unwrap()).owned("a")
        };
        assert_eq!(request("application/x-www-form-urlencoded; charset=utf-8").as_deref(), Some("form"));
        assert_eq!(request("text/plain"), None);
    }
}
