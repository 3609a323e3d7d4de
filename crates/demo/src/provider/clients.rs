//! The clients that are registered, and how they show who they are (RFC 6749, section 2.3).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use url::Url;

use super::fault::Fault;
use super::parameters::Parameters;
use super::scope::{Scope, Scopes};
use portcullis_rules::secret::Secret;

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// `client_id`.
    pub(crate) id: &'static str,
    /// `client_secret`, made up at start.
    pub(crate) secret: Secret,
    /// What people know it by.
    pub(super) name: &'static str,
    pub(super) kind: ClientKind,
}

/// What a client is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientKind {
    /// Signs people in.
    RelyingParty(Addresses),
    /// Asks for tokens in its own name.
    Machine {
        /// What it may ask for.
        scopes: Scopes,
    },
}

/// Where a relying party lives. Addresses are compared as text, letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Its only `redirect_uri`.
    pub(super) redirect: Url,
    /// Its only `post_logout_redirect_uri`.
    pub(super) signed_out: Url,
}

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    /// The gateway.
    pub(crate) gateway: Arc<Client>,
    /// A program that calls the API.
    pub(crate) machine: Arc<Client>,
}

impl Clients {
    /// The gateway at `home`, and a machine.
    pub(super) fn new(home: &Url) -> Self {
        let at = |path: &str| {
            let mut url = home.clone();
            url.set_path(path);
            url
        };
        let (redirect, signed_out) = (at("/.portcullis/callback"), at("/.portcullis/signed-out"));
        let gateway = ClientKind::RelyingParty(Addresses { redirect, signed_out });
        let machine = ClientKind::Machine { scopes: Scopes::from([Scope::Api].as_slice()) };
        let client = |id, name, kind| Arc::new(Client { id, secret: Secret::random(), name, kind });
        Self {
            gateway: client("portcullis", "Portcullis", gateway),
            machine: client("robot", "Robot", machine),
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Arc<Client>> {
        [&self.gateway, &self.machine].into_iter().find(|client| client.id == id)
    }

    /// The client that a request to the token endpoint comes from: `client_secret_basic` or
    /// `client_secret_post`, and never both (section 2.3).
    pub(super) fn authenticate(&self, headers: &HeaderMap, form: &Parameters) -> Result<&Arc<Client>, Fault> {
        let (id, secret) = match (headers.get(header::AUTHORIZATION), form.get("client_secret")) {
            (Some(_), Some(_)) => return Err(Fault::invalid_request("two ways to authenticate at once")),
            (Some(_), None) => basic(headers).ok_or(Fault::invalid_client())?,
            (None, Some(secret)) => (form.owned("client_id").unwrap_or_default(), Secret::new(secret)),
            (None, None) => return Err(Fault::invalid_client()),
        };
        if form.get("client_id").is_some_and(|said| said != id) {
            return Err(Fault::invalid_request("client_id is not that of the Authorization header"));
        }
        self.find(&id).filter(|client| client.secret == secret).ok_or(Fault::invalid_client())
    }
}

impl Client {
    pub(super) const fn addresses(&self) -> Option<&Addresses> {
        match &self.kind {
            ClientKind::RelyingParty(addresses) => Some(addresses),
            ClientKind::Machine { .. } => None,
        }
    }
}

/// User name and password of the one `Authorization: Basic`, form-encoded as section 2.3.1 says.
fn basic(headers: &HeaderMap) -> Option<(String, Secret)> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id)?, Secret::new(form_decoded(secret)?)))
}

fn form_decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(Into::into)
}
