//! Which sign-ins a call means.

use super::{Problem, ProviderOverview, SessionSelection};
use crate::request::Authority;
use crate::session::{IdPrefix, SessionFilter, UnknownProvider, Wanted};

/// Characters of a text at most.
const LONGEST: usize = 256;

impl SessionSelection {
    /// Says which sign-ins are meant, as [`SessionFilter::wanted`] does.
    pub(super) fn wanted(mut self, providers: &[ProviderOverview]) -> Result<Wanted, Problem> {
        self.check()?;
        if self == Self::default() {
            return Err(nobody());
        }
        let Self { user, subject, provider, sid, host, id, all: _ } = self;
        let id = id.map(|id| IdPrefix::parse(&id).ok_or_else(not_an_id)).transpose()?;
        let filter = SessionFilter { id, sid, subject, user, host, provider };
        let known = providers.iter().map(|known| (known.name.as_str(), known.issuer.as_str()));
        filter.wanted(known).map_err(|unknown| not_a_provider(&unknown, providers))
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

fn not_a_provider(UnknownProvider(name): &UnknownProvider, providers: &[ProviderOverview]) -> Problem {
    let names: Vec<_> = providers.iter().map(|known| known.name.as_str()).collect();
    let names = names.join(", ");
    Problem::bad_request(format!("no provider is called `{name}`; the configuration has: {names}"))
}

fn not_an_id() -> Problem {
    Problem::bad_request("`id` must be 8 to 64 hexadecimal digits")
}

fn nobody() -> Problem {
    Problem::bad_request("say which: `user`, `subject`, `provider`, `sid`, `host`, `id`, or `all`")
}
