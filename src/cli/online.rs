//! `portcullis check --online`: what the gateway would find out about its providers at its start.

use std::process::ExitCode;

use futures_util::future::join_all;
use tokio::runtime::Handle;
use url::Url;

use super::run::{control, fail};
use super::terminal::{Paint, complain, complain_of, print};
use crate::clock::Clock;
use crate::oidc::{ProviderSettings, ProviderStatus, ProviderTask, RelyingPartySettings};

/// What one provider said: what it will not do, or what is doubtful.
type ProviderReport = Result<Vec<String>, String>;

/// Asks all providers at once and says of each in a line whether it can do its work; a failure where one cannot.
pub(super) fn ask(settings: &RelyingPartySettings) -> ExitCode {
    let control = match control() {
        Ok(control) => control,
        Err(error) => return fail(&error),
    };
    let told = control.block_on(join_all(settings.providers.iter().map(|provider| one(provider, settings))));
    let good = told.iter().all(Result::is_ok);
    settings.providers.iter().zip(told).for_each(|(provider, told)| tell(provider, &told));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn one(provider: &ProviderSettings, settings: &RelyingPartySettings) -> ProviderReport {
    let member = join(provider, settings.public_url.clone())?;
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

/// The redirect URI is never called: it says no more than that people sign in.
fn join(
    provider: &ProviderSettings,
    redirect_uri: Option<Url>,
) -> Result<std::sync::Arc<ProviderTask>, String> {
    ProviderTask::start(provider.clone(), redirect_uri, Clock::system(), &Handle::current())
        .map_err(|error| error.to_string())
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
