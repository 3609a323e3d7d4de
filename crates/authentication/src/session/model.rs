//! What a session is.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::SessionId;
use super::binding::Binding;
use super::card::SignInOrigin;
use super::ended::{SessionEnd, SessionEnded, StreamUse};
use super::family::{Family, Terms};
use super::seal::FamilyKey;
use super::settings::NetworkPrefix;
use super::store::Marks;
use crate::clock::Timestamp;
use crate::identity::{Principal, RouteName, texts};
use crate::secret::{SealingKey, Secret};

/// The tokens a provider gave for a session (OpenID Connect Core 1.0, section 3.1.3.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tokens {
    /// The access token.
    pub access: Option<Secret>,
    /// When it expires, by `expires_in` or with the ID token that came along; unknown where neither is there.
    pub access_expires: Option<Timestamp>,
    /// When they are to be renewed at the latest, though the access token be good for longer.
    pub renew_at: Option<Timestamp>,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// The ID token, kept as `id_token_hint` and for routes that pass it on.
    pub id: Option<Secret>,
}

impl Tokens {
    /// From when on they are to be renewed; `None`: never, as far as is known.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.renew_at.into_iter().chain(self.access_expires).min()
    }
}

/// What makes a session.
#[derive(Clone, Debug)]
pub enum NewSession {
    /// A sign-in: the root of a new family.
    Root {
        /// The host whose cookie carries the key; without port, for cookies know none.
        host: String,
        /// Who signed in.
        principal: Arc<Principal>,
        /// What the provider gave.
        tokens: Tokens,
        /// The provider's own session identifier (`sid`; OpenID Connect Back-Channel Logout 1.0).
        sid: Option<String>,
        /// Where the sign-in came from.
        origin: SignInOrigin,
        /// When the sign-in began: one that began before somebody ended its person's sessions makes none.
        began: Timestamp,
    },
    /// An app session that hangs on an existing family and shares its principal, tokens and end.
    Child {
        /// The host whose cookie carries the key; without port, for cookies know none.
        host: String,
        /// What it makes it a session of.
        of: FamilyGrant,
        /// The client's address.
        address: Option<IpAddr>,
    },
}

impl NewSession {
    /// An app session on `host` (lower-case, without port) in the family of `of`.
    #[must_use]
    pub fn child(of: &Session, host: impl Into<String>) -> Self {
        Self::Child { host: host.into(), of: FamilyGrant::of(of), address: None }
    }

    /// The same, made from `address`.
    #[must_use]
    pub fn made_from(mut self, address: IpAddr) -> Self {
        match &mut self {
            Self::Root { origin, .. } => origin.address = Some(address),
            Self::Child { address: of_child, .. } => *of_child = Some(address),
        }
        self
    }
}

/// What makes further sessions of a family: its root, and the key of its record. Whoever has it can read that record:
/// it leaves the process wrapped alone.
#[derive(Clone, Debug)]
pub struct FamilyGrant {
    pub(super) root: SessionId,
    pub(super) key: FamilyKey,
}

impl FamilyGrant {
    /// For the family of `session`.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self { root: session.family(), key: session.key.clone() }
    }

    /// The root of the family.
    #[must_use]
    pub const fn root(&self) -> SessionId {
        self.root
    }

    /// The family's key, sealed under `by` and bound to `bound_to`. `None` where the system has no random bits.
    #[must_use]
    pub fn wrap(&self, by: &SealingKey, bound_to: &[u8]) -> Option<Vec<u8>> {
        self.key.sealed(by, bound_to)
    }

    /// What [`FamilyGrant::wrap`] sealed, for the family of `root`.
    #[must_use]
    pub fn unwrap(root: SessionId, by: &SealingKey, bound_to: &[u8], sealed: &[u8]) -> Option<Self> {
        FamilyKey::opened(by, bound_to, sealed).map(|key| Self { root, key })
    }
}

/// A session in memory: who, until when, for which host.
#[derive(Debug)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// The root session it hangs on; `None` for a root.
    pub root: Option<SessionId>,
    /// The host whose cookie carries its key, lower-case.
    pub host: String,
    /// Who signed in.
    pub principal: Arc<Principal>,
    /// What the provider gave; shared by the family.
    pub tokens: Tokens,
    /// The provider's own session identifier.
    pub sid: Option<String>,
    /// When the person signed in.
    pub created: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// Where the sign-in came from.
    pub(super) origin: SignInOrigin,
    /// As in its card.
    pub(super) number: u64,
    /// The address that this session was made from; not known of sessions of earlier versions.
    pub(super) made_from: Option<IpAddr>,
    /// How often its family's record had been replaced when this was read.
    pub(super) version: u32,
    /// When it was made: for an app session later than the sign-in.
    pub(super) made: Timestamp,
    pub(super) binding: Option<Box<Binding>>,
    /// What was asked of the family when this was read.
    pub(super) marks: Marks,
    pub(super) family: Arc<Family>,
    pub(super) key: FamilyKey,
    /// Whether it is known that it was used before.
    pub(super) used: AtomicBool,
    pub(super) words: OnceLock<SessionWords>,
}

/// What records say of a session, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionWords {
    /// Where it was signed in from: browser and system.
    pub device: String,
    /// The methods of the sign-in (`amr`).
    pub amr: Vec<String>,
}

impl Session {
    /// The identifier that all sessions of one sign-in share: the key for one refresh per family.
    #[must_use]
    pub fn family(&self) -> SessionId {
        self.root.unwrap_or(self.id)
    }

    /// What records say of it; `device` puts into words where it was signed in from.
    pub fn words(&self, device: impl FnOnce(&SignInOrigin) -> String) -> &SessionWords {
        self.words.get_or_init(|| SessionWords {
            device: device(&self.origin),
            amr: self.principal.claims.get("amr").map(texts).unwrap_or_default(),
        })
    }

    /// Whether it is used for the first time, as far as this process knows: true once for each session of a family that is
    /// in memory.
    #[must_use]
    pub fn is_first_use(&self) -> bool {
        // Read first: a store by every request would pass the cache line around all processors.
        !self.used.load(Ordering::Relaxed)
            && !self.used.swap(true, Ordering::Relaxed)
            && self.family.first_use_of(self.id)
    }

    /// Whether its tokens, or what is known of its person, were replaced after those of `other`, of the same family.
    #[must_use]
    pub const fn is_newer_than(&self, other: &Self) -> bool {
        self.version > other.version
    }

    /// When any session of the family was last used.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        self.family.last_seen()
    }

    /// Resolves when it, or the root it hangs on, has ended: for streams that outlive their request
    /// (invariant 8).
    #[must_use]
    pub fn ended(self: &Arc<Self>, stream: StreamUse) -> SessionEnded {
        SessionEnded::of(Arc::clone(self), stream)
    }

    /// Why it has been ended by somebody's word; `None` where nobody said so, though its time may be over.
    #[must_use]
    pub fn end_reason(&self) -> Option<SessionEnd> {
        self.family.end_reason()
    }

    /// Later than when its person has to sign in before it lets anybody through; `None` where it does.
    #[must_use]
    pub const fn step_up_since(&self) -> Option<Timestamp> {
        self.marks.step_up_since
    }

    /// Whether what its provider said of its person is known not to be so any more.
    #[must_use]
    pub const fn has_stale_claims(&self) -> bool {
        self.marks.stale_claims > 0
    }

    /// Notes that it is used now. What is over stays over.
    pub fn used(&self) {
        let now = self.family.terms.clock.now();
        if self.lives(now) {
            self.family.used(now);
        }
    }

    /// Whether `client` is in another network than the one that the session was made from, as far as that is known.
    #[must_use]
    pub fn has_moved(&self, client: IpAddr, network: NetworkPrefix) -> bool {
        self.made_from.is_some_and(|from| !network.is_same(from, client))
    }

    /// Notes that it is used now on a route that asks when it was.
    pub fn used_on(&self, route: &RouteName) {
        self.family.routes.note(route, self.family.terms.clock.now());
    }

    /// When any session of the family was last used on `route`, as far as this process knows.
    #[must_use]
    pub fn last_used_on(&self, route: &RouteName) -> Option<Timestamp> {
        self.family.routes.last(route)
    }

    /// How long it lives if it is not used; `None` where it is over.
    pub(super) fn left(&self) -> Option<Duration> {
        let Terms { lifetimes, clock, .. } = &*self.family.terms;
        let now = clock.now();
        let ends =
            self.expires.min(self.created + lifetimes.max_age()).min(self.last_seen() + lifetimes.idle());
        self.lives(now).then(|| ends.since(now))
    }

    /// Whether its cookie was made for `host`; a key that turns up elsewhere was carried there
    /// (invariant 7).
    #[must_use]
    pub fn belongs_to(&self, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host)
    }

    /// Whether it may still be used at `now`.
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.family.lives(self.created, self.expires, now)
    }
}
