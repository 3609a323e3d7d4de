//! What the record has of somebody, told and erased.

use http::StatusCode;

use super::model::{ErasePerson, FindPeople};
use super::selection::plain;
use super::{Management, Problem};
use crate::operate::{Call, ErasedPerson, FoundPeople, PersonAsked, PersonError};
use crate::segments::AskError;

/// What the record has of whoever has a subject. Whom it is about stays out of the record of the call.
pub(super) async fn find(management: &Management, asked: FindPeople) -> Result<FoundPeople, Problem> {
    let asked = person(management, asked.subject, asked.provider)?;
    Ok(management.operations.find_people(asked).await?)
}

/// Erases somebody from the record.
pub(super) async fn erase(
    management: &Management,
    asked: ErasePerson,
    call: &Call,
) -> Result<ErasedPerson, Problem> {
    let ErasePerson { subject, provider, end_sessions, reason } = asked;
    plain("reason", reason.as_deref())?;
    let asked = person(management, subject, provider)?;
    Ok(management.operations.erase_person(asked, end_sessions, reason.as_deref(), call).await?)
}

fn person(
    management: &Management,
    subject: String,
    provider: Option<String>,
) -> Result<PersonAsked, Problem> {
    plain("subject", Some(&subject))?;
    plain("provider", provider.as_deref())?;
    let providers = (management.providers)().into_iter().map(|known| (known.name, known.issuer)).collect();
    Ok(PersonAsked { subject, provider, providers })
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        let status = match &error {
            PersonError::NoStore | PersonError::Unknown => StatusCode::NOT_FOUND,
            PersonError::Ambiguous(_) | PersonError::SignedIn(_) => StatusCode::CONFLICT,
            PersonError::Sessions(_)
            | PersonError::Store(AskError::Busy | AskError::TooLong | AskError::Left) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            PersonError::Store(AskError::Store(_) | AskError::Cursor)
            | PersonError::Recipients(_)
            | PersonError::Thread(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
