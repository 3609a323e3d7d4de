//! `portcullis events`: what has happened, as the store of events tells it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::event_table::{Columns, csv_heading, csv_row};
use super::management::tell_of_reading;
use super::run::fail;
use super::terminal::{Paint, complain, complain_of, print};
use super::{store, terminal};
use crate::clock::Clock;
use crate::segments::{Cursor, Damaged, Event, Filter, LARGEST, Mark, Page, Patience, Question, Reader};

/// How often new events are looked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct EventsArguments {
    #[command(flatten)]
    which: FilterArguments,
    /// At most so many, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Go on with what happens from now on; requests of a session are told together, once there are no more for a while
    #[arg(long)]
    follow: bool,
    /// The configuration file, which names the store
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The folder of the store, in place of the configuration's
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
}

/// Which events; where several options are given, all of them must hold; of one that is given several times, one.
#[derive(Debug, Args)]
struct FilterArguments {
    /// From then on: a time, or how long ago (1h, 7days)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of this type, such as sign-in.failed or access.*
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// That ended so: allowed, forbidden, …; or granted, refused, failed
    #[arg(long, value_name = "OUTCOME")]
    outcome: Vec<String>,
    /// About this user, by name or subject
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// At this provider of the configuration
    #[arg(long, value_name = "NAME")]
    provider: Vec<String>,
    /// On this route: its name, or host and path
    #[arg(long, value_name = "ROUTE")]
    route: Vec<String>,
    /// From this address, or this network (192.0.2.0/24)
    #[arg(long, value_name = "ADDRESS")]
    client: Option<String>,
    /// Of the request with this id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Of this session, by its sixteen digits
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// With this status, such as 404 or 4xx
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For eyes
    Table,
    /// An object of JSON a line, with all that is told
    Json,
    /// For spreadsheets
    Csv,
}

impl FilterArguments {
    /// The names by which events are chosen.
    fn asked_by(&self) -> Vec<&'static str> {
        let given = [
            ("type", !self.kind.is_empty()),
            ("outcome", !self.outcome.is_empty()),
            ("user", !self.user.is_empty()),
            ("provider", !self.provider.is_empty()),
            ("route", !self.route.is_empty()),
            ("client", self.client.is_some()),
            ("id", self.id.is_some()),
            ("session", self.session.is_some()),
            ("status", self.status.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }

    fn filter(&self) -> Result<Filter, ExitCode> {
        let Self { since, until, kind, outcome, user, provider, route, client, id, session, status } = self;
        let once = [
            ("since", since),
            ("until", until),
            ("client", client),
            ("id", id),
            ("session", session),
            ("status", status),
        ];
        let often =
            [("type", kind), ("outcome", outcome), ("user", user), ("provider", provider), ("route", route)];
        let once = once.into_iter().flat_map(|(name, value)| value.iter().map(move |value| (name, value)));
        let often =
            often.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let (mut filter, now) = (Filter::default(), Clock::system().moment());
        for (name, value) in once.chain(often) {
            filter.set(name, value, now).map_err(|error| fail(&error))?;
        }
        Ok(filter)
    }
}

/// Runs the command.
pub(super) fn events(arguments: &EventsArguments) -> ExitCode {
    let done = reader(arguments).and_then(|reader| show(arguments, &reader));
    done.map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

fn reader(arguments: &EventsArguments) -> Result<Reader, ExitCode> {
    let folder = match &arguments.store {
        Some(folder) => folder.clone(),
        None => {
            let settings = store::loaded(&arguments.config)?;
            tell_of_reading(&settings, "events", &arguments.which.asked_by());
            store::folder(&settings)?
        }
    };
    store::reader(&folder)
}

fn show(arguments: &EventsArguments, reader: &Reader) -> Result<(), ExitCode> {
    let filter = arguments.which.filter()?;
    let (mut printer, mut mark) = (Printer::new(arguments.format), Mark::default());
    if arguments.follow {
        // What comes after this is news, whether or not it is among the events before.
        news(reader, &filter, &mut mark, &mut |_| ())?;
        let mut before = Vec::new();
        pages(reader, &filter, arguments.limit, &mut |page| before.extend(page))?;
        before.reverse();
        printer.print(&before);
        return follow(reader, &filter, &mut mark, &before, &mut printer);
    }
    let found = pages(reader, &filter, arguments.limit, &mut |page| printer.print(&page))?;
    if found == 0 && arguments.format == Format::Table {
        complain("nothing has happened that this is about\n");
    }
    Ok(())
}

/// Prints page after page, up to so many events; gives how many there were.
fn pages(
    reader: &Reader,
    filter: &Filter,
    limit: u32,
    take: &mut dyn FnMut(Vec<Event>),
) -> Result<usize, ExitCode> {
    let (limit, mut found, mut behind) = (usize::try_from(limit).unwrap_or(usize::MAX), 0, None::<Cursor>);
    loop {
        let question =
            Question { filter, behind: behind.as_ref(), limit: LARGEST.min(limit - found), personal: true };
        let Page { events, next, damaged, .. } =
            reader.page(question, &Patience::endless()).map_err(|error| fail(&error))?;
        if behind.is_none() {
            complain_of_damage(&damaged);
        }
        found += events.len();
        take(events);
        behind = next;
        if behind.is_none() || found >= limit {
            return Ok(found);
        }
    }
}

fn complain_of_damage(damaged: &[Damaged]) {
    for Damaged { reason, .. } in damaged {
        complain_of(&format!("a part of the store cannot be read: {}", terminal::visible(reason)), None);
    }
}

fn news(
    reader: &Reader,
    filter: &Filter,
    mark: &mut Mark,
    take: &mut dyn FnMut(Event),
) -> Result<(), ExitCode> {
    let mut all = |event| {
        take(event);
        ControlFlow::Continue(())
    };
    let walked = reader.news(filter, mark, true, &Patience::endless(), &mut all);
    walked.map(drop).map_err(|error| fail(&error))
}

/// Prints what happens, until somebody ends it.
fn follow(
    reader: &Reader,
    filter: &Filter,
    mark: &mut Mark,
    before: &[Event],
    printer: &mut Printer,
) -> Result<(), ExitCode> {
    let known: Vec<_> = before.iter().filter(|event| !event.goes_on).map(|event| event.id.clone()).collect();
    loop {
        let mut fresh = Vec::new();
        news(reader, filter, mark, &mut |event| {
            if !known.contains(&event.id) {
                fresh.push(event);
            }
        })?;
        printer.print(&fresh);
        std::thread::park_timeout(LOOK);
    }
}

struct Printer {
    format: Format,
    columns: Option<Columns>,
}

impl Printer {
    const fn new(format: Format) -> Self {
        Self { format, columns: None }
    }

    fn print(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut text = String::new();
        match self.format {
            Format::Table => self.table(events, &mut text),
            Format::Json => events.iter().for_each(|event| {
                text.push_str(&event.to_json());
                text.push('\n');
            }),
            Format::Csv => {
                if self.columns.is_none() {
                    csv_heading(&mut text);
                    self.columns = Some(Columns::default());
                }
                events.iter().for_each(|event| csv_row(event, &mut text));
            }
        }
        print(&text);
    }

    fn table(&mut self, events: &[Event], text: &mut String) {
        let rows: Vec<_> = events.iter().map(Columns::row).collect();
        let is_first = self.columns.is_none();
        let columns = self.columns.get_or_insert_default();
        columns.widen(&rows);
        if is_first {
            text.push_str(&Paint::of_output().faint(&columns.heading()));
            text.push('\n');
        }
        rows.iter().for_each(|row| {
            text.push_str(&columns.line(row));
            text.push('\n');
        });
    }
}
