//! JSON that means one thing: an object with a member twice is refused at any depth, because two
//! readers may take two different ones (RFC 7515, section 4; RFC 7519, section 4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// Why a text is not the JSON it should be. The parser's own words quote what they stumble over, and that may be
/// a token: kept are the kind of error and its place alone (invariants 15 and 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{category:?} error at line {line} column {column}")]
pub struct JsonError {
    category: Category,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { category: error.classify(), line: error.line(), column: error.column() }
    }
}

/// Reads one JSON object in which no member stands twice; nesting is bounded (128) by the parser.
///
/// # Errors
/// Where `bytes` is not such an object.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    Ok(serde_json::from_slice::<Unique>(bytes).map(|Unique(object)| object)?)
}

struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Unique, A::Error> {
                unique_members(members).map(Unique)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn unique_members<'de, A: MapAccess<'de>>(mut members: A) -> Result<Map<String, Value>, A::Error> {
    let mut object = Map::new();
    while let Some(name) = members.next_key::<String>()? {
        let Any(value) = members.next_value()?;
        let before = object.insert(name, value);
        if mutant!(before.is_some(), "json-member-twice" => false) {
            return Err(A::Error::custom("a member stands twice"));
        }
    }
    Ok(object)
}

struct Any(Value);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Any)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Any(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        unique_members(members).map(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::json_values;
    use proptest::prelude::*;

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        assert!(object(br#"{"a":1,"a":1}"#).is_err());
        assert!(object(br#"{"a":1,"\u0061":2}"#).is_err());
        assert!(object(br#"{"x":[{"y":{"b":1,"b":2}}]}"#).is_err());
        assert!(object(br#"{"a":{"b":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn only_one_object_is_an_object() {
        for text in ["", "[]", "null", "1", "\"a\"", "{", "{}{}", "{} x", "{\"a\":NaN}", "\u{feff}{}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(object(&[b"{\"a\":", "[".repeat(10_000).as_bytes()].concat()).is_err());
    }

    proptest! {
        #[test]
        fn reads_what_the_plain_parser_reads(members in proptest::collection::btree_map(any::<String>(), json_values(any::<String>()), 0..6)) {
            let text = serde_json::to_vec(&members).unwrap();
            let plain: Map<String, Value> = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(object(&text).unwrap(), plain);
        }
    }
}
