//! Where the console has something, and who may see or do it.

use super::export::Format;
use super::reports::FileFormat;
use super::role::Role;
use crate::reports::Report;
use crate::session::SessionId;

/// A part of the console that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Live,
    Events,
    People,
    Sessions,
    Apps,
    Reports,
    Explain,
    Configuration,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The front page of a section.
    Front(Section),
    /// One request by its id, one person, and who uses one app.
    Story,
    Person,
    Users,
    /// The events of a view as a file.
    Export(Format),
    /// One report: as a page, and as a file.
    Report(Report),
    ReportFile(Report, FileFormat),
    /// Where an access is judged: a page that says what is known of it, and the mark.
    Review,
    /// One sign-in.
    SignIn(SessionId),
    /// Where sign-ins are ended: a page that asks once more, and the act.
    End,
    /// Where something is done to the process: a page that says what it would do, and the act.
    Act(Act),
}

/// What is done to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Reload,
    Rotate,
    Drain,
}

impl Act {
    pub(super) const ALL: [Self; 3] = [Self::Reload, Self::Rotate, Self::Drain];

    /// Below the console's own path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Reload => "act/reload",
            Self::Rotate => "act/rotate",
            Self::Drain => "act/drain",
        }
    }

    /// What the record calls it, whichever way it is done.
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Rotate => "rotate-assertion-key",
            Self::Drain => "drain",
        }
    }

    /// What it is called where it can be chosen.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Reload => "Reload the configuration",
            Self::Rotate => "Rotate the assertion key",
            Self::Drain => "Drain this process",
        }
    }
}

impl Section {
    /// In the order of the navigation.
    pub(super) const ALL: [Self; 9] = [
        Self::Overview,
        Self::Live,
        Self::Events,
        Self::People,
        Self::Sessions,
        Self::Apps,
        Self::Reports,
        Self::Explain,
        Self::Configuration,
    ];

    /// Below the console's own path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Live => "events/live",
            Self::Events => "events",
            Self::People => "people",
            Self::Sessions => "sessions",
            Self::Apps => "apps",
            Self::Reports => "reports",
            Self::Explain => "explain",
            Self::Configuration => "configuration",
        }
    }

    /// What people call it, in the navigation and as the heading of its page.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Live => "Live",
            Self::Events => "Events",
            Self::People => "People",
            Self::Sessions => "Sessions",
            Self::Apps => "Apps",
            Self::Reports => "Reports",
            Self::Explain => "Explain",
            Self::Configuration => "Configuration",
        }
    }

    fn least(self) -> Role {
        match self {
            Self::Overview | Self::Apps | Self::Explain | Self::Configuration => Role::Viewer,
            Self::Live | Self::Events | Self::People | Self::Reports => {
                mutant!(Role::Auditor, "console-shows-names-to-viewers" => Role::Viewer)
            }
            Self::Sessions => mutant!(Role::Auditor, "viewers-see-people" => Role::Viewer),
        }
    }

    /// Whether somebody with this role is led there.
    pub(super) fn is_for(self, role: Role) -> bool {
        role >= self.least()
    }
}

impl Place {
    /// What stands at `path`, below the console's own and without slashes at its ends.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "sessions/end" => return Some(Self::End),
            "request" => return Some(Self::Story),
            "person" => return Some(Self::Person),
            "app" => return Some(Self::Users),
            "reports/access-review/mark" => return Some(Self::Review),
            _ => {}
        }
        if let Some(format) = Format::ALL.into_iter().find(|format| format.path() == path) {
            return Some(Self::Export(format));
        }
        if let Some(act) = Act::ALL.into_iter().find(|act| act.path() == path) {
            return Some(Self::Act(act));
        }
        if let Some(name) = path.strip_prefix("reports/") {
            return report(name);
        }
        if let Some(id) = path.strip_prefix("sessions/") {
            return SessionId::from_hex(id).map(Self::SignIn);
        }
        Section::ALL.into_iter().find(|section| section.path() == path).map(Self::Front)
    }

    /// The part of the console that it belongs to.
    pub(super) const fn section(self) -> Section {
        match self {
            Self::Front(section) => section,
            Self::Story | Self::Export(_) => Section::Events,
            Self::Person => Section::People,
            Self::Users => Section::Apps,
            Self::Report(_) | Self::ReportFile(..) | Self::Review => Section::Reports,
            Self::SignIn(_) | Self::End => Section::Sessions,
            Self::Act(Act::Reload) => Section::Configuration,
            Self::Act(Act::Rotate | Act::Drain) => Section::Overview,
        }
    }

    /// Who may see it, and do what is done there.
    pub(super) fn least(self) -> Role {
        match self {
            Self::Front(section) => section.least(),
            Self::Story | Self::Person | Self::Users | Self::Export(_) => Section::Events.least(),
            Self::Report(_) | Self::ReportFile(..) | Self::Review => Section::Reports.least(),
            Self::SignIn(_) => Section::Sessions.least(),
            Self::End => mutant!(Role::Operator, "auditors-end-sessions" => Role::Auditor),
            Self::Act(_) => mutant!(Role::Operator, "console-acts-without-role" => Role::Viewer),
        }
    }

    /// Whether something is done there, and forms are sent to it.
    pub(super) const fn is_act(self) -> bool {
        matches!(self, Self::End | Self::Act(_) | Self::Review)
    }
}

/// `access`, `access.csv`.
fn report(name: &str) -> Option<Place> {
    let Some((word, ending)) = name.split_once('.') else { return Report::named(name).map(Place::Report) };
    let format = FileFormat::ALL.into_iter().find(|format| format.ending() == ending)?;
    Report::named(word).map(|report| Place::ReportFile(report, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_where_it_says() {
        for section in Section::ALL {
            assert_eq!(Place::at(section.path()), Some(Place::Front(section)));
        }
        for (report, word, _) in Report::TABLE {
            assert_eq!(Place::at(&format!("reports/{word}")), Some(Place::Report(report)));
            for format in FileFormat::ALL {
                let file = format!("reports/{word}.{}", format.ending());
                assert_eq!(Place::at(&file), Some(Place::ReportFile(report, format)));
            }
        }
        for act in Act::ALL {
            assert_eq!(Place::at(act.path()), Some(Place::Act(act)));
        }
        for nowhere in [
            "session",
            "reports/",
            "reports/x",
            "reports/access.exe",
            "reports/access/x",
            "sessions/",
            "sessions/abc",
            "sessions/end/x",
            "Apps",
            "explain/x",
        ] {
            assert_eq!(Place::at(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn invariant_1_people_are_for_auditors_and_acts_for_operators() {
        let id = SessionId::from_bytes([7; 32]);
        for (place, least) in [
            (Place::Front(Section::Overview), Role::Viewer),
            (Place::Front(Section::Configuration), Role::Viewer),
            (Place::Front(Section::Live), Role::Auditor),
            (Place::Front(Section::Events), Role::Auditor),
            (Place::Front(Section::People), Role::Auditor),
            (Place::Story, Role::Auditor),
            (Place::Person, Role::Auditor),
            (Place::Users, Role::Auditor),
            (Place::Export(Format::Csv), Role::Auditor),
            (Place::Front(Section::Reports), Role::Auditor),
            (Place::Report(Report::Access), Role::Auditor),
            (Place::ReportFile(Report::People, FileFormat::Html), Role::Auditor),
            (Place::Review, Role::Auditor),
            (Place::Act(Act::Reload), Role::Operator),
            (Place::Act(Act::Drain), Role::Operator),
            (Place::Act(Act::Rotate), Role::Operator),
            (Place::Front(Section::Sessions), Role::Auditor),
            (Place::SignIn(id), Role::Auditor),
            (Place::End, Role::Operator),
        ] {
            assert_eq!(place.least(), least, "{place:?}");
        }
    }
}
