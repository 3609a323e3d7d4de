//! Where events are written: files, standard output, and the log.

mod audit;
mod distributor;
mod file;
mod format;
mod health;
mod lines;
mod log;
mod output;
mod queue;
mod rotation;
mod settings;
mod sink;
mod store;
#[cfg(test)]
mod tests;
mod worker;

pub use audit::{ApplyError, Audit, Unwritten};
pub use health::SinkHealth;
pub use log::{LogSink, LogWriter};
pub use settings::{
    FileSettings, LineFormat, OutputSettings, PatternError, Rotation, Selection, Settings, SinkKind,
    SinkSettings, Stream,
};
pub use sink::SinkError;
