//! Bindings to keys of devices, in rows of their own.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::members;
use crate::session::SessionId;
use crate::session::store::{Bound, NewBinding};

const ROOT_AND_HOST: &str = "SELECT root, host FROM sessions WHERE id = ?1";
/// Hosts and not sessions: a browser that signs in anew on one host has one binding there that counts.
const OTHER_HOSTS: &str =
    "SELECT count(DISTINCT host) FROM session_bindings WHERE root = ?1 AND site = ?2 AND host <> ?3";
const BIND: &str = "INSERT INTO session_bindings (session, root, host, site, record)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (session) DO NOTHING";
const COUNT_PROOF: &str =
    "UPDATE session_bindings SET version = version + 1 WHERE session = ?1 AND version = ?2";
const BOUND: &str = "SELECT session FROM session_bindings WHERE root = ?1 ORDER BY session";

pub(super) fn bind(transaction: &Transaction<'_>, new: &NewBinding) -> rusqlite::Result<Bound> {
    let NewBinding { session, site, most, record } = new;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = transaction.prepare_cached(ROOT_AND_HOST)?.query_row([session], row).optional()?;
    let Some((root, host)): Option<(SessionId, String)> = found else { return Ok(Bound::Gone) };
    let others = params![root, site, host];
    let others: u32 = transaction.prepare_cached(OTHER_HOSTS)?.query_row(others, |row| row.get(0))?;
    if mutant!(others >= *most, "every-host-bound" => false) {
        return Ok(Bound::TooMany);
    }
    match transaction.prepare_cached(BIND)?.execute(params![session, root, host, site, record])? {
        0 => Ok(Bound::Already),
        _ => members(transaction, root).map(Bound::Done),
    }
}

pub(super) fn count_proof(
    transaction: &Transaction<'_>,
    session: SessionId,
    version: u32,
) -> rusqlite::Result<bool> {
    Ok(transaction.prepare_cached(COUNT_PROOF)?.execute(params![session, version])? == 1)
}

/// The sessions of a family that are bound.
pub(super) fn bound(connection: &Connection, root: SessionId) -> rusqlite::Result<Vec<SessionId>> {
    connection.prepare_cached(BOUND)?.query_map([root], |row| row.get(0))?.collect()
}
