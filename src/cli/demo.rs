//! `portcullis demo`.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::run::{background_runtime, fail};
use super::terminal::{Paint, complain, complain_of, has_colour, print};
use crate::clock::Clock;
use crate::config::{self, Settings, Sources};
use crate::demo::{Demo, SECRET_VARIABLE};
use crate::runtime::{self, StartError};
use crate::telemetry::LogSettings;

/// What the demo's configuration is called in reports.
const NAME: &str = "demo.toml";

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Where the gateway listens; on loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Print the configuration that the gateway runs with
    #[arg(long)]
    show_config: bool,
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
    let settings = match settings(&demo, &arguments.log) {
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
    let configuration = if arguments.show_config { demo.configuration() } else { String::new() };
    let welcome = configuration + &super::welcome::welcome(&demo, Paint::of_output());
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

fn settings(demo: &Demo, level: &str) -> Result<Settings, config::Report> {
    let sources =
        DemoSources { text: demo.configuration(), secret: demo.client_secret().expose().to_owned() };
    let (settings, _) = config::load(Path::new(NAME), &sources)?;
    let log = LogSettings { level: level.to_owned(), ..settings.log };
    // There is no file to watch.
    Ok(Settings { watched: Vec::new(), log, ..settings })
}

/// The demo's configuration in place of a file, and its secret in place of the environment.
struct DemoSources {
    text: String,
    secret: String,
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
