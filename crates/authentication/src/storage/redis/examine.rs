//! `portcullis check --online`: whether a Redis is set up for what is kept there.

use ::redis::{Cmd, Script, Value, cmd};

use super::{RedisClient, RedisError, RedisServers};
use crate::secret::random_bytes;

/// The oldest version whose scripts can end somebody on a full server.
const OLDEST: u32 = 7;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// What keeps gateways from working.
    pub faults: Vec<String>,
    /// What they work with, until one day.
    pub remarks: Vec<String>,
}

impl RedisClient {
    /// Tries everything that a gateway does there, on a key that nobody uses.
    ///
    /// # Errors
    /// It cannot be reached, or does not let its user in.
    pub async fn examine(&self) -> Result<Examination, RedisError> {
        let mut found = Examination::default();
        let missing = self.missing_rights().await?;
        if !missing.is_empty() {
            found.faults.push(format!(
                "its user may not run {}; add {} to its line in the access list (docs/scaling.md)",
                missing.join(", "),
                missing
                    .iter()
                    .map(|command| format!("+{}", command.replace(' ', "|")))
                    .collect::<Vec<_>>()
                    .join(" ")
            ));
        }
        if missing.is_empty() && self.may_not_count().await? {
            let pattern = self.settings().rate_key("*").replace("*}", "*");
            found.faults.push(format!(
                "its user may not use the keys of rates; add ~{pattern} to its line in the access list (docs/scaling.md)"
            ));
        }
        if let Ok(info) = self.command_at::<String>(&self.key("log"), &cmd("INFO")).await {
            judge(&info, &mut found);
        }
        Ok(found)
    }

    /// Whether the user lacks the keys of counts, which have a prefix of their own.
    async fn may_not_count(&self) -> Result<bool, RedisError> {
        let key = self.settings().rate_key("check");
        self.refused(self.command(cmd("GET").arg(&key)).await)
    }

    /// Commands that the user may not run.
    async fn missing_rights(&self) -> Result<Vec<String>, RedisError> {
        let key = self.key(&format!("check:{:016x}", u64::from_be_bytes(random_bytes())));
        let mut missing = Vec::new();
        for (name, command) in self.plain_commands(&key) {
            if self.refused(self.command_at::<Value>(&key, &command).await)? {
                missing.push(name.to_owned());
            }
        }
        let script = Script::new(include_str!("rights.lua"));
        match self.run::<Vec<String>>(&script.key(&key)).await {
            Ok(refused) => missing.extend(refused),
            Err(RedisError::Refused { .. }) if missing.iter().any(|name| name == "script load") => {}
            Err(RedisError::Refused { .. }) => missing.push("evalsha".to_owned()),
            Err(error) => return Err(error),
        }
        Ok(missing)
    }

    /// What is run outside of scripts.
    fn plain_commands(&self, key: &str) -> Vec<(&'static str, Cmd)> {
        let on_key = |name: &str| cmd(name).arg(key).take();
        let mut commands = vec![
            ("exists", on_key("EXISTS")),
            ("get", on_key("GET")),
            ("set", cmd("SET").arg(key).arg("1").arg("EX").arg(60).take()),
            ("xrange", cmd("XRANGE").arg(self.key("log")).arg("+").arg("+").take()),
            ("xread", cmd("XREAD").arg("COUNT").arg(1).arg("STREAMS").arg(self.key("log")).arg("$").take()),
            ("script load", cmd("SCRIPT").arg("LOAD").arg("return 1").take()),
            ("role", cmd("ROLE")),
            ("wait", cmd("WAIT").arg(0).arg(1).take()),
            ("info", cmd("INFO")),
        ];
        if let RedisServers::Cluster(_) = self.settings().servers {
            commands.push(("cluster slots", cmd("CLUSTER").arg("SLOTS").take()));
        }
        commands
    }

    /// Whether the user lacks the right; another fault is none of its.
    fn refused(&self, answer: Result<Value, RedisError>) -> Result<bool, RedisError> {
        match answer {
            Err(RedisError::Refused { .. }) => Ok(true),
            Err(error @ (RedisError::Login { .. } | RedisError::Away { .. } | RedisError::Late { .. })) => {
                Err(error)
            }
            Ok(_) | Err(_) => Ok(false),
        }
    }
}

fn judge(info: &str, found: &mut Examination) {
    let value =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    // Valkey tells the version of Redis that it stands for under this name.
    let version = value("redis_version");
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST) {
        found.faults.push(format!(
            "it is version {}; {OLDEST} is the oldest that works",
            version.unwrap_or_default()
        ));
    }
    if let Some(policy) = value("maxmemory_policy").filter(|policy| *policy != "noeviction") {
        found.remarks.push(format!(
            "its `maxmemory-policy` is {policy}: when it is full it throws sessions and ends of sessions away, and who \
             was signed out may be in again; set it to noeviction"
        ));
    }
    if value("aof_enabled") == Some("0") {
        found.remarks.push(
            "it writes no log of its own (`appendonly no`): where it is started anew, people sign in again, and ends \
             since its last snapshot are forgotten; set `appendonly yes`"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_is_judged() {
        let judged = |info: &str| {
            let mut found = Examination::default();
            judge(info, &mut found);
            (found.faults.len(), found.remarks.len())
        };
        let good = "# Server\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        assert_eq!(judged(good), (0, 0));
        assert_eq!(judged(&good.replace("7.0.15", "6.2.1")), (1, 0));
        assert_eq!(judged(&good.replace("noeviction", "allkeys-lru")), (0, 1));
        assert_eq!(judged(&good.replace("aof_enabled:1", "aof_enabled:0")), (0, 1));
        assert_eq!(judged(""), (0, 0));
    }
}
