//! E-mail addresses that apps are told of and nobody has verified.

use crate::forward::{ForwardSettings, IdentityValue};
use crate::gate::RouteAction;
use crate::oidc::{EmailVerification, ProviderSettings};

use super::{LintedRoute, Lints};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::at;
use crate::config::lower::{lets_in, lets_tenants_choose};

impl Lints<'_> {
    /// Routes whose app is told addresses of an issuer that lets its tenants choose them: one warning a provider.
    pub(super) fn about_addresses(&self) -> Vec<Diagnostic> {
        let providers = self.settings.relying_party.providers.iter();
        let doubtful = providers.filter(|provider| {
            lets_tenants_choose(provider.issuer.as_str())
                && provider.claims.email_verified == EmailVerification::AsSaid
        });
        doubtful.filter_map(|provider| self.told_addresses(provider)).collect()
    }

    fn told_addresses(&self, provider: &ProviderSettings) -> Option<Diagnostic> {
        let linted = self
            .routes
            .iter()
            .copied()
            .find(|linted| tells_addresses(*linted) && lets_in(linted.meant.accept, provider))?;
        let route = linted.at;
        let name = quoted(provider.name.as_str());
        Some(
            Diagnostic::new(at!(route.identity).place, format!("the app is told addresses of {name} that nobody has verified"))
                .expected("whoever runs a tenant there may choose any address")
                .help(
                    "`email_verified = \"require\"` on the provider leaves them out; where all addresses of a domain are \
                     your organisation's own, `email_verified = { assume = [\"corp.example\"] }` believes those",
                ),
        )
    }
}

fn tells_addresses(linted: LintedRoute<'_>) -> bool {
    match &linted.meant.action {
        RouteAction::Forward { forward, .. } => !linted.is_public() && has_address(forward),
        RouteAction::Redirect(_) | RouteAction::Serve(_) => false,
    }
}

fn has_address(forward: &ForwardSettings) -> bool {
    let mut values = forward.identity.headers.iter().map(|(_, value)| value);
    forward.identity.assertion || values.any(|value| matches!(value, IdentityValue::Email))
}
