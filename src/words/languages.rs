//! The languages of one configuration.

use std::sync::Arc;

use http::HeaderValue;

use super::catalogue::Catalogue;
use super::language::choose;

/// The languages that pages are shown in, the one for whoever asks for none of them first.
#[derive(Clone, Debug, PartialEq)]
pub struct Languages(Vec<Arc<Catalogue>>);

impl Default for Languages {
    fn default() -> Self {
        Self(vec![Arc::clone(Catalogue::english()), Arc::clone(Catalogue::german())])
    }
}

impl Languages {
    /// These; English where there are none.
    #[must_use]
    pub fn new(catalogues: Vec<Arc<Catalogue>>) -> Self {
        if catalogues.is_empty() { Self(vec![Arc::clone(Catalogue::english())]) } else { Self(catalogues) }
    }

    /// The one for whoever sends `accepted` as `Accept-Language`.
    #[must_use]
    pub fn of(&self, accepted: Option<&HeaderValue>) -> &Catalogue {
        let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let tags: Vec<_> = self.0.iter().map(|catalogue| catalogue.tag()).collect();
        let chosen = choose(accepted, &tags).unwrap_or_default();
        self.0.get(chosen).unwrap_or_else(|| Catalogue::english())
    }
}
