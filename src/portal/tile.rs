//! How people find an app.

use std::sync::Arc;

use crate::pages::Picture;

/// What the configuration says of an app for its people; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tile {
    /// What people call it.
    pub title: Option<String>,
    /// What it is for, in a sentence.
    pub description: Option<String>,
    /// The heading that it stands under.
    pub group: Option<String>,
    /// Its picture.
    pub icon: Option<Arc<Picture>>,
}

impl Tile {
    /// Whether nothing is said of the app itself: one such is shown for each host.
    pub(super) const fn is_plain(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.icon.is_none()
    }
}
