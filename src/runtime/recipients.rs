//! Who gets what is personal in clear is kept beside the store of events, for as long as there is one.

use crate::clock::Clock;
use crate::config::Settings;
use crate::sinks::Recipients;

/// Says who gets it from now on. That it cannot be written stops no gateway: it is told.
pub(super) fn in_force(settings: &Settings, clock: &Clock) {
    let Some(store) = settings.store() else { return };
    let recipients = Recipients::beside(store);
    let now = clock.moment().micros();
    if let Err(error) = recipients.in_force(&settings.keepers(), settings.exports.as_ref(), now) {
        let file = recipients.path().display();
        tracing::error!(%file, %error, "who gets what is personal in clear cannot be written down");
    }
}
