//! OpenTelemetry's protocol (OTLP 1.x), over HTTP with Protocol Buffers: events as logs, what is measured as metrics, what is
//! recorded of requests as traces.

mod client;
mod common;
mod exporter;
mod logs;
mod metrics;
mod protobuf;
mod sink;
#[cfg(test)]
mod tests;
mod traces;

pub use client::OtlpSettings;
pub use exporter::{ExportHealth, ExportSettings, Exporter, Exports};
pub(super) use sink::OtlpSink;
