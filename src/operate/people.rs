//! What the record has of somebody, and how it is erased.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operations};
use crate::events::PersonErased;
use crate::segments::{self, AskError, Found, Holding, Patience, Reader, moment, read_apart};
use crate::session::{SessionFilter, StoreUnavailable, Wanted};
use crate::sinks::{PseudonymKey, Received, Recipients};

/// How long it may take to count what somebody did.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long sinks may take for what happened before somebody is erased.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// So long after sign-ins were ended for it, what is told of somebody is still erased: what was open by them tells of its end.
const LINGER: Duration = Duration::from_secs(5);
/// Sign-ins that are counted at once.
const PAGE: u32 = 1000;

/// Whom an operator asks about.
#[derive(Clone, Debug)]
pub struct PersonAsked {
    /// Their subject (`sub`).
    pub subject: String,
    /// The provider that vouches; none: any.
    pub provider: Option<String>,
    /// The configured providers: names with issuers.
    pub providers: Vec<(String, String)>,
}

/// Whom a subject means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundPeople {
    /// Whoever the record knows by it, each at another provider.
    pub people: Vec<PersonOverview>,
    /// Whoever was erased.
    pub erased: Vec<ErasedBefore>,
}

/// What the record has of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonOverview {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The subject there.
    pub subject: String,
    /// The name that rules match, as it was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What stands for them in the store of events, and in `person.erased` once they are erased.
    pub person: String,
    /// Events about them.
    pub events: u64,
    /// When the first of these happened (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When the last did (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The files of the store that hold them.
    pub segments: Vec<SegmentShare>,
    /// Their sign-ins that the gateway knows.
    pub sign_ins: usize,
    /// What stands for them at sinks that get pseudonyms.
    pub pseudonyms: Pseudonyms,
    /// Who has got what is personal of them in clear, or may have.
    pub received: Vec<ReceivedInClear>,
}

/// A file of the store that holds something of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentShare {
    /// The file.
    pub file: String,
    /// How many events.
    pub events: u64,
}

/// What stands for somebody at sinks that get pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pseudonyms {
    /// In place of the subject.
    pub subject: String,
    /// In place of the user's name, as it was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Somebody who has got what is personal in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceivedInClear {
    /// The name of a sink, or the command that wrote it.
    pub name: String,
    /// The kind of the sink, `log` or `export`.
    pub kind: String,
    /// Where it went.
    pub to: String,
    /// The fields that it got in clear.
    pub fields: Vec<String>,
    /// The types of events that it got; empty: all.
    #[serde(default)]
    pub events: Vec<String>,
    /// From when on (RFC 3339).
    pub since: String,
    /// Up to when (RFC 3339); missing: it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Somebody who was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasedBefore {
    /// The provider's name in the configuration.
    pub provider: String,
    /// What stands for them in the store of events.
    pub person: String,
    /// Up to when what they did is erased (RFC 3339).
    pub until: String,
}

/// What erasing somebody came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasedPerson {
    /// What stands for them in the store of events, and in `person.erased`.
    pub person: String,
    /// Events about them, which nobody can read any more as far as they are personal.
    pub events: u64,
    /// Sign-ins that were ended.
    pub ended: usize,
    /// Who has got what is personal of them in clear, and may still have it.
    pub received: Vec<ReceivedInClear>,
}

/// Why somebody is not found, or not erased.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// There is no store.
    #[error("no store keeps events: see `[audit] store`")]
    NoStore,
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] AskError),
    /// What others have got cannot be read.
    #[error("who has got what is personal in clear cannot be told: {0}")]
    Recipients(std::io::Error),
    /// The session store is away.
    #[error("the session store is away; try again: {0}")]
    Sessions(#[from] StoreUnavailable),
    /// The record has nothing of them.
    #[error("the record has nothing of this subject that could be erased")]
    Unknown,
    /// Several people have the subject.
    #[error("this subject is known at several providers; say which: {0}")]
    Ambiguous(String),
    /// They are signed in.
    #[error(
        "they have {0} sign-ins, and what is done by them would be recorded anew; have them ended as well (`end_sessions`), or wait until they are over"
    )]
    SignedIn(usize),
    /// A thread has come to grief.
    #[error("the store could not be asked: {0}")]
    Thread(String),
}

impl Operations {
    /// Whom a subject means, and what the record has of them.
    ///
    /// # Errors
    /// Where the record or the sessions cannot be read.
    pub async fn find_people(&self, asked: PersonAsked) -> Result<FoundPeople, PersonError> {
        let (reader, wanted) = (self.reader()?, asked.wanted());
        let recipients = Recipients::beside(reader.folder());
        let received = recipients.all().map_err(PersonError::Recipients)?;
        let subject = asked.subject.clone();
        let found = apart(move |patience| find(&reader, &asked, patience)).await?;
        let mut people = Vec::new();
        for holding in found.known {
            let sign_ins = self.sign_ins(wanted(&holding.provider)).await?;
            people.push(overview(holding, &subject, sign_ins, self.audit.pseudonyms(), &received));
        }
        let erased = found.erased.into_iter().map(|(provider, person, until)| ErasedBefore {
            provider,
            person: person.to_string(),
            until: moment(until),
        });
        Ok(FoundPeople { people, erased: erased.collect() })
    }

    /// Erases somebody from the record; `end_sessions`: ends their sign-ins first. It is done, and recorded, whether or not
    /// whoever asks waits.
    ///
    /// # Errors
    /// Where it is not clear who is meant, they are signed in and that is not to end, or something cannot be written.
    pub async fn erase_person(
        &self,
        asked: PersonAsked,
        end_sessions: bool,
        reason: Option<&str>,
        call: &Call,
    ) -> Result<ErasedPerson, PersonError> {
        call.because(reason);
        let wanted = asked.wanted();
        let mut people = self.find_people(asked).await?.people;
        let person = people.pop().ok_or(PersonError::Unknown)?;
        if !people.is_empty() {
            let names = people.iter().chain([&person]).map(|person| person.provider.as_str());
            return Err(PersonError::Ambiguous(names.collect::<Vec<_>>().join(", ")));
        }
        if mutant!(person.sign_ins > 0 && !end_sessions, "signed-in-and-erased" => false) {
            return Err(PersonError::SignedIn(person.sign_ins));
        }
        let wanted = wanted(&person.provider).filter(|_| end_sessions);
        let (this, call, reason) = (self.clone(), call.clone(), reason.map(str::to_owned));
        let erasing = tokio::spawn(async move { this.erase(person, wanted, reason.as_deref(), &call).await });
        erasing.await.map_err(|error| PersonError::Thread(error.to_string()))?
    }

    async fn erase(
        &self,
        person: PersonOverview,
        wanted: Option<Wanted>,
        reason: Option<&str>,
        call: &Call,
    ) -> Result<ErasedPerson, PersonError> {
        let ended = match wanted {
            Some(wanted) => wanted.end(&self.sessions, &call.end()).await?,
            None => 0,
        };
        call.has_ended(ended);
        let linger = if ended > 0 { LINGER } else { Duration::ZERO };
        let until = self.recorder.clock().moment().micros() + u64::try_from(linger.as_micros()).unwrap_or(0);
        let (reader, audit) = (self.reader()?, Arc::clone(&self.audit));
        let PersonOverview { provider, subject, person, events, received, .. } = person;
        let digest = segments::Pseudonym::of_hex(&person).ok_or(PersonError::Unknown)?;
        apart(move |_| {
            // What was on its way is in the store before, and stays as unreadable as all of it.
            audit.flush(LAST_WORDS);
            segments::erase(reader.folder(), digest, until)?;
            audit.tail().forget(&provider, &subject);
            Ok(())
        })
        .await?;
        call.is_answered(StatusCode::OK);
        let told = PersonErased {
            person: &person,
            operator: call.operator(),
            count: events,
            id: Some(call.id().as_str()),
            client: call.client(),
            ended: u64::try_from(ended).ok(),
            reason,
        };
        self.recorder.emit(&told);
        Ok(ErasedPerson { person, events, ended, received })
    }

    fn reader(&self) -> Result<Reader, PersonError> {
        self.audit.store().map_err(AskError::from)?.ok_or(PersonError::NoStore)
    }

    /// How many sign-ins are meant.
    async fn sign_ins(&self, wanted: Option<Wanted>) -> Result<usize, PersonError> {
        let (mut count, mut after) = (0, None);
        let Some(wanted) = wanted else { return Ok(0) };
        loop {
            let (found, next) = wanted.list(&self.sessions, after, PAGE).await?;
            count += found.len();
            after = next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }
}

impl PersonAsked {
    /// Which sign-ins are somebody's, by the provider that vouches; none where it is configured no more.
    fn wanted(&self) -> impl Fn(&str) -> Option<Wanted> + Send + use<> {
        let (subject, providers) = (self.subject.clone(), self.providers.clone());
        move |provider| {
            let (subject, provider) = (Some(subject.clone()), Some(provider.to_owned()));
            let filter = SessionFilter { subject, provider, ..SessionFilter::default() };
            filter.wanted(providers.iter().map(|(name, issuer)| (name.as_str(), issuer.as_str()))).ok()
        }
    }
}

async fn apart<T: Send + 'static>(
    read: impl FnOnce(&Patience) -> Result<T, AskError> + Send + 'static,
) -> Result<T, PersonError> {
    let answer = read_apart(PATIENCE, read).await;
    Ok(answer.map_err(|error| PersonError::Thread(error.to_string()))??)
}

fn find(reader: &Reader, asked: &PersonAsked, patience: &Patience) -> Result<Found, AskError> {
    let names: Vec<_> = match &asked.provider {
        Some(provider) => vec![provider.as_str()],
        None => asked.providers.iter().map(|(name, _)| name.as_str()).collect(),
    };
    reader.find(&asked.subject, &names, asked.provider.is_none(), patience)
}

fn overview(
    holding: Holding,
    subject: &str,
    sign_ins: usize,
    key: &PseudonymKey,
    received: &[Received],
) -> PersonOverview {
    let Holding { person, provider, events, first, last, segments } = holding;
    let user = person.who.map(|who| who.user).filter(|user| !user.is_empty());
    let digest = person.pseudonym.to_string();
    let since = first.unwrap_or(person.first_seen);
    let received = received.iter().filter(|it| it.concerns(&digest, since)).map(in_clear).collect();
    let pseudonyms = Pseudonyms {
        subject: key.subject(&provider, subject),
        user: user.as_deref().map(|user| key.name(user)),
    };
    let segments = segments
        .into_iter()
        .map(|share| SegmentShare { file: share.file.display().to_string(), events: share.events });
    PersonOverview {
        provider,
        subject: subject.to_owned(),
        user,
        person: digest,
        events,
        first: first.map(moment),
        last: last.map(moment),
        segments: segments.collect(),
        sign_ins,
        pseudonyms,
        received,
    }
}

fn in_clear(received: &Received) -> ReceivedInClear {
    let recipient = received.recipient.clone();
    ReceivedInClear {
        name: recipient.name,
        kind: recipient.kind,
        to: recipient.to,
        fields: recipient.fields,
        events: recipient.events,
        since: moment(received.since),
        until: received.until.map(moment),
    }
}
