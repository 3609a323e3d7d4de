//! What the console is told by the process that it is part of.

use std::fmt;
use std::time::Duration;

/// The process, as the console sees it.
pub trait Process: fmt::Debug + Send + Sync {
    /// How it is now.
    fn overview(&self) -> ProcessOverview;
}

/// How a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessOverview {
    /// For how long it has been running.
    pub up: Duration,
    /// What cannot do its work, each with why, in words for operators.
    pub troubles: Vec<(String, String)>,
    /// The configured providers, in the order of the configuration.
    pub providers: Vec<ProviderShown>,
}

/// A provider and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderShown {
    /// Its name in the configuration.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// Why it cannot do its work; `None` where it can.
    pub trouble: Option<String>,
    /// How long ago its keys were fetched.
    pub keys_age: Option<Duration>,
}
