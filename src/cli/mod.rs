//! The command line: its arguments, and what each command prints.

mod audit;
mod audit_report;
mod backup;
mod check;
mod demo;
mod event_table;
mod events;
mod explain;
mod explained;
mod given;
mod keys;
mod log;
mod management;
mod online;
mod person;
mod person_export;
mod person_text;
mod recorded;
mod report;
mod run;
mod session_table;
mod sessions;
mod shell;
mod store;
mod terminal;
mod welcome;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use portcullis_rules::mutants;

/// Exit code for a configuration that does not load, of a command that needs it.
const BAD_CONFIGURATION: u8 = 64;

/// Exit code for a state file that must be repaired before any gateway can start with it.
const UNUSABLE_STATE: u8 = 65;

/// A reverse-proxy authentication gateway: sign-in, tokens, policy, limits.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Run(run::RunArguments),
    /// Report every fault of a configuration file; exit 0 where there is none
    Check(check::CheckArguments),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Show it all on this machine: a provider, an app, and the gateway between them
    Demo(demo::DemoArguments),
    /// Tell what would happen to a request, and why; exit 0 where it is let in
    Explain(Box<explain::ExplainArguments>),
    /// Tell what has happened: who signed in, who used what, what was refused
    Events(Box<events::EventsArguments>),
    /// Say what the record says: who came, who used what, who may go where, what looks odd
    Report(Box<report::ReportArguments>),
    /// Copy everything that the gateway keeps to one file, while it runs
    Backup(backup::BackupArguments),
    /// Put a backup in place of what the gateway keeps; everybody signs in again
    Restore(backup::RestoreArguments),
    /// See who is signed in with the gateway that runs, and end sign-ins
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Look after the keys that sign assertions for apps
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// See whether the record of what happened is as it was written
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print a script that completes commands and options in a shell
    Completions(shell::CompletionArguments),
    /// Print the manual page
    Man,
}

/// For whom something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(value_name = "FILE", default_value = "portcullis.toml")]
    file: PathBuf,
    /// The same, as an option
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn path(&self) -> &Path {
        self.config.as_ref().unwrap_or(&self.file)
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    mutants::warn();
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Schema => check::schema(),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Events(arguments) => events::events(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Sessions(command) => sessions::sessions(&command),
        Command::Keys(command) => keys::keys(&command),
        Command::Audit(command) => audit::audit(&command),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man => shell::man(),
    }
}
