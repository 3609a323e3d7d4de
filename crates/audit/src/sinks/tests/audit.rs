use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use portcullis_events::{Field, Kind, Seen};
use tempfile::TempDir;

use super::*;

/// A gateway's record, with a log that nobody looks at.
struct World {
    folder: TempDir,
    recorder: Recorder,
    audit: Audit,
    _log: LogSink,
}

impl World {
    fn new() -> Self {
        Self::with(Box::new(io::sink()))
    }

    fn with(log: Box<dyn Write + Send>) -> Self {
        let recorder = Recorder::new(0, Clock::system(), 4 << 20);
        let log = LogSink::to(log, LineFormat::Json).unwrap();
        let audit = Audit::start(recorder.clone(), &log).unwrap();
        Self { folder: TempDir::new().unwrap(), recorder, audit, _log: log }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn apply(&self, names: &[&str]) -> Result<(), ApplyError> {
        let sink = |name: &&str| SinkSettings { name: (*name).into(), ..file_sink(&self.path(name)) };
        self.audit.apply(&Settings { log: Selection::NONE, sinks: names.iter().map(sink).collect() })
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// The numbers of the events that these lines tell, and of those that they say a sink has lost.
fn numbers(text: &str, sink: &str) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut told, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let seen = Seen::read(line.as_bytes()).unwrap();
        let event = seen.text(Field::Event).unwrap();
        assert!(told.insert(event.rsplit('-').next().unwrap().parse().unwrap()), "twice: {line}");
        if seen.kind() == Some(Kind::RecordLost) && seen.text(Field::Sink) == Some(sink) {
            let range = seen.number(Field::From).unwrap()..=seen.number(Field::To).unwrap();
            assert_eq!(range.clone().count() as u64, seen.number(Field::Count).unwrap());
            lost.extend(range);
        }
    }
    (told, lost)
}

/// The log's reader hangs: everybody else goes on, and what the log has lost is told to the number.
#[test]
fn invariant_28_a_sink_that_hangs_holds_up_nobody_and_its_loss_is_told() {
    const EVENTS: u64 = 9000;
    let (mut reader, writer) = io::pipe().unwrap();
    let world = World::with(Box::new(writer));
    world
        .audit
        .apply(&Settings { log: Selection::ALL, sinks: vec![file_sink(&world.path("file"))] })
        .unwrap();
    for number in 0..EVENTS {
        world.recorder.emit(&asked("/a/path/that/is/somewhat/longer/than/others")).unwrap();
        // The file keeps up, so that what is lost is the log's alone.
        if number % 1000 == 999 {
            let lines = || world.text("file").lines().count() as u64;
            until("the file has everything", || (lines() > number).then_some(()));
        }
    }
    let health = world.audit.health();
    assert!(health[0].lost > 0 && health[1].lost == 0, "{health:?}");
    assert!(health[0].behind > Duration::ZERO);
    // Its reader wakes up.
    let all = Shared::default();
    let mut copy = all.clone();
    let read = thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = reader.read(&mut part) {
            copy.write_all(&part[..length]).unwrap();
        }
    });
    until("the loss is told", || world.text("file").contains("\"sink\":\"log\"").then_some(()));
    until("and to the log", || all.text().contains("\"sink\":\"log\"").then_some(()));
    assert!(world.audit.flush(PATIENCE));
    let (in_file, lost) = numbers(&world.text("file"), "log");
    assert_eq!(in_file, (1..=in_file.len() as u64).collect());
    drop(world);
    read.join().unwrap();
    let (in_log, told) = numbers(&all.text(), "log");
    assert_eq!(lost, told);
    assert!(in_log.is_disjoint(&lost));
    assert_eq!(in_log.union(&lost).copied().collect::<BTreeSet<_>>(), in_file);
}

#[test]
fn the_end_waits_for_no_sink_that_hangs() {
    let (reader, writer) = io::pipe().unwrap();
    let world = World::with(Box::new(writer));
    world
        .audit
        .apply(&Settings { log: Selection::ALL, sinks: vec![file_sink(&world.path("file"))] })
        .unwrap();
    (0..1000).for_each(|_| assert!(world.recorder.emit(&asked("/")).is_some()));
    let began = Instant::now();
    assert!(world.audit.stop(Duration::from_millis(300)).is_empty(), "the file has had time");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(world.text("file").lines().count(), 1000);
    drop(reader);
}

#[test]
fn what_a_sink_has_no_time_for_is_said_at_the_end() {
    let world = World::new();
    world.apply(&["file"]).unwrap();
    world.recorder.emit(&asked("/"));
    assert!(world.audit.flush(PATIENCE));
    world.audit.stop(PATIENCE);
    assert_eq!(world.audit.stop(PATIENCE), [], "twice does no harm");
    assert_eq!(world.recorder.emit(&asked("/late")).map(|seq| seq.seq), Some(2));
    assert_eq!(world.text("file").lines().count(), 1);
}

#[test]
fn a_reload_opens_what_is_new_and_closes_what_is_gone() {
    let world = World::new();
    let emit = |path| {
        world.recorder.emit(&asked(path));
        assert!(world.audit.flush(PATIENCE));
    };
    world.apply(&["one"]).unwrap();
    emit("/1");
    world.apply(&["one", "two"]).unwrap();
    emit("/2");
    world.apply(&["two"]).unwrap();
    emit("/3");
    let has = |name, path: &str| world.text(name).contains(&format!("\"path\":\"{path}\""));
    assert_eq!(["/1", "/2", "/3"].map(|path| has("one", path)), [true, true, false]);
    assert_eq!(["/1", "/2", "/3"].map(|path| has("two", path)), [false, true, true]);
    let names: Vec<_> = world.audit.health().iter().map(|sink| sink.name.to_string()).collect();
    assert_eq!(names, ["log", "two"]);
    // It can be opened again once it is closed.
    until("one is free", || {
        world.apply(&["two"]).unwrap();
        world.apply(&["one"]).unwrap();
        (world.audit.health()[1].file.as_deref() == Some(&world.path("one"))).then_some(())
    });
}

#[test]
fn a_sink_that_cannot_be_opened_leaves_all_as_it_was() {
    let world = World::new();
    world.apply(&["one"]).unwrap();
    let error = world.apply(&["two", "missing/three"]).unwrap_err();
    assert_eq!(&*error.name, "missing/three");
    assert!(error.to_string().contains("cannot be opened"), "{error}");
    world.recorder.emit(&asked("/"));
    assert!(world.audit.flush(PATIENCE));
    assert_eq!((world.text("one").lines().count(), world.text("two").as_str()), (1, ""));
}

#[test]
fn other_settings_of_one_place_take_effect_without_opening_it_anew() {
    let world = World::new();
    world.apply(&["file"]).unwrap();
    let mut sink = file_sink(&world.path("file"));
    if let SinkKind::File(file) = &mut sink.kind {
        file.format = LineFormat::Common;
    }
    (sink.name, sink.selection) = ("other".into(), Selection::only(["access.granted"]).unwrap());
    world.audit.apply(&Settings { log: Selection::NONE, sinks: vec![sink] }).unwrap();
    assert!(world.recorder.wants_agent());
    world.recorder.emit(&asked("/"));
    assert!(world.recorder.emit(&AccessEvent { access: Access::Refused, ..asked("/") }).is_none());
    assert!(world.audit.flush(PATIENCE));
    assert!(world.text("file").starts_with("127.0.0.1 - - ["), "{}", world.text("file"));
    assert_eq!((&*world.audit.health()[1].name, world.audit.health()[1].written), ("other", 1));
}

/// Fails until it is told not to.
struct Broken(Shared, Arc<std::sync::atomic::AtomicBool>);

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_is_tried_again_and_the_gap_is_told() {
    let (out, fails) = (Shared::default(), Arc::new(std::sync::atomic::AtomicBool::new(true)));
    let world = World::with(Box::new(Broken(out.clone(), Arc::clone(&fails))));
    world.audit.apply(&Settings::default()).unwrap();
    world.recorder.emit(&asked("/kept"));
    let trouble = until("it is in trouble", || world.audit.health()[0].trouble.clone());
    assert!(trouble.starts_with("there is no space left"), "{trouble}");
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    let text = until("the gap is told", || Some(out.text()).filter(|text| text.contains("record.gap")));
    assert!(text.contains("/kept") && text.contains("there is no space left"), "{text}");
    let health = world.audit.health().swap_remove(0);
    assert_eq!((health.trouble, health.last_error), (None, Some(trouble)));
}

#[test]
fn a_clock_that_was_set_back_is_told_with_how_far() {
    let (clock, out) = (clock(), Shared::default());
    let recorder = Recorder::new(0, clock.clone(), 0);
    let log = LogSink::to(Box::new(out.clone()), LineFormat::Json).unwrap();
    let audit = Audit::start(recorder.clone(), &log).unwrap();
    audit.apply(&Settings::default()).unwrap();
    recorder.emit(&asked("/"));
    clock.set(Timestamp::from_seconds(1_799_999_940));
    recorder.emit(&asked("/"));
    let text = until("it is told", || {
        audit.flush(PATIENCE);
        Some(out.text()).filter(|text| text.contains("clock.set-back"))
    });
    assert!(text.contains("\"us\":60000000}"), "{text}");
}

#[test]
fn selections_are_of_words_and_their_beginnings() {
    let only = Selection::only(["sign-in.*", "signed-out"]).unwrap();
    assert!(only.kinds().has(Kind::SignInFailed) && !only.kinds().has(Kind::AccessGranted));
    let except = Selection::except(["access.*"]).unwrap();
    assert!(!except.kinds().has(Kind::AccessGranted) && except.kinds().has(Kind::RecordLost));
    assert_eq!(Selection::only(["sign-out"]), Err(PatternError("sign-out".into())));
    let warn = Selection::ALL.from_level(portcullis_events::Level::Warn);
    assert!(warn.kinds().has(Kind::SignInFailed) && !warn.kinds().has(Kind::AccessRefused));
}
