//! What can be called.

use http::Method;

/// An operation of the API. All of them are in [`Operation::ALL`], which requests are looked up in and the
/// description is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListSessions,
    EndSessions,
    ListProviders,
    ListSignals,
    ListLimits,
    ListEvents,
    FindPeople,
    ErasePerson,
    ShowReport,
    NoteReading,
    ShowConfiguration,
    RotateAssertionKey,
    Reload,
    Drain,
    Describe,
}

/// What is at a path for a method.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Operation(Operation),
    /// Only these are answered there.
    OtherMethods(Vec<Method>),
    Nothing,
}

impl Operation {
    pub(super) const ALL: [Self; 15] = [
        Self::ListSessions,
        Self::EndSessions,
        Self::ListProviders,
        Self::ListSignals,
        Self::ListLimits,
        Self::ListEvents,
        Self::FindPeople,
        Self::ErasePerson,
        Self::ShowReport,
        Self::NoteReading,
        Self::ShowConfiguration,
        Self::RotateAssertionKey,
        Self::Reload,
        Self::Drain,
        Self::Describe,
    ];

    /// `HEAD` is answered as `GET` is, and its body is left out by the server.
    pub(super) fn find(path: &str, method: &Method) -> Found {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let here: Vec<_> = Self::ALL.into_iter().filter(|operation| operation.is_at(path)).collect();
        match here.iter().find(|operation| operation.method() == *method) {
            Some(operation) => Found::Operation(*operation),
            None if here.is_empty() => Found::Nothing,
            None => Found::OtherMethods(here.into_iter().map(Self::method).collect()),
        }
    }

    /// Whether it stands at a path. A part in braces is any one part.
    fn is_at(self, path: &str) -> bool {
        match self.path().split_once('{') {
            None => self.path() == path,
            Some((before, _)) => {
                path.strip_prefix(before).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            }
        }
    }

    /// Whether it shows what the record tells of people, or says that somebody has seen it.
    pub(super) const fn reads_the_record(self) -> bool {
        matches!(self, Self::ListEvents | Self::FindPeople | Self::ShowReport | Self::NoteReading)
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::ListSessions => "/api/v1/sessions",
            Self::EndSessions => "/api/v1/sessions/end",
            Self::ListProviders => "/api/v1/providers",
            Self::ListSignals => "/api/v1/signals",
            Self::ListLimits => "/api/v1/limits",
            Self::ListEvents => "/api/v1/events",
            Self::FindPeople => "/api/v1/people",
            Self::ErasePerson => "/api/v1/people/erase",
            Self::ShowReport => "/api/v1/reports/{name}",
            Self::NoteReading => "/api/v1/record/readings",
            Self::ShowConfiguration => "/api/v1/configuration",
            Self::RotateAssertionKey => "/api/v1/assertion-keys/rotate",
            Self::Reload => "/api/v1/reload",
            Self::Drain => "/api/v1/drain",
            Self::Describe => "/api/v1/openapi.json",
        }
    }

    pub(super) const fn method(self) -> Method {
        match self {
            Self::ListSessions
            | Self::ListProviders
            | Self::ListSignals
            | Self::ListLimits
            | Self::ListEvents
            | Self::FindPeople
            | Self::ShowReport
            | Self::ShowConfiguration
            | Self::Describe => Method::GET,
            Self::EndSessions
            | Self::ErasePerson
            | Self::NoteReading
            | Self::RotateAssertionKey
            | Self::Reload
            | Self::Drain => Method::POST,
        }
    }

    /// Its name in the description, the log and the metrics.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::ListSessions => "list-sessions",
            Self::EndSessions => "end-sessions",
            Self::ListProviders => "list-providers",
            Self::ListSignals => "list-signals",
            Self::ListLimits => "list-limits",
            Self::ListEvents => "list-events",
            Self::FindPeople => "find-people",
            Self::ErasePerson => "erase-person",
            Self::ShowReport => "show-report",
            Self::NoteReading => "note-reading",
            Self::ShowConfiguration => "show-configuration",
            Self::RotateAssertionKey => "rotate-assertion-key",
            Self::Reload => "reload",
            Self::Drain => "drain",
            Self::Describe => "describe",
        }
    }
}
