//! The session store in the embedded database.

mod bindings;
mod find;

use std::collections::BTreeSet;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::store::{
    Bound, CHILDREN, CHILDREN_OF_A_HOST, ChildInserted, FamilyDigests, Inserted, LateCard, Mark, Marking,
    Marks, NewBinding, PurgeCriteria, RecordUpdate, RememberedEnd, RemovedFamily, SessionStore,
    SignInUnderWay, StoreFuture, StoreUpkeep, StoredBinding, StoredFamily, StoredOverview, StoredSelector,
    StoredSession, Touch, Updated,
};
use super::{SessionEnd, SessionId, StoreUnavailable};
use crate::clock::Timestamp;
use crate::storage::{Database, Seconds};

const INSERT_FAMILY: &str = "INSERT INTO session_families
    (root, provider, subject, user, provider_session, created, last_seen, expires, version, record, card, email)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const ENDED_SINCE: &str = "SELECT EXISTS (SELECT 1 FROM remembered_ends WHERE digest = ?1 AND since >= ?2)";
const ADD_CARD: &str = "UPDATE session_families
    SET card = coalesce(card, ?2), subject = ?3, user = ?4, provider_session = ?5, email = ?6
    WHERE root = ?1 AND (card IS NULL OR email IS NULL AND ?6 IS NOT NULL)";
const INSERT_SESSION: &str = "INSERT INTO sessions (id, root, host, created, family_key)
    SELECT ?1, root, ?3, ?4, ?5 FROM session_families WHERE root = ?2";
/// Those of the host (?2) that are older than its newest ?3, and those of the family that are older than its newest ?4.
const MAKE_ROOM: &str = "DELETE FROM sessions WHERE id IN (
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY host = ?2 ORDER BY created DESC, id DESC) AS at_host,
        host = ?2 AS here, row_number() OVER (ORDER BY created DESC, id DESC) AS at_all
        FROM sessions WHERE root = ?1 AND id <> ?1)
    WHERE here AND at_host > ?3 OR at_all > ?4) RETURNING id";
const LOAD: &str = "SELECT f.root, f.provider, f.subject, f.user, f.provider_session, f.created, f.last_seen,
    f.expires, f.version, f.record, f.card, s.id, s.host, s.created, s.family_key,
    own.version, own.record, of_root.version, of_root.record, f.email, f.step_up_since, f.stale_claims
    FROM sessions s JOIN session_families f ON f.root = s.root
    LEFT JOIN session_bindings own ON own.session = s.id
    LEFT JOIN session_bindings of_root ON of_root.session = s.root WHERE s.id = ?1";
const UPDATE: &str = "UPDATE session_families
    SET record = ?3, card = ?4, subject = ?5, user = ?6, provider_session = ?7, email = ?8, version = version + 1,
    stale_claims = CASE stale_claims WHEN ?9 THEN 0 ELSE stale_claims END
    WHERE root = ?1 AND version = ?2";
/// Of no time and a time `max` makes no time.
const STEP_UP: &str = "UPDATE session_families
    SET step_up_since = max(coalesce(step_up_since, ?2), ?2) WHERE root = ?1";
const STALE_CLAIMS: &str = "UPDATE session_families SET stale_claims = stale_claims + 1 WHERE root = ?1";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM session_families WHERE root = ?1)";
const TOUCH: &str = "UPDATE session_families SET last_seen = ?2 WHERE root = ?1 AND last_seen < ?2";
const MEMBERS: &str = "SELECT id FROM sessions WHERE root = ?1";
const ROOT_OF: &str = "SELECT root FROM sessions WHERE id = ?1";
const REMOVE: &str = "DELETE FROM session_families WHERE root = ?1";
/// `UNION ALL`: each part stops at the limit and looks into an index alone; a `UNION` would gather everything
/// that is over before it gave the first.
const OVER: &str = "SELECT root FROM session_families WHERE expires <= ?1
    UNION ALL SELECT root FROM session_families WHERE last_seen <= ?2
    UNION ALL SELECT root FROM session_families WHERE created <= ?3 LIMIT ?4";

/// Sessions in the state file.
#[derive(Clone, Debug)]
pub struct EmbeddedStore(Database);

impl EmbeddedStore {
    /// Keeps sessions in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        Box::pin(async move {
            let answer = self.0.write(move |connection| {
                // Locked for writing from the start: one that begins with a read may fail when it comes to write.
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = operation(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            });
            answer.await.map_err(StoreUnavailable::new)
        })
    }
}

impl SessionStore for EmbeddedStore {
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        self.write(move |transaction| {
            if mutant!(ended_since(transaction, &sign_in)?, "ended-before-it-began" => false) {
                return Ok(Inserted::EndedBefore);
            }
            insert_family(transaction, &family)?;
            insert_session(transaction, &session)?;
            Ok(Inserted::Done)
        })
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        self.write(move |transaction| {
            let gave_way = make_room(transaction, &session)?;
            match insert_session(transaction, &session)? {
                0 => Ok(ChildInserted::RootGone),
                _ => Ok(ChildInserted::Done(gave_way)),
            }
        })
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move {
            let row = self
                .0
                .read(move |connection| readable(id, connection.prepare_cached(LOAD)?.query_row([id], read)));
            row.await.map_err(StoreUnavailable::new)
        })
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        self.write(move |transaction| replace(transaction, &update))
    }

    fn mark(&self, Marking { roots, mark }: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        self.write(move |transaction| {
            let mut sessions = Vec::new();
            for root in roots {
                match mark {
                    Mark::StepUp(since) => {
                        transaction.prepare_cached(STEP_UP)?.execute(params![root, Seconds(since)])?
                    }
                    Mark::StaleClaims => transaction.prepare_cached(STALE_CLAIMS)?.execute([root])?,
                };
                sessions.extend(members(transaction, root)?);
            }
            Ok(sessions)
        })
    }

    fn add_card(&self, LateCard { root, card, digests }: LateCard) -> StoreFuture<'_, ()> {
        self.write(move |transaction| {
            let FamilyDigests { subject, user, provider_session, email } = &digests;
            let row = params![root, card, subject, user, provider_session, email];
            transaction.prepare_cached(ADD_CARD)?.execute(row).map(drop)
        })
    }

    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound> {
        self.write(move |transaction| bindings::bind(transaction, &binding))
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        self.write(move |transaction| bindings::count_proof(transaction, session, version))
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        self.write(move |transaction| {
            let mut statement = transaction.prepare_cached(TOUCH)?;
            touches
                .iter()
                .try_for_each(|touch| statement.execute(params![touch.root, Seconds(touch.at)]).map(drop))
        })
    }

    fn remove_family(&self, id: SessionId, _: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        self.write(move |transaction| {
            let root = transaction.prepare_cached(ROOT_OF)?.query_row([id], |row| row.get(0)).optional()?;
            root.map(|root| remove(transaction, root)).transpose()
        })
    }

    fn remove_families(&self, roots: Vec<SessionId>, _: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        self.write(move |transaction| {
            let removed = roots.into_iter().map(|root| remove(transaction, root));
            let there = |removed: &RemovedFamily| !removed.sessions.is_empty();
            Ok(removed.collect::<Result<Vec<_>, _>>()?.into_iter().filter(there).collect())
        })
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        Box::pin(async move {
            let found = self.0.read(move |connection| find::overviews(connection, &selector, after, limit));
            found.await.map_err(StoreUnavailable::new)
        })
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        self.write(move |transaction| find::remember(transaction, &end))
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.0.record_ending(*id.as_bytes()).await.map_err(StoreUnavailable::new) })
    }

    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        Some(self)
    }
}

impl StoreUpkeep for EmbeddedStore {
    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.forget_ending(*id.as_bytes()).await;
            Ok(())
        })
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        self.0.recorded_endings().into_iter().map(SessionId::from_bytes).collect()
    }

    fn purge(&self, criteria: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>> {
        self.write(move |transaction| {
            let PurgeCriteria { now, idle_since, created_before, limit } = criteria;
            let bounds = params![Seconds(now), Seconds(idle_since), Seconds(created_before), limit];
            let mut statement = transaction.prepare_cached(OVER)?;
            let roots = statement.query_map(bounds, |row| row.get(0))?.collect::<Result<BTreeSet<_>, _>>()?;
            roots.into_iter().map(|root| remove(transaction, root)).collect()
        })
    }

    fn forget_ends(&self, now: Timestamp) -> StoreFuture<'_, bool> {
        self.write(move |transaction| find::forget_ends(transaction, now))
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.0.shrink().await.map_err(StoreUnavailable::new) })
    }
}

fn insert_family(connection: &Connection, family: &StoredFamily) -> rusqlite::Result<usize> {
    connection.prepare_cached(INSERT_FAMILY)?.execute(params![
        family.root,
        family.provider,
        family.digests.subject,
        family.digests.user,
        family.digests.provider_session,
        Seconds(family.created),
        Seconds(family.last_seen),
        Seconds(family.expires),
        family.version,
        family.record,
        family.card,
        family.digests.email,
    ])
}

/// Read in the transaction that inserts, so that no end falls between both.
fn ended_since(connection: &Connection, sign_in: &SignInUnderWay) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(ENDED_SINCE)?;
    for digest in &sign_in.digests {
        if statement.query_row(params![digest, Seconds(sign_in.began)], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn replace(connection: &Connection, update: &RecordUpdate) -> rusqlite::Result<Updated> {
    let RecordUpdate { root, version, record, card, digests, renewed } = update;
    let FamilyDigests { subject, user, provider_session, email } = digests;
    let row = params![root, version, record, card, subject, user, provider_session, email, renewed];
    if connection.prepare_cached(UPDATE)?.execute(row)? == 1 {
        return members(connection, *root).map(Updated::Done);
    }
    let there = connection.prepare_cached(EXISTS)?.query_row([root], |row| row.get(0))?;
    Ok(if there { Updated::Stale } else { Updated::Gone })
}

fn insert_session(connection: &Connection, session: &StoredSession) -> rusqlite::Result<usize> {
    let row = params![session.id, session.root, session.host, Seconds(session.created), session.family_key];
    connection.prepare_cached(INSERT_SESSION)?.execute(row)
}

/// Removes the oldest children of the family of `session` where there is no room for one more; answers which.
fn make_room(connection: &Connection, session: &StoredSession) -> rusqlite::Result<Vec<SessionId>> {
    let StoredSession { root, host, .. } = session;
    let bounds = params![root, host, CHILDREN_OF_A_HOST - 1, CHILDREN - 1];
    let mut statement = connection.prepare_cached(MAKE_ROOM)?;
    mutant!(statement.query_map(bounds, |row| row.get(0))?.collect(), "children-without-bound" => Ok(Vec::new()))
}

/// A row that holds what no gateway writes opens nothing, as one that was altered: the person signs in anew
/// and does not meet 503 for as long as the cookie lives.
fn readable<T>(id: SessionId, row: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match row.optional() {
        Err(error @ (FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..))) => {
            tracing::warn!(session = %id, %error, "a session's row is damaged and is ignored");
            Ok(None)
        }
        other => other,
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(StoredFamily, StoredSession)> {
    let root = row.get(0)?;
    let digests = FamilyDigests {
        subject: row.get(2)?,
        user: row.get(3)?,
        provider_session: row.get(4)?,
        email: row.get(19)?,
    };
    let step_up_since = row.get::<_, Option<Seconds>>(20)?.map(|since| since.0);
    let marks = Marks { step_up_since, stale_claims: row.get(21)? };
    let family = StoredFamily {
        root,
        provider: row.get(1)?,
        digests,
        created: row.get::<_, Seconds>(5)?.0,
        last_seen: row.get::<_, Seconds>(6)?.0,
        expires: row.get::<_, Seconds>(7)?.0,
        version: row.get(8)?,
        marks,
        record: row.get(9)?,
        card: row.get(10)?,
        binding: binding(row, 17)?,
    };
    let session = StoredSession {
        id: row.get(11)?,
        root,
        host: row.get(12)?,
        created: row.get::<_, Seconds>(13)?.0,
        family_key: row.get(14)?,
        binding: binding(row, 15)?,
    };
    Ok((family, session))
}

/// The binding whose columns begin at `first`, where there is one.
fn binding(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<StoredBinding>> {
    let Some(version) = row.get(first)? else { return Ok(None) };
    Ok(Some(StoredBinding { version, record: row.get(first + 1)? }))
}

fn members(connection: &Connection, root: SessionId) -> rusqlite::Result<Vec<SessionId>> {
    connection.prepare_cached(MEMBERS)?.query_map([root], |row| row.get(0))?.collect()
}

fn remove(connection: &Connection, root: SessionId) -> rusqlite::Result<RemovedFamily> {
    let sessions = members(connection, root)?;
    connection.prepare_cached(REMOVE)?.execute([root])?;
    Ok(RemovedFamily { root, sessions })
}

impl ToSql for SessionId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for SessionId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_of_a_purge_costs_the_same_however_much_is_over() {
        let database = Database::in_memory().unwrap();
        let plan = database.read(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {OVER}"))?;
            let rows = statement.query_map(params![1, 1, 1, 1], |row| row.get::<_, String>(3))?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let plan = plan.await.unwrap().join("\n");
        assert_eq!(plan.matches("SEARCH session_families USING INDEX").count(), 3, "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
