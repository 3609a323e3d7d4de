//! `portcullis keys rotate`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;

use super::management::{ManagementClient, RunningConfig};
use super::terminal::{escaped_json, print, visible};
use crate::admin::Reason;
use crate::operate::NextAssertionKey;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Have the next key published now; it signs an hour later, and the one before stays published for a day more
    Rotate(RotateArguments),
}

#[derive(Debug, Args)]
pub(super) struct RotateArguments {
    #[command(flatten)]
    config: RunningConfig,
    /// Why, for the gateway's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn keys(command: &KeysCommand) -> ExitCode {
    let KeysCommand::Rotate(arguments) = command;
    rotate(arguments).unwrap_or_else(|code| code)
}

fn rotate(RotateArguments { config, reason, json }: &RotateArguments) -> Result<ExitCode, ExitCode> {
    let body = serde_json::to_string(&Reason { reason: reason.clone() }).map_err(|_| ExitCode::FAILURE)?;
    let client = ManagementClient::of(&config.path)?;
    let next: NextAssertionKey = client.call(&Method::POST, "/api/v1/assertion-keys/rotate", &body)?;
    match json {
        true => print(&escaped_json(&next)),
        false => print(&format!(
            "the next key is published: {}; it signs from {} on\n",
            visible(&next.kid),
            visible(&next.signs_from)
        )),
    }
    Ok(ExitCode::SUCCESS)
}
