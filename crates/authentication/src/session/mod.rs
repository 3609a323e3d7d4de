//! Sessions live on the server; the browser holds only a key.
//!
//! A sign-in makes a *family*: the root session on the sign-in host, and an app session for every other
//! host that hangs on it. Principal and tokens belong to the family and are kept once; each session's key
//! opens them. Whatever ends one session of a family ends all.

mod activity;
mod binding;
mod cache;
mod card;
mod cookie;
mod elsewhere;
mod embedded;
mod end_cause;
mod end_notes;
mod ended;
mod error;
mod family;
mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod key;
mod lifetimes;
mod make;
mod model;
mod movable;
mod overview;
mod pace;
mod per_person;
mod redis;
mod route_uses;
mod seal;
mod selector;
mod sessions;
mod settings;
mod shared;
mod signalled;
mod state_keys;
mod store;
mod upkeep;

#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use binding::{
    AWAITED, Binding, BindingScope, BoundCookie, BoundCookieFault, COOKIE_LIFETIME, Challenge,
    ChallengeFault, ChallengeKind, DeviceKey, FoundSession, GRACE, HandOn, MOST_HOSTS, Possession,
    Registered, UnreadableBinding, is_of_site, site_of,
};
pub use card::{Card, SignInOrigin};
pub use cookie::{CookieRead, SessionCookie, cookies};
pub use embedded::EmbeddedStore;
pub use end_cause::EndCause;
pub use ended::{SessionEnd, SessionEnded, StreamUse};
pub use error::{SessionError, StoreUnavailable};
pub use family::Ending;
pub use filter::{SessionFilter, UnknownProvider, Wanted};
pub use key::{SessionId, SessionKey};
pub use model::{FamilyGrant, NewSession, Session, SessionWords, Tokens};
pub use movable::MovableStore;
pub use overview::SessionOverview;
pub use pace::SweepPace;
pub use redis::{LogHealth, RedisSessions, RedisStore, Replica};
pub use selector::{IdPrefix, Selector};
pub use sessions::{CachedSession, Sessions};
pub use settings::{Bind, NetworkPrefix, SessionSettings};
pub use signalled::{Concerned, Demand};
pub use state_keys::StateKeys;
pub use store::{
    Bound, CHILDREN, CHILDREN_OF_A_HOST, ChildInserted, Digest, FamilyDigests, Inserted, LateCard, Mark,
    Marking, Marks, NewBinding, PurgeCriteria, RecordUpdate, RememberedEnd, RemovedFamily, SessionStore,
    SignInUnderWay, StoreFuture, StoreUpkeep, StoredBinding, StoredFamily, StoredOverview, StoredSelector,
    StoredSession, Touch, Updated,
};
