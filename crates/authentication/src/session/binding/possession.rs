//! What a request shows of the device that its session is bound to.

use std::time::Duration;

use http::HeaderMap;

use super::cookie::GOOD_FOR;
use super::{AWAITED, BoundCookie, BoundCookieFault, GRACE};
use crate::clock::Timestamp;
use crate::session::Session;

/// What is known of the binding of a session that opens something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Possession {
    /// It is not bound. Until this moment its browser may be about to bind it.
    Unbound(Timestamp),
    /// It is bound, and the request shows it; the same cookies do so until this moment.
    Shown(Timestamp),
}

/// How long ago a device must have been shown for a session of another host: time enough to get there.
const LATELY: Duration = Duration::from_secs(60);

/// What a session may be that hangs on another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOn {
    /// It may be bound as well.
    Bindable,
    /// It stays unbound, as the other one did.
    Unbindable,
    /// There is to be none before the device is shown anew.
    ShowDevice,
}

impl Possession {
    /// Whether the session is bound; `None` where that may still come.
    #[must_use]
    pub fn is_bound(self, now: Timestamp) -> Option<bool> {
        match self {
            Self::Shown(_) => Some(true),
            Self::Unbound(awaited_until) => (now >= awaited_until).then_some(false),
        }
    }
}

impl Session {
    /// What a request with these cookies shows of it. An unbound session costs nothing.
    ///
    /// `offered`: whether its browser was told how to bind it.
    ///
    /// # Errors
    /// It is bound, and the request does not show it: it must not go on in its name.
    pub fn possession(
        &self,
        cookie: &BoundCookie,
        headers: &HeaderMap,
        offered: bool,
    ) -> Result<Possession, BoundCookieFault> {
        let Some(binding) = self.binding() else {
            return Ok(Possession::Unbound(if offered { self.made + AWAITED } else { self.made }));
        };
        let (now, grace) = (self.now(), binding.since + GRACE);
        match cookie.check(binding, headers, now) {
            Ok(until) => Ok(Possession::Shown(until)),
            // It left before the browser had the cookie.
            Err(BoundCookieFault::Missing) if mutant!(now < grace, "grace-without-end" => true) => {
                Ok(Possession::Shown(grace))
            }
            Err(fault) => Err(fault),
        }
    }

    /// What a session that hangs on this one may be, by what the request shows of this one's device. Whoever has copied both
    /// cookies of a bound session has them for minutes: without this they would get sessions of other hosts, bind those
    /// to a key of their own, and keep them.
    #[must_use]
    pub fn hand_on(&self, shown: Possession) -> HandOn {
        let now = self.now();
        match (self.binding(), shown) {
            (Some(binding), Possession::Shown(until)) => {
                let lately = now < binding.since + LATELY || until.since(now) + LATELY > GOOD_FOR;
                if mutant!(lately, "stolen-cookies-bind-other-hosts" => true) {
                    HandOn::Bindable
                } else {
                    HandOn::ShowDevice
                }
            }
            (Some(_), Possession::Unbound(_)) => HandOn::ShowDevice,
            (None, Possession::Unbound(awaited)) if now < awaited => HandOn::Bindable,
            (None, Possession::Unbound(_) | Possession::Shown(_)) => HandOn::Unbindable,
        }
    }

    /// What an exchange shows that was let in with this, and perhaps before the session was bound.
    #[must_use]
    pub fn shown_at_its_beginning(&self, shown: Possession) -> Possession {
        match (self.binding(), shown) {
            (Some(binding), Possession::Unbound(_)) => Possession::Shown(binding.since),
            (None, _) | (Some(_), Possession::Shown(_)) => shown,
        }
    }

    /// What the same cookies showed before, where they still do.
    #[must_use]
    pub fn still(&self, shown: Possession) -> Option<Possession> {
        match (self.binding(), shown) {
            (None, Possession::Unbound(_)) => Some(shown),
            (Some(_), Possession::Shown(until)) => {
                mutant!(self.now() < until, "bound-cookie-remembered-for-ever" => true).then_some(shown)
            }
            (None, Possession::Shown(_)) | (Some(_), Possession::Unbound(_)) => None,
        }
    }
}
