//! The claims of one principal, small while nobody asks for them.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Every claim of a token, merged with UserInfo. Tens of thousands of principals are remembered, and few rules
/// look at any but a few claims: they are kept as text, and read by the first who looks for one.
#[derive(Clone, Default)]
pub struct Claims {
    text: Box<str>,
    names: NameFilter,
    read: OnceLock<Box<Map<String, Value>>>,
}

impl Claims {
    /// The claim of this name. Most that are looked for are not there, which their names alone can tell.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        if !self.names.may_have(name) { None } else { (**self).get(name) }
    }
}

/// A bit for each name (a Bloom filter): what has none is not there. Two names seldom have the same one.
#[derive(Clone, Copy, Default)]
struct NameFilter([u64; 4]);

impl NameFilter {
    fn add(&mut self, name: &str) {
        let (word, bit) = Self::place(name);
        self.0[word] |= bit;
    }

    fn may_have(&self, name: &str) -> bool {
        let (word, bit) = Self::place(name);
        self.0[word] & bit != 0
    }

    /// The bit of a name, by its FNV-1a hash. A token whose names were chosen to share a bit costs a look at its
    /// claims each time, and gets no other answer.
    fn place(name: &str) -> (usize, u64) {
        let hash = name
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let [.., high, low] = hash.to_be_bytes();
        (usize::from(high % 4), 1 << (low % 64))
    }
}

impl Deref for Claims {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        // The text was written by `from`, so that it can be read.
        self.read.get_or_init(|| serde_json::from_str(&self.text).unwrap_or_default())
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Self {
        let mut names = NameFilter::default();
        claims.keys().for_each(|name| names.add(name));
        let exact = claims.values().all(is_exact);
        let value = Value::Object(claims);
        let text = value.to_string().into_boxed_str();
        let read = OnceLock::new();
        if let (false, Value::Object(claims)) = (exact, value) {
            // What text would not give back to the last digit is kept as it came.
            let _ = read.set(Box::new(claims));
        }
        Self { text, names, read }
    }
}

/// Whether it is read as it was written: fractions may not be, to their last digit.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => !number.is_f64(),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
    }
}

impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fuzzing::json_values;

    fn claims(value: &Value) -> Claims {
        value.as_object().unwrap().clone().into()
    }

    proptest! {
        #[test]
        fn claims_are_what_they_were(
            members in prop::collection::btree_map("[a-c\"\\\\\n]{0,2}", json_values("[a-c\"\\\\\n]{0,2}"), 0..5),
            name in "[a-c\"\\\\\n]{0,2}",
        ) {
            let map: Map<String, Value> = members.into_iter().collect();
            let claims = Claims::from(map.clone());
            prop_assert_eq!(claims.get(&name), map.get(&name));
            prop_assert_eq!(&*claims, &map);
            prop_assert_eq!(claims.get(&name), map.get(&name));
            let again: Claims = serde_json::from_value(serde_json::to_value(&claims).unwrap()).unwrap();
            prop_assert_eq!(again, claims);
        }
    }

    #[test]
    fn what_is_not_there_is_not_looked_for() {
        let claims = claims(&json!({"sub": "1", "groups": ["email"]}));
        assert_eq!(claims.get("email_verified"), None);
        assert!(claims.read.get().is_none(), "nothing was read for it");
        assert_eq!(claims.get("email"), None, "a value is no name");
        assert_eq!(claims.get("sub"), Some(&json!("1")));
    }
}
