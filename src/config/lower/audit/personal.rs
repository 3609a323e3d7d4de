//! What sinks get of what is personal.

use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::lower::Lowering;
use crate::config::raw::{Audit, PersonalWord};
use crate::secret::Secret;
use crate::sinks::Personal;

/// Fewest characters of the key.
const FEWEST: usize = 32;

impl Lowering<'_> {
    /// What pseudonyms follow from. A short key could be found by trying: and by it, whom they stand for.
    pub(in crate::config::lower) fn pseudonym_key(
        &mut self,
        at: Located<'_, Option<Audit>>,
    ) -> Option<Secret> {
        let at = at.given()?;
        let at = at!(at.pseudonym_key).given()?;
        let key = self.secret(at);
        let key = self.keep(key)?;
        if self.sources.has_secrets() && key.expose().trim().len() < FEWEST {
            self.fault(
                Diagnostic::new(at.place, format!("a key of fewer than {FEWEST} characters"))
                    .expected("expected random bits as text")
                    .help("openssl rand -base64 32"),
            );
        }
        Some(key)
    }
}

/// What a sink gets of it.
pub(super) const fn personal(word: Option<PersonalWord>) -> Personal {
    match word {
        None | Some(PersonalWord::Clear) => Personal::Clear,
        Some(PersonalWord::Pseudonyms) => Personal::Pseudonyms,
        Some(PersonalWord::LeftOut) => Personal::LeftOut,
    }
}
