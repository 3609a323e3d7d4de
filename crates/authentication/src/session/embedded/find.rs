//! Families found by something else than a cookie, and the ends that are remembered.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params, params_from_iter};

use super::bindings;
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::session::store::{Digest, RememberedEnd, StoredOverview, StoredSelector};
use crate::storage::Seconds;

const SESSIONS: &str = "SELECT id, host FROM sessions WHERE root = ?1 ORDER BY created, id";
const REMEMBER: &str = "INSERT INTO remembered_ends (digest, since, until) VALUES (?1, ?2, ?3)
    ON CONFLICT (digest) DO UPDATE SET since = max(since, ?2), until = max(until, ?3)";
const FORGET: &str = "DELETE FROM remembered_ends WHERE digest IN
    (SELECT digest FROM remembered_ends WHERE until <= ?1 LIMIT ?2)";

/// Ends forgotten in one step, between which other operations run.
const FORGOTTEN_AT_ONCE: u32 = 500;

/// What `selector` finds, in the order of the roots, from behind `after` on.
pub(super) fn overviews(
    connection: &Connection,
    selector: &StoredSelector,
    after: Option<SessionId>,
    limit: u32,
) -> rusqlite::Result<Vec<StoredOverview>> {
    let (condition, values) = condition(selector);
    // The first two values are the page's, those of the condition follow.
    let select = format!(
        "SELECT root, provider, created, last_seen, expires, card FROM session_families
         WHERE root > ?1 AND ({condition}) ORDER BY root LIMIT ?2"
    );
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let page = [Value::Blob(after), Value::Integer(limit.into())];
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(params_from_iter(page.into_iter().chain(values)), read)?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    let mut sessions = connection.prepare_cached(SESSIONS)?;
    for family in &mut found {
        let rows = sessions.query_map([family.root], |row| Ok((row.get(0)?, row.get(1)?)))?;
        family.sessions = rows.collect::<Result<_, _>>()?;
        family.bound = bindings::bound(connection, family.root)?;
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredOverview> {
    Ok(StoredOverview {
        root: row.get(0)?,
        provider: row.get(1)?,
        created: row.get::<_, Seconds>(2)?.0,
        last_seen: row.get::<_, Seconds>(3)?.0,
        expires: row.get::<_, Seconds>(4)?.0,
        card: row.get(5)?,
        sessions: Vec::new(),
        bound: Vec::new(),
    })
}

/// The condition of a selector, and the values of its parameters from `?3` on.
fn condition(selector: &StoredSelector) -> (String, Vec<Value>) {
    let text = |text: &String| vec![Value::Text(text.clone())];
    match selector {
        StoredSelector::All => ("TRUE".into(), Vec::new()),
        StoredSelector::Ids(first, last) => {
            let ids = [first, last].map(|id| Value::Blob(id.as_bytes().to_vec()));
            let of = "root IN (SELECT root FROM sessions WHERE id BETWEEN ?3 AND ?4)";
            (of.into(), ids.to_vec())
        }
        StoredSelector::Subject(digests) => any_of("subject", digests),
        StoredSelector::User(digests) => any_of("user", digests),
        StoredSelector::ProviderSession(digests) => any_of("provider_session", digests),
        StoredSelector::Email(digests) => any_of("email", digests),
        StoredSelector::Provider(name) => ("provider = ?3".into(), text(name)),
        StoredSelector::Host(host) => {
            ("root IN (SELECT root FROM sessions WHERE host = ?3)".into(), text(host))
        }
    }
}

/// As many parameters as there are digests: one for each key, and one of before there were keys.
fn any_of(column: &str, digests: &[Digest]) -> (String, Vec<Value>) {
    let parameters: Vec<_> = (3..3 + digests.len()).map(|number| format!("?{number}")).collect();
    let values = digests.iter().map(|digest| Value::Blob(digest.to_vec())).collect();
    (format!("{column} IN ({})", parameters.join(", ")), values)
}

/// The later of two ends of the same counts.
pub(super) fn remember(transaction: &Transaction<'_>, end: &RememberedEnd) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(REMEMBER)?;
    end.digests.iter().try_for_each(|digest| {
        statement.execute(params![digest, Seconds(end.since), Seconds(end.until)]).map(drop)
    })
}

/// Forgets ends whose time is over; whether there may be more.
pub(super) fn forget_ends(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    let forgotten = transaction.prepare_cached(FORGET)?.execute(params![Seconds(now), FORGOTTEN_AT_ONCE])?;
    Ok(forgotten == FORGOTTEN_AT_ONCE as usize)
}
