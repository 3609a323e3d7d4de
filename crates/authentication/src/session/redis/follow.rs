//! The log of what gateways end and change, followed.
//!
//! A replica *follows* the log from the entry that it read last, on a connection of its own. Each entry is either an end,
//! which cuts that sign-in's streams here, or a change, which has the cache read it anew. Where that last entry is no
//! longer there (the log was trimmed beyond it, a failover lost it, somebody emptied the store, another server
//! answers), nobody can say what was missed: the replica takes a new place in the log, and then everything cached is read
//! anew and what lives in memory is asked for again. After each reconnect it writes its own recent ends once more.
//!
//! While the log has not been heard for longer than `stale`, sessions are *unconfirmed*: they end in memory, and the
//! store is not believed to hold all ends. The first word that is heard confirms them again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::calls::{mark, remember};
use super::ends::{RecentEnd, RecentEnds};
use super::log_health::LogHealth;
use super::row::id;
use super::scripts;

use crate::session::{SessionEnd, SessionId, Sessions};
use crate::storage::redis::{
    BackOff, COMMAND, Cmd, RedisClient, RedisConnection, RedisError, Value, cmd, from_redis_value,
};

/// How long the server lets a reader wait when there is nothing to read: how soon a lost connection is noticed.
const SILENCE: Duration = Duration::from_secs(1);

/// How long a server is believed to be the master, once it was.
const MASTER_FOR: Duration = Duration::from_secs(2);

/// Entries read at once.
const ENTRIES: usize = 500;

/// Before it is tried to follow again, the first time.
const AGAIN: Duration = Duration::from_millis(100);

/// Sign-ins asked for in one script.
const AT_ONCE: usize = 100;

/// An entry of the log: its identifier and its fields.
type Entry = (String, Vec<(String, String)>);

/// What a read gives: of each stream its name and its entries.
type Read = Option<Vec<(String, Vec<(String, Vec<Vec<u8>>)>)>>;

/// This process as one of those that share the store.
#[derive(Debug)]
pub struct Replica {
    client: RedisClient,
    origin: String,
    recent: RecentEnds,
    log: String,
    /// The entry that was read last.
    last: Entry,
    health: LogHealth,
}

/// Why an entry that was read last is not the last one any more.
enum Heard {
    /// What came, if anything did.
    Entries(Vec<Entry>),
    /// Something was missed.
    Gap,
}

impl Replica {
    /// Takes a place in the log. Whoever reads from the store afterwards misses nothing.
    pub(super) async fn join(
        client: RedisClient,
        origin: String,
        recent: RecentEnds,
    ) -> Result<Self, RedisError> {
        let (log, health) = (client.key("log"), LogHealth::new(client.settings().stale));
        let mut replica = Self { client, origin, recent, log, last: Entry::default(), health };
        replica.take_place().await?;
        replica.health.heard();
        Ok(replica)
    }

    /// When it was heard last, for metrics and readiness.
    #[must_use]
    pub fn health(&self) -> &LogHealth {
        &self.health
    }

    /// Follows the log for ever; one task of the process runs it.
    pub async fn follow(mut self, sessions: Sessions) {
        tokio::spawn(watch(self.health.clone(), sessions.clone()));
        let mut backoff = BackOff::new(AGAIN);
        let mut told = None;
        loop {
            let Err(error) = self.listen(&sessions).await;
            if self.health.age() < SILENCE + COMMAND {
                (backoff, told) = (BackOff::new(AGAIN), None);
            }
            // Once for each reason, however long it lasts.
            if told.as_ref() != Some(&error) {
                sessions.unheard(&error);
                told = Some(error);
            }
            sleep(backoff.wait()).await;
        }
    }

    async fn listen(&mut self, sessions: &Sessions) -> Result<std::convert::Infallible, RedisError> {
        let mut connection = self.client.dedicated(SILENCE + COMMAND).await?;
        self.client.is_master(&mut connection).await?;
        let mut asked = Instant::now();
        if !self.is_in_place(&mut connection).await? {
            self.begin_anew(sessions).await?;
        }
        self.write_again(sessions).await?;
        loop {
            // A server that is no master any more, or was left behind by a failover, tells of no end.
            if asked.elapsed() >= MASTER_FOR {
                self.client.is_master(&mut connection).await?;
                asked = Instant::now();
            }
            match self.read(&mut connection).await? {
                Heard::Entries(entries) => entries.into_iter().for_each(|entry| self.apply(entry, sessions)),
                Heard::Gap => self.begin_anew(sessions).await?,
            }
            self.health.heard();
            sessions.confirm();
        }
    }

    /// Waits for what comes next.
    async fn read(&self, connection: &mut RedisConnection) -> Result<Heard, RedisError> {
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(ENTRIES).arg("BLOCK").arg(SILENCE.as_millis() as u64);
        let answer = self.ask(connection, read.arg("STREAMS").arg(&self.log).arg(&self.last.0)).await?;
        let Ok(streams) = from_redis_value::<Read>(answer) else { return Ok(Heard::Gap) };
        let entries: Vec<_> = streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect();
        // Also where something came: of two gateways that read an emptied log, the first one writes the next entry.
        if !self.is_in_place(connection).await? {
            return Ok(Heard::Gap);
        }
        Ok(entries.into_iter().map(entry).collect::<Option<Vec<_>>>().map_or(Heard::Gap, Heard::Entries))
    }

    fn apply(&mut self, entry: Entry, sessions: &Sessions) {
        let field =
            |name: &str| entry.1.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
        let (root, own) = (id(field("root").as_bytes()), field("origin") == self.origin);
        match (field("kind"), root) {
            // One's own as well: a failover may have brought back what was loaded anew before it was ended once more.
            ("ended", Some(root)) if !own || !reason(field("more")).lives_on() => {
                let ending = (root, reason(field("more")));
                mutant!(sessions.cut(ending), "others-ends-unheard" => ());
            }
            _ if own => {}
            ("changed", Some(_)) => {
                field("more").split(' ').filter_map(|text| id(text.as_bytes())).for_each(|id| {
                    sessions.changed(&id);
                })
            }
            ("joined", _) => {}
            // A later version tells something: whatever it is, nothing is believed to be as it was.
            _ => sessions.doubt(),
        }
        self.last = entry;
    }

    /// Whether the entry that was read last is where it was.
    async fn is_in_place(&self, connection: &mut RedisConnection) -> Result<bool, RedisError> {
        let mut range = cmd("XRANGE");
        let answer = self.ask(connection, range.arg(&self.log).arg(&self.last.0).arg(&self.last.0)).await?;
        let found = from_redis_value::<Vec<(String, Vec<Vec<u8>>)>>(answer).unwrap_or_default();
        Ok(
            mutant!(found.into_iter().next().and_then(entry).as_ref() == Some(&self.last), "gap-unnoticed" => true),
        )
    }

    /// Nobody can say what was missed.
    async fn begin_anew(&mut self, sessions: &Sessions) -> Result<(), RedisError> {
        sessions.missed();
        self.health.missed();
        // First: what is told from here on is heard, what was told before is asked for.
        self.take_place().await?;
        sessions.doubt();
        for roots in sessions.in_use().chunks(AT_ONCE) {
            let mut call = scripts::GONE.key(&self.log);
            call.arg(roots.iter().map(SessionId::to_hex).collect::<Vec<_>>());
            let gone: Vec<String> = self.client.run(&call).await?;
            let gone = gone.iter().filter_map(|root| id(root.as_bytes()));
            gone.for_each(|root| sessions.cut((root, SessionEnd::SignedOut)));
        }
        Ok(())
    }

    /// An entry of one's own to go on from: an empty log has none.
    async fn take_place(&mut self) -> Result<(), RedisError> {
        let fields = ["kind", "joined", "root", "", "more", "", "origin", &self.origin];
        let mut call = scripts::JOIN.key(&self.log);
        let number: String = self.client.run(call.arg(&self.origin)).await?;
        let pairs = fields.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
        self.last = (number, pairs);
        Ok(())
    }

    /// A failover may have lost them.
    async fn write_again(&self, sessions: &Sessions) -> Result<(), RedisError> {
        let ends = mutant!(self.recent.all(), "lost-ends-stay-lost" => Vec::new());
        for end in &ends {
            let call = match end {
                RecentEnd::Family(root, why) => {
                    sessions.cut((*root, *why));
                    let mut call = scripts::REMOVE.key(&self.log);
                    call.arg(why.code()).arg(&self.origin).arg(root.to_hex());
                    call
                }
                RecentEnd::Marked(marking, nonce) => {
                    mark(scripts::MARK.key(&self.log), (marking, nonce), &self.origin)
                }
                RecentEnd::Remembered(end) => remember(scripts::REMEMBER_END.key(&self.log), end),
            };
            self.client.run::<Value>(&call).await?;
        }
        Ok(())
    }

    async fn ask(&self, connection: &mut RedisConnection, command: &Cmd) -> Result<Value, RedisError> {
        match timeout(SILENCE + COMMAND, command.query_async(connection)).await {
            Ok(answer) => answer.map_err(|error| self.client.error(&error)),
            Err(_) => Err(RedisError::away(self.client.name(), "it has not answered in time")),
        }
    }
}

/// Sessions end in memory when the log has not been heard for too long.
async fn watch(health: LogHealth, sessions: Sessions) {
    loop {
        let left = health.left();
        if left.is_zero() {
            mutant!(sessions.unconfirm(), "stale-sessions-go-on" => ());
        }
        sleep(left.max(SILENCE)).await;
    }
}

fn entry((number, fields): (String, Vec<Vec<u8>>)) -> Option<Entry> {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).ok();
    let pair = |pair: &[Vec<u8>]| if let [name, value] = pair { text(name).zip(text(value)) } else { None };
    fields.chunks(2).map(pair).collect::<Option<Vec<_>>>().map(|fields| (number, fields))
}

/// A reason that a later version tells is one all the same.
fn reason(code: &str) -> SessionEnd {
    code.parse().ok().and_then(SessionEnd::from_code).unwrap_or(SessionEnd::Administrator)
}
