//! The store of events that a command reads.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::BAD_CONFIGURATION;
use super::terminal::{complain, complain_of, has_colour};
use crate::config::{self, Settings, WithoutSecrets};
use crate::segments::Reader;

/// The configuration that names it.
pub(super) fn loaded(configuration: &Path) -> Result<Settings, ExitCode> {
    let loaded = config::load(configuration, &WithoutSecrets);
    loaded.map(|(settings, _)| settings).map_err(|report| {
        complain(&report.render(has_colour()));
        ExitCode::from(BAD_CONFIGURATION)
    })
}

/// The folder of the store that a configuration has.
pub(super) fn folder(settings: &Settings) -> Result<PathBuf, ExitCode> {
    settings.store().map(Path::to_owned).ok_or_else(|| {
        let help = "give the gateway a file: `[server] state`; or say where: a sink of the kind \"store\"";
        complain_of("this configuration has no store of events", Some(help));
        ExitCode::FAILURE
    })
}

/// The store in a folder.
pub(super) fn reader(folder: &Path) -> Result<Reader, ExitCode> {
    Reader::open(folder).map_err(|error| {
        let help = "it is made when a gateway with this configuration starts; root and the gateway's own user may read it";
        complain_of(&format!("no store of events can be read: {error}"), Some(help));
        ExitCode::FAILURE
    })
}
