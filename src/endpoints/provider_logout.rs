//! What ends here when a person has signed out at their provider, however that was told (invariant 8).

use crate::events::{Caller, Channel, LogoutTokenAccepted, OwnedCaller, Recorder};
use crate::oidc::{LogoutEnds, Provider};
use crate::session::{EndCause, Selector, SessionEnd, SessionOverview, Sessions, StoreUnavailable};

const WHY: SessionEnd = SessionEnd::SignedOutAtProvider;

/// Sign-ins that are looked at for whose they are.
const PAGE: u32 = 100;

/// Ends what was signed in by the provider's session `sid`, or all of `subject`; one of them is given; `caller` told of it. Answers how many
/// sign-ins have ended.
///
/// # Errors
/// The store is away: some may have ended, and the call is to be repeated.
pub(super) async fn end_sessions(
    sessions: &Sessions,
    provider: &Provider,
    sid: Option<&str>,
    subject: Option<&str>,
    caller: OwnedCaller,
) -> Result<usize, StoreUnavailable> {
    let cause = EndCause::by(WHY, &format!("provider {}", provider.name())).asked_in(caller);
    let issuer = || provider.issuer().clone();
    let of_subject = |subject: &str| Selector::Subject(issuer(), subject.to_owned());
    let settings = provider.settings().client.as_ref().map(|client| client.logout).unwrap_or_default();
    match (sid, subject, settings.ends) {
        (None, None, _) => Ok(0),
        (None, Some(subject), _) | (Some(_), Some(subject), LogoutEnds::Subject) => {
            sessions.end_matching(of_subject(subject), cause).await
        }
        (Some(sid), None, LogoutEnds::Subject) => {
            let named = Selector::ProviderSession(issuer(), sid.to_owned());
            let mut ended = 0;
            for subject in subjects(sessions, &named).await? {
                ended += sessions.end_matching(of_subject(&subject), cause.clone()).await?;
            }
            Ok(ended + sessions.end_matching(named, cause).await?)
        }
        (Some(sid), subject, LogoutEnds::Session) => {
            let named = Selector::ProviderSession(issuer(), sid.to_owned());
            let ended = sessions.end_matching(named, cause.clone()).await?;
            let Some(subject) = subject else { return Ok(ended) };
            Ok(ended + sessions.end_included(of_subject(subject), cause, is_by_unknown).await?)
        }
    }
}

/// A provider's word that somebody signed out there, which was believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted<'a> {
    pub(super) channel: Channel,
    pub(super) subject: Option<&'a str>,
    /// How many sign-ins it has ended.
    pub(super) ended: usize,
}

impl Accepted<'_> {
    /// Records it.
    pub(super) fn record(self, recorder: &Recorder, caller: Caller<'_>, provider: &Provider) {
        let Self { channel, subject, ended } = self;
        let ended = u64::try_from(ended).ok();
        let provider = provider.name().as_str();
        let (session, selected) = (0, ended);
        recorder.emit(&LogoutTokenAccepted { caller, provider, channel, subject, session, selected, ended });
    }
}

/// Whether anything was signed in by the provider's session `sid`.
///
/// # Errors
/// The store is away.
pub(super) async fn knows(
    sessions: &Sessions,
    provider: &Provider,
    sid: &str,
) -> Result<bool, StoreUnavailable> {
    let named = Selector::ProviderSession(provider.issuer().clone(), sid.to_owned());
    Ok(!sessions.list(&named, None, 1).await?.is_empty())
}

/// Whether nobody knows by which session of the provider's a sign-in was made: it may be the one that is over. Some
/// providers name a session in their logout tokens that their ID tokens did not name.
fn is_by_unknown(sign_in: &SessionOverview) -> bool {
    let unknown = sign_in.card.as_ref().is_none_or(|card| card.sid.is_none());
    mutant!(unknown, "session-without-sid-lives" => false)
}

/// Whose sign-ins `named` finds, each once.
async fn subjects(sessions: &Sessions, named: &Selector) -> Result<Vec<String>, StoreUnavailable> {
    let found = sessions.list(named, None, PAGE).await?;
    let mut subjects: Vec<_> =
        found.into_iter().filter_map(|it| Some(it.card?.principal.subject.as_str().to_owned())).collect();
    subjects.sort_unstable();
    subjects.dedup();
    Ok(subjects)
}
