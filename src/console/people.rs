//! Whom the record knows, and one of them.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use http::StatusCode;
use url::form_urlencoded;

use super::answer::Visit;
use super::chart::Bars;
use super::counts::Counting;
use super::event_row::{EventRow, Row, Source};
use super::fields::Fields;
use super::filter::Filter as SessionFilter;
use super::message::Message;
use super::moment::Moment;
use super::overview::Shares;
use super::place::Section;
use super::process::{Counted, Process};
use super::range::{Range, Span};
use super::reading::{self, Reading};
use super::record::{self, Unanswered};
use super::sessions;
use super::shell::Shell;
use super::terms::Terms;
use super::text;
use crate::clock::Timestamp;
use crate::endpoints::EndpointError;
use crate::events::{Field, Seen};
use crate::pages::Page;
use crate::segments::{AskError, Patience, Person, Question, Reader, Summary};

/// People of a page, events of a person, sign-ins and apps that are shown (invariant 14).
const PEOPLE: usize = 100;
const EVENTS: usize = 25;
const MOST: usize = 50;

const PATIENCE: Duration = Duration::from_secs(2);

/// The list.
pub(super) async fn page(visit: Visit<'_>, process: &Arc<dyn Process>, query: &str) -> Page {
    let section = Some(Section::People);
    let name = match Fields::read(query.as_bytes()).and_then(|fields| fields.text("name")) {
        Ok(name) => name.unwrap_or_default(),
        Err(why) => return Message::Unclear(why).page(visit, section),
    };
    reading::record(visit, &**process, Reading::People, query);
    let wanted = name.to_lowercase();
    let found = match record::ask(process, PATIENCE, move |reader, patience| found(reader, patience, &wanted))
        .await
    {
        Ok(found) => found,
        Err(why) => return Message::from(why).page(visit, section),
    };
    let (shell, now) = (Shell::of(visit, section), process.now());
    let more = found.len() > PEOPLE;
    let rows = found.iter().take(PEOPLE).map(|person| PersonRow::of(person, now)).collect();
    shell.page(StatusCode::OK, &PeopleView { shell: &shell, name, rows, more })
}

/// Everybody whose name or subject holds the text, whoever was seen last first; one more than are shown.
fn found(reader: &Reader, patience: &Patience, wanted: &str) -> Result<Vec<Person>, AskError> {
    let mut found = Vec::new();
    reader.people(patience, &mut |person| {
        let is = |text: &str| text.to_lowercase().contains(wanted);
        if wanted.is_empty() || person.who.as_ref().is_some_and(|who| is(&who.user) || is(&who.subject)) {
            found.push(person);
        }
        if found.len() > PEOPLE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// What is said of somebody in a list.
struct PersonRow {
    /// The query of their page; none: they have been erased.
    link: Option<String>,
    user: String,
    subject: String,
    provider: String,
    first: Moment,
    last: Moment,
}

fn of_micros(micros: u64, now: Timestamp) -> Moment {
    Moment::new(Timestamp::from_seconds(micros / 1_000_000), now)
}

/// The query of somebody's page.
pub(super) fn link(provider: &str, subject: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("provider", provider).append_pair("subject", subject).finish()
}

impl PersonRow {
    fn of(person: &Person, now: Timestamp) -> Self {
        let who = person.who.as_ref();
        let said = |text: Option<&String>| text.map_or_else(String::new, |text| text::short(text));
        Self {
            link: who.map(|who| link(&who.provider, &who.subject)),
            user: who.map_or_else(|| "erased".to_owned(), |who| text::short(&who.user)),
            subject: said(who.map(|who| &who.subject)),
            provider: said(who.map(|who| &who.provider)),
            first: of_micros(person.first_seen, now),
            last: of_micros(person.last_seen, now),
        }
    }
}

#[derive(Template)]
#[template(path = "console/people.html")]
struct PeopleView<'a> {
    shell: &'a Shell,
    name: String,
    rows: Vec<PersonRow>,
    more: bool,
}

/// What the record says of one of them.
#[derive(Default)]
struct Story {
    person: Option<Person>,
    apps: BTreeMap<String, (Counted, u64)>,
    chart: Option<Bars>,
    rows: Vec<EventRow>,
    devices: Vec<(String, String)>,
}

/// One of them.
pub(super) async fn person(
    visit: Visit<'_>,
    process: &Arc<dyn Process>,
    query: &str,
) -> Result<Page, EndpointError> {
    let section = Some(Section::People);
    let told = |message: Message| Ok(message.page(visit, section));
    let read = Fields::read(query.as_bytes())
        .and_then(|fields| Ok((fields.text("provider")?, fields.text("subject")?)));
    let (provider, subject) = match read {
        Ok((Some(provider), Some(subject))) => (provider, subject),
        Ok(_) => return told(Message::Unclear("Say whom: by “provider” and “subject”.".into())),
        Err(why) => return told(Message::Unclear(why)),
    };
    reading::record(visit, &**process, Reading::Person, query);
    let now = process.now();
    let shell = Shell::of(visit, section);
    let terms = format!("user={}&provider={}", encoded(&subject), encoded(&provider));
    let terms = Terms::read(&terms).unwrap_or_default();
    let asked = (provider.clone(), subject.clone(), terms.clone(), format!("{}/events", shell.mount));
    let answer =
        record::ask(process, PATIENCE, move |reader, patience| told_of(reader, patience, &asked, now)).await;
    let (story, unread) = match answer {
        Ok(story) => (story, None),
        Err(Unanswered::NoStore) => {
            (Story::default(), Some("No sink of this gateway is a store that can be asked.".to_owned()))
        }
        Err(Unanswered::NotRead(why)) => (Story::default(), Some(why)),
    };
    let filter = SessionFilter {
        provider: Some(provider.clone()),
        subject: Some(subject.clone()),
        ..SessionFilter::default()
    };
    let sign_ins = match filter.wanted(&process.providers()) {
        Ok(wanted) => sessions::list(process.sessions(), &wanted, None).await?.0,
        // A provider that the configuration no longer has.
        Err(_) => Vec::new(),
    };
    let sign_ins: Vec<_> =
        sign_ins.iter().take(MOST).map(|found| sessions::Row::new(found, visit.person, now)).collect();
    let who = story.person.as_ref().and_then(|person| person.who.as_ref());
    let user = who.map(|who| text::short(&who.user)).or_else(|| sign_ins.first().map(|row| row.user.clone()));
    let base = format!("{}/events", shell.mount);
    let view = PersonView {
        shell: &shell,
        user: user.unwrap_or_else(|| text::short(&subject)),
        provider: text::short(&provider),
        subject: text::short(&subject),
        seen: story
            .person
            .as_ref()
            .map(|person| (of_micros(person.first_seen, now), of_micros(person.last_seen, now))),
        apps: apps(&story.apps, now),
        chart: story.chart,
        events: format!("{base}?span=month&{}", terms.query()),
        rows: story
            .rows
            .into_iter()
            .map(|row| Row::new(&shell, Source::Record, &base, String::new(), &terms, row))
            .collect(),
        devices: story.devices,
        end: filter.query().finish(),
        sign_ins,
        unread,
    };
    Ok(shell.page(StatusCode::OK, &view))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

type Whom = (String, String, Terms, String);

fn told_of(
    reader: &Reader,
    patience: &Patience,
    (provider, subject, terms, base): &Whom,
    now: Timestamp,
) -> Result<Story, AskError> {
    let mut story = Story::default();
    reader.people(patience, &mut |person| {
        let is = person.who.as_ref().is_some_and(|who| who.provider == *provider && who.subject == *subject);
        if is {
            story.person = Some(person);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    let range = Range::last(Span::Month);
    let (since, until) = range.micros(now);
    if let Some(pseudonym) = story.person.as_ref().map(|person| person.pseudonym) {
        let apps = &mut story.apps;
        reader.summaries(since..until, patience, &mut |summary: Summary| {
            if summary.person == Some(pseudonym)
                && let (Some(route), Some(outcome)) = (&summary.route, summary.outcome)
            {
                let (counted, last) = apps.entry(route.to_string()).or_default();
                counted.counts[outcome as usize] += summary.count;
                *last = summary.hour.max(*last);
            }
        })?;
    }
    let filter = super::events::filter(terms).unwrap_or_default().since(since).until(until);
    let counting = Counting { filter: &filter, terms, range, now };
    story.chart =
        counting.chart(reader, patience, |closer| format!("{base}?{}{}", closer.query(), terms.query()))?;
    let page =
        reader.page(Question { filter: &filter, behind: None, limit: EVENTS, personal: true }, patience)?;
    let mut devices = HashMap::new();
    for event in &page.events {
        let json = event.to_json();
        let Ok(seen) = Seen::read(json.as_bytes()) else { continue };
        story.rows.push(EventRow::of(&seen));
        if let (Some(device), Some(client)) = (seen.text(Field::Device), seen.text(Field::Client)) {
            *devices.entry((text::short(device), text::short(client))).or_insert(0_u32) += 1;
        }
    }
    story.devices = devices.into_keys().collect();
    story.devices.sort_unstable();
    Ok(story)
}

/// What somebody has used, the most used first.
fn apps(used: &BTreeMap<String, (Counted, u64)>, now: Timestamp) -> Vec<Used> {
    let row = |(route, (counted, last)): (&String, &(Counted, u64))| Used {
        name: text::short(route),
        link: None,
        shares: Shares::of(counted, 0),
        last: of_micros(*last, now),
    };
    let mut rows: Vec<_> = used.iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.shares.total()));
    rows.truncate(MOST);
    rows
}

/// How somebody or something was used.
pub(super) struct Used {
    pub(super) name: String,
    /// The query of a person's page.
    pub(super) link: Option<String>,
    pub(super) shares: Shares,
    pub(super) last: Moment,
}

#[derive(Template)]
#[template(path = "console/person.html")]
struct PersonView<'a> {
    shell: &'a Shell,
    user: String,
    provider: String,
    subject: String,
    /// When they were seen first and last.
    seen: Option<(Moment, Moment)>,
    apps: Vec<Used>,
    chart: Option<Bars>,
    /// Where all their events are.
    events: String,
    rows: Vec<Row<'a>>,
    devices: Vec<(String, String)>,
    sign_ins: Vec<sessions::Row>,
    /// The query of the page that ends all their sign-ins.
    end: String,
    unread: Option<String>,
}

/// Who uses an app.
pub(super) async fn users(visit: Visit<'_>, process: &Arc<dyn Process>, query: &str) -> Page {
    let section = Some(Section::Apps);
    let route = match Fields::read(query.as_bytes()).and_then(|fields| fields.text("route")) {
        Ok(Some(route)) => route,
        Ok(None) => return Message::Unclear("Say which app: by “route”.".into()).page(visit, section),
        Err(why) => return Message::Unclear(why).page(visit, section),
    };
    reading::record(visit, &**process, Reading::Use, query);
    let now = process.now();
    let shell = Shell::of(visit, section);
    let terms = Terms::read(&format!("route={}", encoded(&route))).unwrap_or_default();
    let (asked, base) = ((route.clone(), terms.clone()), format!("{}/events", shell.mount));
    let (shown, at) = (terms.clone(), base.clone());
    let answer =
        record::ask(process, PATIENCE, move |reader, patience| used_by(reader, patience, &asked, &at, now))
            .await;
    let (users, chart) = match answer {
        Ok(answer) => answer,
        Err(why) => return Message::from(why).page(visit, section),
    };
    let known = process.apps().iter().any(|app| *app.name == route);
    let view = UsersView {
        shell: &shell,
        route: text::short(&route),
        known,
        hidden: users.len().saturating_sub(PEOPLE),
        users: users.into_iter().take(PEOPLE).collect(),
        chart,
        events: format!("{base}?span=month&{}", shown.query()),
    };
    shell.page(StatusCode::OK, &view)
}

fn used_by(
    reader: &Reader,
    patience: &Patience,
    (route, terms): &(String, Terms),
    base: &str,
    now: Timestamp,
) -> Result<(Vec<Used>, Option<Bars>), AskError> {
    let range = Range::last(Span::Month);
    let (since, until) = range.micros(now);
    let mut used: HashMap<_, (Counted, u64)> = HashMap::new();
    reader.summaries(since..until, patience, &mut |summary: Summary| {
        if summary.route.as_deref() == Some(route.as_str())
            && let Some(outcome) = summary.outcome
        {
            let (counted, last) = used.entry(summary.person).or_default();
            counted.counts[outcome as usize] += summary.count;
            *last = summary.hour.max(*last);
        }
    })?;
    let mut names = HashMap::new();
    reader.people(patience, &mut |person| {
        if used.contains_key(&Some(person.pseudonym))
            && let Some(who) = person.who
        {
            names.insert(person.pseudonym, who);
        }
        ControlFlow::Continue(())
    })?;
    let mut rows: Vec<_> = used
        .iter()
        .map(|(person, (counted, last))| {
            let who = person.and_then(|pseudonym| names.get(&pseudonym));
            let name = match (person, who) {
                (None, _) => "nobody who is known".to_owned(),
                (Some(_), Some(who)) => text::short(&who.user),
                (Some(_), None) => "erased".to_owned(),
            };
            let link = who.map(|who| link(&who.provider, &who.subject));
            Used { name, link, shares: Shares::of(counted, 0), last: of_micros(*last, now) }
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.shares.total()));
    let filter = super::events::filter(terms).unwrap_or_default().since(since).until(until);
    let counting = Counting { filter: &filter, terms, range, now };
    let chart =
        counting.chart(reader, patience, |closer| format!("{base}?{}{}", closer.query(), terms.query()))?;
    Ok((rows, chart))
}

#[derive(Template)]
#[template(path = "console/users.html")]
struct UsersView<'a> {
    shell: &'a Shell,
    route: String,
    /// Whether the configuration has it.
    known: bool,
    users: Vec<Used>,
    hidden: usize,
    chart: Option<Bars>,
    events: String,
}
