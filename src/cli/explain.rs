//! `portcullis explain`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::check::load_quietly;
use super::recorded::Recorded;
use super::terminal::{Paint, complain_of, print};
use crate::authn::principal;
use crate::clock::Clock;
use crate::config::Settings;
use crate::gate::{Imagined, explain as judge};
use crate::identity::{Gap, Gaps, Principal};
use crate::oidc::ProviderSettings;

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

/// The path of an address as it was written. A [`Url`] has resolved its dot segments and turned its
/// backslashes, which the gateway refuses.
fn path_of(address: &str) -> &str {
    let behind_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let Some(begin) = behind_scheme.find(['/', '\\', '?', '#']) else { return "/" };
    let rest = &behind_scheme[begin..];
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/" } else { path }
}

fn somebody(
    arguments: &ExplainArguments,
    settings: &Settings,
    line: Option<&Recorded>,
) -> Result<Option<Principal>, String> {
    let user = arguments.user.as_deref().or_else(|| line?.user());
    let nobody = user.is_none() && arguments.email.is_none() && arguments.groups.is_empty();
    if nobody && arguments.claims.is_none() {
        return Ok(None);
    }
    let provider = provider(settings, arguments.provider.as_deref().or_else(|| line?.provider()))?;
    let claims = match &arguments.claims {
        Some(file) => read(file)?,
        None => Map::new(),
    };
    let claims = completed(signed_in(arguments, claims), provider, user);
    let mut made =
        principal(provider, claims).map_err(|error| format!("the claims make no principal: {error}"))?;
    made.scopes.extend(arguments.scopes.iter().cloned());
    if let Some(address) = &arguments.email {
        made.email =
            Some(crate::identity::Email { address: address.clone(), verified: true, withheld: false });
    }
    if !arguments.groups.is_empty() {
        made.groups.clone_from(&arguments.groups);
    }
    if let Some(user) = user {
        user.clone_into(&mut made.user);
    }
    made.gaps = gaps(arguments, made.gaps, line.is_some());
    Ok(Some(made))
}

/// What is not known of the person: nothing where the options describe them, what the claims leave open where
/// a file of claims was given, and all that a line of the log does not hold where they were found there.
fn gaps(arguments: &ExplainArguments, of_claims: Gaps, logged: bool) -> Gaps {
    let given = [
        (Gap::User, arguments.user.is_some() || logged),
        (Gap::Email, arguments.email.is_some()),
        (Gap::Groups, !arguments.groups.is_empty()),
        (Gap::Scopes, !arguments.scopes.is_empty()),
        (Gap::Claims, false),
        (Gap::SignIn, arguments.acr.is_some() || !arguments.amr.is_empty() || arguments.auth_age.is_some()),
    ];
    let possible = match (&arguments.claims, logged) {
        (Some(_), _) => of_claims,
        (None, true) => Gap::ALL.into_iter().collect(),
        (None, false) => Gaps::default(),
    };
    given.into_iter().filter(|(gap, given)| !given && possible.has(*gap)).map(|(gap, _)| gap).collect()
}

/// How they signed in, as far as that is given.
fn signed_in(arguments: &ExplainArguments, mut claims: Map<String, Value>) -> Map<String, Value> {
    let at = |age: Duration| Clock::system().now().seconds().saturating_sub(age.as_secs());
    let given = [
        ("acr", arguments.acr.as_ref().map(|acr| json!(acr))),
        ("amr", (!arguments.amr.is_empty()).then(|| json!(arguments.amr))),
        ("auth_time", arguments.auth_age.map(|age| json!(at(age)))),
    ];
    claims.extend(given.into_iter().filter_map(|(claim, value)| Some((claim.to_owned(), value?))));
    claims
}

/// The claims with `iss` and `sub`, which every token has, filled in where they are missing.
fn completed(
    mut claims: Map<String, Value>,
    provider: &ProviderSettings,
    user: Option<&str>,
) -> Map<String, Value> {
    let name = user.unwrap_or("somebody");
    for (claim, value) in [("iss", provider.issuer.as_str()), ("sub", name)] {
        claims.entry(claim).or_insert_with(|| json!(value));
    }
    claims
}

fn provider<'a>(settings: &'a Settings, name: Option<&str>) -> Result<&'a ProviderSettings, String> {
    let providers = &settings.relying_party.providers;
    let found = providers.iter().find(|provider| name.is_none_or(|name| provider.name.as_str() == name));
    found.ok_or_else(|| match name {
        Some(name) => format!("no provider is called \"{name}\" in the configuration"),
        None => "the configuration has no provider, so nobody can be signed in".to_owned(),
    })
}

fn read(file: &PathBuf) -> Result<Map<String, Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{}: expected a JSON object of claims: {error}", file.display()))
}
