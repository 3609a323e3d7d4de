//! `portcullis backup` and `portcullis restore`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::BAD_CONFIGURATION;
use super::run::fail;
use super::terminal::{complain, complain_of, has_colour, print};
use crate::config::{self, WithoutSecrets};
use crate::segments;
use crate::storage::{self, RestoredSessions};

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The file to write; nothing may be there yet
    file: PathBuf,
    /// The configuration file, which names the state file
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// A file that `portcullis backup` has written
    file: PathBuf,
    /// The configuration file, which names the state file
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// Keep the sessions of the backup; whoever signed out since it was made is signed in again
    #[arg(long)]
    keep_sessions: bool,
}

/// `portcullis backup`: copies the state file to a new file, also while the gateway runs.
pub(super) fn backup(arguments: &BackupArguments) -> ExitCode {
    let (state, store) = match places(&arguments.config) {
        Ok(places) => places,
        Err(code) => return code,
    };
    let erasures = store.as_deref().and_then(segments::erasures_of);
    match storage::backup(&state, erasures.as_deref(), &arguments.file) {
        Ok(()) => {
            print(&format!("{}: a copy of {}\n", arguments.file.display(), state.display()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// `portcullis restore`: puts a backup in the place of the state file, which is kept beside it.
pub(super) fn restore(arguments: &RestoreArguments) -> ExitCode {
    let (state, store) = match places(&arguments.config) {
        Ok(places) => places,
        Err(code) => return code,
    };
    // Who was erased stays so, whatever is put back: both lists count.
    let mut take = |list: &mut dyn io::Read| match &store {
        Some(store) => segments::take_erasures(store, list, &arguments.file).map_err(io::Error::other),
        None => Ok(()),
    };
    let keep = if arguments.keep_sessions { RestoredSessions::Keep } else { RestoredSessions::End };
    match storage::restore(&arguments.file, &state, keep, &mut take) {
        Ok(restored) => {
            print(&told(&state, keep, &restored));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn told(state: &Path, keep: RestoredSessions, restored: &storage::Restored) -> String {
    let sessions = match keep {
        RestoredSessions::End => format!("{} sign-ins were ended", restored.sign_ins),
        RestoredSessions::Keep => format!("{} sign-ins were kept", restored.sign_ins),
    };
    let before = restored.before.as_ref();
    let before = before.map(|before| format!("; the one from before is {}", before.display()));
    format!("{}: restored, {sessions}{}\n", state.display(), before.unwrap_or_default())
}

/// The state file that the configuration names, and the store of events where there is one. Secrets are not read: a backup
/// that a timer starts has none of them.
fn places(path: &Path) -> Result<(PathBuf, Option<PathBuf>), ExitCode> {
    let (settings, _) = config::load(path, &WithoutSecrets).map_err(|report| {
        complain(&report.render(has_colour()));
        ExitCode::from(BAD_CONFIGURATION)
    })?;
    let store = settings.store().map(Path::to_owned);
    let state = settings.state.ok_or_else(|| {
        let help = "name a file: [server] state = \"/var/lib/portcullis/state.db\"";
        complain_of("`state` is \"memory\": there is nothing that outlives the gateway", Some(help));
        ExitCode::FAILURE
    })?;
    Ok((state, store))
}
