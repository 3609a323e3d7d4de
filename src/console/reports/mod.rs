//! Reports: which there are, and each by a question whose answer is an address.

mod asked;
mod columns;
mod drawn;
mod file;
mod found;
mod streamed;

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::place::Section;
use super::shell::Shell;
use crate::pages::Page;
use crate::reports::Report;

pub(super) use file::{FileFormat, file};
pub(super) use streamed::answer;

/// What people call a report.
pub(super) const fn title(report: Report) -> &'static str {
    match report {
        Report::SignIns => "Sign-ins",
        Report::Access => "Access",
        Report::Refusals => "Refusals",
        Report::Apps => "Apps",
        Report::People => "People",
        Report::Sessions => "Sessions",
        Report::Providers => "Providers",
        Report::Dormant => "Dormant",
        Report::AccessReview => "Access review",
        Report::Changes => "Changes",
        Report::Anomalies => "What looks odd",
    }
}

/// Reports that belong together, under a heading.
const GROUPS: [(&str, &[Report]); 3] = [
    ("What to look at", &[Report::Anomalies, Report::AccessReview, Report::Dormant, Report::Changes]),
    ("Who came", &[Report::SignIns, Report::People, Report::Sessions, Report::Providers]),
    ("What was used", &[Report::Access, Report::Apps, Report::Refusals]),
];

/// The page from which each is reached.
pub(super) fn page(visit: Visit<'_>) -> Page {
    let shell = Shell::of(visit, Some(Section::Reports));
    shell.page(StatusCode::OK, &View { shell: &shell })
}

#[derive(Template)]
#[template(path = "console/reports.html")]
struct View<'a> {
    shell: &'a Shell,
}

impl View<'_> {
    /// The groups, each with the reports in it: address, title and what it tells.
    #[expect(clippy::unused_self, reason = "templates reach it through the view")]
    fn groups(&self) -> Vec<(&'static str, Vec<[&'static str; 3]>)> {
        let one = |report: &Report| [report.word(), title(*report), report.doc()];
        GROUPS.map(|(heading, reports)| (heading, reports.iter().map(one).collect())).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_led_to_once() {
        for (report, word, _) in Report::TABLE {
            let led = GROUPS.iter().flat_map(|(_, reports)| reports.iter()).filter(|led| **led == report);
            assert_eq!(led.count(), 1, "{word}");
        }
    }
}
