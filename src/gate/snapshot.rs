//! What one configuration made. A reload builds another and puts it in this one's place, whole.

use std::sync::Arc;
use std::time::Duration;

use http::Request;

use super::build_error::BuildError;
use super::console::Roles;
use super::foundations::Foundations;
use super::ids::RequestIds;
use super::record::{RecordKeeper, RequestRecord};
use super::refresh_tokens::TokenRefresher;
use super::rejection::Rejection;
use super::routing::Routing;
use super::services::{CheckedUpstream, Services};
use super::settings::GateSettings;
use super::signals;
use crate::authn::{Authenticator, BearerIssuer, BearerSettings, BearerVerifier};
use crate::clock::Clock;
use crate::console::Console;
use crate::endpoints::{BindingSettings, CALLBACK, Cookies, Endpoints, Hosts, PublicUrl, Routes};
use crate::forward::Asserter;
use crate::oidc::{ProviderTask, Providers};
use crate::pages::Looks;
use crate::request::{Scheme, Transport, TrustedProxies};
use crate::session::{Bind, BoundCookie, SessionCookie};
use crate::signals::TransmitterTask;
use crate::telemetry::{Metrics, RequestStats};
use crate::trace::Tracer;

/// Everything a request is read, judged and served by.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) trusted: TrustedProxies,
    tracer: Tracer,
    pub(super) routing: Routing,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) refresher: TokenRefresher,
    pub(super) endpoints: Endpoints,
    pub(super) looks: Looks,
    pub(super) console: Console,
    pub(super) roles: Roles,
    pub(super) provider_tasks: Vec<Arc<ProviderTask>>,
    pub(super) transmitters: Vec<Arc<TransmitterTask>>,
    pub(super) upstreams: Vec<Arc<CheckedUpstream>>,
    pub(super) asserter: Arc<Asserter>,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    /// Which configuration it is; later ones have higher numbers.
    pub(super) generation: u64,
    /// How often what goes on for long is judged anew.
    pub(super) reauthorize_every: Duration,
    ids: Arc<RequestIds>,
    pub(super) keeper: Arc<RecordKeeper>,
}

impl Snapshot {
    /// Refuses what nobody would know of afterwards.
    pub(super) fn check_record(&self) -> Result<(), Rejection> {
        let accepts = self.keeper.recorder.accepts();
        if mutant!(accepts, "required-lets-go-unrecorded" => true) {
            Ok(())
        } else {
            Err(Rejection::Unrecorded)
        }
    }

    /// Builds what `settings` mean; what `before` has and still fits is kept, with its connections and caches.
    pub(super) fn build(
        settings: &GateSettings,
        foundations: &Foundations,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let public = settings.relying_party.public_url.clone();
        let public = public.map(|url| PublicUrl::new(url).ok_or(BuildError::PublicUrl)).transpose()?;
        let provider_tasks = provider_tasks(settings, foundations, before)?;
        let transmitters = signals::transmitters(settings, foundations, before)?;
        let kept = before.map(|before| (&before.routing, &*before.upstreams));
        let generation = foundations.reauthorization.next_generation();
        let mut services = Services::new(settings, foundations, generation, kept);
        let routing = Routing::build(settings, public.clone(), &mut services)?;
        let providers =
            Providers::new(provider_tasks.iter().map(|task| Arc::clone(&task.provider)).collect());
        let https = public.as_ref().is_some_and(|public| public.scheme == Scheme::Https);
        let cookie = SessionCookie::new(&settings.session, https);
        let bound = BoundCookie::new(&settings.session, https);
        let host = public.as_ref().map_or("", |public| public.authority.host());
        let cookies = Cookies::new(cookie.clone(), bound.clone(), https, host, &foundations.endpoints);
        let bound = (bound, settings.session.bind != Bind::Off);
        let bearer = bearer(&provider_tasks, foundations);
        let authenticator =
            Authenticator::new(foundations.sessions.clone(), cookie, bound, bearer, providers.clone());
        let authenticator = Arc::new(authenticator.counted_in(&foundations.metrics));
        Ok(Self {
            trusted: TrustedProxies::new(settings.trusted_proxies.clone()),
            tracer: settings
                .traces
                .map_or_else(Tracer::passing, |share| Tracer::new(share, &foundations.traces)),
            endpoints: Endpoints::new(
                Arc::clone(&foundations.endpoints),
                Hosts::new(public, Arc::clone(&routing.table) as Arc<dyn Routes>),
                providers.clone(),
                Arc::clone(&authenticator),
                cookies,
                BindingSettings {
                    bind: settings.session.bind,
                    site: routing.site.clone(),
                    network: settings.session.network,
                },
                &settings.own.forget,
            )
            .with_icons(settings.icons())
            .with_transmitters(transmitters.iter().map(|task| Arc::clone(&task.transmitter)).collect()),
            looks: settings.looks(),
            console: foundations.console.clone(),
            roles: Roles::compile(&settings.console),
            routing,
            authenticator,
            refresher: TokenRefresher {
                providers,
                sessions: foundations.sessions.clone(),
                clock: foundations.clock.clone(),
                flights: Arc::clone(&foundations.refreshes),
                leases: foundations.replicas.leases.clone(),
                recorder: foundations.keeper.recorder.clone(),
            },
            provider_tasks,
            transmitters,
            upstreams: services.start(),
            asserter: Arc::clone(&foundations.asserter),
            metrics: foundations.metrics.clone(),
            clock: foundations.clock.clone(),
            generation,
            reauthorize_every: settings.reauthorize_every,
            ids: Arc::clone(&foundations.ids),
            keeper: Arc::clone(&foundations.keeper),
        })
    }

    /// What has been counted, once each: routes may share a name with what is generated beside them.
    pub(super) fn counts(&self) -> Vec<Arc<RequestStats>> {
        let rows = self.routing.table.iter().chain(self.routing.endpoints.iter());
        let mut counts: Vec<Arc<RequestStats>> = Vec::new();
        for stats in rows.map(|(_, route)| &route.service.stats).chain([&self.keeper.unrouted]) {
            if !counts.iter().any(|known| Arc::ptr_eq(known, stats)) {
                counts.push(Arc::clone(stats));
            }
        }
        counts
    }

    /// Begins the record of a request.
    pub(super) fn record<B>(&self, transport: &Arc<Transport>, request: &Request<B>) -> RequestRecord {
        let (headers, trusted) = (request.headers(), self.trusted.contains(transport.peer.ip()));
        let (id, trace) = (self.ids.of(headers, trusted), self.tracer.trace(headers, trusted));
        RequestRecord::start(id, trace, transport, &self.keeper, request)
    }
}

fn provider_tasks(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&Snapshot>,
) -> Result<Vec<Arc<ProviderTask>>, BuildError> {
    let public = settings.relying_party.public_url.as_ref();
    let redirect = public.map(|url| {
        let mut url = url.clone();
        url.set_path(CALLBACK);
        url
    });
    let same = |snapshot: &&Snapshot| snapshot.routing.public.as_ref().map(|public| &public.url) == public;
    let kept = before.filter(same).map_or(&[][..], |snapshot| &snapshot.provider_tasks);
    let providers = settings.relying_party.providers.iter();
    providers
        .map(|provider| match kept.iter().find(|task| task.provider.settings() == provider) {
            // An operator who reloads may do so because the provider has changed its keys.
            Some(task) => {
                task.keys.fetch_now();
                Ok(Arc::clone(task))
            }
            None => ProviderTask::start(
                provider.clone(),
                redirect.clone(),
                foundations.clock.clone(),
                &foundations.background,
            )
            .inspect(|task| task.record_to(&foundations.keeper.recorder))
            .map_err(|cause| BuildError::Provider(provider.name.to_string(), cause)),
        })
        .collect()
}

fn bearer(provider_tasks: &[Arc<ProviderTask>], foundations: &Foundations) -> BearerVerifier {
    let issuer = |task: &Arc<ProviderTask>| BearerIssuer {
        settings: task.provider.settings().clone(),
        keys: Arc::clone(&task.keys),
    };
    let issuers = provider_tasks.iter().map(issuer).collect();
    BearerVerifier::new(issuers, foundations.clock.clone(), BearerSettings::default())
}
