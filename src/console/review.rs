//! Whether somebody shall go on to reach an app: a reviewer's mark. It changes nothing by itself: it is kept as an event, and
//! what would have to be changed is shown.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use http::{Request, StatusCode};

use super::acts::caller;
use super::answer::Visit;
use super::fields::Fields;
use super::message::Message;
use super::moment::Moment;
use super::people;
use super::place::Section;
use super::process::Process;
use super::reading::{self, Reading};
use super::record;
use super::shell::Shell;
use super::taken_away::TakenAway;
use super::text;
use crate::clock::Timestamp;
use crate::endpoints::read_form;
use crate::events::{AccessReviewed, Field, Kind, KindSet, Mark, Seen};
use crate::identity::Principal;
use crate::listener::RequestBody;
use crate::pages::Page;
use crate::reports::{Access, Verdict};
use crate::segments::{AskError, Event, Filter, Patience, Question, Reader, Who};

/// Bytes of a form at most.
const LARGEST: usize = 16 * 1024;

/// Marks of an access that are shown (invariant 14).
const MARKS: usize = 10;

const PATIENCE: Duration = Duration::from_secs(2);

/// Longer than that nobody has looked at a page.
const LONGEST_LOOK: Duration = Duration::from_secs(86_400);

const SECTION: Option<Section> = Some(Section::Reports);

/// Whose access to what is meant.
#[derive(Clone, Debug)]
struct Meant {
    provider: String,
    subject: String,
    route: String,
}

impl Meant {
    fn read(fields: &Fields) -> Result<Self, String> {
        let named = |name: &str| fields.text(name)?.ok_or_else(|| format!("“{name}” is missing."));
        Ok(Self { provider: named("provider")?, subject: named("subject")?, route: named("route")? })
    }

    /// What the record is asked for about it.
    fn filter(&self) -> Result<Filter, String> {
        let mut filter = Filter::default().kinds(KindSet::of([Kind::AccessReviewed]));
        let asked = [("user", &self.subject), ("provider", &self.provider), ("route", &self.route)];
        for (name, value) in asked {
            let set = filter.set(name, value, crate::clock::Moment::from_micros(0));
            set.map_err(|error| error.to_string())?;
        }
        Ok(filter)
    }

    /// Nobody says of themselves what they may, by whichever of the registrations at one issuer they have come.
    fn is_of(&self, reader: &Principal, process: &dyn Process) -> bool {
        let same =
            self.subject == reader.subject.as_str() && own_names(reader, process).contains(&self.provider);
        mutant!(same, "review-of-oneself" => false)
    }
}

/// The providers of the configuration at which a subject is the reader's own.
pub(super) fn own_names(reader: &Principal, process: &dyn Process) -> Vec<String> {
    let same = process.providers().into_iter().filter(|provider| provider.issuer == reader.issuer.as_str());
    same.map(|provider| provider.name).chain([reader.provider.as_str().to_owned()]).collect()
}

/// An access as it is now.
struct Current {
    who: Who,
    access: Access,
    marks: Vec<MarkTold>,
}

/// A mark, as it is told.
struct MarkTold {
    word: String,
    reviewer: String,
    at: Moment,
    rule: String,
    reason: String,
}

impl MarkTold {
    fn of(event: &Event, now: Timestamp) -> Option<Self> {
        let json = event.to_json();
        let seen = Seen::read(json.as_bytes()).ok()?;
        let told = |field| seen.text(field).map(text::long).unwrap_or_default();
        let at = Moment::new(Timestamp::from_seconds(event.time / 1_000_000), now);
        let (word, reviewer) = (told(Field::Mark), told(Field::Operator));
        Some(Self { word, reviewer, at, rule: told(Field::Rule), reason: told(Field::Reason) })
    }
}

/// What is known of an access, or what is said in place of its page.
async fn current(process: &Arc<dyn Process>, visit: Visit<'_>, meant: &Meant) -> Result<Current, Message> {
    if meant.is_of(visit.person, &**process) {
        return Err(Message::Unclear("This is about you: whether it shall stay others say.".into()));
    }
    let (filter, asked, now) = (meant.filter().map_err(Message::Unclear)?, meant.clone(), process.now());
    let read = move |reader: &Reader, patience: &Patience| {
        let who = whom(reader, patience, &asked)?;
        let question = Question { filter: &filter, behind: None, limit: MARKS, personal: true };
        Ok((who, reader.page(question, patience)?))
    };
    let (who, page) = record::ask(process, PATIENCE, read).await?;
    if page.looked_back_to.is_some() || !page.damaged.is_empty() {
        return Err(Message::NotRead("not all of its marks could be read".into()));
    }
    // A name of somebody else can be this subject.
    let is_theirs = |event: &&Event| event.who().is_some_and(|who| who.subject == meant.subject);
    let marks: Vec<_> = page.events.iter().filter(is_theirs).collect();
    let who = who.ok_or_else(|| Message::Unclear("The record knows nobody of this name.".into()))?;
    let access = process.reach(&who).into_iter().find(|access| access.route == meant.route);
    let Some(access) = access else {
        let no =
            "By the rules in force they may not go there, as far as that can be told without an address.";
        return Err(Message::Unclear(no.into()));
    };
    let marks = marks.into_iter().filter_map(|event| MarkTold::of(event, now)).collect();
    Ok(Current { who, access, marks })
}

fn whom(reader: &Reader, patience: &Patience, meant: &Meant) -> Result<Option<Who>, AskError> {
    let mut found = None;
    reader.people(patience, &mut |person| {
        found = person.who.filter(|who| who.provider == meant.provider && who.subject == meant.subject);
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// The page that says what is known of an access, and asks.
pub(super) async fn ask(visit: Visit<'_>, process: &Arc<dyn Process>, query: &str) -> Page {
    let meant = match Fields::read(query.as_bytes()).and_then(|fields| Meant::read(&fields)) {
        Ok(meant) => meant,
        Err(why) => return Message::Unclear(why).page(visit, SECTION),
    };
    reading::record(visit, &**process, Reading::Review, query);
    let current = match current(process, visit, &meant).await {
        Ok(current) => current,
        Err(message) => return message.page(visit, SECTION),
    };
    let shell = Shell::of(visit, SECTION);
    let view = AskView {
        shell: &shell,
        user: text::short(&current.who.user),
        person: people::link(&meant.provider, &meant.subject),
        may: may(current.access.verdict),
        rule: current.access.rule(),
        shown: process.now().seconds(),
        taken: TakenAway::new(&process.configuration().written, &current.who, &current.access),
        by: text::long(&current.access.by),
        marks: current.marks,
        meant: &meant,
    };
    shell.page(StatusCode::OK, &view)
}

const fn may(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "may",
        Verdict::AfterStepUp => "may after a stronger sign-in",
        Verdict::Unknown => "may or may not: it hangs on what the record does not hold",
    }
}

/// What a form says.
struct Marked {
    meant: Meant,
    mark: Mark,
    rule: String,
    reason: Option<String>,
    shown: Option<u64>,
}

impl Marked {
    fn read(written: &[u8]) -> Result<Self, String> {
        let fields = Fields::read(written)?;
        let mark = fields.raw("mark").and_then(Mark::named);
        Ok(Self {
            meant: Meant::read(&fields)?,
            mark: mark.ok_or("Choose one: keep, revoke or ask.")?,
            rule: fields.text("rule")?.unwrap_or_default(),
            reason: fields.text("reason")?,
            shown: fields.raw("shown").and_then(|seconds| seconds.parse().ok()),
        })
    }

    /// For how long the page was looked at, by the word of the form.
    fn took(&self, now: Timestamp) -> Option<Duration> {
        let took = Duration::from_secs(now.seconds().checked_sub(self.shown?)?);
        (took <= LONGEST_LOOK).then_some(took)
    }
}

/// Keeps a mark.
pub(super) async fn act(visit: Visit<'_>, process: &Arc<dyn Process>, request: Request<RequestBody>) -> Page {
    let (head, body) = request.into_parts();
    let told = |message: Message| message.page(visit, SECTION);
    let form = match read_form(&head.headers, body, LARGEST).await {
        Ok(form) => form,
        Err(unread) => return told(Message::Unread(unread)),
    };
    let marked = match Marked::read(&form) {
        Ok(marked) => marked,
        Err(why) => return told(Message::Unclear(why)),
    };
    reading::record(visit, &**process, Reading::Review, "provider=x&subject=x&route=x");
    let current = match current(process, visit, &marked.meant).await {
        Ok(current) => current,
        Err(message) => return told(message),
    };
    // A mark is of what its reviewer has seen.
    if mutant!(marked.rule != current.access.rule(), "review-of-another-rule" => false) {
        return told(Message::Unclear(format!(
            "It is by another rule now than when you looked: {}. Look again.",
            text::long(&current.access.by)
        )));
    }
    keep(visit, &**process, &marked, &current.who);
    let shell = Shell::of(visit, SECTION);
    let taken = (marked.mark == Mark::Revoke)
        .then(|| TakenAway::new(&process.configuration().written, &current.who, &current.access));
    let view = DoneView {
        shell: &shell,
        user: text::short(&current.who.user),
        route: text::short(&marked.meant.route),
        mark: marked.mark,
        taken,
    };
    shell.page(StatusCode::OK, &view)
}

fn keep(visit: Visit<'_>, process: &dyn Process, marked: &Marked, who: &Who) {
    let (operator, caller) = caller(visit);
    let Meant { provider, subject, route } = &marked.meant;
    let reviewed = AccessReviewed {
        operator: &operator,
        id: Some(caller.id.as_str()),
        client: caller.client,
        provider,
        subject,
        user: &who.user,
        route,
        rule: Some(&marked.rule).filter(|rule| !rule.is_empty()).map(String::as_str),
        mark: marked.mark,
        reason: marked.reason.as_deref(),
        took: marked.took(process.now()),
    };
    process.operations().recorder.emit(&reviewed);
}

#[derive(Template)]
#[template(path = "console/review.html")]
struct AskView<'a> {
    shell: &'a Shell,
    meant: &'a Meant,
    user: String,
    /// The query of their page.
    person: String,
    may: &'static str,
    by: String,
    rule: String,
    /// When the page was made, in seconds since 1970.
    shown: u64,
    marks: Vec<MarkTold>,
    taken: TakenAway,
}

#[derive(Template)]
#[template(path = "console/reviewed.html")]
struct DoneView<'a> {
    shell: &'a Shell,
    user: String,
    route: String,
    mark: Mark,
    taken: Option<TakenAway>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_whose_access_to_what_and_what_shall_become_of_it() {
        let read = |more: &str| Marked::read(format!("provider=corp&subject=7&route=wiki{more}").as_bytes());
        let marked = read("&mark=revoke&reason=left&rule=x&shown=100").unwrap();
        assert_eq!((marked.mark, marked.reason.as_deref()), (Mark::Revoke, Some("left")));
        let took = |seconds| marked.took(Timestamp::from_seconds(seconds));
        assert_eq!(took(160), Some(Duration::from_secs(60)));
        // A clock that was set back, or a page of the day before, says nothing.
        assert_eq!((took(99), took(100 + 86_401)), (None, None));
        for wrong in ["", "&mark=", "&mark=burn", "&mark=keep&mark=keep", "&mark=keep&reason=a%0Ab"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(Marked::read(b"provider=corp&route=wiki&mark=keep").is_err());
    }
}
