//! All providers, and which of them a person is sent to.

use std::sync::Arc;

use super::provider::Provider;
use crate::identity::Email;

/// What a request says about where its person signs in; all of it a stranger's word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint<'a> {
    /// A provider's name.
    pub provider: Option<&'a str>,
    /// `login_hint`; where it is an e-mail address, its domain may name the provider.
    pub login_hint: Option<&'a str>,
}

/// Where a person is sent.
#[derive(Debug)]
pub enum Choice<'a> {
    /// To this one at once.
    One(&'a Arc<Provider>),
    /// To a page with these to choose from; none at all where nobody can sign in.
    Chooser(Vec<&'a Arc<Provider>>),
}

/// All providers, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Providers(Vec<Arc<Provider>>);

impl Providers {
    /// A list of `providers`, in the order of the configuration.
    #[must_use]
    pub const fn new(providers: Vec<Arc<Provider>>) -> Self {
        Self(providers)
    }

    /// The one called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Provider>> {
        self.0.iter().find(|provider| provider.name().as_str() == name)
    }

    /// Every provider, in the order of the configuration.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Provider>> {
        self.0.iter()
    }

    /// Chooses by name, else by the e-mail address's whole domain, else the only one there is.
    #[must_use]
    pub fn choose(&self, hint: Hint<'_>) -> Choice<'_> {
        let all: Vec<_> = self.0.iter().filter(|provider| provider.settings().client.is_some()).collect();
        let named = all.iter().find(|provider| Some(provider.name().as_str()) == hint.provider);
        if let Some(provider) = named {
            return Choice::One(provider);
        }
        let at_home: Vec<_> =
            all.iter().filter(|provider| is_home(provider, hint.login_hint)).copied().collect();
        let candidates = if at_home.is_empty() { all } else { at_home };
        if let [only] = candidates[..] { Choice::One(only) } else { Choice::Chooser(candidates) }
    }
}

fn is_home(provider: &Provider, login_hint: Option<&str>) -> bool {
    let email = login_hint.map(|hint| Email { address: hint.to_owned(), verified: false, withheld: false });
    let domain = email.and_then(|email| email.domain());
    domain.is_some_and(|domain| provider.settings().email_domains.contains(&domain))
}

impl<'a> IntoIterator for &'a Providers {
    type Item = &'a Arc<Provider>;
    type IntoIter = std::slice::Iter<'a, Arc<Provider>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
