//! `portcullis check --online`: what the gateway would find out about its providers at its start.

use std::process::ExitCode;

use futures_util::future::join_all;
use tokio::runtime::Handle;

use super::run::{background_runtime, fail};
use super::terminal::{Paint, complain, complain_of, print};
use crate::clock::Clock;
use crate::oidc::{ProviderSettings, ProviderStatus, ProviderTask, RelyingPartySettings};

/// What came of asking one provider: remarks on what is doubtful, or why it cannot do its work.
type ProviderReport = Result<Vec<String>, String>;

/// Asks all providers at once and says of each in a line whether it can do its work; a failure where one cannot.
pub(super) fn ask(settings: &RelyingPartySettings) -> ExitCode {
    let control = match background_runtime() {
        Ok(control) => control,
        Err(error) => return fail(&error),
    };
    let told =
        control.block_on(join_all(settings.providers.iter().map(|provider| ask_one(provider, settings))));
    let good = told.iter().all(Result::is_ok);
    settings.providers.iter().zip(told).for_each(|(provider, told)| tell(provider, &told));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn ask_one(provider: &ProviderSettings, settings: &RelyingPartySettings) -> ProviderReport {
    // The redirect URI is never called here; that there is one says that people sign in.
    let redirect_uri = settings.public_url.clone();
    let member = ProviderTask::start(provider.clone(), redirect_uri, Clock::system(), &Handle::current())
        .map_err(|error| error.to_string())?;
    member.provider.retry_now().await.map_err(|error| error.to_string())?;
    member.keys.recover().await;
    if let ProviderStatus::Failing { reason, .. } = member.provider.status() {
        return Err(reason);
    }
    if member.keys.current().is_empty() {
        return Err("its JWK Set (jwks_uri) has no usable key: its tokens would be refused".to_owned());
    }
    Ok(member.provider.remarks())
}

fn tell(provider: &ProviderSettings, told: &ProviderReport) {
    let (name, paint) = (&provider.name, Paint::of_output());
    match told {
        Ok(remarks) => {
            print(&format!("provider {name}: {}\n", paint.good("good")));
            remarks.iter().for_each(|remark| complain(&format!("warning: provider {name}: {remark}\n")));
        }
        Err(reason) => complain_of(&format!("provider {name}: {reason}"), None),
    }
}
