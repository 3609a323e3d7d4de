//! Portcullis, a reverse-proxy authentication gateway.
//!
//! The rooms of the program stand here in the order a request walks through them, and with them those of the crates
//! that stand alone (`crates/`): a room imports only what stands under it (`tests/layering.rs`).
//! `docs/architecture.md` tells why the program is laid out so.

#[macro_use(mutant)]
extern crate portcullis_rules;

pub mod cli;
pub mod runtime;

pub mod config;
pub mod console;

pub use portcullis_demo as demo;

pub use portcullis_wire::listener;

pub use portcullis_audit::{chain, mapping, reports, segments, sinks};

pub mod admin;
pub mod endpoints;
pub mod gate;
pub mod history;
pub mod operate;

pub use portcullis_wire::forward;
pub mod pages;
pub mod portal;

pub mod words;

pub use portcullis_authentication::{authn, oidc, replicas, session, signals, storage};

pub use portcullis_rules::{limit, policy, route};

pub use portcullis_events as events;
pub use portcullis_rules::request;
pub use portcullis_telemetry as telemetry;
pub use portcullis_wire::http1;

#[cfg(any(test, fuzzing))]
pub use portcullis_rules::fuzzing;
pub use portcullis_rules::{clock, identity, secret};
pub use portcullis_trace as trace;
