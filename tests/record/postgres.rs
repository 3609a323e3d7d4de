//! The record in PostgreSQL: the real program, Debian's server, and what its own command says of it afterwards.

use std::fs;

use serde_json::Value;

use super::chain::verify;
use super::delivery::{asked, is_in_spool};
use super::{ROUTES, lines};
use crate::docs::Document;
use crate::support::{Browser, World, logged, program, until};
use portcullis_audit::sinks::testing::TestPostgres;

const SINK: &str = "[[audit.sinks]]\nkind = \"postgres\"\n\n";

/// A gateway whose record is in a database of the shared server.
async fn world(server: &TestPostgres, database: &str) -> World {
    let folder = tempfile::TempDir::new().unwrap().keep();
    let url = folder.join("postgres.url");
    fs::write(&url, server.url(database)).unwrap();
    let state = format!("[state]\npostgres = {{ file = \"{}\" }}\n\n{SINK}", url.display());
    World::at("http://127.0.0.1:{port}", "", &state, ROUTES).await
}

/// How often each of these requests is there.
fn counts(server: &TestPostgres, database: &str, ids: &[String]) -> Vec<usize> {
    let there = server.try_query(database, "SELECT id FROM portcullis.events WHERE type = 'access.granted'");
    let there: Vec<_> = there.unwrap_or_default().lines().map(str::to_owned).collect();
    ids.iter().map(|id| there.iter().filter(|there| *there == id).count()).collect()
}

fn all_there(server: &TestPostgres, database: &str, ids: &[String]) {
    until("they came", || counts(server, database, ids).iter().all(|count| *count > 0));
    assert!(counts(server, database, ids).iter().all(|count| *count == 1), "each once");
}

/// Outages of the server, a restart and a kill of the gateway: every request is there once, and the record is whole.
#[tokio::test]
async fn invariant_28_every_request_is_in_postgresql_once_and_its_record_proves_it() {
    let mut server = TestPostgres::start();
    let database = server.database();
    let mut world = world(&server, &database).await;
    let mut all = asked(&world.gateway, 20).await;
    all_there(&server, &database, &all);
    server.stop();
    all.extend(asked(&world.gateway, 20).await);
    let told = logged(&world.gateway, "a sink does not get what happens");
    assert!(told.contains("postgres") && !told.contains("a password"), "{told}");
    world.gateway.restart();
    all.extend(asked(&world.gateway, 20).await);
    until("it lies on disk", || is_in_spool(&world.gateway, "postgres", all.last().unwrap()));
    world.gateway.kill();
    world.gateway.start_again();
    server.restart();
    all.extend(asked(&world.gateway, 20).await);
    all_there(&server, &database, &all);
    world.gateway.signal("TERM");
    assert_eq!(world.gateway.wait(), Some(0));

    let folder = world.gateway.directory.path();
    let verified = verify(folder, &[]);
    assert_eq!(verified.code, Some(0), "{:#}", verified.report);
    let chains = verified.report["chains"].as_array().unwrap();
    assert!(
        chains.len() >= 2 && chains.iter().any(|chain| chain["proved"].is_object()),
        "{:#}",
        verified.report
    );
    let last = all.last().unwrap();
    for (statement, what) in [
        (format!("UPDATE portcullis.events SET outcome = 'forbidden' WHERE id = '{last}'"), "changed"),
        (format!("DELETE FROM portcullis.events WHERE id = '{last}'"), "dropped"),
    ] {
        server.sql(&database, &statement);
        let verified = verify(folder, &[]);
        assert_eq!(verified.code, Some(1), "{statement}");
        assert!(verified.whats().iter().any(|(found, _)| found == what), "{:#}", verified.report);
    }
    server.stop();
    let away = program(folder, &["audit", "verify"]);
    assert_eq!(away.status.code(), Some(2));
    let told = String::from_utf8_lossy(&away.stderr).into_owned();
    assert!(told.contains("PostgreSQL: it cannot be read: ") && !told.contains("a password"), "{told}");
}

/// Queries that the documentation gives do what it says.
#[tokio::test]
async fn the_examples_of_the_documentation_answer() {
    let server = TestPostgres::shared();
    let database = server.database();
    let world = world(server, &database).await;
    let ids = asked(&world.gateway, 5).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.gateway.url("/board")).await.status, 403);
    all_there(server, &database, &ids);
    let refused =
        "SELECT count(*) > 0 FROM portcullis.events WHERE type = 'access.refused' AND user_name = 'alice'";
    until("the refusal is there", || server.query(&database, refused) == "t");
    let document = Document::read("docs/sinks.md");
    let queries: Vec<_> =
        document.blocks_of("sql").into_iter().filter(|text| text.contains("SELECT ")).collect();
    let queries: Vec<_> = queries.into_iter().filter(|text| !text.contains("GRANT")).collect();
    assert!(queries.len() >= 3, "{queries:?}");
    for query in queries {
        let rows = server.query(&database, query);
        assert!(rows.contains("alice"), "{query}\n{rows}");
    }
    let columns = "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns \
                   WHERE table_schema = 'portcullis' AND table_name = 'events'";
    for column in server.query(&database, columns).split(' ') {
        assert!(document.text.contains(&format!("`{column}`")), "docs/sinks.md does not tell of `{column}`");
    }
    let line = "SELECT line FROM portcullis.events ORDER BY time";
    let events: Vec<Value> = lines(&(server.query(&database, line) + "\n"));
    assert!(events.iter().any(|event| event["type"] == "access.refused"));
}

/// What is said of the way to a server before anything goes there.
#[tokio::test]
async fn check_tells_what_is_wrong_with_the_url() {
    let server = TestPostgres::shared();
    let world = world(server, &server.database()).await;
    let folder = world.gateway.directory.path();
    let file = folder.join("portcullis.toml");
    let text = fs::read_to_string(&file).unwrap();
    let start = text.find("postgres = {").unwrap();
    let end = start + text[start..].find('\n').unwrap();
    let written = "postgres = \"postgres://u:hunter2@db.internal/d?sslmode=require\"";
    fs::write(&file, format!("{}{written}{}", &text[..start], &text[end..])).unwrap();
    let output = program(folder, &["check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("an `sslmode` by which nobody knows"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
