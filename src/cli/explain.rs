//! `portcullis explain`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Map, Value};
use url::Url;

use super::check::load_quietly;
use super::recorded::Recorded;
use super::terminal::{Paint, complain_of, print};
use crate::clock::Clock;
use crate::config::Settings;
use crate::gate::{Imagined, ImaginedPerson, explain as judge, path_of};
use crate::identity::Principal;

/// Exit code where the question cannot be answered.
const BAD_QUESTION: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// What is asked for: https://wiki.corp.example/admin
    #[arg(long, required_unless_present = "id")]
    url: Option<String>,
    /// How it is asked for
    #[arg(long)]
    method: Option<Method>,
    /// Who asks: the user's name; nobody is signed in without it, --email, --group or --claims
    #[arg(long)]
    user: Option<String>,
    /// Their verified e-mail address
    #[arg(long)]
    email: Option<String>,
    /// A group of theirs; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A scope of their access token; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The level of their sign-in, as the provider calls it (acr)
    #[arg(long)]
    acr: Option<String>,
    /// A method of their sign-in (amr); may be given several times
    #[arg(long = "amr", value_name = "METHOD")]
    amr: Vec<String>,
    /// How long ago they signed in: 5m, 2h
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    auth_age: Option<Duration>,
    /// By a session that is bound to its device
    #[arg(long)]
    bound: bool,
    /// A JSON file with the claims of a token, in place of the above
    #[arg(long, value_name = "FILE", conflicts_with_all = ["email", "groups"])]
    claims: Option<PathBuf>,
    /// The provider that vouches; the first one where not given
    #[arg(long)]
    provider: Option<String>,
    /// The client's address
    #[arg(long)]
    client: Option<IpAddr>,
    /// A request's id, from its refusal page: what is not given is taken from its line in the log
    #[arg(long, requires = "log")]
    id: Option<String>,
    /// The log (JSON lines) to look the id up in
    #[arg(long, value_name = "FILE", requires = "id")]
    log: Option<PathBuf>,
}

/// Tells what would happen; exit 0 where the request is let in, 1 where it is not.
pub(super) fn explain(arguments: &ExplainArguments) -> ExitCode {
    let settings = match load_quietly(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match question(arguments, &settings) {
        Ok((request, recorded)) => answer(&settings, &request, recorded.as_ref()),
        Err(fault) => {
            complain_of(&fault, None);
            ExitCode::from(BAD_QUESTION)
        }
    }
}

fn answer(settings: &Settings, request: &Imagined, recorded: Option<&Recorded>) -> ExitCode {
    let gate = settings.gate();
    let explained = judge(&gate, request);
    print(&super::explained::text(request, &explained, recorded, Paint::of_output()));
    if explained.is_let_in() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn question(
    arguments: &ExplainArguments,
    settings: &Settings,
) -> Result<(Imagined, Option<Recorded>), String> {
    let recorded = match (&arguments.id, &arguments.log) {
        (Some(id), Some(log)) => Some(Recorded::find(log, id)?),
        _ => None,
    };
    let line = recorded.as_ref();
    let scheme = settings.relying_party.public_url.as_ref().map_or("http", Url::scheme);
    let written = arguments.url.clone().or_else(|| line.and_then(|line| line.address(scheme)));
    let written = written.ok_or("the log's line has no address; give --url")?;
    let request = Imagined {
        url: Url::parse(&written).map_err(|error| format!("{written}: not an address: {error}"))?,
        path: path_of(&written).to_owned(),
        method: arguments.method.clone().or_else(|| line?.method()).unwrap_or(Method::GET),
        client: arguments.client.or_else(|| line?.client()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        principal: somebody(arguments, settings, line)?.map(Arc::new),
        now: Clock::system().now(),
        bound: if line.is_some() && !arguments.bound { None } else { Some(arguments.bound) },
    };
    Ok((request, recorded))
}

fn somebody(
    arguments: &ExplainArguments,
    settings: &Settings,
    line: Option<&Recorded>,
) -> Result<Option<Principal>, String> {
    let given = |given: &Option<String>, logged: Option<&str>| given.as_deref().or(logged).map(str::to_owned);
    let person = ImaginedPerson {
        user: given(&arguments.user, line.and_then(Recorded::user)),
        email: arguments.email.clone(),
        groups: arguments.groups.clone(),
        scopes: arguments.scopes.clone(),
        acr: arguments.acr.clone(),
        amr: arguments.amr.clone(),
        auth_age: arguments.auth_age,
        claims: arguments.claims.as_ref().map(read).transpose()?,
        logged: line.is_some(),
        provider: given(&arguments.provider, line.and_then(Recorded::provider)),
    };
    person.principal(&settings.relying_party.providers, Clock::system().now())
}

fn read(file: &PathBuf) -> Result<Map<String, Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{}: expected a JSON object of claims: {error}", file.display()))
}
