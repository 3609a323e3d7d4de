//! HTTP on the wire: `listener` towards clients, `forward` towards upstreams, and `http1`, what both have in common.
//!
//! Whose request it is and whether it may go on is decided elsewhere; nothing here knows a session or a token.

#[macro_use(mutant)]
extern crate portcullis_rules;

pub mod forward;
pub mod listener;

pub mod http1;

#[cfg(any(test, fuzzing))]
use portcullis_rules::fuzzing;
use portcullis_rules::{clock, identity, policy, request, secret};
use portcullis_trace as trace;
