//! Which sign-ins are meant.

use serde::Serialize;
use url::form_urlencoded;

use super::fields::Fields;
use super::process::ProviderShown;
use crate::request::Authority;
use crate::session::{IdPrefix, SessionFilter, UnknownProvider, Wanted};

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

    /// Says which sign-ins are meant, as [`SessionFilter::wanted`] does.
    ///
    /// # Errors
    /// In words, where nothing can be looked for.
    pub(super) fn wanted(&self, providers: &[ProviderShown]) -> Result<Wanted, String> {
        let Self { user, subject, provider, host, id } = self.clone();
        let id = id.map(|id| IdPrefix::parse(&id).ok_or("“id” must be 8 to 64 hexadecimal digits."));
        let filter = SessionFilter { id: id.transpose()?, sid: None, subject, user, host, provider };
        let known = providers.iter().map(|known| (known.name.as_str(), known.issuer.as_str()));
        filter.wanted(known).map_err(|UnknownProvider(name)| format!("No provider is called “{name}”."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Selector;

    fn filter(query: &str) -> Filter {
        Filter::read(&Fields::read(query.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_narrowest_field_is_looked_for_and_the_others_must_hold() {
        let wanted = filter("user=alice&provider=corp&host=Wiki.Example").wanted(&[]).unwrap();
        assert_eq!(wanted.selectors, [Selector::User("alice".into())]);
        assert!(!wanted.is_exact());
        let rest = SessionFilter {
            provider: Some("corp".into()),
            host: Some("wiki.example".into()),
            ..SessionFilter::default()
        };
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
