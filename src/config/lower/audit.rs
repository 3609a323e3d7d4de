//! `[audit]` and `[[audit.sinks]]`.

mod personal;
mod store;

use std::sync::Arc;
use std::time::Duration;

use crate::events::Kind;
use crate::sinks::{
    FileSettings, LineFormat, OutputSettings, Rotation, Selection, SinkKind, SinkSettings, Stream,
};

use super::postgres::is_one_database;
use super::value::{DAY, MINUTE, is_name};
use super::{Lowering, StatePlaces};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{Audit, OneOrMany, Rotate, Sink, SinkFormatWord, SinkSchemaWord, SinkWord};
use crate::mapping::Schema;

const MIB: u64 = 1024 * 1024;

/// What events may hold in memory where nothing is said.
const MEMORY: u64 = 8 * MIB;

/// When a file goes on in a new one, and how many old ones are kept, where nothing is said.
const ROTATION: Rotation = Rotation { size: Some(100 * MIB), every: None, keep: Some(30), total: None };

impl Lowering<'_> {
    pub(super) fn record_memory(&mut self, at: Located<'_, Option<Audit>>) -> usize {
        let Some(at) = at.given() else { return usize::try_from(MEMORY).unwrap_or(usize::MAX) };
        let memory = self.size(at!(at.memory)).unwrap_or(MEMORY);
        if !(MIB..=1024 * MIB).contains(&memory) {
            self.fault(
                Diagnostic::new(at!(at.memory).place, "no room for events, or more than a gateway has")
                    .expected("expected from \"1MiB\" to \"1GiB\""),
            );
        }
        usize::try_from(memory).unwrap_or(usize::MAX)
    }

    /// What keeps events.
    pub(super) fn sinks(
        &mut self,
        at: Located<'_, Option<Audit>>,
        places: StatePlaces<'_>,
    ) -> Vec<SinkSettings> {
        let Some(at) = at.given() else { return Vec::new() };
        let written = at!(at.sinks).given().map(Located::elements).unwrap_or_default();
        let mut sinks: Vec<SinkSettings> = Vec::new();
        for at in written {
            let Some(sink) = self.sink(at, places) else { continue };
            self.apart(at, &sink, &sinks);
            sinks.push(sink);
        }
        sinks
    }

    fn sink(&mut self, at: Located<'_, Sink>, places: StatePlaces<'_>) -> Option<SinkSettings> {
        let (selection, name) = (self.selection(at), self.sink_name(at));
        self.only_where_it_means_something(at);
        let kind = match at.value.kind {
            SinkWord::File => self.file_sink(at).map(SinkKind::File),
            SinkWord::Store => self.store_sink(at).map(SinkKind::Store),
            SinkWord::Stdout => {
                let (stream, format) = (Stream::Stdout, self.line_format(at));
                Some(SinkKind::Output(OutputSettings { stream, format }))
            }
            SinkWord::Webhook | SinkWord::Syslog | SinkWord::Otlp | SinkWord::Postgres => {
                self.spooled_sink(at, name.as_deref()?, places).map(SinkKind::Spooled)
            }
        };
        let (required, personal) = (self.required(at, selection), personal::personal(at.value.personal));
        Some(SinkSettings { name: name?, kind: kind?, selection: selection?, required, personal })
    }

    /// Whether requests wait for it to have room. Nobody can be refused for what it would not have taken.
    fn required(&mut self, at: Located<'_, Sink>, selection: Option<Selection>) -> bool {
        let required = at.value.required.unwrap_or(false);
        let place = at!(at.required).place;
        if required && at.value.kind == SinkWord::Stdout {
            self.fault(
                Diagnostic::new(place, "`required` of standard output, which keeps nothing")
                    .expected("expected it of a sink that keeps events: \"file\", or one with a spool"),
            );
        }
        let requests = [Kind::AccessGranted, Kind::AccessRefused, Kind::AccessOpened];
        if required && selection.is_some_and(|all| requests.iter().any(|kind| !all.kinds().has(*kind))) {
            self.fault(
                Diagnostic::new(place, "`required`, and it does not take every request")
                    .expected("expected `access.*` among what it takes"),
            );
        }
        required
    }

    fn sink_name(&mut self, at: Located<'_, Sink>) -> Option<Arc<str>> {
        let Some(name) = at!(at.name).given() else { return Some(at.value.kind.as_str().into()) };
        if !is_name(name.value) || ["log", "tail"].contains(&name.value.as_str()) {
            let expected =
                "expected letters, digits, `-` and `_`, at most 64, and neither \"log\" nor \"tail\"";
            let what = format!("{} is no name for a sink", quoted(name.value));
            self.fault(Diagnostic::new(name.place, what).expected(expected));
            return None;
        }
        Some(name.value.as_str().into())
    }

    fn file_sink(&mut self, at: Located<'_, Sink>) -> Option<FileSettings> {
        let mode = self.mode(at!(at.mode));
        let rotation = at!(at.rotate).given().map_or(ROTATION, |at| self.rotation_of_file(at));
        let Some(path) = at!(at.path).given() else {
            self.fault(
                Diagnostic::new(at.place, "a sink of the kind \"file\" without its file")
                    .expected("expected `path = \"/var/log/portcullis/events.jsonl\"` or the like"),
            );
            return None;
        };
        let format = self.line_format(at);
        let path = self.path(path.value);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.sources.is_folder(folder)) {
            let what = "the folder of the file is not there";
            self.fault(Diagnostic::new(at!(at.path).place, what).expected("expected a folder that exists"));
        }
        Some(FileSettings { path, mode: mode?, rotation, format, chain: self.is_chained(at, format) })
    }

    /// How a line looks. Others' words are words of JSON.
    fn line_format(&mut self, at: Located<'_, Sink>) -> LineFormat {
        let Some(schema) = at.value.schema else { return format(at.value.format) };
        if !matches!(at.value.format, None | Some(SinkFormatWord::Json)) {
            let what = "`schema` of lines that are no JSON";
            let expected = "expected `format = \"json\"`, or no `schema`";
            self.fault(Diagnostic::new(at!(at.schema).place, what).expected(expected));
        }
        LineFormat::Mapped(self::schema(schema))
    }

    fn mode(&mut self, at: Located<'_, Option<String>>) -> Option<u32> {
        let Some(at) = at.given() else { return Some(0o600) };
        let mode =
            u32::from_str_radix(at.value, 8).ok().filter(|mode| mode & !0o666 == 0 && mode & 0o600 == 0o600);
        let mode = mode.ok_or_else(|| {
            Diagnostic::new(at.place, "not the mode of a file").expected(
                "expected octal digits such as \"0600\" or \"0640\": the gateway reads and writes it",
            )
        });
        self.keep(mode)
    }

    fn rotation_of_file(&mut self, at: Located<'_, Rotate>) -> Rotation {
        let size = self.size(at!(at.size)).or(ROTATION.size);
        let every = at!(at.every).given().map(|_| {
            let range = Duration::from_secs(MINUTE)..=Duration::from_secs(366 * DAY);
            self.span(at!(at.every), Duration::from_secs(DAY), range)
        });
        Rotation { size, every, keep: at.value.keep.or(ROTATION.keep), total: self.size(at!(at.total)) }
    }

    fn selection(&mut self, at: Located<'_, Sink>) -> Option<Selection> {
        let (only, except) = (at!(at.only), at!(at.except));
        match (at.value.only.is_some(), at.value.except.is_some()) {
            (true, true) => {
                self.fault(
                    Diagnostic::new(except.place, "both `only` and `except`")
                        .expected("expected one of the two"),
                );
                None
            }
            (true, false) => {
                self.selected(only, Selection::only(only.all().iter().map(|at| at.value.as_str())))
            }
            (false, true) => {
                self.selected(except, Selection::except(except.all().iter().map(|at| at.value.as_str())))
            }
            (false, false) => Some(Selection::ALL),
        }
    }

    fn selected(
        &mut self,
        at: Located<'_, Option<OneOrMany<String>>>,
        selection: Result<Selection, crate::sinks::PatternError>,
    ) -> Option<Selection> {
        let selection = selection.map_err(|error| {
            Diagnostic::new(at.place, error.to_string()).expected(
                "expected types of events such as \"sign-in.*\" or \"access.refused\" (docs/events.md)",
            )
        });
        self.keep(selection)
    }

    /// No two sinks have one name or write to one place.
    fn apart(&mut self, at: Located<'_, Sink>, sink: &SinkSettings, others: &[SinkSettings]) {
        if others.iter().any(|other| other.name == sink.name) {
            let what = format!("two sinks are called {}", quoted(&sink.name));
            self.fault(Diagnostic::new(at.place, what).expected("expected a `name` of its own for each"));
        }
        if others.iter().any(|other| is_in_the_way(&other.kind, &sink.kind)) {
            self.fault(
                Diagnostic::new(at.place, "two sinks write to one place").expected("expected one of the two"),
            );
        }
    }
}

/// Whether both write to one place, or one of them into the other's folder.
fn is_in_the_way(one: &SinkKind, other: &SinkKind) -> bool {
    let folder = |kind: &SinkKind| match kind {
        SinkKind::Spooled(spooled) => Some(spooled.spool.folder.clone()),
        SinkKind::Store(store) => Some(store.path.clone()),
        SinkKind::File(_) | SinkKind::Output(_) => None,
    };
    let path = |kind: &SinkKind| match kind {
        SinkKind::Spooled(spooled) => Some(spooled.spool.folder.clone()),
        SinkKind::File(file) => Some(file.path.clone()),
        SinkKind::Store(store) => Some(store.path.clone()),
        SinkKind::Output(_) => None,
    };
    let is_within = |inner: &SinkKind, outer: &SinkKind| {
        path(inner).zip(folder(outer)).is_some_and(|(path, folder)| path.starts_with(folder))
    };
    one.is_same_place(other) || is_one_database(one, other) || is_within(one, other) || is_within(other, one)
}

pub(super) const fn schema(word: SinkSchemaWord) -> Schema {
    match word {
        SinkSchemaWord::Ocsf => Schema::Ocsf,
        SinkSchemaWord::Ecs => Schema::Ecs,
    }
}

const fn format(word: Option<SinkFormatWord>) -> LineFormat {
    match word {
        None | Some(SinkFormatWord::Json) => LineFormat::Json,
        Some(SinkFormatWord::Human) => LineFormat::Human,
        Some(SinkFormatWord::Common) => LineFormat::Common,
        Some(SinkFormatWord::Combined) => LineFormat::Combined,
    }
}
