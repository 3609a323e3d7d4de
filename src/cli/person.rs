//! `portcullis audit person`: what the record has of somebody, given to them or erased.

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use http::Method;
use url::form_urlencoded;

use super::management::ManagementClient;
use super::person_export::{Destination, export};
use super::person_text::{erased_text, overview_text};
use super::run::fail;
use super::terminal::{Paint, complain, complain_of, escaped_json, print};
use super::{Format, store};
use crate::admin::ErasePerson;
use crate::clock::Clock;
use crate::operate::{ErasedPerson, FoundPeople, PersonOverview};
use crate::segments::{self, Patience};

#[derive(Debug, Args)]
pub(super) struct PersonArguments {
    /// The person's subject (`sub`), as their events have it
    #[arg(long, value_name = "SUB")]
    subject: String,
    /// The provider that vouches for them; it may be left out where one alone knows the subject
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Give everything that the record has of them
    #[arg(long, conflicts_with = "erase")]
    export: bool,
    /// The folder that is written, which is new; otherwise lines of JSON are printed
    #[arg(short, long, value_name = "DIR", requires = "export")]
    output: Option<PathBuf>,
    /// Erase them: what the record has of them can be read by nobody any more
    #[arg(long)]
    erase: bool,
    /// End their sign-ins first; otherwise nobody is erased who is signed in
    #[arg(long, requires = "erase")]
    end_sessions: bool,
    /// Why, for the record, which keeps it: without names
    #[arg(long, value_name = "TEXT", requires = "erase")]
    reason: Option<String>,
    /// Do not ask before erasing
    #[arg(long, requires = "erase")]
    yes: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The configuration file of the gateway
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The folder of a store that no gateway runs with, such as a copy; of sign-ins nothing is known then
    #[arg(long, value_name = "DIR", conflicts_with = "config", conflicts_with = "end_sessions")]
    store: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn person(arguments: &PersonArguments) -> ExitCode {
    let done = match (arguments.export, arguments.erase, &arguments.store) {
        (true, ..) => give(arguments),
        (false, true, None) => erase(arguments),
        (false, true, Some(folder)) => erase_alone(arguments, folder),
        (false, false, _) => show(arguments),
    };
    done.map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

/// Everything that the record has of them, read from the store itself.
fn give(arguments: &PersonArguments) -> Result<(), ExitCode> {
    let (folder, providers) = match &arguments.store {
        Some(folder) => (folder.clone(), Vec::new()),
        None => {
            let settings = store::loaded(&arguments.config)?;
            let providers = settings.relying_party.providers.iter();
            (store::folder(&settings)?, providers.map(|provider| provider.name.to_string()).collect())
        }
    };
    let reader = store::reader(&folder)?;
    let holding = one_holding(arguments, &reader, &providers)?;
    let destination = arguments.output.as_deref().map_or(Destination::Printed, Destination::Folder);
    export(&reader, &arguments.subject, &holding, &destination)
}

/// The one person whom the subject means.
fn one_holding(
    arguments: &PersonArguments,
    reader: &segments::Reader,
    providers: &[String],
) -> Result<segments::Holding, ExitCode> {
    let PersonArguments { subject, provider, .. } = arguments;
    let names: Vec<_> = match provider {
        Some(provider) => vec![provider.as_str()],
        None => providers.iter().map(String::as_str).collect(),
    };
    let found = reader.find(subject, &names, provider.is_none(), &Patience::endless());
    let mut found = found.map_err(|error| fail(&error))?;
    let one = found.known.pop().ok_or_else(|| nobody(!found.erased.is_empty()))?;
    if found.known.is_empty() {
        return Ok(one);
    }
    let names = found.known.iter().chain([&one]).map(|holding| holding.provider.as_str());
    Err(several(&names.collect::<Vec<_>>().join(", ")))
}

fn nobody(was_erased: bool) -> ExitCode {
    let help = "a subject is what `portcullis events --user NAME --format json` shows as `subject`";
    let what = match was_erased {
        true => "whoever had this subject was erased, and the record has nothing of them since",
        false => "the record has nothing of this subject",
    };
    complain_of(what, Some(help));
    ExitCode::FAILURE
}

fn several(providers: &str) -> ExitCode {
    complain_of(
        &format!("this subject is known at several providers: {}", super::terminal::visible(providers)),
        Some("say which: --provider NAME"),
    );
    ExitCode::FAILURE
}

/// What the running gateway says.
fn find(arguments: &PersonArguments, client: &ManagementClient) -> Result<FoundPeople, ExitCode> {
    let PersonArguments { subject, provider, .. } = arguments;
    let given = [("subject", Some(subject)), ("provider", provider.as_ref())];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    client.call(&Method::GET, &format!("/api/v1/people?{query}"), "")
}

fn show(arguments: &PersonArguments) -> Result<(), ExitCode> {
    if arguments.store.is_some() {
        complain_of("nothing to do", Some("say --export or --erase"));
        return Err(ExitCode::FAILURE);
    }
    let found = find(arguments, &ManagementClient::of(&arguments.config)?)?;
    match arguments.format {
        Format::Json => print(&escaped_json(&found)),
        Format::Human => {
            let paint = Paint::of_output();
            found.people.iter().for_each(|person| print(&overview_text(person, paint)));
            for erased in &found.erased {
                print(&format!("erased up to {} as {}\n", erased.until, erased.person));
            }
        }
    }
    if found.people.is_empty() { Err(nobody(!found.erased.is_empty())) } else { Ok(()) }
}

fn erase(arguments: &PersonArguments) -> Result<(), ExitCode> {
    let client = ManagementClient::of(&arguments.config)?;
    let found = find(arguments, &client)?;
    let person = match found.people.as_slice() {
        [] => return Err(nobody(!found.erased.is_empty())),
        [one] => one,
        many => {
            let names: Vec<_> = many.iter().map(|person| person.provider.as_str()).collect();
            return Err(several(&names.join(", ")));
        }
    };
    confirm(arguments, person)?;
    let asked = ErasePerson {
        subject: arguments.subject.clone(),
        provider: Some(person.provider.clone()),
        end_sessions: arguments.end_sessions,
        reason: arguments.reason.clone(),
    };
    let body = serde_json::to_string(&asked).map_err(|error| fail(&error))?;
    let done: ErasedPerson = client.call(&Method::POST, "/api/v1/people/erase", &body)?;
    match arguments.format {
        Format::Json => print(&escaped_json(&done)),
        Format::Human => print(&erased_text(&done)),
    }
    Ok(())
}

/// Shows what would be erased, and asks whoever sits at the terminal; where nobody does, `--yes` must say so.
fn confirm(arguments: &PersonArguments, person: &PersonOverview) -> Result<(), ExitCode> {
    complain(&overview_text(person, Paint::of_errors()));
    if person.sign_ins > 0 && !arguments.end_sessions {
        complain_of(
            "they are signed in, and what is done by that would be recorded anew",
            Some("have their sign-ins ended as well: --end-sessions"),
        );
        return Err(ExitCode::FAILURE);
    }
    agreed(arguments)
}

fn agreed(arguments: &PersonArguments) -> Result<(), ExitCode> {
    if arguments.yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        complain_of("this cannot be undone, and nobody is here to be asked", Some("say so: --erase --yes"));
        return Err(ExitCode::FAILURE);
    }
    complain("What is personal of them can be read by nobody then. Type yes to go on: ");
    let mut answer = String::new();
    match stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) | Err(_) => {
            complain("nobody was erased\n");
            Err(ExitCode::FAILURE)
        }
    }
}

/// Erases somebody from a store that no gateway has, such as a copy.
fn erase_alone(arguments: &PersonArguments, folder: &Path) -> Result<(), ExitCode> {
    let reader = store::reader(folder)?;
    let holding = one_holding(arguments, &reader, &[])?;
    agreed(arguments)?;
    let now = Clock::system().moment().micros();
    segments::erase(folder, holding.person.pseudonym, now).map_err(|error| fail(&error))?;
    print(&format!("{} is erased: {} events\n", holding.person.pseudonym, holding.events));
    Ok(())
}
