//! The session store in Redis or Valkey, which several gateways share.
//!
//! A family and a session are a hash each, beside which stand a set of the family's sessions and indexes. All of them
//! share one `{tag}`, and each operation is one script: whole, or not at all. What ends or changes a family is told in
//! a *log*, a stream that every gateway follows ([`Replica`]).

mod calls;
mod ends;
mod follow;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod log_health;
mod replicas;
mod row;
mod scripts;
mod store;

pub use follow::Replica;
pub use log_health::LogHealth;
pub use store::{RedisSessions, RedisStore};
