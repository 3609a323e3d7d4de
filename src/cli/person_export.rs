//! Everything that the record has of somebody, for them: a folder with a page for people and a file for programs, or lines.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use super::given;
use super::run::fail;
use super::terminal::{print, visible};
use crate::events::{Field, Kind};
use crate::segments::{Event, Holding, Patience, Reader, Walked, moment};

/// Where it goes.
#[derive(Debug)]
pub(super) enum Destination<'a> {
    /// To standard output, a line of JSON for each event.
    Printed,
    /// Into this folder, which is new.
    Folder(&'a Path),
}

/// Writes it, and that it was written. Events are read and written one by one, however many there are.
pub(super) fn export(
    reader: &Reader,
    subject: &str,
    holding: &Holding,
    destination: &Destination<'_>,
) -> Result<(), ExitCode> {
    // First of all: whoever has got something in clear is on the list, whatever breaks off.
    let to = match destination {
        Destination::Printed => "standard output".to_owned(),
        Destination::Folder(folder) => given::whole(folder),
    };
    given::note(reader.folder(), "audit person --export", &to, Some(holding.person.pseudonym.to_string()));
    match destination {
        Destination::Printed => each(reader, holding, &mut io::stdout().lock()).map_err(|error| fail(&error)),
        Destination::Folder(folder) => {
            let told = write(reader, subject, holding, folder);
            told.map_err(|error| fail(&io::Error::other(format!("{}: {error}", folder.display()))))?;
            print(&visible(&format!("{}: {} events", folder.display(), holding.events)));
            print("\n");
            Ok(())
        }
    }
}

fn write(reader: &Reader, subject: &str, holding: &Holding, folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    fresh(&folder.join("README.txt"))?.write_all(readme(subject, holding).as_bytes())?;
    let mut events = BufWriter::new(fresh(&folder.join("events.jsonl"))?);
    each(reader, holding, &mut events)?;
    events.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn fresh(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes every event about them.
fn each(reader: &Reader, holding: &Holding, out: &mut dyn Write) -> io::Result<()> {
    let mut failed = None;
    let mut take = |event: Event| match writeln!(out, "{}", event.to_json()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    let walked = reader.each_about(holding.person.pseudonym, &Patience::endless(), &mut take);
    let Walked { damaged, .. } = walked.map_err(io::Error::other)?;
    if let Some(error) = failed {
        return Err(error);
    }
    out.flush()?;
    let Some(first) = damaged.first() else { return Ok(()) };
    Err(io::Error::other(format!(
        "not all of it: {} parts cannot be read, as {}",
        damaged.len(),
        first.reason
    )))
}

/// What stands beside the events, for whoever gets them.
fn readme(subject: &str, holding: &Holding) -> String {
    let user = holding.person.who.as_ref().map_or("", |who| who.user.as_str());
    let time = |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), moment);
    let personal = |row: &crate::events::FieldRow| if row.personal { " (personal)" } else { "" };
    let fields = Field::TABLE.iter().map(|row| format!("  {}{}: {}\n", row.name, personal(row), row.doc));
    let kinds = Kind::TABLE.iter().map(|row| format!("  {}: {}\n", row.word, row.doc));
    format!(
        "What the record of this gateway has of one person.\n\n\
         Provider: {}\nSubject: {}\nName: {}\nEvents: {}\nFirst: {}\nLast: {}\n\n\
         events.jsonl has one event a line, the oldest file of the record first. What was done again and again in one\n\
         way stands in one line, with `count` and `until`.\n\nTypes of events\n\n{}\nFields\n\n{}",
        visible(&holding.provider),
        visible(subject),
        visible(user),
        holding.events,
        time(holding.first),
        time(holding.last),
        kinds.collect::<String>(),
        fields.collect::<String>(),
    )
}
