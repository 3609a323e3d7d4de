//! What the tests of this room share: a machine that exists only here.

mod loads;
mod probe;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Report, Settings, Sources, load};

const FILE: &str = "portcullis.toml";

/// An environment and files of a test's own.
#[derive(Clone, Debug, Default)]
struct Machine {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    open: Vec<PathBuf>,
}

impl Machine {
    fn with(text: &str) -> Self {
        Self::default().file(FILE, text)
    }

    fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), text.as_ref().to_vec());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// A certificate at `path.crt` with its key at `path.key`.
    fn certificate(self, path: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["corp.example".into()]).unwrap();
        self.file(&format!("{path}.crt"), made.cert.pem())
            .file(&format!("{path}.key"), made.signing_key.serialize_pem())
    }

    fn load(&self) -> Result<(Settings, Report), Report> {
        load(Path::new(FILE), self)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap_or_else(|report| panic!("{report}")).0
    }
}

impl Sources for Machine {
    fn env(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        Ok(bytes.iter().take(limit).copied().collect())
    }

    fn world_readable(&self, path: &Path) -> bool {
        self.open.iter().any(|open| open == path)
    }
}
