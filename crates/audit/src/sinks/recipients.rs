//! Who has got what is personal in clear, from when to when: sinks, and parts of the record that somebody had written
//! elsewhere. It is a file of lines beside the store, which only grows, so that it tells of sinks too that are no more.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portcullis_events::{Field, Kind};
use serde::{Deserialize, Serialize};

use super::delivery::FarSettings;
use super::otlp::ExportSettings;
use super::personal::Personal;
use super::settings::{LineFormat, Selection, Settings, SinkKind, SinkSettings, Stream};
use super::syslog::SyslogAddress;

/// Bytes that are read of the file: more than a hundred thousand changes.
const LARGEST: u64 = 64 << 20;
/// Bytes of a line that is read.
const LONGEST_LINE: u64 = 64 * 1024;

/// Somebody who has got what is personal in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// What it is called: a sink's name, or the command that wrote it.
    pub name: String,
    /// What it is: the kind of a sink, `log` or `export`.
    pub kind: String,
    /// Where it went.
    pub to: String,
    /// The fields that it got in clear.
    pub fields: Vec<String>,
    /// The types of events that it got; none: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Whom alone it is about, by what stands for them in the store; none: anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// From when to when somebody has got it, in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who.
    pub recipient: Recipient,
    /// From when on.
    pub since: u64,
    /// Up to when; none: it still does.
    pub until: Option<u64>,
}

impl Received {
    /// Whether it may have got something of these times about this person.
    #[must_use]
    pub fn concerns(&self, person: &str, first: u64) -> bool {
        let of_them = self.recipient.person.as_deref().is_none_or(|only| only == person);
        of_them && self.until.is_none_or(|until| until >= first)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Begins,
    Ends,
    Got,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    v: u8,
    what: What,
    time: u64,
    #[serde(flatten)]
    recipient: Recipient,
}

/// The file of a store.
#[derive(Clone, Debug)]
pub struct Recipients(PathBuf);

impl Recipients {
    /// That of the store in a folder; it lies beside it.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push("-recipients");
        Self(name.into())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Says who gets what from now on: sinks, and the collector of traces, where there is one.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn in_force(&self, settings: &Settings, traces: Option<&ExportSettings>, now: u64) -> io::Result<()> {
        let file = self.open()?;
        let before: Vec<_> = received(&file)?.into_iter().filter(|it| it.until.is_none()).collect();
        let after: Vec<_> = recipients(settings).into_iter().chain(traces.map(collector)).collect();
        let gone = before.iter().map(|it| &it.recipient).filter(|it| !after.contains(it));
        let gone: Vec<_> = gone.map(|it| line(What::Ends, now, it)).collect();
        let fresh = after.iter().filter(|it| !before.iter().any(|known| known.recipient == **it));
        let fresh = fresh.map(|it| line(What::Begins, now, it));
        append(&file, &gone.into_iter().chain(fresh).collect::<String>())
    }

    /// Says that a part of the record was written elsewhere.
    ///
    /// # Errors
    /// As [`Recipients::in_force`].
    pub fn got(&self, recipient: &Recipient, now: u64) -> io::Result<()> {
        append(&self.open()?, &line(What::Got, now, recipient))
    }

    /// Everybody, the first one first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn all(&self) -> io::Result<Vec<Received>> {
        match File::open(&self.0) {
            Ok(file) => received(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The file, which nobody else writes as long as it is open.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(&self.0)?;
        file.lock()?;
        Ok(file)
    }
}

/// The fields that tell of people: what an export has of them.
#[must_use]
pub fn personal_fields() -> Vec<String> {
    let fields = Field::TABLE.iter().filter(|row| row.personal);
    fields.map(|row| row.name.to_owned()).collect()
}

fn line(what: What, time: u64, recipient: &Recipient) -> String {
    let line = Line { v: 1, what, time, recipient: recipient.clone() };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

/// A last line that broke off before is ended first: it says nothing, and hides nothing.
fn append(mut file: &File, lines: &str) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(io::SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    let end = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{end}{lines}").as_bytes())?;
    file.sync_all()
}

/// What the lines say; one that cannot be read says nothing.
fn received(mut file: &File) -> io::Result<Vec<Received>> {
    file.seek(io::SeekFrom::Start(0))?;
    let mut lines = BufReader::new(file.take(LARGEST));
    let (mut all, mut open) = (Vec::<Received>::new(), BTreeMap::<(String, String), usize>::new());
    let mut text = Vec::new();
    while {
        text.clear();
        (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut text)? > 0
    } {
        let Ok(Line { what, time, recipient, .. }) = serde_json::from_slice(&text) else { continue };
        // A sink can be called as something else is that is no sink.
        let of = (recipient.kind.clone(), recipient.name.clone());
        match what {
            What::Begins => {
                let before = open.insert(of, all.len());
                end(&mut all, before, time);
                all.push(Received { recipient, since: time, until: None });
            }
            What::Ends => end(&mut all, open.remove(&of), time),
            What::Got => all.push(Received { recipient, since: time, until: Some(time) }),
        }
    }
    Ok(all)
}

fn end(all: &mut [Received], at: Option<usize>, time: u64) {
    if let Some(ended) = at.and_then(|at| all.get_mut(at)) {
        ended.until = Some(time);
    }
}

/// Who gets what is personal in clear by these settings. The store is none of them: it seals it.
fn recipients(settings: &Settings) -> Vec<Recipient> {
    let log = (settings.log != Selection::NONE).then(|| Recipient {
        name: "log".into(),
        kind: "log".into(),
        to: "standard error".into(),
        fields: personal_fields(),
        events: events(settings.log),
        person: None,
    });
    log.into_iter().chain(settings.sinks.iter().filter_map(recipient)).collect()
}

/// What spans of requests tell.
fn collector(traces: &ExportSettings) -> Recipient {
    let fields = [Field::Client, Field::Path].map(|field| field.row().name.to_owned());
    let to = without_query(&traces.collector.url);
    let (name, kind) = ("telemetry".into(), "traces".into());
    Recipient { name, kind, to, fields: fields.into(), events: Vec::new(), person: None }
}

fn recipient(sink: &SinkSettings) -> Option<Recipient> {
    let (kind, to) = place(&sink.kind)?;
    let fields = fields(sink);
    (!fields.is_empty()).then(|| Recipient {
        name: sink.name.to_string(),
        kind: kind.to_owned(),
        to,
        fields,
        events: events(sink.selection),
        person: None,
    })
}

fn place(kind: &SinkKind) -> Option<(&'static str, String)> {
    Some(match kind {
        SinkKind::Store(_) => return None,
        SinkKind::File(file) => ("file", file.path.display().to_string()),
        SinkKind::Output(output) => match output.stream {
            Stream::Stdout => ("stdout", "standard output".into()),
            Stream::Stderr => ("stderr", "standard error".into()),
        },
        SinkKind::Spooled(spooled) => match &spooled.far {
            FarSettings::Webhook(webhook) => ("webhook", without_query(&webhook.url)),
            FarSettings::Otlp(otlp) => ("otlp", without_query(&otlp.url)),
            FarSettings::Postgres(postgres) => ("postgres", postgres.server.to_string()),
            FarSettings::Syslog(syslog) => (
                "syslog",
                match &syslog.address {
                    SyslogAddress::Tls(host, port) => format!("tls://{host}:{port}"),
                    SyslogAddress::Tcp(host, port) => format!("tcp://{host}:{port}"),
                    SyslogAddress::Unix(path) => format!("unix:{}", path.display()),
                },
            ),
        },
    })
}

/// What stands in a query may be a secret.
fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The fields that a sink gets in clear.
fn fields(sink: &SinkSettings) -> Vec<String> {
    if sink.personal != Personal::Clear {
        return Vec::new();
    }
    let of_requests = [Field::Client, Field::User, Field::Path].map(|field| field.row().name.to_owned());
    match sink.kind.format() {
        LineFormat::Common => of_requests.into(),
        LineFormat::Combined => of_requests.into_iter().chain([Field::Agent.row().name.to_owned()]).collect(),
        LineFormat::Json | LineFormat::Human | LineFormat::Mapped(_) => personal_fields(),
    }
}

fn events(selection: Selection) -> Vec<String> {
    let chosen = Kind::TABLE.iter().filter(|row| selection.kinds().has(row.kind));
    let all = selection == Selection::ALL;
    if all { Vec::new() } else { chosen.map(|row| row.word.to_owned()).collect() }
}
