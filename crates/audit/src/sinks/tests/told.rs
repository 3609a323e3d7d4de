//! What is told of sinks, and to whom: also to a sink that does not ask for it, and later where there is no room now.

use std::fs;

use tempfile::TempDir;

use super::far_ends::{self, FarEnd, Mood};
use super::suite::{Rig, far_sink, webhook_to};
use super::*;
use crate::sinks::distributor::Running;
use crate::sinks::health::{Note, Part, Status};
use crate::sinks::personal::Disguise;
use crate::sinks::queue::Queue;

fn hook(far: &FarEnd) -> FarSettings {
    FarSettings::Webhook(webhook_to(&format!("http://{}/events", far.address)))
}

fn away() -> SinkError {
    SinkError::Away(io::ErrorKind::TimedOut.into())
}

/// What it does not take otherwise it does take where that is about itself, and only there.
#[test]
fn a_sink_learns_of_its_own_losses_whatever_else_it_takes() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    let rig = Rig::start(folder.path(), &hook(&far), false);
    let only = Selection::only(["access.granted"]).unwrap();
    let (spooled, file) =
        (far_sink(folder.path(), &hook(&far), false), file_sink(&folder.path().join("file")));
    let sinks = vec![SinkSettings { selection: only, ..spooled }, SinkSettings { selection: only, ..file }];
    rig.audit.apply(&Settings { log: Selection::NONE, sinks }).unwrap();
    far.is(Mood::Gone);
    rig.emit(1, 10);
    until("trouble", || rig.health().trouble);
    far.is(Mood::Well);
    let told =
        until("it learns of its gap", || far.lines().into_iter().find(|line| line.contains("record.gap")));
    assert!(told.contains("\"sink\":\"far\""), "{told}");
    assert!(rig.audit.flush(PATIENCE));
    let file = fs::read_to_string(folder.path().join("file")).unwrap();
    assert!(file.contains("access.granted") && !file.contains("record.gap"), "{file}");
}

#[test]
fn what_finds_no_room_is_told_later() {
    let recorder = Recorder::new(0, clock(), 0);
    recorder.want(KindSet::ALL, false);
    let status = Arc::<Status>::default();
    let running = Running {
        name: "far".into(),
        kind: None,
        selection: Selection::ALL,
        required: false,
        queue: Queue::new(1),
        status: Arc::clone(&status),
        disguise: Disguise::new(PseudonymKey::random(), Personal::Clear),
    };
    (0..3).for_each(|_| running.queue.push(&Arc::new(block(&recorder, &["/"])), KindSet::ALL));
    status.note(Note::Gap { since: 0, away: Duration::ZERO, reason: "it was away".into() });
    while recorder.emit(&asked("/")).is_some() {}
    assert!(!running.tell(&recorder, true, "queue"), "nobody sweeps, so that there is no room");
    let mut text = Vec::new();
    recorder.sweep(|_| ());
    assert!(running.tell(&recorder, true, "queue"));
    recorder.sweep(|block| text.extend_from_slice(block.text()));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\"cause\":\"queue\"") && text.contains("it was away"), "{text}");
    assert_eq!(text.matches("it was away").count(), 1);
}

/// A reload takes a sink away that cannot write: what it had is told as lost, once its time is over.
#[test]
fn a_sink_that_goes_does_not_take_its_queue_with_it_untold() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    far.is(Mood::Gone);
    let rig = Rig::start(folder.path(), &hook(&far), true);
    let path = format!("/{}", "x".repeat(1900));
    until("it is full", || {
        for _ in 0..20 {
            rig.recorder.emit(&asked(&path));
        }
        (!rig.recorder.accepts()).then_some(())
    });
    let file = folder.path().join("file");
    rig.audit.apply(&Settings { log: Selection::NONE, sinks: vec![file_sink(&file)] }).unwrap();
    let told = until("its loss is told", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.lines().find(|line| line.contains("\"cause\":\"stop\"")).map(str::to_owned)
    });
    assert!(told.contains("\"type\":\"record.lost\"") && told.contains("\"sink\":\"far\""), "{told}");
    assert!(rig.recorder.accepts(), "nobody waits for it any more");
}

#[test]
fn trouble_of_upkeep_is_not_over_because_something_was_written() {
    let (status, clock) = (Status::default(), clock());
    status.fails(Part::Upkeep, &away(), &clock);
    status.works(Part::Writing, &clock);
    assert!(status.trouble().is_some() && status.take_notes().is_empty());
    status.fails(Part::Writing, &away(), &clock);
    clock.advance(Duration::from_secs(3));
    status.works(Part::Writing, &clock);
    assert!(status.trouble().is_some() && matches!(&status.take_notes()[..], [Note::Gap { .. }]));
    status.works(Part::Upkeep, &clock);
    assert!(status.trouble().is_none());
    assert!(matches!(&status.take_notes()[..], [Note::Gap { away, .. }] if away.as_secs() == 3));
}

#[test]
fn sinks_that_were_prepared_and_not_wanted_leave_nothing() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    let rig = Rig::start(folder.path(), &hook(&far), false);
    let mut other = far_sink(&folder.path().join("other"), &hook(&far), false);
    other.name = "other".into();
    let sinks = vec![other, file_sink(&folder.path().join("file"))];
    let prepared = rig.audit.prepare(&Settings { log: Selection::ALL, sinks }).unwrap();
    assert!(folder.path().join("file").exists());
    drop(prepared);
    let is_gone = |path: &str| !folder.path().join(path).exists();
    until("they are gone", || is_gone("file").then_some(()));
    let empty =
        || fs::read_dir(folder.path().join("other/spool")).is_ok_and(|mut left| left.next().is_none());
    until("the spool as well", || empty().then_some(()));
    rig.emit(1, 10);
    until("it goes on as it was", || (!far.lines().is_empty()).then_some(()));
}
