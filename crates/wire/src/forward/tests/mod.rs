//! The room against real sockets on loopback, ill-behaved ones among them.

mod balancing;
mod bodies;
mod early;
mod exchange;
mod faults;
mod once_more;
mod pooling;
mod protocols;
mod retries;
mod support;
mod upgrades;
