//! The tables, made by whoever comes first.

use tokio_postgres::{Client, GenericClient};

use crate::sinks::far::FarError;

/// What makes each version of the tables from the one before.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];

/// What gateways that start at once wait for.
const LOCK: i64 = 5_787_213_827_046_133_840;

/// Brings the tables up to what this release writes. Where they are, nothing is asked for but to read their version.
pub(super) async fn migrate(client: &mut Client) -> Result<(), FarError> {
    let there = version(client).await?;
    if there == STEPS.len() {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let there = version(&transaction).await?;
    if there == 0 {
        begin(&transaction).await?;
    }
    for (step, number) in STEPS.iter().zip(1_i32..).skip(there) {
        transaction.batch_execute(step).await?;
        transaction.execute("INSERT INTO portcullis.migrations (version) VALUES ($1)", &[&number]).await?;
    }
    Ok(transaction.commit().await?)
}

/// The version of the tables that are there; 0 where none is. The catalogue is read as a table: what `to_regclass` has looked
/// for once it may remember, though another gateway has made it meanwhile.
async fn version(client: &impl GenericClient) -> Result<usize, FarError> {
    let there = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname = 'portcullis' AND c.relname = 'migrations')";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let row = client.query_one("SELECT max(version) FROM portcullis.migrations", &[]).await?;
    let version = row.try_get::<_, Option<i32>>(0)?.unwrap_or(0);
    let known = STEPS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(FarError::Away(format!(
            "its tables are of version {version}, made by a later release: this one knows them up to {known}"
        ))),
    }
}

/// The schema may be there already, made by somebody who may.
async fn begin(client: &impl GenericClient) -> Result<(), FarError> {
    let missing = "SELECT NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'portcullis')";
    if client.query_one(missing, &[]).await?.try_get::<_, bool>(0)? {
        client.batch_execute("CREATE SCHEMA portcullis").await?;
    }
    let table = "CREATE TABLE portcullis.migrations (version integer PRIMARY KEY, \
                 applied timestamptz NOT NULL DEFAULT now())";
    Ok(client.batch_execute(table).await?)
}
