//! `portcullis sessions list` and `portcullis sessions end`.

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use url::form_urlencoded;

use super::management::{ManagementClient, RunningConfig};
use super::session_table::table;
use super::terminal::{Paint, complain, complain_of, escaped_json, print};
use crate::admin::{EndSessions, EndedSessions, SessionEntry, SessionList, SessionSelection};

/// Sign-ins that are fetched at once.
const PAGE: &str = "1000";

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// List who is signed in
    List(ListArguments),
    /// End sign-ins, with all their sessions and open streams
    End(EndArguments),
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    config: RunningConfig,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct EndArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    config: RunningConfig,
    /// Why, for the gateway's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask before `--all`
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which sign-ins; where several are given, all of them must hold.
#[derive(Debug, Args)]
struct SelectionArguments {
    /// Of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Of this subject, at the provider of `--provider` or at any
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,
    /// At this provider of the configuration
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Of this session of the provider's own, at the provider of `--provider` or at any
    #[arg(long, value_name = "SID")]
    sid: Option<String>,
    /// With a session on this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// With a session whose identifier begins so: at least 8 hexadecimal digits
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// All of them
    #[arg(long, conflicts_with_all = ["user", "subject", "provider", "sid", "host", "id"])]
    all: bool,
}

impl From<&SelectionArguments> for SessionSelection {
    fn from(arguments: &SelectionArguments) -> Self {
        let SelectionArguments { user, subject, provider, sid, host, id, all } = arguments;
        Self {
            user: user.clone(),
            subject: subject.clone(),
            provider: provider.clone(),
            sid: sid.clone(),
            host: host.clone(),
            id: id.clone(),
            all: *all,
        }
    }
}

/// Runs the command.
pub(super) fn sessions(command: &SessionsCommand) -> ExitCode {
    let done = match command {
        SessionsCommand::List(arguments) => list(arguments),
        SessionsCommand::End(arguments) => end(arguments),
    };
    done.map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

fn list(arguments: &ListArguments) -> Result<(), ExitCode> {
    let client = ManagementClient::of(&arguments.config.path)?;
    let mut selection = SessionSelection::from(&arguments.selection);
    selection.all |= selection == SessionSelection::default();
    let found = pages(&client, &selection)?;
    if arguments.json {
        print(&escaped_json(&SessionList { sessions: found, next: None }));
    } else if found.is_empty() {
        complain("nobody is signed in whom this is about\n");
    } else {
        print(&table(&found, Paint::of_output()));
    }
    Ok(())
}

fn pages(client: &ManagementClient, selection: &SessionSelection) -> Result<Vec<SessionEntry>, ExitCode> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let target = format!("/api/v1/sessions?{}", query(selection, after.as_deref()));
        let page: SessionList = client.call(&Method::GET, &target, "")?;
        found.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

fn query(selection: &SessionSelection, after: Option<&str>) -> String {
    let SessionSelection { user, subject, provider, sid, host, id, all } = selection;
    let texts = [
        ("user", user.as_deref()),
        ("subject", subject.as_deref()),
        ("provider", provider.as_deref()),
        ("sid", sid.as_deref()),
        ("host", host.as_deref()),
        ("id", id.as_deref()),
        ("all", all.then_some("true")),
        ("after", after),
        ("limit", Some(PAGE)),
    ];
    let given = texts.iter().filter_map(|(name, text)| Some((name, (*text)?)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

fn end(arguments: &EndArguments) -> Result<(), ExitCode> {
    let client = ManagementClient::of(&arguments.config.path)?;
    let selection = SessionSelection::from(&arguments.selection);
    if selection.all && !arguments.yes {
        confirm()?;
    }
    let asked = EndSessions { selection, reason: arguments.reason.clone() };
    let body = serde_json::to_string(&asked).map_err(|error| super::run::fail(&error))?;
    let done: EndedSessions = client.call(&Method::POST, "/api/v1/sessions/end", &body)?;
    if arguments.json {
        print(&escaped_json(&done));
    } else {
        let EndedSessions { ended } = done;
        print(&format!("{ended} {} ended\n", if ended == 1 { "sign-in was" } else { "sign-ins were" }));
    }
    Ok(())
}

/// Asks whoever sits at the terminal; where nobody does, `--yes` must say so.
fn confirm() -> Result<(), ExitCode> {
    if !stdin().is_terminal() {
        complain_of(
            "`--all` ends every sign-in, and nobody is here to be asked",
            Some("say so: --all --yes"),
        );
        return Err(ExitCode::FAILURE);
    }
    complain("This signs everybody out. Type yes to go on: ");
    let mut answer = String::new();
    match stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) | Err(_) => {
            complain("nothing was ended\n");
            Err(ExitCode::FAILURE)
        }
    }
}
