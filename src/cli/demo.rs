//! `portcullis demo`.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::run::{control, fail};
use super::terminal::{complain, has_colour, print};
use crate::clock::Clock;
use crate::config::{self, Settings, Sources};
use crate::demo::{Demo, SECRET_VARIABLE};
use crate::runtime::{self, StartError};
use crate::telemetry;

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
}

/// Runs provider, app and gateway until it is told to end.
pub(super) fn demo(arguments: &DemoArguments) -> ExitCode {
    match control() {
        Ok(control) => control.block_on(play(arguments)),
        Err(error) => fail(&StartError::System(error)),
    }
}

async fn play(arguments: &DemoArguments) -> ExitCode {
    let demo = match Demo::start(arguments.listen, Clock::system()).await {
        Ok(demo) => demo,
        Err(error) => return fail(&error),
    };
    let settings = match settings(&demo) {
        Ok(settings) => settings,
        Err(report) => {
            complain(&report.render(has_colour()));
            return ExitCode::FAILURE;
        }
    };
    let guard = telemetry::start(&settings.log);
    runtime::raise_open_files();
    if arguments.show_config {
        print(&demo.configuration());
    }
    let welcome = super::welcome::welcome(&demo, super::terminal::is_coloured());
    let ended = runtime::run(settings, Box::new(|| None), || print(&welcome)).await;
    drop(guard);
    ended.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

fn settings(demo: &Demo) -> Result<Settings, config::Report> {
    let sources =
        DemoSources { text: demo.configuration(), secret: demo.client_secret().expose().to_owned() };
    let (settings, _) = config::load(Path::new(NAME), &sources)?;
    // There is no file to watch.
    Ok(Settings { watched: Vec::new(), ..settings })
}

/// The demo's configuration in place of a file, and its secret in place of the environment.
struct DemoSources {
    text: String,
    secret: String,
}

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
}
