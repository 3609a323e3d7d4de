//! `portcullis check` and `portcullis schema`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::terminal::{Paint, complain, has_colour, print};
use super::{BAD_CONFIGURATION, online};
use crate::config::{self, Settings, Sources, SystemSources, WithoutSecrets};
use crate::oidc::{AssertionAudience, ClientAuthentication, ProviderSettings};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    file: super::ConfigFile,
    /// Take secrets, keys and certificates as given and read nothing but the file: for a machine that has none
    #[arg(long)]
    no_secrets: bool,
    /// Ask the providers and Redis as well: discovery documents and keys, what providers want that is not done here, and what the user of Redis may
    #[arg(long, conflicts_with = "no_secrets")]
    online: bool,
}

/// Reads the file and says everything that is wrong with it.
pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let sources: &dyn Sources = if arguments.no_secrets { &WithoutSecrets } else { &SystemSources };
    let path = arguments.file.path();
    match config::load(path, sources) {
        Ok((settings, report)) => {
            complain(&report.render(has_colour()));
            print(&summary(path, &settings, Paint::of_output()));
            if arguments.online {
                online::ask(&settings.relying_party, settings.redis.as_ref())
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(report) => {
            complain(&report.render(has_colour()));
            ExitCode::FAILURE
        }
    }
}

/// Reads the file for a command that needs it, and leaves out its warnings, which would bury the command's
/// answer.
pub(super) fn load_quietly(path: &Path) -> Result<Settings, ExitCode> {
    config::load(path, &SystemSources).map(|(settings, _)| settings).map_err(|report| {
        complain(&report.render(has_colour()));
        ExitCode::from(BAD_CONFIGURATION)
    })
}

fn summary(path: &Path, settings: &Settings, paint: Paint) -> String {
    let (routes, providers) = (settings.routes.len(), settings.relying_party.providers.len());
    let (routes, providers) = (count(routes, "route"), count(providers, "provider"));
    let good = format!("{}: {} ({routes}, {providers})\n", path.display(), paint.good("good"));
    let more = settings.relying_party.providers.iter().filter_map(assertions).chain(at_rest(settings));
    more.fold(good, |text, line| text + &line)
}

/// A line on what somebody could do with a copy of what is kept of sessions.
fn at_rest(settings: &Settings) -> Option<String> {
    if let Some(redis) = &settings.redis {
        return Some(format!(
            "state in {}: sealed by `[state] key`; a copy shows providers, hosts and times, but nobody's name\n",
            redis.name()
        ));
    }
    let file = settings.state.as_ref()?.display();
    Some(if settings.state_keys.is_empty() {
        format!(
            "state {file}: whoever has a copy can read who is signed in, and sign assertions as this gateway; \
             `[state] key` seals both\n"
        )
    } else {
        format!(
            "state {file}: sealed by `[state] key`; a copy shows providers, hosts and times, but nobody's name\n"
        )
    })
}

/// A line on the audience of a provider's client assertions: one that expects another refuses every sign-in.
fn assertions(provider: &ProviderSettings) -> Option<String> {
    let client = provider.client.as_ref()?;
    let audience = match (&client.authentication, client.assertion.audience) {
        (ClientAuthentication::PrivateKey(_), AssertionAudience::Issuer) => provider.issuer.as_str(),
        (ClientAuthentication::PrivateKey(_), AssertionAudience::TokenEndpoint) => "the token endpoint",
        (
            ClientAuthentication::None
            | ClientAuthentication::SecretBasic(_)
            | ClientAuthentication::SecretPost(_),
            _,
        ) => return None,
    };
    Some(format!("provider {}: client assertions (private_key_jwt) are for {audience}\n", provider.name))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `portcullis schema`: prints the JSON Schema of a configuration file.
pub(super) fn schema() -> ExitCode {
    print(&format!("{:#}\n", config::schema()));
    ExitCode::SUCCESS
}
