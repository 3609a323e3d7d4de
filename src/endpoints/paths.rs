//! Where the endpoints are.

use http::Method;

use crate::request::RequestPath;

/// Below this path everything is the gateway's.
pub(super) const ROOT: &str = "/.portcullis";
/// Where people see who they are.
pub const HOME: &str = ROOT;
pub(super) const HOME_WITH_SLASH: &str = "/.portcullis/";
/// The path of the redirect URI.
pub const CALLBACK: &str = "/.portcullis/callback";
/// Where sign-ins begin.
pub(super) const SIGN_IN: &str = "/.portcullis/sign-in";
/// Where an app's host takes its session in.
pub(super) const TICKET: &str = "/.portcullis/ticket";
/// Where people see their sign-ins, and end them.
pub(super) const SESSIONS: &str = "/.portcullis/sessions";
/// Where people see what their provider says of them.
pub(super) const ACCOUNT: &str = "/.portcullis/account";
/// Below this, pictures of apps are.
pub(super) const ICON: &str = crate::pages::PICTURES;
/// Where people sign out.
pub const SIGN_OUT: &str = "/.portcullis/sign-out";
/// Where providers lead back to from a sign-out.
pub(super) const SIGNED_OUT: &str = "/.portcullis/signed-out";
/// Where providers say, server to server, that a person has signed out there.
pub(super) const BACK_CHANNEL_LOGOUT: &str = "/.portcullis/back-channel-logout";
/// Where providers have browsers say that a person has signed out there.
pub(super) const FRONT_CHANNEL_LOGOUT: &str = "/.portcullis/front-channel-logout";
/// Where browsers register the key of a device.
pub(super) const BIND: &str = "/.portcullis/bound-session";
/// Where they have the cookie renewed that shows it.
pub(super) const REFRESH_BINDING: &str = "/.portcullis/bound-session/refresh";
/// Below this, transmitters send signals, each to a place of its own name.
pub const SIGNALS: &str = "/.portcullis/signals";
pub(super) const RESUME: &str = crate::pages::RESUME;
pub(super) const KEYS: &str = "/.portcullis/jwks.json";

/// Whether a path, decoded, is the gateway's.
#[must_use]
pub fn holds(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether it is the front page of a host: where no route claims it, `public_url` itself shows the person's page.
#[must_use]
pub fn is_front(path: &RequestPath, method: &Method) -> bool {
    path.decoded() == "/" && matches!(*method, Method::GET | Method::HEAD)
}
