//! Whether a server is the master that everybody writes to.
//!
//! A master that a failover left behind does not know it: it answers whoever still reaches it, is told nothing any more,
//! and says nothing of what has been ended since. So it is asked for by name, again and again.

use ::redis::Value;
use tokio::time::timeout;

use super::{COMMAND, RedisClient, RedisConnection, RedisError, cmd};

/// Where the Sentinels name another one.
const REPLACED: &str = "the Sentinels name another master";

/// Where nothing speaks for it.
const ALONE: &str = "no Sentinel answers and it has no replica: a failover may have left it behind";

impl RedisClient {
    /// Whether the server of `connection` is the master: by its own word; and behind Sentinels by theirs or, where none
    /// answers, because replicas still follow it. Where they name another one, all connections leave it. A Cluster sees to
    /// it by itself: its nodes answer nothing once they are few.
    ///
    /// # Errors
    /// `Away`: it is not, or nothing speaks for it; `Late`.
    pub async fn is_master(&self, connection: &mut RedisConnection) -> Result<(), RedisError> {
        let RedisConnection::Node(_, address) = connection else { return Ok(()) };
        let address = address.clone();
        let role = timeout(COMMAND, cmd("ROLE").query_async(connection)).await;
        let role: Vec<Value> = role.map_err(|_| self.late())?.map_err(|error| self.error(&error))?;
        if !matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") {
            return Err(RedisError::away(self.name(), "it is no master any more"));
        }
        match timeout(COMMAND, self.servers().named_master()).await {
            Ok(None) => Ok(()),
            Ok(Some(Ok(named))) if mutant!(named == *address, "deposed-master-believed" => true) => Ok(()),
            Ok(Some(Ok(_))) => {
                self.leave(REPLACED);
                Err(RedisError::away(self.name(), REPLACED))
            }
            Ok(Some(Err(_))) | Err(_) if mutant!(replicas(&role) > 0, "lonely-master-believed" => true) => {
                Ok(())
            }
            Ok(Some(Err(_))) | Err(_) => Err(RedisError::away(self.name(), ALONE)),
        }
    }
}

/// How many replicas follow a master, by its answer to `ROLE`: its name, how far it is, and each replica.
#[must_use]
pub fn replicas(role: &[Value]) -> usize {
    if let [_, _, Value::Array(replicas)] = role { replicas.len() } else { 0 }
}
