//! What goes.

use proptest::prelude::*;

use super::*;
use crate::segments::retention::{Old, spare};

fn days(rig: &mut Rig, days: u64) {
    for _ in 0..days {
        rig.bare();
        rig.write();
        rig.clock.advance(Duration::from_secs(86_400));
        rig.settle();
    }
}

#[test]
fn what_is_too_old_goes_though_somebody_reads_it() {
    let mut rig = Rig::new();
    rig.settings.keep = Duration::from_secs(3 * 86_400);
    rig.begin();
    days(&mut rig, 2);
    let (reader, mut told, before) = (rig.reader(), Vec::new(), rig.files(".seg"));
    let mut seen = 0;
    let walked = reader.each(&Filter::default(), false, &Patience::endless(), &mut |_| {
        if seen == 0 {
            for _ in 0..3 {
                rig.clock.advance(Duration::from_secs(86_400));
                told.extend(rig.settle());
            }
        }
        seen += 1;
        ControlFlow::Continue(())
    });
    let walked = walked.unwrap();
    assert!(walked.is_whole && walked.segments == 1 && seen > 40, "{walked:?} {seen}");
    assert!(rig.files(".seg").iter().all(|file| !before.contains(file)), "{:?}", rig.files(".seg"));
    let Finding::Removed { count: 1, bytes: 1.., .. } = &told[0] else { panic!("{told:?}") };
    assert!(rig.all().is_empty());
}

#[test]
fn what_is_too_much_goes_the_oldest_first() {
    let mut rig = Rig::new();
    days(&mut rig, 5);
    // What goes is told in the segment that is written.
    rig.bare();
    rig.write();
    let before = rig.files(".seg");
    let bytes = |files: &[String]| -> u64 {
        files.iter().map(|file| std::fs::metadata(rig.path().join(file)).unwrap().len()).sum()
    };
    let others = bytes(&rig.files("")) - bytes(&before);
    rig.settings.size = others + bytes(&before[2..]) + 65_536;
    let settings = rig.settings.clone();
    rig.writer().change(&settings);
    rig.clock.advance(Duration::from_secs(60));
    let told = rig.settle();
    assert_eq!(rig.files(".seg"), before[2..]);
    let newest = rig.path().join(&before[1]);
    assert!(matches!(&told[..], [Finding::Removed { file, count: 2, .. }] if *file == newest), "{told:?}");
}

#[test]
fn whoever_has_no_event_any_more_is_forgotten() {
    let mut rig = Rig::new();
    rig.settings.keep = Duration::from_secs(3 * 86_400);
    rig.begin();
    days(&mut rig, 1);
    let people = |rig: &Rig| {
        let mut people = Vec::new();
        let take = &mut |person: Person| {
            people.push(person);
            ControlFlow::Continue(())
        };
        rig.reader().people(&Patience::endless(), take).unwrap();
        people
    };
    let known = people(&rig);
    assert_eq!(known.len(), 1);
    assert!(known[0].who.is_some() && known[0].first_seen <= known[0].last_seen);
    for _ in 0..4 {
        rig.clock.advance(Duration::from_secs(86_400));
        rig.settle();
    }
    assert!(people(&rig).is_empty());
}

proptest! {
    /// Against a list from which the oldest is taken again and again.
    #[test]
    fn the_oldest_go_until_the_rest_fits(
        all in prop::collection::vec((0..100u64, 1..50u64, any::<bool>()), 0..12),
        keep in 0..100u64,
        size in 0..400u64,
        others in 0..50u64,
    ) {
        let settings = StoreSettings { path: "x".into(), keep: Duration::from_micros(keep), size };
        let named = all.iter().enumerate();
        let all: Vec<_> = named
            .map(|(at, (until, bytes, is_open))| Old { until: *until, name: format!("{at:04}"), bytes: *bytes, is_open: *is_open })
            .collect();
        let (mut left, mut expected) = (all.clone(), Vec::new());
        loop {
            left.sort();
            let sum = others + left.iter().map(|old| old.bytes).sum::<u64>();
            let oldest = left.iter().position(|old| !old.is_open);
            match oldest {
                Some(at) if left[at].until < 100 - keep || sum > size => expected.push(left.remove(at)),
                _ => break,
            }
        }
        prop_assert_eq!(spare(&settings, all, others, 100), expected);
    }
}
