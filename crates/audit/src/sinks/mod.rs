//! Where events are written: files, standard output, the log, and far ends, by way of spools.

mod audit;
mod deadline;
mod delivery;
mod distributor;
mod far;
mod file;
mod format;
mod health;
mod http;
mod kept;
mod lines;
mod log;
mod opened;
mod otlp;
mod output;
mod personal;
mod postgres;
mod quarantine;
mod queue;
mod recipients;
mod rfc5424;
mod rotation;
mod settings;
mod signature;
mod sink;
mod spool;
mod spooled;
mod store;
mod syslog;
mod tail;
#[cfg(test)]
mod tests;
mod tls;
mod verify;
mod webhook;
mod worker;

pub use audit::{ApplyError, Audit, Prepared, Unwritten};
pub use delivery::{FarSettings, Pace, SpooledSettings};
pub use health::SinkHealth;
pub use kept::{KeptFile, is_kept_name, kept_files};
pub use log::{LogSink, LogWriter};
pub use otlp::{ExportHealth, ExportSettings, Exporter, Exports, OtlpSettings};
pub use personal::{Personal, PseudonymKey};
#[cfg(any(test, feature = "testing"))]
pub use postgres::testing;
pub use postgres::{PostgresHost, PostgresRecord, PostgresServer, PostgresSettings, is_postgres_place};
pub use recipients::{Received, Recipient, Recipients, personal_fields};
pub use settings::{
    FileSettings, LineFormat, OutputSettings, PatternError, Rotation, Selection, Settings, SinkKind,
    SinkSettings, Stream,
};
pub use sink::SinkError;
pub use spool::{SpoolSettings, Waiting};
pub use syslog::{SyslogAddress, SyslogSettings};
pub use tail::{Tail, TailLine, TailNews};
pub use tls::{ClientPair, TlsSettings};
pub use verify::{Evidence, Kept, Signed, VerifyError, verify};
pub use webhook::WebhookSettings;
