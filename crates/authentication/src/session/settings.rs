//! How long sessions live, how many a person may hold, and what their cookie looks like.

use std::num::NonZeroU32;
use std::time::Duration;

/// `[session]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// A session unused for so long ends; from one minute up.
    pub idle_timeout: Duration,
    /// A session ends so long after sign-in, whatever happens; at least `idle_timeout`.
    pub max_age: Duration,
    /// Sign-ins that one person may hold at once, from 1 to 1000: the oldest ends where there would be more. `None`: any
    /// number.
    pub max_per_person: Option<NonZeroU32>,
    /// The cookie's name without its `__Host-` prefix, which comes by itself on `https`.
    pub cookie_name: String,
    /// Sessions kept in memory in front of the store.
    pub cache_capacity: u64,
    /// Whether sessions are bound to keys of their browsers' devices.
    pub bind: Bind,
    /// A domain, lower-case, of which one binding covers all hosts.
    pub bind_site: Option<String>,
}

/// Whether sessions are bound to keys of their browsers' devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// Where the browser can; otherwise a session goes on without.
    #[default]
    Auto,
    /// Without, a session opens nothing.
    Required,
    /// No browser is told of it. Sessions that are bound stay so.
    Off,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(3600),
            max_age: Duration::from_secs(12 * 3600),
            max_per_person: None,
            cookie_name: "portcullis".into(),
            cache_capacity: 100_000,
            bind: Bind::default(),
            bind_site: None,
        }
    }
}
