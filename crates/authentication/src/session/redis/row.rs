//! What scripts answer, read: whatever is not as this version writes it is a fault, and never "there is nothing".

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::session::{
    Digest, FamilyDigests, Marks, RemovedFamily, SessionId, StoredBinding, StoredFamily, StoredOverview,
    StoredSession,
};
use crate::storage::redis::RedisError;

/// The fields of a row as a script gives them, in its order.
pub(super) type Fields = Vec<Option<Vec<u8>>>;

/// A family's overview: its fields, then of each session when it was made, its identifier, its host, and whether it is
/// bound.
pub(super) type OverviewFields =
    (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<(Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)>);

/// Reads one row, field by field.
pub(super) struct Row<'a> {
    server: &'a Arc<str>,
    key: String,
    fields: std::vec::IntoIter<Option<Vec<u8>>>,
}

type Read<T> = Result<T, RedisError>;

impl<'a> Row<'a> {
    pub(super) fn new(server: &'a Arc<str>, key: String, fields: Fields) -> Self {
        Self { server, key, fields: fields.into_iter() }
    }

    pub(super) fn fault(&self, what: &str) -> RedisError {
        RedisError::unreadable(self.server, &self.key, &format!("its {what} is not as it is written"))
    }

    fn optional(&mut self) -> Option<Vec<u8>> {
        self.fields.next().flatten().filter(|field| !field.is_empty())
    }

    fn bytes(&mut self, what: &str) -> Read<Vec<u8>> {
        self.optional().ok_or_else(|| self.fault(what))
    }

    fn text(&mut self, what: &str) -> Read<String> {
        String::from_utf8(self.bytes(what)?).map_err(|_| self.fault(what))
    }

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Read<T> {
        self.text(what)?.parse().map_err(|_| self.fault(what))
    }

    fn optional_number<T: std::str::FromStr>(&mut self, what: &str) -> Read<Option<T>> {
        let Some(field) = self.optional() else { return Ok(None) };
        let read = std::str::from_utf8(&field).ok().and_then(|text| text.parse().ok());
        read.map(Some).ok_or_else(|| self.fault(what))
    }

    fn time(&mut self, what: &str) -> Read<Timestamp> {
        self.number(what).map(Timestamp::from_seconds)
    }

    fn id(&mut self, what: &str) -> Read<SessionId> {
        let text = self.text(what)?;
        id(text.as_bytes()).ok_or_else(|| self.fault(what))
    }

    fn digest(&mut self, what: &str) -> Read<Digest> {
        self.id(what).map(|id| *id.as_bytes())
    }

    fn optional_digest(&mut self, what: &str) -> Read<Option<Digest>> {
        let Some(field) = self.optional() else { return Ok(None) };
        id(&field).map(|id| Some(*id.as_bytes())).ok_or_else(|| self.fault(what))
    }

    /// A binding and how many proofs were counted; none where the session is not bound.
    fn binding(&mut self) -> Read<Option<StoredBinding>> {
        let (record, version) = (self.optional(), self.optional_number("proofs")?);
        match (record, version) {
            (Some(record), Some(version)) => Ok(Some(StoredBinding { version, record })),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => Err(self.fault("binding")),
        }
    }

    fn marks(&mut self) -> Read<Marks> {
        let step_up_since = self.optional_number("step_up")?.map(Timestamp::from_seconds);
        Ok(Marks { step_up_since, stale_claims: self.optional_number("stale")?.unwrap_or_default() })
    }

    /// A session and its family, as `load.lua` gives them.
    pub(super) fn session(&mut self, session: SessionId) -> Read<(StoredFamily, StoredSession)> {
        let root = self.id("root")?;
        let session = StoredSession {
            id: session,
            root,
            host: self.text("host")?,
            created: self.time("created")?,
            family_key: self.bytes("key")?,
            binding: self.binding()?,
        };
        let provider = self.text("provider")?;
        let digests = FamilyDigests {
            subject: self.digest("subject")?,
            user: self.optional_digest("user")?,
            provider_session: self.optional_digest("sid")?,
            email: self.optional_digest("email")?,
        };
        let family = StoredFamily {
            root,
            provider,
            digests,
            created: self.time("created")?,
            last_seen: self.time("seen")?,
            expires: self.time("expires")?,
            version: self.number("version")?,
            record: self.bytes("record")?,
            card: self.optional(),
            marks: self.marks()?,
            binding: self.binding()?,
        };
        Ok((family, session))
    }

    /// A family as `find.lua` gives it.
    pub(super) fn overview(server: &Arc<str>, key: &str, found: OverviewFields) -> Read<StoredOverview> {
        let (root, provider, created, seen, expires, card, sessions) = found;
        let name = format!("{key}:{}", String::from_utf8_lossy(&root));
        let fields = [root, provider, created, seen, expires].map(Some);
        let mut row = Row::new(server, name, [&fields[..], &[card]].concat());
        let (root, provider) = (row.id("root")?, row.text("provider")?);
        let (created, last_seen, expires) = (row.time("created")?, row.time("seen")?, row.time("expires")?);
        let card = row.optional();
        let (mut of_age, mut bound) = (Vec::new(), Vec::new());
        for (created, session, host, is_bound) in sessions {
            let mut row = Row::new(server, row.key.clone(), vec![Some(created), Some(session), Some(host)]);
            of_age.push((row.time("sessions")?, row.id("sessions")?, row.text("sessions")?));
            bound.extend(of_age.last().filter(|_| is_bound == b"1").map(|(_, session, _)| *session));
        }
        of_age.sort();
        bound.sort();
        let sessions = of_age.into_iter().map(|(_, session, host)| (session, host)).collect();
        Ok(StoredOverview { root, provider, created, last_seen, expires, card, sessions, bound })
    }
}

/// 64 hexadecimal digits.
pub(super) fn id(text: &[u8]) -> Option<SessionId> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 64)?;
    SessionId::from_hex(text)
}

/// Identifiers, all of them or a fault.
pub(super) fn ids(server: &Arc<str>, key: &str, listed: &[Vec<u8>]) -> Read<Vec<SessionId>> {
    let read = listed.iter().map(|text| id(text)).collect::<Option<Vec<_>>>();
    read.ok_or_else(|| RedisError::unreadable(server, key, "it holds something else than identifiers"))
}

/// Families that were removed: each a root, then its sessions.
pub(super) fn removed(server: &Arc<str>, key: &str, listed: Vec<Vec<Vec<u8>>>) -> Read<Vec<RemovedFamily>> {
    let family = |family: Vec<Vec<u8>>| {
        let (root, sessions) = ids(server, key, &family)?
            .split_first()
            .map(|(root, rest)| (*root, rest.to_vec()))
            .ok_or_else(|| RedisError::unreadable(server, key, "it holds nothing"))?;
        Ok(RemovedFamily { root, sessions })
    };
    listed.into_iter().map(family).collect()
}
