//! Who is asking: credentials are turned into principals (`authn`), at providers (`oidc`) or by sessions (`session`)
//! that are kept in the state file (`storage`). What providers tell of them in between comes by `signals`. What the replicas
//! of one gateway share beside sessions is in `replicas`.

#[macro_use(mutant)]
extern crate portcullis_rules;

pub mod authn;
pub mod oidc;
pub mod replicas;
pub mod session;
pub mod signals;
mod single_flight;
pub mod storage;

#[cfg(any(test, fuzzing))]
use portcullis_rules::fuzzing;
use portcullis_rules::{clock, identity, limit, request, secret};
use portcullis_telemetry as telemetry;
use portcullis_trace as trace;
