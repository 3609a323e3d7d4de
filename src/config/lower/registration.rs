//! Our registration at a provider: what tells it from another one there, and how it proves who it is.

use std::collections::BTreeMap;

use url::Url;

use crate::identity::Issuer;
use crate::oidc::{AssertionAudience, AssertionSettings, ClientAuthentication, ProviderSettings};

use super::Lowering;
use super::file::{belong_together, chain, key};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{AssertionAudience as RawAudience, Provider, ResponseMode};

impl Lowering<'_> {
    /// Several registrations at one issuer are told apart by `client_id`, and their access tokens by audience.
    pub(super) fn registrations(
        &mut self,
        at: Located<'_, Provider>,
        provider: &ProviderSettings,
        others: &[ProviderSettings],
    ) {
        let client = |settings: &ProviderSettings| settings.client.as_ref().map(|client| client.id.clone());
        for other in others.iter().filter(|other| other.issuer == provider.issuer) {
            let name = quoted(other.name.as_str());
            if client(other) == client(provider) {
                let message = format!("the same issuer as {name}, and no other `client_id`");
                let diagnostic = Diagnostic::new(at!(at.issuer).place, message);
                self.fault(diagnostic.expected("expected each registration at an issuer once"));
            }
            let shared = |audience: &&Located<'_, String>| other.audiences.contains(audience.value);
            if let Some(audience) = at!(at.audiences).all().iter().find(shared) {
                let message = format!("{name} has this audience at the same issuer");
                let diagnostic = Diagnostic::new(audience.place, message);
                self.fault(
                    diagnostic
                        .expected("expected each audience of an issuer once: a token is one provider's"),
                );
            }
        }
    }

    /// What assertions say; a fault where there is no key to sign them with.
    pub(super) fn assertion(
        &mut self,
        at: Located<'_, Provider>,
        authentication: &ClientAuthentication,
        issuer: &Issuer,
    ) -> AssertionSettings {
        if at.value.private_key.is_none() {
            self.without_a_key(at);
        }
        let certificate = at!(at.client_assertion_certificate).given().and_then(|file| {
            let read = self.read_certificates(file);
            let pem =
                read.and_then(|pem| pem.map_or(Ok(Vec::new()), |pem| fitting(pem, authentication, file)));
            self.keep(pem)
        });
        AssertionSettings {
            kid: at.value.client_assertion_kid.clone(),
            certificate,
            audience: match at.value.client_assertion_audience {
                None => AssertionAudience::usual_for(issuer),
                Some(RawAudience::Issuer) => AssertionAudience::Issuer,
                Some(RawAudience::TokenEndpoint) => AssertionAudience::TokenEndpoint,
            },
        }
    }

    fn without_a_key(&mut self, at: Located<'_, Provider>) {
        let Provider {
            client_assertion_kid, client_assertion_certificate, client_assertion_audience, ..
        } = at.value;
        let useless = [
            ("client_assertion_kid", client_assertion_kid.is_some(), at!(at.client_assertion_kid).place),
            (
                "client_assertion_certificate",
                client_assertion_certificate.is_some(),
                at!(at.client_assertion_certificate).place,
            ),
            (
                "client_assertion_audience",
                client_assertion_audience.is_some(),
                at!(at.client_assertion_audience).place,
            ),
        ];
        for (key, _, place) in useless.into_iter().filter(|(_, given, _)| *given) {
            let diagnostic = Diagnostic::new(place, format!("`{key}` without `private_key`"));
            self.fault(diagnostic.expected("expected `private_key` beside it, which signs assertions"));
        }
    }

    /// `form_post` needs https: the cookie of a sign-in must come along with a form of another site, and
    /// browsers allow that for cookies of https alone.
    pub(super) fn posted_responses(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, Provider>>>,
        public_url: Option<&Url>,
    ) {
        if public_url.is_none_or(|url| url.scheme() == "https") {
            return;
        }
        for (_, at) in at.given().map(Located::entries).unwrap_or_default() {
            if matches!(at.value.response_mode, Some(ResponseMode::FormPost)) {
                let diagnostic = Diagnostic::new(
                    at!(at.response_mode).place,
                    "`response_mode` \"form_post\" without https",
                );
                self.fault(diagnostic.expected("expected a `public_url` that begins with `https://`").help(
                    "browsers bring the cookie of a sign-in along with another site's form over https alone",
                ));
            }
        }
    }
}

/// The certificate, where it is that of the key.
fn fitting(
    pem: Vec<u8>,
    authentication: &ClientAuthentication,
    at: Located<'_, crate::config::raw::File>,
) -> Result<Vec<u8>, Diagnostic> {
    if let ClientAuthentication::PrivateKey(secret) = authentication {
        let key = key(secret.expose().as_bytes(), at.place)?;
        belong_together(chain(&pem, at.place)?, key, at.place)?;
    }
    Ok(pem)
}
