//! How people find an app: `title`, `description`, `icon`, `group` and `hidden` of `[[routes]]`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::pages::{Picture, steers};
use crate::portal::Tile;

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::Route;

/// Characters of a title or a heading, and of a description, at most.
const LONGEST_TITLE: usize = 80;
const LONGEST_DESCRIPTION: usize = 300;

impl Lowering<'_> {
    /// `None` where the app is hidden; what is wrong with it is told all the same.
    pub(super) fn tile(&mut self, at: Located<'_, Route>) -> Option<Tile> {
        let tile = Tile {
            title: self.line(at!(at.title), LONGEST_TITLE),
            description: self.line(at!(at.description), LONGEST_DESCRIPTION),
            group: self.line(at!(at.group), LONGEST_TITLE),
            icon: self.picture(at!(at.icon)),
        };
        (at.value.hidden != Some(true)).then_some(tile)
    }

    /// A text of one line.
    pub(super) fn line(&mut self, at: Located<'_, Option<String>>, longest: usize) -> Option<String> {
        let at = at.given()?;
        let text = at.value.trim();
        let fits = !text.is_empty() && text.chars().count() <= longest && !text.chars().any(steers);
        if !fits {
            let expected =
                format!("expected one line of up to {longest} characters, without control characters");
            self.fault(Diagnostic::new(at.place, "not a text to show").expected(expected));
        }
        fits.then(|| text.to_owned())
    }

    /// The picture in a file; none where files are not read.
    pub(super) fn picture(&mut self, at: Located<'_, Option<PathBuf>>) -> Option<Arc<Picture>> {
        let at = at.given()?;
        let read = self.reading(|this| {
            let picture = Picture::read(this.file(at.value, at.place)?);
            picture.map_err(|cause| {
                Diagnostic::new(at.place, cause.to_string())
                    .expected("expected the file of a PNG, an SVG or a WebP of up to 64 KiB")
            })
        });
        self.keep(read).flatten().map(Arc::new)
    }
}
