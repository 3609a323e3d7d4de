use super::*;
use crate::clock::{Clock, Timestamp};
use crate::events::KindSet;
use crate::gate::tests::transport;
use crate::identity::RouteName;
use crate::request::Scheme;
use crate::telemetry::Metrics;

struct Rig {
    clock: Clock,
    recorder: Recorder,
    record: RequestRecord,
}

/// A request that was let in, with a recorder whose clock the test moves.
fn rig(endless: bool) -> Rig {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    clock.advance(Duration::from_secs(1));
    let recorder = Recorder::new(0, clock.clone(), 0);
    recorder.want(KindSet::ALL, false);
    let unrouted = Metrics::new().route(&RouteName::new("none"), 1);
    let keeper = Arc::new(RecordKeeper { unrouted, recorder: recorder.clone(), traces: TraceQueue::new(0) });
    let id = RequestId::new("r");
    let mut record = RequestRecord::start(id, None, &transport(Scheme::Https), &keeper, &Request::new(()));
    (record.notes.endless, record.notes.decision) = (endless, Some(Reason::Public));
    Rig { clock, recorder, record }
}

fn told(recorder: &Recorder) -> Vec<Kind> {
    let mut told = Vec::new();
    recorder.sweep(|block| told.extend(block.heads().iter().map(|head| head.kind)));
    told
}

#[test]
fn what_has_no_end_is_told_when_it_begins_and_every_quarter_of_an_hour() {
    let Rig { clock, recorder, record } = rig(true);
    record.tell_open();
    assert_eq!(told(&recorder), [], "it has not begun");
    record.tell_opened();
    record.tell_open();
    assert_eq!(told(&recorder), [Kind::AccessOpened]);
    clock.advance(Duration::from_secs(15 * 60 - 1));
    record.tell_open();
    assert_eq!(told(&recorder), []);
    clock.advance(Duration::from_secs(1));
    record.tell_open();
    record.tell_open();
    assert_eq!(told(&recorder), [Kind::AccessOpen]);
    clock.advance(Duration::from_secs(3600));
    record.tell_open();
    drop(record);
    assert_eq!(told(&recorder), [Kind::AccessOpen, Kind::AccessGranted]);
}

#[test]
fn what_ends_by_itself_is_told_once() {
    let Rig { clock, recorder, record } = rig(false);
    record.tell_opened();
    clock.advance(Duration::from_secs(3600));
    record.tell_open();
    drop(record);
    assert_eq!(told(&recorder), [Kind::AccessGranted]);
}
