//! Routes as the configuration means them, and all that the gate is built from.

use std::time::Duration;

use http::StatusCode;
use ipnet::IpNet;

use super::path_mask::PathMasks;
use crate::authn::Accept;
use crate::endpoints::{Application, SiteData};
use crate::forward::{ForwardSettings, UpstreamSettings};
use crate::identity::RouteName;
use crate::limit::LimitSettings;
use crate::oidc::RelyingPartySettings;
use crate::pages::{Brand, BrandSettings, Looks};
use crate::policy::AccessSettings;
use crate::portal::{Icons, Tile};
use crate::request::{PathExceptions, Scheme};
use crate::route::RoutePattern;
use crate::session::{NetworkPrefix, SessionSettings, StreamUse};
use crate::signals::SignalsSettings;
use crate::trace::Sampler;
use crate::words::Languages;

/// One `[[routes]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteSettings {
    /// What it is called; unique.
    pub name: RouteName,
    /// Which requests it claims.
    pub pattern: RoutePattern,
    /// Who may use it; there is no default.
    pub access: AccessSettings,
    /// Which credentials are looked at.
    pub accept: Accept,
    /// What its challenges call the protection space: printable ASCII without quotes and backslashes.
    pub realm: String,
    /// Rates that its requests are counted against; empty where nothing is counted.
    pub limits: Vec<LimitSettings>,
    /// Requests at once; no bound where not given.
    pub concurrency: Option<usize>,
    /// The ambiguous spellings that its paths may have (`tolerate`): its app needs them.
    pub path_exceptions: PathExceptions,
    /// What of its paths is told nowhere.
    pub path_masks: PathMasks,
    /// How long downloads and uploads may go on behind the expiry of the bearer token that began them; event
    /// streams, gRPC and upgraded connections never do.
    pub after_expiry: Duration,
    /// Whether a stream that stays open is use of its session.
    pub streams: StreamUse,
    /// How long ago somebody may have signed in whose session is looked at here; as long as any session lasts where not
    /// given.
    pub session_max_age: Option<Duration>,
    /// How long a session may go without a use of this route, since its sign-in where it has not used it yet; as long as
    /// any session may go without use where not given.
    pub session_idle_timeout: Option<Duration>,
    /// What is one network, where a session that turns up in another one than it was made from has to be signed in anew.
    pub session_network: Option<NetworkPrefix>,
    /// What pages of other origins may do.
    pub origins: OriginSettings,
    /// How people find its app in the portal; `None`: they are not led there.
    pub tile: Option<Tile>,
    /// What happens to a permitted request.
    pub action: RouteAction,
}

/// What pages of other origins may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginSettings {
    /// Origins whose scripts may read the gateway's own refusals, as browsers write them (RFC 6454, section 6.2).
    pub readers: Vec<String>,
    /// What happens to preflights.
    pub preflight: Preflight,
    /// Whose pages may make a browser send what changes something.
    pub sent_from: SentFrom,
}

/// What happens to a preflight (Fetch, section 3.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// It is judged as any other request; having no credential, it is refused where one is needed.
    #[default]
    Judge,
    /// It goes on to the app, in nobody's name.
    Pass,
}

/// Whose pages may make a browser send unsafe methods and open WebSockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentFrom {
    /// Anybody's, as far as the cookie's `SameSite=Lax` lets them.
    #[default]
    Anywhere,
    /// Those of the very host, and of the origins that the route names.
    SameHost,
}

/// What happens to a permitted request.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteAction {
    /// It is forwarded to one of an upstream's servers.
    Forward {
        /// The servers, and how they are called.
        upstream: Box<UpstreamSettings>,
        /// How requests and answers are rewritten on the way.
        forward: Box<ForwardSettings>,
    },
    /// The client is sent elsewhere.
    Redirect(RedirectSettings),
    /// The gateway itself answers.
    Serve(Application),
}

/// Where a client is sent; what is not given stays as it was asked for. Path and query are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectSettings {
    /// Another scheme.
    pub scheme: Option<Scheme>,
    /// Another host, with or without port.
    pub host: Option<String>,
    /// Another port, where `host` is not given.
    pub port: Option<u16>,
    /// Another path in place of the whole one.
    pub path: Option<String>,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
}

/// What the gate is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct GateSettings {
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which traces are recorded; `None`: the gateway makes none.
    pub traces: Option<Sampler>,
    /// `[session]`.
    pub session: SessionSettings,
    /// Who signs people in, and where.
    pub relying_party: RelyingPartySettings,
    /// Who tells of people and sessions between sign-ins.
    pub signals: Vec<SignalsSettings>,
    /// The gateway's own endpoints.
    pub own: OwnSettings,
    /// `[[routes]]`, in the order of the file.
    pub routes: Vec<RouteSettings>,
    /// Who may do what in the console.
    pub console: ConsoleSettings,
    /// Whose pages they are, and in which languages.
    pub branding: BrandingSettings,
    /// How often what goes on for long is judged anew.
    pub reauthorize_every: Duration,
}

/// Whose pages they are, and in which languages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrandingSettings {
    /// Name, logo, colours, links and texts.
    pub brand: BrandSettings,
    /// The languages, that of whoever asks for none of them first.
    pub languages: Languages,
}

/// Who may do what in the console, by rules; `None`: nobody says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsoleSettings {
    /// Who may look; without rules whoever its route lets in.
    pub viewer: Option<AccessSettings>,
    /// Who may see people; without rules nobody.
    pub auditor: Option<AccessSettings>,
    /// Who may act; without rules nobody.
    pub operator: Option<AccessSettings>,
}

/// The gateway's own endpoints, below `/.portcullis`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSettings {
    /// How often they may be asked.
    pub limits: Vec<LimitSettings>,
    /// What browsers are told to forget of a host where somebody signs out.
    pub forget: Vec<SiteData>,
}

impl GateSettings {
    /// How pages look.
    pub(super) fn looks(&self) -> Looks {
        Looks::new(Brand::new(&self.branding.brand), self.branding.languages.clone())
    }

    /// The pictures of all apps.
    pub(super) fn icons(&self) -> Icons {
        self.routes.iter().filter_map(|route| route.tile.as_ref()?.icon.clone()).collect()
    }
}
