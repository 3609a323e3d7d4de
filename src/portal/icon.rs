//! Pictures of apps, each at an address of its own.

use std::collections::HashMap;
use std::sync::Arc;

use crate::pages::{PICTURES, Picture};

/// The pictures of one configuration, by what their addresses end in.
#[derive(Clone, Debug, Default)]
pub struct Icons(HashMap<String, Arc<Picture>>);

impl Icons {
    /// The picture at `path`, decoded.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Picture> {
        let digest = path.strip_prefix(PICTURES)?.strip_prefix('/')?;
        self.0.get(digest).map(|picture| &**picture)
    }
}

impl FromIterator<Arc<Picture>> for Icons {
    fn from_iter<T: IntoIterator<Item = Arc<Picture>>>(pictures: T) -> Self {
        Self(pictures.into_iter().map(|picture| (picture.digest().to_owned(), picture)).collect())
    }
}
