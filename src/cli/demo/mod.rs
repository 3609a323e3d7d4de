//! `portcullis demo`.

mod history;
mod sources;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use self::sources::DemoSources;
use super::run::{background_runtime, fail};
use super::terminal::{Paint, complain, complain_of, has_colour, print};
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::demo::Demo;
use crate::runtime::{self, StartError};
use crate::telemetry::LogSettings;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Where the gateway listens; on loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Print the configuration that the gateway runs with
    #[arg(long)]
    show_config: bool,
    /// Begin with a month of what 25 people did, made up, so that the console and reports have something to show
    #[arg(long)]
    history: bool,
    /// What the gateway logs; "info" has a line for each request
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: String,
}

/// Runs provider, app and gateway until it is told to end.
pub(super) fn demo(arguments: &DemoArguments) -> ExitCode {
    match background_runtime() {
        Ok(control) => control.block_on(run(arguments)),
        Err(error) => fail(&StartError::System(error)),
    }
}

async fn run(arguments: &DemoArguments) -> ExitCode {
    let demo = match Demo::start(arguments.listen, Clock::system()).await {
        Ok(demo) => demo,
        Err(error) => return fail(&error),
    };
    // Nobody else reads it, and it is removed with the process.
    let folder = match tempfile::Builder::new().prefix("portcullis-demo-").tempdir() {
        Ok(folder) => folder,
        Err(error) => return fail(&error),
    };
    let store = folder.path().join("events");
    if arguments.history
        && let Err(error) = history::fill(&store, &demo, Clock::system().moment())
    {
        return fail(&error);
    }
    let settings = match settings(&demo, &store, &arguments.log) {
        Ok(settings) => settings,
        Err(report) => {
            complain(&report.render(has_colour()));
            return ExitCode::FAILURE;
        }
    };
    let log = match super::log::start(&settings.log) {
        Ok(log) => log,
        Err(code) => return code,
    };
    runtime::raise_open_files();
    let configuration = if arguments.show_config { demo.configuration(&store) } else { String::new() };
    let report = arguments.history.then_some(store.as_path());
    let welcome = configuration + &super::welcome::welcome(&demo, report, Paint::of_output());
    let ended =
        runtime::run(settings, Box::new(|| None), runtime::Start::Fresh, &log, || print(&welcome)).await;
    // Writes out what is still buffered, so that the log ends before the message on how the gateway ended.
    drop(log);
    ended.map_or_else(|error| not_started(&error, arguments.listen), |()| ExitCode::SUCCESS)
}

/// Says why the demo did not start. The most common reason on a first try is a port that is taken: then
/// another is suggested.
fn not_started(error: &StartError, listen: SocketAddr) -> ExitCode {
    if !is_taken(error) {
        return fail(error);
    }
    let other = SocketAddr::new(listen.ip(), listen.port().checked_add(1).unwrap_or(8080));
    let fault = format!("cannot listen on {listen}: another program does");
    complain_of(&fault, Some(&format!("choose another port: portcullis demo --listen {other}")));
    ExitCode::FAILURE
}

fn is_taken(error: &(dyn Error + 'static)) -> bool {
    let taken = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
    error.downcast_ref().is_some_and(taken) || error.source().is_some_and(is_taken)
}

fn settings(demo: &Demo, store: &Path, level: &str) -> Result<Settings, config::Report> {
    let (settings, _) = config::load(Path::new(sources::NAME), &DemoSources::new(demo, store))?;
    let log = LogSettings { level: level.to_owned(), ..settings.log };
    // There is no file to watch.
    Ok(Settings { watched: Vec::new(), log, ..settings })
}
