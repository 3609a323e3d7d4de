//! The room against a provider that lies, stalls and mixes things up, over real sockets.

mod claims;
mod cookies;
mod discovery;
mod exchange;
mod fake;
mod id_token;
mod logout_token;
mod outages;
mod outside;
mod provider_task;
mod providers;
mod refresh;
mod revocation;
mod secrets;
mod sign_in;
mod signer;
mod step_up;
mod unknown;
mod world;
