use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

#[test]
fn lines_of_the_log_and_events_never_stand_within_one_another() {
    let (out, recorder) = (Shared::default(), Recorder::new(0, Clock::system(), 4 << 20));
    let log = LogSink::to(Box::new(out.clone()), LineFormat::Json).unwrap();
    let audit = Audit::start(recorder.clone(), &log).unwrap();
    audit.apply(&Settings::default()).unwrap();
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log.writer());
    let subscriber = Arc::new(tracing_subscriber::registry().with(layer));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (recorder, subscriber) = (recorder.clone(), Arc::clone(&subscriber));
            scope.spawn(move || {
                let _guard = tracing::subscriber::set_default(subscriber);
                for number in 0..200 {
                    tracing::info!(number, "said");
                    recorder.emit(&asked("/")).unwrap();
                }
            });
        }
    });
    assert!(audit.stop(PATIENCE).is_empty());
    drop(log);
    let text = out.text();
    let is_event =
        |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["path"] == "/");
    let is_said = |line: &&str| line.contains("INFO") && line.contains("said number=");
    assert_eq!((text.lines().filter(is_event).count(), text.lines().filter(is_said).count()), (800, 800));
    assert_eq!(text.lines().count(), 1600);
}

#[test]
fn what_is_said_after_the_end_of_the_record_is_written_still() {
    let out = Shared::default();
    let log = LogSink::to(Box::new(out.clone()), LineFormat::Human).unwrap();
    let recorder = Recorder::new(0, clock(), 0);
    let audit = Audit::start(recorder.clone(), &log).unwrap();
    audit.apply(&Settings::default()).unwrap();
    recorder.emit(&asked("/last"));
    drop(audit);
    log.writer().write_all(b"bye\n").unwrap();
    drop(log);
    let text = out.text();
    assert!(text.contains("path=/last") && text.ends_with("\nbye\n"), "{text}");
}

#[test]
fn the_log_takes_what_it_is_told_to() {
    let (out, recorder) = (Shared::default(), Recorder::new(0, clock(), 0));
    let log = LogSink::to(Box::new(out.clone()), LineFormat::Json).unwrap();
    let audit = Audit::start(recorder.clone(), &log).unwrap();
    assert_eq!(recorder.emit(&asked("/before")), None, "nobody has asked for anything");
    let quiet = Selection::except(["access.*"]).unwrap();
    audit.apply(&Settings { log: quiet, sinks: Vec::new() }).unwrap();
    assert_eq!(recorder.emit(&asked("/quiet")), None);
    audit.apply(&Settings::default()).unwrap();
    assert!(recorder.emit(&asked("/loud")).is_some());
    assert!(audit.flush(PATIENCE));
    assert!(out.text().contains("/loud"));
}
