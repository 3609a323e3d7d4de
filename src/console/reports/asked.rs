//! What is asked of a report, as its address says it: in the names of the command's options.

use url::form_urlencoded;

use crate::clock::Moment;
use crate::console::fields::Fields;
use crate::console::text;
use crate::reports::{Question, Report};
use crate::segments::moment;

/// The time that is meant where nothing is said, and times that are offered.
const USUAL: &str = "30d";
const SPANS: [(&str, &str); 5] =
    [("1d", "24 hours"), ("7d", "7 days"), (USUAL, "30 days"), ("90d", "90 days"), ("365d", "365 days")];

const USUAL_ZONE: &str = "UTC";

/// Rows of a page (invariant 14).
pub(super) const ROWS: usize = 100;

/// What an address asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) zone: String,
    /// By name: user, route and provider, each empty where it is not asked by.
    pub(super) by: [(&'static str, String); 3],
    pub(super) names: bool,
    /// From 0 on.
    pub(super) page: usize,
}

impl Asked {
    /// # Errors
    /// In words, where it makes no sense.
    pub(super) fn read(report: Report, query: &str, now: Moment) -> Result<Self, String> {
        let fields = Fields::read(query.as_bytes())?;
        let text = |name: &str| Ok::<_, String>(fields.text(name)?.unwrap_or_default());
        let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
        let (since, zone) = (or(text("since")?, USUAL), or(text("zone")?, USUAL_ZONE));
        let (until, names) = (text("until")?, fields.raw("names") != Some("no"));
        let asked_until = Some(until.as_str()).filter(|until| !until.is_empty());
        let question = Question::new(report, &since, asked_until, &zone, now);
        let mut question = question.map_err(|error| in_words(&error.to_string()))?;
        question.names = names;
        let by = [("user", text("user")?), ("route", text("route")?), ("provider", text("provider")?)];
        for (name, value) in by.iter().filter(|(_, value)| !value.is_empty()) {
            question.filter.set(name, value, now).map_err(|error| in_words(&error.to_string()))?;
        }
        Ok(Self { question, since, until, zone, by, names, page: page(&fields)? })
    }

    /// What is asked by `name`.
    pub(super) fn of(&self, name: &str) -> &str {
        self.by.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The query that asks the same: of the same stretch of time where it is `pinned`, else by the same words.
    pub(super) fn query(&self, pinned: bool) -> String {
        let (since, until) = match pinned {
            true => (moment(self.question.since), moment(self.question.until)),
            false => (self.since.clone(), self.until.clone()),
        };
        self.written(&since, &until)
    }

    fn written(&self, since: &str, until: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let names = if self.names { "" } else { "no" };
        let (since, zone) = (unless(since, USUAL), unless(&self.zone, USUAL_ZONE));
        let by = self.by.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs = [("since", since), ("until", until), ("zone", zone), ("names", names)];
        query.extend_pairs(pairs.into_iter().chain(by).filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// The query of another page of the same answer.
    pub(super) fn turned(&self, page: usize) -> String {
        let query = self.query(true);
        if page == 0 { query } else { format!("{query}&page={}", page + 1) }
    }

    /// The times that are offered: words, the query of each, and whether it is this one.
    pub(super) fn spans(&self) -> Vec<(&'static str, String, bool)> {
        let span = |(since, words): (&str, &'static str)| {
            (words, self.written(since, ""), self.since == since && self.until.is_empty())
        };
        SPANS.map(span).to_vec()
    }

    /// The command that says the same.
    pub(super) fn command(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text::short(text).replace('\'', r"'\''"));
        let mut command = format!("portcullis report {}", self.question.report.word());
        let pairs = [("since", &self.since), ("until", &self.until), ("zone", &self.zone)];
        let by = self.by.iter().map(|(name, value)| (*name, value));
        for (name, value) in pairs.into_iter().chain(by).filter(|(_, value)| !value.is_empty()) {
            command += &format!(" --{name} {}", quoted(value));
        }
        if self.names { command } else { command + " --without-names" }
    }
}

/// What is usual is not written.
fn unless<'a>(value: &'a str, usual: &str) -> &'a str {
    if value == usual { "" } else { value }
}

fn page(fields: &Fields) -> Result<usize, String> {
    let Some(page) = fields.raw("page") else { return Ok(0) };
    let number = page.parse::<usize>().ok().filter(|page| (1..=1_000_000).contains(page));
    number.map(|page| page - 1).ok_or_else(|| "“page” must be a number from 1 on.".to_owned())
}

/// A fault as a sentence.
fn in_words(fault: &str) -> String {
    format!("{fault}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Asked, String> {
        Asked::read(Report::People, query, Moment::from_micros(1_800_000_000_000_000))
    }

    #[test]
    fn what_is_asked_stands_in_the_address_in_the_names_of_the_command() {
        let query = "since=7d&zone=Europe%2FBerlin&names=no&user=o%27hara&provider=corp";
        let read = asked(query).unwrap();
        assert_eq!(read.query(false), query);
        let command = "portcullis report people --since '7d' --zone 'Europe/Berlin' --user 'o'\\''hara' \
                       --provider 'corp' --without-names";
        assert_eq!(read.command(), command);
        assert_eq!(asked("since=30d&zone=UTC&user=&page=1").unwrap().query(false), "");
    }

    #[test]
    fn another_page_is_of_the_same_time() {
        let read = asked("since=1d&page=3").unwrap();
        let next = asked(&read.turned(read.page + 1)).unwrap();
        assert_eq!((next.question.since, next.question.until), (read.question.since, read.question.until));
        assert_eq!((next.page, read.page), (3, 2));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for wrong in ["since=moon", "zone=Berlin", "until=1970-01-01", "page=0", "page=x", "user=a&user=b"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
        assert!(asked(&format!("user={}", "a".repeat(257))).is_err());
    }
}
