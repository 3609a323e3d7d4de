//! Who may go where is gone through by people.

use std::net::IpAddr;
use std::time::Duration;

use super::{Event, micros, write_client};
use crate::field::Field;
use crate::kind::Kind;
use crate::line::Line;

/// What a reviewer wants to become of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It stays.
    Keep,
    /// It is taken away.
    Revoke,
    /// Somebody is asked first.
    Ask,
}

impl Mark {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Revoke, Self::Ask];

    /// The word in lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Revoke => "revoke",
            Self::Ask => "ask",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == word)
    }
}

/// Somebody has judged whether a person shall go on to reach an app.
#[derive(Clone, Copy, Debug)]
pub struct AccessReviewed<'a> {
    /// Who judges.
    pub operator: &'a str,
    /// The id of the request.
    pub id: Option<&'a str>,
    /// From where.
    pub client: Option<IpAddr>,
    /// The provider of the person.
    pub provider: &'a str,
    /// Their stable identifier there.
    pub subject: &'a str,
    /// Their name.
    pub user: &'a str,
    /// The app.
    pub route: &'a str,
    /// By which rule they may go there, or what it hangs on, in words.
    pub rule: Option<&'a str>,
    /// What shall become of it.
    pub mark: Mark,
    /// Why.
    pub reason: Option<&'a str>,
    /// For how long the page lay before the reviewer, as their browser says it.
    pub took: Option<Duration>,
}

impl Event for AccessReviewed<'_> {
    fn kind(&self) -> Kind {
        Kind::AccessReviewed
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Id, self.id);
        write_client(self.client, line);
        line.text(Field::Operator, self.operator);
        line.text(Field::Route, self.route);
        line.text(Field::Provider, self.provider);
        line.text(Field::Subject, self.subject);
        line.text(Field::User, self.user);
        line.text_if(Field::Rule, self.rule);
        line.text(Field::Mark, self.mark.as_str());
        line.text_if(Field::Reason, self.reason);
        line.number_if(Field::Us, self.took.map(micros));
    }
}
