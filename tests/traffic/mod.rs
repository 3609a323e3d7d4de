//! The traffic: streams, upstreams, hostile requests, limits, the life of the process.

mod admin;
mod app;
mod crowded;
mod early_answers;
mod expiry;
pub(crate) mod grpc;
mod hostile_headers;
mod hostile_requests;
mod http2;
mod http2_refused;
mod interim;
mod labels;
mod life;
mod limits;
mod prefixes;
mod process;
mod retiring;
mod routing;
mod streams;
mod tls;
mod traces;
mod upstreams;
mod web_socket;
mod wire;
