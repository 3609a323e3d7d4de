//! Portcullis, a reverse-proxy authentication gateway.
//!
//! The rooms stand here in the order a request walks through them; a room imports only what stands
//! under it (`tests/layering.rs`). `docs/architecture.md` tells why the house is laid out so.

// First, so that its macro is known in every room.
#[macro_use]
mod mutants;

pub mod cli;
pub mod runtime;

pub mod config;

pub mod demo;

pub mod listener;

pub mod admin;
pub mod gate;

pub mod endpoints;

pub mod forward;
pub mod pages;

pub mod authn;
pub mod oidc;
pub mod session;
pub mod storage;

pub mod limit;
pub mod policy;
pub mod route;

pub mod http1;
pub mod request;
pub mod telemetry;

pub mod clock;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod identity;
pub mod secret;
