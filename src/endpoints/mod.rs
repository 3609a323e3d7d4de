//! What the gateway itself serves. Endpoints stand below `/.portcullis` on every host: signing in and out, the hand-over
//! of a session to an app's host, forms that wait for a sign-in, and the keys of assertions. Applications stand where a
//! route of the configuration says so.
//!
//! Both are what a row of the gate's tables serves, as another row forwards or redirects: their requests have been read,
//! routed, counted and permitted when they come here. They are given a [`RequestContext`] and the request, and return an
//! [`Answer`]: a response or an [`EndpointError`], and whom they found the sender to be. An application is given the
//! person whom the gate has let in as well.

mod account;
mod answer;
mod application;
mod back_channel;
mod body;
mod bound_session;
mod callback;
mod context;
mod cookies;
mod deferred_form;
mod device;
mod endpoint;
mod error;
mod front_channel;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handover;
mod home;
mod hosts;
mod keep_address;
mod key_trials;
mod lost;
mod paths;
mod provider_logout;
mod public_url;
mod resources;
mod response;
mod resume;
mod return_to;
mod revocation;
mod same_origin;
mod seen_logout_tokens;
mod sessions;
mod sign_in;
mod sign_in_request;
mod sign_out;
mod signals;
mod site_data;
mod state;
mod step_up;
mod ticket;
mod tickets;
mod used_states;

pub use answer::{Answer, Content, ContentStream};
pub use application::Application;
pub use body::{UnreadForm, read_form};
pub use bound_session::WELL_KNOWN;
pub use context::RequestContext;
pub use cookies::Cookies;
pub use deferred_form::DeferredForm;
pub use device::in_words as device_in_words;
pub use endpoint::Endpoint;
pub use error::{EndpointError, FailedSignIn, LostSignIn, UnavailableProvider, UnmetStepUp};
pub use hosts::{Hosts, Routes};
pub use paths::{CALLBACK, HOME, SIGN_OUT, SIGNALS, holds, is_front};
pub use public_url::PublicUrl;
pub use resources::{Resources, SealingKeys};
pub use response::{challenge, redirect};
pub use resume::keep_form;
pub use return_to::ReturnTo;
pub use same_origin::{is_here, same_origin};
pub use sign_in::{is_renewed_by_sign_in, start_sign_in};
pub use sign_in_request::SignInRequest;
pub use site_data::SiteData;
pub use state::{BindingSettings, Endpoints};
