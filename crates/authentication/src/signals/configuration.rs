//! What a stream is to be like.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::settings::Delivery;
use super::stream::Stream;
use super::transmitter::Transmitter;
use crate::secret::Secret;

impl Transmitter {
    /// The members of a stream that are ours to set.
    pub(super) fn wanted(&self) -> Map<String, Value> {
        let delivery = match (&self.push, self.settings.delivery) {
            (Some(push), Delivery::Push) => json!({
                "method": Delivery::Push.urn(),
                "endpoint_url": push.url.as_str(),
                "authorization_header": Secret::expose(&push.authorization),
            }),
            (_, delivery) => json!({ "method": delivery.urn() }),
        };
        let wanted = [
            ("delivery", delivery),
            ("events_requested", self.events().into_iter().collect()),
            ("description", self.description.clone().into()),
        ];
        wanted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Whether `stream` is like that, as far as can be seen: what it authorizes itself with here is not told.
    pub(super) fn is_as_wanted(&self, stream: &Stream) -> bool {
        let pushed_here = match (&self.push, self.settings.delivery) {
            (Some(push), Delivery::Push) => stream.endpoint.as_ref() == Some(&push.url),
            _ => true,
        };
        let requested: BTreeSet<_> = stream.requested.iter().cloned().collect();
        pushed_here && stream.method == self.settings.delivery.urn() && requested == self.events()
    }

    /// Whether `stream` is this gateway's: told by its description, or by where its tokens are sent.
    pub(super) fn is_ours(&self, stream: &Stream) -> bool {
        let sent_here = || {
            let push = self.push.as_ref().filter(|_| self.settings.delivery == Delivery::Push);
            push.is_some_and(|push| stream.endpoint.as_ref() == Some(&push.url))
        };
        stream.description.as_deref() == Some(self.description.as_str()) || sent_here()
    }

    fn events(&self) -> BTreeSet<String> {
        self.settings.events.iter().map(|event| event.uri()).collect()
    }
}
