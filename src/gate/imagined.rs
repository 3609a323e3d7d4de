//! Somebody who is imagined, as far as they are described.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::authn::principal;
use crate::clock::Timestamp;
use crate::identity::{Email, Gap, Gaps, Principal};
use crate::oidc::ProviderSettings;

/// Who is said to ask, where nobody does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImaginedPerson {
    /// The user's name.
    pub user: Option<String>,
    /// Their verified e-mail address.
    pub email: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
    /// The scopes of their access token.
    pub scopes: Vec<String>,
    /// The level of their sign-in (`acr`).
    pub acr: Option<String>,
    /// Its methods (`amr`).
    pub amr: Vec<String>,
    /// How long ago they signed in.
    pub auth_age: Option<Duration>,
    /// The claims of a token of theirs.
    pub claims: Option<Map<String, Value>>,
    /// Whether they were found in the log, which does not hold everything.
    pub logged: bool,
    /// The provider that vouches, by its name; the first one where not given.
    pub provider: Option<String>,
}

impl ImaginedPerson {
    /// The principal that they would be at `now`; `None` where nobody is described.
    ///
    /// # Errors
    /// In words, where no such provider is among `providers`, or the claims make no principal.
    pub fn principal(
        &self,
        providers: &[ProviderSettings],
        now: Timestamp,
    ) -> Result<Option<Principal>, String> {
        let nobody = self.user.is_none() && self.email.is_none() && self.groups.is_empty();
        if nobody && self.claims.is_none() {
            return Ok(None);
        }
        let provider = named(providers, self.provider.as_deref())?;
        let mut made = principal(provider, self.all_claims(provider, now))
            .map_err(|error| format!("the claims make no principal: {error}"))?;
        made.scopes.extend(self.scopes.iter().cloned());
        if let Some(address) = &self.email {
            made.email = Some(Email { address: address.clone(), verified: true, withheld: false });
        }
        if !self.groups.is_empty() {
            made.groups.clone_from(&self.groups);
        }
        if let Some(user) = &self.user {
            user.clone_into(&mut made.user);
        }
        made.gaps = self.gaps(made.gaps);
        Ok(Some(made))
    }

    /// What is not known of the person: nothing where they are described in words, what the claims leave open where those
    /// were given, and all that a line of the log does not hold where they were found there.
    fn gaps(&self, of_claims: Gaps) -> Gaps {
        let given = [
            (Gap::User, self.user.is_some()),
            (Gap::Email, self.email.is_some()),
            (Gap::Groups, !self.groups.is_empty()),
            (Gap::Scopes, !self.scopes.is_empty()),
            (Gap::Claims, false),
            (Gap::SignIn, self.acr.is_some() || !self.amr.is_empty() || self.auth_age.is_some()),
        ];
        let possible = match (&self.claims, self.logged) {
            (Some(_), _) => of_claims,
            (None, true) => Gap::ALL.into_iter().collect(),
            (None, false) => Gaps::default(),
        };
        given.into_iter().filter(|(gap, given)| !given && possible.has(*gap)).map(|(gap, _)| gap).collect()
    }

    /// The claims with how they signed in, as far as that is given, and with `iss` and `sub`, which every token has.
    fn all_claims(&self, provider: &ProviderSettings, now: Timestamp) -> Map<String, Value> {
        let mut claims = self.claims.clone().unwrap_or_default();
        let at = |age: Duration| now.seconds().saturating_sub(age.as_secs());
        let given = [
            ("acr", self.acr.as_ref().map(|acr| json!(acr))),
            ("amr", (!self.amr.is_empty()).then(|| json!(self.amr))),
            ("auth_time", self.auth_age.map(|age| json!(at(age)))),
        ];
        claims.extend(given.into_iter().filter_map(|(claim, value)| Some((claim.to_owned(), value?))));
        let name = self.user.as_deref().unwrap_or("somebody");
        for (claim, value) in [("iss", provider.issuer.as_str()), ("sub", name)] {
            claims.entry(claim).or_insert_with(|| json!(value));
        }
        claims
    }
}

fn named<'a>(providers: &'a [ProviderSettings], name: Option<&str>) -> Result<&'a ProviderSettings, String> {
    let found = providers.iter().find(|provider| name.is_none_or(|name| provider.name.as_str() == name));
    found.ok_or_else(|| match name {
        Some(name) => format!("no provider is called \"{name}\" in the configuration"),
        None => "the configuration has no provider, so nobody can be signed in".to_owned(),
    })
}

/// The path of an address as it was written. A [`Url`](url::Url) has resolved its dot segments and turned its
/// backslashes, which the gateway refuses.
#[must_use]
pub fn path_of(address: &str) -> &str {
    let behind_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let Some(begin) = behind_scheme.find(['/', '\\', '?', '#']) else { return "/" };
    let rest = &behind_scheme[begin..];
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/" } else { path }
}
