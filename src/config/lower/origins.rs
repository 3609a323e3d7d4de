//! `[[routes]]` `cors` and `origin`.

use crate::gate::{OriginSettings, Preflight, SentFrom};

use super::Lowering;
use super::value::url;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{Cors, OriginWord, PreflightWord, Route};

const EXAMPLE: &str = "https://spa.corp.example";

impl Lowering<'_> {
    pub(super) fn origins(&mut self, route: Located<'_, Route>) -> OriginSettings {
        let sent_from = match route.value.origin {
            None | Some(OriginWord::Any) => SentFrom::Anywhere,
            Some(OriginWord::SameHost) => SentFrom::SameHost,
        };
        let Some(cors) = at!(route.cors).given() else {
            return OriginSettings { sent_from, ..OriginSettings::default() };
        };
        let preflight = match cors.value.preflight {
            None | Some(PreflightWord::Judge) => Preflight::Judge,
            Some(PreflightWord::Pass) => Preflight::Pass,
        };
        OriginSettings { readers: self.readers(cors), preflight, sent_from }
    }

    fn readers(&mut self, cors: Located<'_, Cors>) -> Vec<String> {
        at!(cors.origins).all().into_iter().filter_map(|at| self.keep(origin(at))).collect()
    }
}

/// An origin as browsers write it: lower-case, and without the port that its scheme has anyway.
fn origin(at: Located<'_, String>) -> Result<String, Diagnostic> {
    if at.value == "*" {
        return Err(Diagnostic::new(at.place, "refusals are not for everybody's scripts")
            .expected(format!("expected origins such as \"{EXAMPLE}\"")));
    }
    let url = url(at.value, at.place, &["https", "http"], EXAMPLE)?;
    if url.path() != "/" || at.value.ends_with('/') {
        return Err(Diagnostic::new(at.place, "an origin has no path")
            .expected(format!("expected scheme, host and port alone, such as \"{EXAMPLE}\"")));
    }
    Ok(url.origin().ascii_serialization())
}
