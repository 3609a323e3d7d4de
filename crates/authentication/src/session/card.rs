//! What is kept of a sign-in so that it can be found, shown and ended without its cookie. It holds no token, and is
//! sealed under the gateway's key: who has the state file alone reads nothing of it.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::state_keys::{Name, StateKeys};
use super::store::FamilyDigests;
use super::{Digest, SessionId};
use crate::clock::Timestamp;
use crate::identity::{Gap, Gaps, Principal};

const CARD: &[u8] = b"portcullis session 1: card";

/// Characters of a browser's words about itself that are kept, of each field.
const MAX_DEVICE: usize = 256;

/// Who signed in, with what, from where, and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Who; with the claims that the provider gave last.
    pub principal: Arc<Principal>,
    /// The provider's own session identifier (`sid`; OpenID Connect Back-Channel Logout 1.0, section 2.1).
    pub sid: Option<String>,
    /// Where the sign-in came from.
    pub origin: SignInOrigin,
    /// When the person signed in.
    pub created: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// Which of its person's sign-ins it is: greater than that of every one that was there when it was made, by no
    /// clock. 0 where nothing bounded how many there may be.
    pub number: u64,
}

/// Where a sign-in came from, as far as the request told; nothing of it is proved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInOrigin {
    /// The browser's own words about itself (`User-Agent`), cut after 256 characters.
    pub device: Option<String>,
    /// What it said in its client hints, brands and platform (`Sec-CH-UA`, `Sec-CH-UA-Platform`; User-Agent Client
    /// Hints), cut as well.
    #[serde(default)]
    pub hints: Option<Box<str>>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

impl SignInOrigin {
    /// From a request's `User-Agent` and address.
    #[must_use]
    pub fn new(user_agent: Option<&str>, address: IpAddr) -> Self {
        Self { device: user_agent.map(kept), hints: None, address: Some(address) }
    }

    /// The same with the client hints of the request.
    #[must_use]
    pub fn with_hints(self, hints: Option<&str>) -> Self {
        Self { hints: hints.map(|hints| kept(hints).into()), ..self }
    }
}

/// What is kept of a browser's words.
fn kept(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE).collect()
}

impl Card {
    pub(super) fn seal(&self, keys: &StateKeys, root: SessionId) -> Option<Vec<u8>> {
        keys.seal(&binding(root), &CardToWrite::from(self))
    }

    pub(super) fn open(keys: &StateKeys, root: SessionId, sealed: &[u8]) -> Option<Self> {
        keys.open::<CardRead>(&binding(root), sealed).map(Self::from)
    }

    /// Whose sign-in it is.
    pub(super) fn subject(&self) -> Name<'_> {
        Name::Subject(&self.principal.issuer, self.principal.subject.as_str())
    }

    fn provider_session(&self) -> Option<Name<'_>> {
        self.sid.as_deref().map(|sid| Name::ProviderSession(&self.principal.issuer, sid))
    }

    fn email(&self) -> Option<Name<'_>> {
        let email = self.principal.email.as_ref();
        email.map(|email| Name::Email(&self.principal.issuer, &email.address))
    }

    /// What an end of it may be remembered by.
    pub(super) fn names_under_every_key(&self, keys: &StateKeys) -> Vec<Digest> {
        let names = [self.subject()].into_iter().chain(self.provider_session()).chain(self.email());
        names.flat_map(|name| keys.keyed(&name)).collect()
    }

    /// What its row is found by.
    pub(super) fn digests(&self, keys: &StateKeys) -> Option<FamilyDigests> {
        Some(FamilyDigests {
            subject: keys.digest(&self.subject())?,
            user: Some(keys.digest(&Name::User(&self.principal.user))?),
            provider_session: self.provider_session().and_then(|name| keys.digest(&name)),
            email: self.email().and_then(|name| keys.digest(&name)),
        })
    }
}

fn binding(root: SessionId) -> Vec<u8> {
    let root = mutant!(root.as_bytes().as_slice(), "card-for-any-session" => b"");
    [CARD, root].concat()
}

/// The gaps stand beside the principal, who does not write them.
#[derive(Serialize)]
pub(super) struct CardToWrite<'a> {
    principal: &'a Principal,
    gaps: Gaps,
    sid: Option<&'a str>,
    device: Option<&'a str>,
    hints: Option<&'a str>,
    address: Option<IpAddr>,
    created: Timestamp,
    expires: Timestamp,
    number: u64,
}

impl<'a> From<&'a Card> for CardToWrite<'a> {
    fn from(card: &'a Card) -> Self {
        Self {
            principal: &card.principal,
            gaps: card.principal.gaps,
            sid: card.sid.as_deref(),
            device: card.origin.device.as_deref(),
            hints: card.origin.hints.as_deref(),
            address: card.origin.address,
            created: card.created,
            expires: card.expires,
            number: card.number,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct CardRead {
    principal: Principal,
    /// `None`: by a version that did not tell unknown from none.
    gaps: Option<Gaps>,
    sid: Option<String>,
    device: Option<String>,
    hints: Option<Box<str>>,
    address: Option<IpAddr>,
    created: Timestamp,
    expires: Timestamp,
    /// Missing where a version before wrote it.
    #[serde(default)]
    number: u64,
}

impl From<CardRead> for Card {
    fn from(read: CardRead) -> Self {
        let gaps = read.gaps.unwrap_or_else(|| unrecorded(&read.principal));
        let (device, hints, address) = (read.device, read.hints, read.address);
        Self {
            principal: Arc::new(Principal { gaps, ..read.principal }),
            sid: read.sid,
            origin: SignInOrigin { device, hints, address },
            created: read.created,
            expires: read.expires,
            number: read.number,
        }
    }
}

/// What was not known of a principal where nobody wrote it down. Names and addresses stand: there was no session
/// where UserInfo had failed. No groups could as well be groups that were kept elsewhere or could not be read, and
/// nobody had been asked for a claim that is not mapped.
fn unrecorded(principal: &Principal) -> Gaps {
    let elsewhere = principal.claims.contains_key("_claim_names");
    let groups = (principal.groups.is_empty() || elsewhere).then_some(Gap::Groups);
    [Gap::Claims].into_iter().chain(groups).collect()
}
