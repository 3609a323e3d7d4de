//! One suite that every sink passes whose far end may be away: whatever becomes of the far end, nothing is lost within the
//! bound, order is kept, nothing comes twice where that can be known, and trouble is told.

use std::collections::BTreeSet;

use portcullis_events::{Field, Kind, Seen};
use tempfile::TempDir;

use super::far_ends::{self, FarEnd, Mood};
use super::*;
use crate::sinks::testing::TestPostgres;

/// Bytes that wait at most.
const SIZE: u64 = 1 << 20;
/// What makes an event large.
const LONG: usize = 1900;

/// A far end, how it is reached, and whether it says what it has.
struct Subject {
    name: &'static str,
    far: FarEnd,
    settings: FarSettings,
    tells: bool,
}

fn subjects() -> Vec<Subject> {
    let hook = FarEnd::start(far_ends::webhook, None);
    let url = format!("http://{}/events", hook.address);
    let plain = FarEnd::start(far_ends::syslog, None);
    let (config, ca) = far_ends::tls_for("localhost");
    let sealed = FarEnd::start(far_ends::syslog, Some(config));
    let tls = TlsSettings { ca: Some(ca), client: None };
    let syslog = |address, tls| FarSettings::Syslog(SyslogSettings { address, tls });
    let (tcp, port) = (SyslogAddress::Tcp("127.0.0.1".into(), plain.address.port()), sealed.address.port());
    let sealed_settings = syslog(SyslogAddress::Tls("localhost".into(), port), tls);
    vec![
        Subject { name: "webhook", far: hook, settings: FarSettings::Webhook(webhook_to(&url)), tells: true },
        Subject { name: "syslog", far: plain, settings: syslog(tcp, TlsSettings::default()), tells: false },
        Subject { name: "syslog over TLS", far: sealed, settings: sealed_settings, tells: false },
        postgres(),
    ]
}

/// The real server, behind what can be away. Whatever comes twice it knows, so that nothing ever is there twice.
fn postgres() -> Subject {
    let server = TestPostgres::shared();
    let database = server.database();
    let mut reached = server.server(&database);
    let far = FarEnd::in_front_of(server.port(), Box::new(move || kept(server, &database)));
    reached.hosts = vec![PostgresHost::Tcp("127.0.0.1".to_owned(), far.address.port())];
    let settings = PostgresSettings { server: reached, keep: Duration::from_secs(365 * 86_400) };
    Subject { name: "postgres", far, settings: FarSettings::Postgres(Box::new(settings)), tells: true }
}

/// The lines in the order in which they were committed. Each is in a block.
pub(super) fn kept(server: &TestPostgres, database: &str) -> Vec<String> {
    let lines = "SELECT line FROM portcullis.events e JOIN portcullis.blocks b ON b.writer = e.writer \
                 AND b.number = e.block AND b.day = (e.time AT TIME ZONE 'UTC')::date \
                 ORDER BY b.written, b.writer, b.number, e.n";
    // Before the first connection there are no tables.
    server.try_query(database, lines).unwrap_or_default().lines().map(str::to_owned).collect()
}

pub(super) fn webhook_to(url: &str) -> WebhookSettings {
    let secrets = vec![Secret::new("a secret of thirty-two characters")];
    WebhookSettings { url: url.to_owned(), secrets, tls: TlsSettings::default() }
}

/// A gateway's record with one sink, which is called `far`.
pub(super) struct Rig {
    pub(super) recorder: Recorder,
    pub(super) audit: Audit,
    log: LogSink,
}

impl Rig {
    pub(super) fn start(folder: &Path, far: &FarSettings, keeps: bool) -> Self {
        let recorder = Recorder::new(0, Clock::system(), 4 << 20);
        let log = LogSink::to(Box::new(io::sink()), LineFormat::Json).unwrap();
        let audit = Audit::start(recorder.clone(), &log).unwrap();
        let sink = far_sink(folder, far, keeps);
        audit.apply(&Settings { log: Selection::NONE, sinks: vec![sink] }).unwrap();
        Self { recorder, audit, log }
    }

    pub(super) fn emit(&self, events: usize, length: usize) {
        let path = format!("/{}", "x".repeat(length));
        for number in 0..events {
            // A few at a time, so that they come in several batches.
            if number % 10 == 9 {
                assert!(self.audit.flush(PATIENCE));
            }
            self.recorder.emit(&asked(&path)).unwrap();
        }
        assert!(self.audit.flush(PATIENCE), "a spool takes them, whatever the far end does");
    }

    pub(super) fn health(&self) -> SinkHealth {
        self.audit.health().swap_remove(1)
    }

    /// The process comes to its end, and another one begins.
    fn restarted(self, folder: &Path, far: &FarSettings) -> Self {
        self.audit.stop(Duration::from_millis(300));
        drop(self.log);
        Self::start(folder, far, false)
    }
}

/// The sink that is called `far`.
pub(super) fn far_sink(folder: &Path, far: &FarSettings, keeps: bool) -> SinkSettings {
    let spool = SpoolSettings { folder: folder.join("spool"), size: SIZE };
    let millis = Duration::from_millis;
    // Longer than a busy machine keeps a good answer back: what was taken and is given up comes again.
    let pace = Pace { deadline: millis(3000), first: millis(10), longest: millis(100) };
    let kind = SinkKind::Spooled(SpooledSettings { spool, keeps, pace, schema: None, far: far.clone() });
    SinkSettings {
        name: "far".into(),
        kind,
        selection: Selection::ALL,
        required: keeps,
        personal: Personal::Clear,
    }
}

/// The ids of events, in the order in which they came.
fn ids(far: &FarEnd) -> Vec<String> {
    let id = |line: &String| Seen::read(line.as_bytes()).ok()?.text(Field::Event).map(str::to_owned);
    far.lines().iter().map(|line| id(line).unwrap_or_else(|| panic!("no event: {line}"))).collect()
}

/// The number of each event of a process; the process itself.
fn split(id: &str) -> (String, u64) {
    let (process, number) = id.split_once("-0-").unwrap();
    (process.to_owned(), number.parse().unwrap())
}

/// That every number of a process has come, in its order, up to the last one.
fn is_whole(far: &FarEnd, process: &str, last: u64, tells: bool) {
    let told = |ids: &[String]| ids.iter().any(|id| *id == format!("{process}-0-{last}"));
    until("the last event", || told(&ids(far)).then_some(()));
    let numbers: Vec<_> =
        ids(far).iter().map(|id| split(id)).filter(|(of, _)| of == process).map(|(_, n)| n).collect();
    let mut seen = BTreeSet::new();
    let fresh: Vec<_> = numbers.iter().copied().filter(|number| seen.insert(*number)).collect();
    assert_eq!(fresh, (1..=*fresh.last().unwrap()).collect::<Vec<_>>(), "all of them, in their order");
    if tells {
        assert_eq!(numbers.len(), fresh.len(), "none twice");
    }
}

/// Through an outage of this kind, which begins before or behind the first events.
fn survives(subject: &Subject, mood: Mood, at_the_start: bool) {
    let folder = TempDir::new().unwrap();
    subject.far.is(if at_the_start { mood } else { Mood::Well });
    let rig = Rig::start(folder.path(), &subject.settings, false);
    rig.emit(25, 10);
    if subject.name == "webhook" && !at_the_start {
        // What it has taken and could not say that it has would come again.
        until("it is acknowledged", || (rig.health().written >= 25).then_some(()));
    }
    subject.far.is(mood);
    rig.emit(25, 10);
    if !matches!((subject.tells, mood), (false, Mood::Garbage | Mood::Silent)) {
        until("trouble is told, and what waits", || {
            let health = rig.health();
            let told =
                health.told().is_some_and(|told| told.contains("wait on disk, with room for 1024 KiB"));
            let waits = health.since.is_some() && health.waiting.is_some_and(|it| it.oldest.is_some());
            (told && waits).then_some(())
        });
    }
    subject.far.is(Mood::Well);
    rig.emit(5, 10);
    // What a receiver has read before it broke off, and has not said so, comes again.
    let tells = subject.tells && (mood != Mood::Half || subject.name == "postgres");
    is_whole(&subject.far, rig.recorder.process(), 55, tells);
    until("it is well", || rig.health().trouble.is_none().then_some(()));
    assert_eq!(rig.health().lost, 0, "{} {mood:?}", subject.name);
}

#[test]
fn whatever_becomes_of_a_far_end_nothing_is_lost_and_order_is_kept() {
    for subject in subjects() {
        for mood in [Mood::Gone, Mood::Garbage, Mood::Silent, Mood::Half] {
            survives(&subject, mood, true);
            survives(&subject, mood, false);
        }
    }
}

#[test]
fn what_waits_when_the_process_ends_is_brought_by_the_next_one() {
    for subject in subjects() {
        let folder = TempDir::new().unwrap();
        subject.far.is(Mood::Gone);
        let rig = Rig::start(folder.path(), &subject.settings, false);
        rig.emit(30, 10);
        let first = rig.recorder.process().to_owned();
        let rig = rig.restarted(folder.path(), &subject.settings);
        rig.emit(30, 10);
        let second = rig.recorder.process().to_owned();
        assert_eq!(ids(&subject.far), Vec::<String>::new());
        let rig = rig.restarted(folder.path(), &subject.settings);
        subject.far.is(Mood::Well);
        rig.emit(5, 10);
        is_whole(&subject.far, &first, 30, subject.tells);
        is_whole(&subject.far, &second, 30, subject.tells);
        is_whole(&subject.far, rig.recorder.process(), 5, subject.tells);
        assert!(rig.audit.stop(PATIENCE).is_empty());
        let left = std::fs::read_dir(folder.path().join("spool")).unwrap().count();
        assert_eq!(left, 0, "{}: what is done with leaves nothing", subject.name);
    }
}

/// More than there is room for: the oldest go, and what is missing is told to the number.
#[test]
fn invariant_28_what_a_full_spool_drops_is_told() {
    for subject in subjects() {
        let folder = TempDir::new().unwrap();
        subject.far.is(Mood::Gone);
        let rig = Rig::start(folder.path(), &subject.settings, false);
        rig.emit(900, LONG);
        let waiting = rig.health().waiting.unwrap();
        assert!(waiting.bytes <= SIZE && SIZE - waiting.bytes < SIZE / 3, "{waiting}");
        subject.far.is(Mood::Well);
        let lost = until("the loss is told", || {
            assert!(rig.audit.flush(PATIENCE));
            let lines = subject.far.lines();
            let lost = lost(&lines);
            let came: BTreeSet<_> = ids(&subject.far).iter().map(|id| split(id).1).collect();
            (came.contains(&900) && (1..=900).all(|number| came.contains(&number) || lost.contains(&number)))
                .then_some(lost)
        });
        assert_eq!(rig.health().lost, lost.len() as u64);
        let came: BTreeSet<_> = ids(&subject.far).iter().map(|id| split(id).1).collect();
        assert!(came.is_disjoint(&lost));
    }
}

/// The numbers that lines tell as lost.
fn lost(lines: &[String]) -> BTreeSet<u64> {
    let mut lost = BTreeSet::new();
    for line in lines {
        let seen = Seen::read(line.as_bytes()).unwrap();
        if seen.kind() == Some(Kind::RecordLost) {
            assert_eq!((seen.text(Field::Sink), seen.text(Field::Cause)), (Some("far"), Some("spool")));
            lost.extend(seen.number(Field::From).unwrap()..=seen.number(Field::To).unwrap());
        }
    }
    lost
}

#[test]
fn invariant_28_whoever_emits_waits_for_no_far_end() {
    for subject in subjects() {
        let folder = TempDir::new().unwrap();
        subject.far.is(Mood::Silent);
        let rig = Rig::start(folder.path(), &subject.settings, false);
        let began = Instant::now();
        (0..2000).for_each(|_| assert!(rig.recorder.emit(&asked("/")).is_some()));
        assert!(began.elapsed() < Duration::from_secs(2), "{}", subject.name);
        assert!(rig.audit.flush(PATIENCE) && rig.health().lost == 0);
    }
}

/// Whether requests may go on is asked of the room on this machine, and of nobody else.
#[test]
fn a_required_sink_keeps_what_it_has_and_says_when_there_is_no_more_room() {
    for subject in subjects().into_iter().filter(|subject| subject.tells) {
        keeps_what_it_has(&subject);
    }
}

fn keeps_what_it_has(subject: &Subject) {
    let folder = TempDir::new().unwrap();
    subject.far.is(Mood::Gone);
    let rig = Rig::start(folder.path(), &subject.settings, true);
    rig.emit(300, LONG);
    until("trouble", || rig.health().trouble);
    assert!(rig.audit.flush(PATIENCE));
    assert!(rig.recorder.accepts(), "the far end is away, and there is room");
    let path = format!("/{}", "x".repeat(LONG));
    until("it is full", || {
        for _ in 0..20 {
            rig.recorder.emit(&asked(&path));
        }
        (!rig.recorder.accepts()).then_some(())
    });
    let waiting = rig.health().waiting.unwrap();
    assert!(waiting.bytes <= SIZE && rig.health().lost == 0, "{waiting}");
    subject.far.is(Mood::Well);
    until("there is room again", || rig.recorder.accepts().then_some(()));
    assert!(rig.audit.flush(PATIENCE));
    is_whole(&subject.far, rig.recorder.process(), 300, true);
}
