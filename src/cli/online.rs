//! `portcullis check --online`: what the gateway would find out about its providers and its Redis at its start.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Handle;

use super::run::{background_runtime, fail};
use super::terminal::{Paint, complain, complain_of, print};
use crate::clock::Clock;
use crate::oidc::{ProviderSettings, ProviderStatus, ProviderTask, RelyingPartySettings};
use crate::storage::redis::{Examination, RedisClient, RedisError, RedisSettings};

/// What came of asking one provider: remarks on what is doubtful, or why it cannot do its work.
type ProviderReport = Result<Vec<String>, String>;

/// How long Redis is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks all providers and Redis at once and says of each in a line whether it can do its work; a failure where one
/// cannot.
pub(super) fn ask(settings: &RelyingPartySettings, redis: Option<&RedisSettings>) -> ExitCode {
    let control = match background_runtime() {
        Ok(control) => control,
        Err(error) => return fail(&error),
    };
    let asking = join_all(settings.providers.iter().map(|provider| ask_one(provider, settings)));
    let (told, of_redis) = control.block_on(async { tokio::join!(asking, ask_redis(redis)) });
    let good = told.iter().chain(&of_redis).all(Result::is_ok);
    settings.providers.iter().zip(told).for_each(|(provider, told)| {
        tell(&format!("provider {}", provider.name), &told);
    });
    redis.iter().zip(of_redis).for_each(|(settings, told)| tell(&settings.name(), &told));
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

async fn ask_redis(settings: Option<&RedisSettings>) -> Option<ProviderReport> {
    Some(examined(settings?).await.map_err(|error| error.to_string()).and_then(|found| {
        match &found.faults[..] {
            [] => Ok(found.remarks),
            faults => Err(faults.join("; ")),
        }
    }))
}

async fn examined(settings: &RedisSettings) -> Result<Examination, RedisError> {
    let client = RedisClient::start(settings.clone(), &Handle::current())?;
    match client.ready(PATIENCE).await {
        // It lets its user in; which rights that one lacks is found out.
        Ok(()) | Err(RedisError::Refused { .. }) => client.examine().await,
        Err(error) => Err(error),
    }
}

/// The error has the name in its text already, where it is Redis'.
fn tell(name: &str, told: &ProviderReport) {
    let paint = Paint::of_output();
    match told {
        Ok(remarks) => {
            print(&format!("{name}: {}\n", paint.good("good")));
            remarks.iter().for_each(|remark| complain(&format!("warning: {name}: {remark}\n")));
        }
        Err(reason) if reason.starts_with(name) => complain_of(reason, None),
        Err(reason) => complain_of(&format!("{name}: {reason}"), None),
    }
}
