//! `[signals.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::identity::{Issuer, ProviderName};
use crate::oidc::ProviderSettings;
use crate::secret::Secret;
use crate::session::Demand;
use crate::signals::{Authorization, Delivery, EventType, SignalsSettings};

use super::Lowering;
use super::provider::provider_url;
use super::value::{MINUTE, filled, is_name, unknown};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{ActionWord, DeliveryWord, Signals};

impl Lowering<'_> {
    pub(super) fn signals(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, Signals>>>,
        providers: &[ProviderSettings],
        public_url: Option<&Url>,
    ) -> Vec<SignalsSettings> {
        let entries = at.given().map(Located::entries).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|(name, at)| self.transmitter(name, at, providers, public_url))
            .collect()
    }

    fn transmitter(
        &mut self,
        name: &str,
        at: Located<'_, Signals>,
        providers: &[ProviderSettings],
        public_url: Option<&Url>,
    ) -> Option<SignalsSettings> {
        if !is_name(name) {
            self.fault(
                Diagnostic::new(at.place, format!("{} is no name for a transmitter", quoted(name)))
                    .expected("expected letters, digits, `-` and `_`, at most 64"),
            );
        }
        let delivery = match at.value.delivery {
            None | Some(DeliveryWord::Push) => Delivery::Push,
            Some(DeliveryWord::Poll) => Delivery::Poll,
        };
        if delivery == Delivery::Push && public_url.is_none() {
            self.fault(
                Diagnostic::new(at.place, "signals are to be sent here, and nobody knows where that is")
                    .expected("expected `public_url` in `[server]`, or `delivery = \"poll\"`"),
            );
        }
        let authorization = self.signals_authorization(at);
        let events = self.events(at);
        let actions = self.actions(at);
        let audience = at!(at.audience).given().and_then(|at| self.keep(filled(at)));
        let mut claim =
            |at: Located<'_, Option<String>>| at.given().and_then(|at| self.claim_path(at.value, at.place));
        let (device, tenant) = (claim(at!(at.device_claim)), claim(at!(at.tenant_claim)));
        let ca = at!(at.ca).given().and_then(|ca| {
            let pem = self.certificates(ca);
            self.keep(pem)
        });
        let range = Duration::from_millis(100)..=Duration::from_secs(MINUTE);
        let timeout = self.span(at!(at.timeout), Duration::from_secs(10), range);
        let provider = self.provider_of_signals(at!(at.provider), providers)?;
        let transmitter = at!(at.transmitter);
        self.keep(provider_url(transmitter.value, transmitter.place, "transmitter"))?;
        Some(SignalsSettings {
            name: name.to_owned(),
            transmitter: Issuer::new(transmitter.value),
            provider: ProviderName::new(provider.name.as_str()),
            issuer: provider.issuer.clone(),
            authorization: authorization?,
            delivery,
            events,
            audience,
            actions,
            device,
            tenant,
            leeway: provider.leeway,
            ca,
            timeout,
        })
    }

    /// One with which people sign in: of others there are no sessions.
    fn provider_of_signals<'p>(
        &mut self,
        at: Located<'_, String>,
        providers: &'p [ProviderSettings],
    ) -> Option<&'p ProviderSettings> {
        let found = providers.iter().find(|provider| provider.name.as_str() == at.value);
        let names = providers.iter().map(|provider| provider.name.as_str());
        let found = self.keep(found.ok_or_else(|| unknown(at, "provider", names)))?;
        if found.client.is_none() {
            self.fault(
                Diagnostic::new(
                    at.place,
                    "nobody signs in with this provider: it has no sessions to signal about",
                )
                .expected("expected a provider with a `client_id`"),
            );
        }
        Some(found)
    }

    fn signals_authorization(&mut self, at: Located<'_, Signals>) -> Option<Authorization> {
        let token = at!(at.token).given().map(|at| self.secret(at));
        let id = at!(at.client_id).given().map(|at| filled(at));
        match (token, id) {
            (Some(token), None) => self.keep(token).map(Authorization::Token),
            (None, Some(id)) => self.signals_client(at, id),
            (_, given) => {
                let what = if given.is_some() {
                    "both `token` and `client_id`"
                } else {
                    "no way to show who we are"
                };
                self.fault(
                    Diagnostic::new(at.place, what)
                        .expected("expected `token`, or `client_id`, `client_secret` and `token_endpoint`"),
                );
                None
            }
        }
    }

    fn signals_client(
        &mut self,
        at: Located<'_, Signals>,
        id: Result<String, Diagnostic>,
    ) -> Option<Authorization> {
        let secret: Option<Secret> = at!(at.client_secret).given().and_then(|at| {
            let secret = self.secret(at);
            self.keep(secret)
        });
        let endpoint = at!(at.token_endpoint).given();
        let endpoint = endpoint.and_then(|at| self.keep(provider_url(at.value, at.place, "token endpoint")));
        let scopes = match at.value.scopes {
            None => ["ssf.manage", "ssf.read"].map(str::to_owned).to_vec(),
            Some(_) => self.texts(at!(at.scopes)),
        };
        if at.value.client_secret.is_none() || at.value.token_endpoint.is_none() {
            self.fault(
                Diagnostic::new(at!(at.client_id).place, "a client without secret or token endpoint")
                    .expected("expected `client_secret` and `token_endpoint` beside it"),
            );
        }
        Some(Authorization::Client { id: self.keep(id)?, secret: secret?, token_endpoint: endpoint?, scopes })
    }

    fn events(&mut self, at: Located<'_, Signals>) -> Vec<EventType> {
        if at.value.events.is_none() {
            return EventType::all().collect();
        }
        let names = EventType::all().map(EventType::name);
        let called = |at: Located<'_, String>| {
            EventType::called(at.value).ok_or_else(|| unknown(at, "event", names.clone()))
        };
        at!(at.events).all().into_iter().filter_map(|at| self.keep(called(at))).collect()
    }

    fn actions(&mut self, at: Located<'_, Signals>) -> BTreeMap<EventType, Demand> {
        let entries = at!(at.actions).given().map(Located::entries).unwrap_or_default();
        let mut actions = BTreeMap::new();
        for (name, at) in entries {
            let Some(event) = EventType::called(name).filter(|event| event.can_ask()) else {
                let names: Vec<_> =
                    EventType::all().filter(|event| event.can_ask()).map(EventType::name).collect();
                self.fault(
                    Diagnostic::new(
                        at.place,
                        format!("{} is no event that can ask for anything", quoted(name)),
                    )
                    .expected(format!("expected one of {}", names.join(", "))),
                );
                continue;
            };
            let demand = match at.value {
                ActionWord::End => Demand::End,
                ActionWord::StepUp => Demand::StepUp,
                ActionWord::Refresh => Demand::Renewal,
            };
            actions.insert(event, demand);
        }
        actions
    }
}
