//! What all messages have in common: who tells, and attributes.

use super::protobuf::Message;

/// Who tells: this program, and which process of it.
pub(super) fn resource(instance: &str) -> Message {
    let told = [
        ("service.name", "portcullis"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", instance),
    ];
    let mut resource = Message::default();
    told.iter().for_each(|(name, value)| resource.message(1, &attribute(name, &text(value))));
    resource
}

/// A request with everything of one process: `items` are what its only scope holds.
pub(super) fn export(instance: &str, items: impl Iterator<Item = Message>) -> Message {
    let mut name = Message::default();
    name.bytes(1, b"portcullis");
    name.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
    let mut scope = Message::default();
    scope.message(1, &name);
    items.for_each(|item| scope.message(2, &item));
    let mut of_resource = Message::default();
    of_resource.message(1, &resource(instance));
    of_resource.message(2, &scope);
    let mut request = Message::default();
    request.message(1, &of_resource);
    request
}

/// `KeyValue`.
pub(super) fn attribute(name: &str, value: &Message) -> Message {
    let mut attribute = Message::default();
    attribute.bytes(1, name.as_bytes());
    attribute.message(2, value);
    attribute
}

/// `AnyValue` with a text.
pub(super) fn text(value: &str) -> Message {
    let mut any = Message::default();
    any.bytes(1, value.as_bytes());
    any
}

/// `AnyValue` with yes or no.
pub(super) fn flag(value: bool) -> Message {
    let mut any = Message::default();
    any.number(2, u64::from(value));
    any
}

/// `AnyValue` with a whole number. One that is negative is laid out as the number of 64 bits that looks alike.
pub(super) fn number(value: i64) -> Message {
    let mut any = Message::default();
    any.number(3, value.cast_unsigned());
    any
}

/// `AnyValue` with a list of texts.
pub(super) fn texts<'t>(values: impl Iterator<Item = &'t str>) -> Message {
    let mut list = Message::default();
    values.for_each(|value| list.message(1, &text(value)));
    let mut any = Message::default();
    any.message(5, &list);
    any
}

/// Microseconds in nanoseconds.
pub(super) const fn nanos(micros: u64) -> u64 {
    micros.saturating_mul(1_000)
}
