//! Redis or Valkey, which several gateways share: how it is reached, and what happens when it is not.
//!
//! One server, Sentinels that name the master, or a Cluster: whoever runs a script sees none of it. Every key begins
//! with the namespace in braces (`{portcullis}:`), so that a Cluster keeps what one script touches on one node.

mod backoff;
mod client;
mod connection;
mod error;
mod examine;
mod health;
mod keys;
mod link;
mod master;
mod servers;
mod settings;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use ::redis::{
    Cmd, FromRedisValue, ParsingError, Script, ScriptInvocation, Value, cmd, from_redis_value,
};
pub use backoff::BackOff;
pub use client::{COMMAND, RedisClient};
pub use connection::RedisConnection;
pub use error::{RedisError, RefusedLogin};
pub use examine::Examination;
pub use health::RedisHealth;
pub(super) use keys::{load, load_or_create, replace};
pub use master::replicas;
pub use settings::{RedisAddress, RedisServers, RedisSettings, Transport};
