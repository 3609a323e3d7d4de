//! Which sign-ins are meant.

use serde::Serialize;
use url::form_urlencoded;

use super::fields::Fields;
use super::process::ProviderShown;
use crate::identity::Issuer;
use crate::request::Authority;
use crate::session::{IdPrefix, Selector, SessionOverview};

/// What somebody has filled in. Where several are given, all of them must hold; where none is, all sign-ins are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// What is looked for in the store, and what must hold of what is found.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) selectors: Vec<Selector>,
    rest: Filter,
}

impl Filter {
    /// # Errors
    /// In words, where a field makes no sense.
    pub(super) fn read(fields: &Fields) -> Result<Self, String> {
        let host = fields.text("host")?.map(|host| {
            Authority::host_alone(&host).ok_or("“host” must be the name or address of a host, without port.")
        });
        Ok(Self {
            user: fields.text("user")?,
            subject: fields.text("subject")?,
            provider: fields.text("provider")?,
            host: host.transpose()?,
            id: fields.text("id")?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each field that says something, by its name.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("user", &self.user),
            ("subject", &self.subject),
            ("provider", &self.provider),
            ("host", &self.host),
            ("id", &self.id),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// As a query, to which more may be added.
    pub(super) fn query(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.given());
        query
    }

    /// The narrowest field is what is looked for. A subject is an issuer's: that of `provider`, or that of each of
    /// `providers`.
    ///
    /// # Errors
    /// In words, where nothing can be looked for.
    pub(super) fn wanted(&self, providers: &[ProviderShown]) -> Result<Wanted, String> {
        let mut rest = self.clone();
        let selectors = if let Some(id) = rest.id.take() {
            let prefix = IdPrefix::parse(&id).ok_or("“id” must be 8 to 64 hexadecimal digits.")?;
            vec![Selector::Id(prefix)]
        } else if let Some(subject) = rest.subject.take() {
            let of = |issuer| Selector::Subject(issuer, subject.clone());
            issuers(rest.provider.take(), providers)?.into_iter().map(of).collect()
        } else if let Some(user) = rest.user.take() {
            vec![Selector::User(user)]
        } else if let Some(host) = rest.host.take() {
            vec![Selector::Host(host)]
        } else if let Some(provider) = rest.provider.take() {
            vec![Selector::Provider(provider)]
        } else {
            vec![Selector::All]
        };
        Ok(Wanted { selectors, rest })
    }
}

/// Those whose subjects are meant, each once.
fn issuers(named: Option<String>, providers: &[ProviderShown]) -> Result<Vec<Issuer>, String> {
    let meant = providers.iter().filter(|known| named.as_ref().is_none_or(|name| *name == known.name));
    let mut issuers: Vec<_> = meant.map(|known| Issuer::new(&known.issuer)).collect();
    issuers.sort();
    issuers.dedup();
    match named {
        Some(name) if issuers.is_empty() => Err(format!("No provider is called “{name}”.")),
        _ => Ok(issuers),
    }
}

impl Wanted {
    /// Whether everything that is found is meant.
    pub(super) fn is_exact(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether what has been found is meant.
    pub(super) fn includes(&self, found: &SessionOverview) -> bool {
        let principal = found.card.as_ref().map(|card| &card.principal);
        let holds = |wanted: &Option<String>, is: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is);
        let Filter { user, subject, provider, host, id: _ } = &self.rest;
        holds(user, &|user| principal.is_some_and(|principal| principal.user == user))
            && holds(subject, &|subject| principal.is_some_and(|it| it.subject.as_str() == subject))
            && holds(provider, &|provider| found.provider == provider)
            && holds(host, &|host| found.sessions.iter().any(|(_, known)| known == host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Filter {
        Filter::read(&Fields::read(query.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_narrowest_field_is_looked_for_and_the_others_must_hold() {
        let wanted = filter("user=alice&provider=corp&host=Wiki.Example").wanted(&[]).unwrap();
        assert_eq!(wanted.selectors, [Selector::User("alice".into())]);
        assert!(!wanted.is_exact());
        let rest =
            Filter { provider: Some("corp".into()), host: Some("wiki.example".into()), ..Filter::default() };
        assert_eq!(wanted.rest, rest);
        assert_eq!(filter("").wanted(&[]).unwrap().selectors, [Selector::All]);
        assert!(filter("id=00112233").wanted(&[]).unwrap().is_exact());
        assert!(filter("id=xyz").wanted(&[]).is_err());
        assert!(filter("subject=1&provider=nobody").wanted(&[]).is_err());
        assert!(Filter::read(&Fields::read(b"host=a%2Fb").unwrap()).is_err());
    }

    #[test]
    fn a_filter_survives_the_way_through_an_address() {
        let given = filter("user=%3Cb%3E%26&host=wiki.example");
        assert_eq!(filter(&given.query().finish()), given);
    }
}
