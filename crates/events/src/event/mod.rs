//! Events, one family a file. Their types are the only way to tell that something has happened.

mod access;
mod configuration;
mod credential;
mod management;
mod part;
mod process;
mod record;
mod review;
mod session;
mod sign_in;
mod signal;
mod tokens;

use std::net::IpAddr;

use portcullis_rules::identity::{Principal, RequestId};

use super::field::Field;
use super::head::EventHead;
use super::kind::Kind;
use super::line::Line;

pub use access::{Access, AccessEvent, RequestUnreadable, RouteWords};
pub use configuration::{
    ConfigurationChanged, ConfigurationLoaded, ConfigurationRefused, KeyPublished, KeyRotated,
};
pub use credential::{AuthKind, CredentialFirstUsed, CredentialRefused, Shown};
pub use management::{ManagementCalled, ManagementRefused, PersonErased, RecordRead};
pub use part::{Part, PartBack, PartLost, ProviderKeysChanged, StoreMissed};
pub use process::{ProcessDraining, ProcessEnded, ProcessStarted};
pub use record::{
    ClockSetBack, RecordAltered, RecordBeside, RecordCheckpoint, RecordDamaged, RecordGap, RecordKeyRotated,
    RecordLeftOut, RecordLost, RecordRemoved, RecordRotated,
};
pub use review::{AccessReviewed, Mark};
pub use session::{SessionBindingRefused, SessionBound, SessionEnded, SignedOut};
pub use sign_in::{Culprit, SignInBegun, SignInFailed, SignInSucceeded, StepUpAsked, StepUpUnmet};
pub use signal::{Channel, LogoutTokenAccepted, LogoutTokenRefused, SignalReceived, SignalRefused};
pub use tokens::{TokensNotRefreshed, TokensNotRevoked, TokensRefreshed, TokensRevoked};

/// Something that has happened.
///
/// It is written while the lane is locked: nothing that it calls may emit another event.
pub trait Event {
    /// What it is.
    fn kind(&self) -> Kind;

    /// Notes what sinks choose, order and count by.
    fn head(&self, _head: &mut EventHead) {}

    /// Whether any stranger can bring it about, as often as they like: a lane takes only so many of these in a second.
    fn is_a_strangers(&self) -> bool {
        false
    }

    /// Writes its fields.
    fn write(&self, line: &mut Line<'_>);
}

/// The request that brought an event about.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The request's id.
    pub id: &'a str,
    /// The client's address.
    pub client: IpAddr,
    /// Browser and system in words of our own, where they are known.
    pub device: Option<&'a str>,
}

impl Caller<'_> {
    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Id, self.id);
        line.address(Field::Client, self.client);
        line.text_if(Field::Device, self.device);
    }
}

/// The request that brought an event about, for what goes on when it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedCaller {
    /// The request's id.
    pub id: RequestId,
    /// The client's address; none over a unix socket.
    pub client: Option<IpAddr>,
}

fn write_owned(caller: Option<&OwnedCaller>, line: &mut Line<'_>) {
    line.text_if(Field::Id, caller.map(|caller| caller.id.as_str()));
    write_client(caller.and_then(|caller| caller.client), line);
}

fn write_client(client: Option<IpAddr>, line: &mut Line<'_>) {
    if let Some(client) = client {
        line.address(Field::Client, client);
    }
}

fn write_person(who: Option<&Principal>, line: &mut Line<'_>) {
    if let Some(who) = who {
        line.text(Field::Provider, who.provider.as_str());
        line.text(Field::Subject, who.subject.as_str());
        line.text(Field::User, &who.user);
    }
}

/// Microseconds of a span.
fn micros(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
