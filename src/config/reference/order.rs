//! The order of keys: that of the raw shape, where the important ones come first. A JSON Schema has none.

use serde::de::{Deserialize, Deserializer, Error as _, Visitor, value::Error};
use serde_json::Value;

use crate::config::raw::{
    Admin, Audit, BrandLink, BrandTexts, Branding, CertificatePair, Claims, Console, Cors, Ejection,
    HeaderRules, Health, Identity, Limit, ListenTable, Log, Policy, Provider, ProxyProtocolTable, Redirect,
    RedisTable, Rotate, Route, Rule, SecretSource, Server, Session, Sink, State, Telemetry, Timeout,
    UpstreamTls,
};

/// The keys of `table` in their order.
pub(super) fn keys(table: &Value) -> Vec<&str> {
    let known = table.get("properties").and_then(Value::as_object);
    let mut keys: Vec<&str> = known.into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect();
    let same =
        |order: &&[&'static str]| order.len() == keys.len() && order.iter().all(|key| keys.contains(key));
    if let Some(order) = orders().iter().find(|order| same(order)) {
        keys.sort_by_key(|key| order.iter().position(|name| name == key));
    }
    keys
}

fn orders() -> [&'static [&'static str]; 32] {
    [
        fields::<Server>(),
        fields::<ListenTable>(),
        fields::<ProxyProtocolTable>(),
        fields::<CertificatePair>(),
        fields::<Admin>(),
        fields::<State>(),
        fields::<RedisTable>(),
        fields::<Session>(),
        fields::<Console>(),
        fields::<Branding>(),
        fields::<BrandLink>(),
        fields::<BrandTexts>(),
        fields::<Telemetry>(),
        fields::<Log>(),
        fields::<Audit>(),
        fields::<Sink>(),
        fields::<Rotate>(),
        fields::<Provider>(),
        fields::<SecretSource>(),
        fields::<Claims>(),
        fields::<Policy>(),
        fields::<Rule>(),
        fields::<Route>(),
        fields::<Identity>(),
        fields::<Limit>(),
        fields::<Cors>(),
        fields::<Redirect>(),
        fields::<Timeout>(),
        fields::<Health>(),
        fields::<Ejection>(),
        fields::<UpstreamTls>(),
        fields::<HeaderRules>(),
    ]
}

/// The names of the fields of `T`, as it asks a deserializer for them.
fn fields<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It always fails; by then the names are noted.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

/// A deserializer that only takes down the names of the fields that a structure asks it for.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only the names are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a structure"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
