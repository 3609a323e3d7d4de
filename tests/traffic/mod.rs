//! The traffic: streams, upstreams, hostile requests, limits, the life of the process.

mod admin;
mod app;
mod grpc;
mod hostile_headers;
mod hostile_requests;
mod http2;
mod life;
mod limits;
mod process;
mod routing;
mod streams;
mod tls;
mod upstreams;
mod web_socket;
mod wire;
