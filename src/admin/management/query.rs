//! What a query says.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Problem;

/// The parameters of a query. Numbers and `true` or `false` are read as such where the parameter is one.
pub(super) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let mut members = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let value = match (&*name, &*text) {
            ("all" | "names", "true") => true.into(),
            ("all" | "names", "false") => false.into(),
            ("limit", digits) => digits.parse::<u32>().map_or_else(|_| digits.into(), Value::from),
            (_, text) => text.into(),
        };
        if members.insert(name.clone().into_owned(), value).is_some() {
            return Err(Problem::bad_request(format!("the parameter `{name}` stands twice")));
        }
    }
    serde_json::from_value(members.into())
        .map_err(|error| Problem::bad_request(format!("the query: {error}")))
}

/// Refuses a query where none means anything.
pub(super) fn read_none(query: &str) -> Result<(), Problem> {
    if query.is_empty() { Ok(()) } else { Err(Problem::bad_request("no parameter is known here")) }
}
