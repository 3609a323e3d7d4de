//! Files that are not what they are called.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;
use crate::segments::names::SegmentName;

/// A store of three closed segments, a day each.
fn three() -> Rig {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.bare();
        rig.write();
        rig.clock.advance(Duration::from_secs(86_400));
        rig.settle();
    }
    assert_eq!(rig.files(".seg").len(), 3);
    rig
}

fn walked(rig: &Rig) -> (Vec<Event>, Walked) {
    let mut all = Vec::new();
    let take = &mut |event| {
        all.push(event);
        ControlFlow::Continue(())
    };
    let walked = rig.reader().each(&Filter::default(), true, &Patience::endless(), take).unwrap();
    (all, walked)
}

fn writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_damaged_segment_is_told_and_the_others_are_read() {
    let rig = three();
    let whole = rig.all().len();
    let path = rig.path().join(&rig.files(".seg")[1]);
    writable(&path);
    let good = fs::read(&path).unwrap();
    let header = [b"no database, but as long as one", &good[31..]].concat();
    let other = [&good[..68], &[1, 2, 3, 4], &good[72..]].concat();
    for bad in [&b""[..], b"x", &good[..4_096], &good[..good.len() / 2 / 8192 * 8192], &header, &other] {
        fs::write(&path, bad).unwrap();
        let (events, walked) = walked(&rig);
        assert!(!walked.is_whole, "{} bytes", bad.len());
        assert_eq!(walked.damaged.len(), 1, "{walked:?}");
        assert_eq!(walked.damaged[0].file, path);
        assert!(events.len() < whole && events.len() >= whole / 3 * 2);
        let filter = Filter::default();
        let question = Question { filter: &filter, behind: None, limit: 1_000, personal: true };
        let page = rig.reader().page(question, &Patience::endless()).unwrap();
        assert_eq!(page.damaged.len(), 1);
        assert!(page.events.len() >= whole / 3 * 2);
    }
}

#[test]
fn no_byte_of_a_segment_stops_the_others_from_being_read() {
    let rig = three();
    let whole = rig.all();
    let path = rig.path().join(&rig.files(".seg")[1]);
    let name = SegmentName::of(&rig.files(".seg")[1]).unwrap();
    writable(&path);
    let good = fs::read(&path).unwrap();
    let mut seed = 7_u64;
    for _ in 0..150 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (seed >> 33) as usize % good.len();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[good[at] ^ (1 << (seed >> 61))]).unwrap();
        let (events, _) = walked(&rig);
        let day = 86_400_000_000;
        let of_others = |events: &[Event]| {
            let others = events.iter().filter(|event| event.time / day != whole[whole.len() / 2].time / day);
            others.map(|event| event.id.clone()).collect::<Vec<_>>()
        };
        let (found, expected) = (of_others(&events), of_others(&whole));
        assert!(expected.iter().all(|id| found.contains(id)), "byte {at} of {}", name.file());
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&good[at..=at]).unwrap();
    }
}

#[test]
fn a_foreign_file_is_neither_read_nor_closed() {
    let mut rig = Rig::new();
    rig.bare();
    rig.write();
    let foreign = rig.path().join("000099-000000000000.open");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other.execute_batch("CREATE TABLE mine(x); INSERT INTO mine VALUES (1)").unwrap();
    drop(other);
    let before = fs::read(&foreign).unwrap();
    let told = rig.settle();
    assert!(matches!(&told[..], [Finding::Damaged { file, .. }] if *file == foreign), "{told:?}");
    assert_eq!(fs::read(&foreign).unwrap(), before);
    assert_eq!(walked(&rig).1.damaged.len(), 1);
    rig.clock.advance(Duration::from_secs(120));
    assert!(rig.settle().is_empty(), "once");
}
