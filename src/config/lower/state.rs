//! `[state]`.

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{SecretSource, State};
use crate::secret::Secret;

/// Fewest characters of a key: 256 random bits as base64 without padding.
const FEWEST: usize = 43;

impl Lowering<'_> {
    /// The keys for what is kept at rest, the one that seals first.
    pub(super) fn state_keys(&mut self, at: Located<'_, Option<State>>) -> Vec<Secret> {
        let Some(at) = at.given() else { return Vec::new() };
        let written = at!(at.key);
        let written_keys = written.all();
        if at.value.key.is_some() && written_keys.is_empty() {
            self.fault(
                Diagnostic::new(written.place, "no key").expected("expected at least one, or no `key`"),
            );
        }
        let mut keys: Vec<Secret> = Vec::new();
        for at in written_keys {
            let key = self.state_key(at);
            let Some(key) = self.keep(key) else { continue };
            if self.sources.has_secrets() && keys.contains(&key) {
                self.fault(
                    Diagnostic::new(at.place, "the same key twice").expected("expected each key once"),
                );
            }
            keys.push(key);
        }
        keys
    }

    fn state_key(&mut self, at: Located<'_, SecretSource>) -> Result<Secret, Diagnostic> {
        let key = self.secret(at)?;
        // What is derived from it is as hard to guess as the text itself.
        if self.sources.has_secrets() && key.expose().trim().len() < FEWEST {
            return Err(Diagnostic::new(at.place, format!("a key of fewer than {FEWEST} characters"))
                .expected("expected 256 random bits as text")
                .help("openssl rand -base64 32"));
        }
        Ok(key)
    }
}
