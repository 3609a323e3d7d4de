//! Which sign-ins are meant by whoever lists or ends them.

use super::{EndCause, IdPrefix, Selector, SessionId, SessionOverview, Sessions, StoreUnavailable};
use crate::identity::Issuer;

/// What must hold of a sign-in, all of it; what is not given holds of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// The beginning of the identifier of any of its sessions.
    pub id: Option<IdPrefix>,
    /// The provider's own session (`sid`), at the issuer of `provider`, or else at that of each provider.
    pub sid: Option<String>,
    /// The subject (`sub`), at the same issuers.
    pub subject: Option<String>,
    /// The user's name, whoever vouches for it.
    pub user: Option<String>,
    /// A host on which it has a session; lower-case, without port.
    pub host: Option<String>,
    /// The name of the provider that vouches.
    pub provider: Option<String>,
}

/// No provider is called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProvider(pub String);

/// What is looked for in the store, and what must hold of what is found.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The sign-ins that any of these finds.
    pub selectors: Vec<Selector>,
    /// What is not looked for.
    pub rest: SessionFilter,
}

impl SessionFilter {
    /// The narrowest member is what is looked for. `providers` are names with issuers.
    ///
    /// # Errors
    /// Where the provider of a subject or of a `sid` is none of `providers`.
    pub fn wanted<'a>(
        mut self,
        providers: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Wanted, UnknownProvider> {
        let selectors = if let Some(id) = self.id.take() {
            vec![Selector::Id(id)]
        } else if let Some(sid) = self.sid.take() {
            let of = |issuer| Selector::ProviderSession(issuer, sid.clone());
            issuers(self.provider.take(), providers)?.into_iter().map(of).collect()
        } else if let Some(subject) = self.subject.take() {
            let of = |issuer| Selector::Subject(issuer, subject.clone());
            issuers(self.provider.take(), providers)?.into_iter().map(of).collect()
        } else if let Some(user) = self.user.take() {
            vec![Selector::User(user)]
        } else if let Some(host) = self.host.take() {
            vec![Selector::Host(host)]
        } else if let Some(provider) = self.provider.take() {
            vec![Selector::Provider(provider)]
        } else {
            vec![Selector::All]
        };
        Ok(Wanted { selectors, rest: self })
    }
}

/// Those whose subjects and sessions are meant, each once.
fn issuers<'a>(
    named: Option<String>,
    providers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<Issuer>, UnknownProvider> {
    let meant = providers.filter(|(name, _)| named.as_ref().is_none_or(|named| named == name));
    let mut issuers: Vec<_> = meant.map(|(_, issuer)| Issuer::new(issuer)).collect();
    issuers.sort();
    issuers.dedup();
    match named {
        Some(name) if issuers.is_empty() => Err(UnknownProvider(name)),
        _ => Ok(issuers),
    }
}

impl Wanted {
    /// Whether everything that is found is meant.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.rest == SessionFilter::default()
    }

    /// Whether what has been found is meant.
    #[must_use]
    pub fn includes(&self, found: &SessionOverview) -> bool {
        let card = found.card.as_ref();
        let holds = |wanted: &Option<String>, is: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is);
        let SessionFilter { user, subject, provider, sid, host, id: _ } = &self.rest;
        holds(user, &|user| card.is_some_and(|card| card.principal.user == user))
            && holds(subject, &|subject| card.is_some_and(|card| card.principal.subject.as_str() == subject))
            && holds(sid, &|sid| card.is_some_and(|card| card.sid.as_deref() == Some(sid)))
            && holds(provider, &|provider| found.provider == provider)
            && holds(host, &|host| found.sessions.iter().any(|(_, known)| known == host))
    }

    /// Those that are meant among the next `looked_at` that are found behind `after`, and behind which one to go on where
    /// there may be more.
    ///
    /// # Errors
    /// The store is away.
    pub async fn list(
        &self,
        sessions: &Sessions,
        after: Option<SessionId>,
        looked_at: u32,
    ) -> Result<(Vec<SessionOverview>, Option<SessionId>), StoreUnavailable> {
        let mut found = Vec::new();
        for selector in &self.selectors {
            found.extend(sessions.list(selector, after, looked_at).await?);
        }
        found.sort_by_key(|overview| overview.id);
        found.dedup_by_key(|overview| overview.id);
        let size = usize::try_from(looked_at).unwrap_or(usize::MAX);
        found.truncate(size);
        let next = found.last().filter(|_| found.len() == size).map(|last| last.id);
        found.retain(|overview| self.includes(overview));
        Ok((found, next))
    }

    /// Ends all that are meant; answers how many.
    ///
    /// # Errors
    /// As [`Sessions::end_matching`].
    pub async fn end(&self, sessions: &Sessions, cause: &EndCause) -> Result<usize, StoreUnavailable> {
        let mut ended = 0;
        for selector in self.selectors.iter().cloned() {
            ended += if self.is_exact() {
                sessions.end_matching(selector, cause.clone()).await?
            } else {
                let wanted = self.clone();
                sessions.end_included(selector, cause.clone(), move |found| wanted.includes(found)).await?
            };
        }
        Ok(ended)
    }
}
