//! What scripts are given, and what more than one of them answers.

use crate::secret::random_bytes;
use crate::session::{
    Digest, FamilyDigests, Mark, Marking, RememberedEnd, SessionEnd, SessionId, StoredSelector,
};
use crate::storage::redis::{FromRedisValue, ParsingError, ScriptInvocation, Value, from_redis_value};

/// Of a script that answers a word, or the family's sessions.
pub(super) enum Told {
    Word(String),
    Members(Vec<Vec<u8>>),
}

impl FromRedisValue for Told {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        match matches!(value, Value::Array(_)) {
            true => from_redis_value(value).map(Self::Members),
            false => from_redis_value(value).map(Self::Word),
        }
    }
}

/// The call that keeps `end` in mind.
pub(super) fn remember<'a>(mut call: ScriptInvocation<'a>, end: &RememberedEnd) -> ScriptInvocation<'a> {
    call.arg(end.since.seconds()).arg(end.until.seconds());
    call.arg(end.digests.iter().map(hex).collect::<Vec<_>>());
    call
}

/// The call that asks something of families.
pub(super) fn mark<'a>(
    mut call: ScriptInvocation<'a>,
    (Marking { roots, mark }, nonce): (&Marking, &Nonce),
    origin: &str,
) -> ScriptInvocation<'a> {
    let (asked, since, why) = match mark {
        Mark::StepUp(since) => ("step-up", since.seconds(), SessionEnd::StepUp),
        Mark::StaleClaims => ("claims", 0, SessionEnd::StaleClaims),
    };
    call.arg(asked).arg(since).arg(why.code()).arg(origin).arg(nonce);
    call.arg(roots.iter().map(SessionId::to_hex).collect::<Vec<_>>());
    call
}

/// Tells what is tried again, because its answer or what came of it was lost, from another one of the kind.
pub(super) type Nonce = String;

pub(super) fn nonce() -> Nonce {
    format!("{:016x}", u64::from_be_bytes(random_bytes()))
}

pub(super) fn digests(call: &mut ScriptInvocation<'_>, names: &FamilyDigests) {
    let optional = |digest: &Option<Digest>| digest.as_ref().map_or_else(String::new, hex);
    call.arg(hex(&names.subject)).arg(optional(&names.user)).arg(optional(&names.provider_session));
    call.arg(optional(&names.email));
}

pub(super) fn hex(digest: &Digest) -> String {
    SessionId::from_bytes(*digest).to_hex()
}

/// The index that a selector looks into, and the names there.
pub(super) fn index(selector: StoredSelector) -> (&'static str, Vec<String>) {
    let each = |digests: Vec<Digest>| digests.iter().map(hex).collect();
    match selector {
        StoredSelector::All => ("all", Vec::new()),
        StoredSelector::Ids(first, last) => ("ids", vec![first.to_hex(), last.to_hex()]),
        StoredSelector::Subject(digests) => ("subject", each(digests)),
        StoredSelector::User(digests) => ("user", each(digests)),
        StoredSelector::Email(digests) => ("email", each(digests)),
        StoredSelector::ProviderSession(digests) => ("sid", each(digests)),
        StoredSelector::Provider(name) => ("provider", vec![name]),
        StoredSelector::Host(host) => ("host", vec![host]),
    }
}
