//! A tree of JSON that is filled by paths, and its line.

use portcullis_events::{Value, push_inert};
use serde_json::Value as Json;

/// Puts a value where a path of ours says: names between dots, `0` for the first item of a list. A path that leads through
/// something else than a tree is a mistake of ours, and changes nothing.
pub(super) fn put(tree: &mut Json, path: &str, value: impl Into<Json>) {
    if let Some(place) = path.split('.').try_fold(tree, step) {
        *place = value.into();
    }
}

fn step<'t>(place: &'t mut Json, name: &str) -> Option<&'t mut Json> {
    if name == "0" {
        let items = grown(place, || Json::Array(vec![Json::Null])).as_array_mut()?;
        return items.first_mut();
    }
    let members = grown(place, || Json::Object(serde_json::Map::new())).as_object_mut()?;
    Some(members.entry(name).or_insert(Json::Null))
}

fn grown(place: &mut Json, new: impl FnOnce() -> Json) -> &mut Json {
    if place.is_null() {
        *place = new();
    }
    place
}

/// Puts a value under a name, whatever is in the name.
pub(super) fn put_named(tree: &mut Json, root: &str, name: &str, value: Json) {
    let Some(place) = step(tree, root) else { return };
    if let Some(members) = grown(place, || Json::Object(serde_json::Map::new())).as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// What stands at a path.
pub(super) fn get<'t>(tree: &'t Json, path: &str) -> Option<&'t Json> {
    path.split('.').try_fold(tree, |place, name| if name == "0" { place.get(0) } else { place.get(name) })
}

/// A value of ours.
pub(super) fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Text(text) => text.as_ref().into(),
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Texts(texts) => texts.iter().map(AsRef::as_ref).map(Json::from).collect(),
        Value::Other(raw) => serde_json::from_str(raw).unwrap_or_else(|_| (*raw).into()),
    }
}

/// Writes it in one line. Texts are as inert as in our own lines: no character moves a cursor or turns text round.
pub(super) fn write(tree: &Json, out: &mut Vec<u8>) {
    match tree {
        Json::Null | Json::Bool(_) | Json::Number(_) => out.extend_from_slice(tree.to_string().as_bytes()),
        Json::String(text) => write_text(text, out),
        Json::Array(items) => {
            write_all(b"[]", items.iter(), out, write);
        }
        Json::Object(members) => write_all(b"{}", members.iter(), out, |(name, value), out| {
            write_text(name, out);
            out.push(b':');
            write(value, out);
        }),
    }
}

fn write_all<T>(
    brackets: &[u8; 2],
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: fn(T, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_inert(text, out);
    out.push(b'"');
}
