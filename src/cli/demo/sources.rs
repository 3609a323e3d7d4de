//! The demo's configuration in place of a file, and its secret in place of the environment.

use std::io;
use std::path::Path;

use crate::config::Sources;
use crate::demo::{Demo, SECRET_VARIABLE};

/// What the demo's configuration is called in reports.
pub(super) const NAME: &str = "demo.toml";

pub(super) struct DemoSources {
    text: String,
    secret: String,
}

impl DemoSources {
    pub(super) fn new(demo: &Demo, store: &Path) -> Self {
        Self { text: demo.configuration(store), secret: demo.client_secret().expose().to_owned() }
    }
}

/// Without its fields: they hold a secret.
impl std::fmt::Debug for DemoSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DemoSources")
    }
}

impl Sources for DemoSources {
    fn env(&self, name: &str) -> Option<String> {
        (name == SECRET_VARIABLE).then(|| self.secret.clone())
    }

    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        if path == Path::new(NAME) {
            return Ok(self.text.clone().into_bytes());
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn world_readable(&self, _: &Path) -> bool {
        false
    }

    fn is_folder(&self, _: &Path) -> bool {
        true
    }
}
