//! Which sign-ins a call means.

use super::{Problem, ProviderOverview, SessionSelection};
use crate::identity::Issuer;
use crate::request::Authority;
use crate::session::{IdPrefix, Selector, SessionOverview};

/// Characters of a text at most.
const LONGEST: usize = 256;

/// What is looked for in the store, and what must hold of what is found.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The sign-ins that any of these finds.
    pub(super) selectors: Vec<Selector>,
    /// Members that are not looked for.
    rest: SessionSelection,
}

impl SessionSelection {
    /// The narrowest member is what is looked for. `subject` and `sid` are an issuer's: that of `provider`,
    /// or that of each of `providers`.
    pub(super) fn wanted(mut self, providers: &[ProviderOverview]) -> Result<Wanted, Problem> {
        self.check()?;
        let selectors = if self.all {
            vec![Selector::All]
        } else if let Some(id) = self.id.take() {
            vec![Selector::Id(IdPrefix::parse(&id).ok_or_else(not_an_id)?)]
        } else if let Some(sid) = self.sid.take() {
            let of = |issuer| Selector::ProviderSession(issuer, sid.clone());
            self.issuers(providers)?.into_iter().map(of).collect()
        } else if let Some(subject) = self.subject.take() {
            let of = |issuer| Selector::Subject(issuer, subject.clone());
            self.issuers(providers)?.into_iter().map(of).collect()
        } else if let Some(user) = self.user.take() {
            vec![Selector::User(user)]
        } else {
            let host = self.host.take().map(Selector::Host);
            vec![host.or_else(|| self.provider.take().map(Selector::Provider)).ok_or_else(nobody)?]
        };
        Ok(Wanted { selectors, rest: Self { all: false, ..self } })
    }

    fn check(&mut self) -> Result<(), Problem> {
        let texts = [
            ("user", &self.user),
            ("subject", &self.subject),
            ("provider", &self.provider),
            ("sid", &self.sid),
            ("host", &self.host),
            ("id", &self.id),
        ];
        for (name, text) in texts {
            plain(name, text.as_deref())?;
        }
        if self.all && *self != (Self { all: true, ..Self::default() }) {
            return Err(Problem::bad_request("`all` stands alone"));
        }
        self.host = self.host.take().map(|host| host_name(&host)).transpose()?;
        Ok(())
    }

    /// Those whose subjects and sessions are meant, each once.
    fn issuers(&mut self, providers: &[ProviderOverview]) -> Result<Vec<Issuer>, Problem> {
        let named = self.provider.take();
        let meant = providers.iter().filter(|known| named.as_ref().is_none_or(|name| *name == known.name));
        let mut issuers: Vec<_> = meant.map(|known| Issuer::new(&known.issuer)).collect();
        issuers.sort();
        issuers.dedup();
        match named {
            Some(name) if issuers.is_empty() => {
                let names: Vec<_> = providers.iter().map(|known| known.name.as_str()).collect();
                let names = names.join(", ");
                Err(Problem::bad_request(format!(
                    "no provider is called `{name}`; the configuration has: {names}"
                )))
            }
            _ => Ok(issuers),
        }
    }
}

impl Wanted {
    /// Whether everything that is found is meant.
    pub(super) fn is_exact(&self) -> bool {
        self.rest == SessionSelection::default()
    }

    /// Whether what has been found is meant.
    pub(super) fn includes(&self, found: &SessionOverview) -> bool {
        let card = found.card.as_ref();
        let holds = |wanted: &Option<String>, is: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is);
        let SessionSelection { user, subject, provider, sid, host, id: _, all: _ } = &self.rest;
        holds(user, &|user| card.is_some_and(|card| card.principal.user == user))
            && holds(subject, &|subject| card.is_some_and(|card| card.principal.subject.as_str() == subject))
            && holds(sid, &|sid| card.is_some_and(|card| card.sid.as_deref() == Some(sid)))
            && holds(provider, &|provider| found.provider == provider)
            && holds(host, &|host| found.sessions.iter().any(|(_, known)| known == host))
    }
}

/// Refuses a text that is empty, too long or has control characters: it goes to the log.
pub(super) fn plain(name: &str, text: Option<&str>) -> Result<(), Problem> {
    let Some(text) = text else { return Ok(()) };
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(Problem::bad_request(format!(
            "`{name}` must be 1 to {LONGEST} characters, without control characters"
        )));
    }
    Ok(())
}

fn host_name(text: &str) -> Result<String, Problem> {
    let fault = || Problem::bad_request("`host` must be the name or address of a host, without port");
    Authority::host_alone(text).ok_or_else(fault)
}

fn not_an_id() -> Problem {
    Problem::bad_request("`id` must be 8 to 64 hexadecimal digits")
}

fn nobody() -> Problem {
    Problem::bad_request("say which: `user`, `subject`, `provider`, `sid`, `host`, `id`, or `all`")
}
