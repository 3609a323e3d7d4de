//! Rows that anybody may have written.

#![allow(clippy::expect_used, reason = "a finding is a panic")]

use std::sync::Arc;

use super::row::{Fields, Row};
use crate::session::{SessionId, StoredFamily, StoredSession};

/// What is read of a row is what stands there: written anew, it is read as the same.
pub(in crate::session) fn row(session: SessionId, fields: Fields) {
    let server: Arc<str> = "Redis".into();
    let read = |fields| Row::new(&server, "key".to_owned(), fields).session(session);
    if let Ok(row) = read(fields) {
        assert_eq!(row.0.root, row.1.root, "a session is of the family that it came with");
        assert_eq!(read(written(&row)).expect("it was read"), row);
    }
}

fn written((family, session): &(StoredFamily, StoredSession)) -> Fields {
    let hex = |digest: &[u8; 32]| SessionId::from_bytes(*digest).to_hex();
    let text = |text: String| Some(text.into_bytes());
    let number = |time: crate::clock::Timestamp| text(time.seconds().to_string());
    vec![
        text(session.root.to_hex()),
        text(session.host.clone()),
        number(session.created),
        Some(session.family_key.clone()),
        text(family.provider.clone()),
        text(hex(&family.digests.subject)),
        family.digests.user.map(|digest| hex(&digest).into_bytes()),
        family.digests.provider_session.map(|digest| hex(&digest).into_bytes()),
        number(family.created),
        number(family.last_seen),
        number(family.expires),
        text(family.version.to_string()),
        Some(family.record.clone()),
        family.card.clone(),
    ]
}
