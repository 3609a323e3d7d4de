//! Many events in one row.

use portcullis_events::{SessionEnded, SignedOut};
use portcullis_rules::identity::fixtures;

use super::*;

#[test]
fn what_a_session_does_on_a_route_is_one_row_with_all_its_sums() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    let begin = rig.now();
    for us in [500, 3_000, 700_000] {
        let event = AccessEvent {
            who: Some(&who),
            shown: shown(9),
            took: Duration::from_micros(us),
            ..granted(&wiki)
        };
        rig.emit(&event);
        rig.clock.advance(Duration::from_secs(10));
    }
    let other =
        AccessEvent { who: Some(&who), shown: shown(9), status: 304, path: "/page", ..granted(&wiki) };
    rig.emit(&other);
    rig.write();
    assert!(rig.all().is_empty(), "nothing of it is over");
    rig.clock.advance(Duration::from_secs(60));
    rig.beat();
    let all = rig.all();
    assert!(all.iter().all(|event| event.goes_on));
    rig.clock.advance(Duration::from_secs(300));
    rig.beat();
    let mut all = rig.all();
    all.sort_by_key(|event| event.time);
    let [many, one] = &all[..] else { panic!("{all:?}") };
    assert_eq!((many.count, many.bytes, many.us, many.us_max), (3, Some(300), Some(703_500), Some(700_000)));
    assert_eq!((many.time, many.until, many.goes_on), (begin, begin + 20_000_000, false));
    assert_eq!((many.status, many.latency.0), (Some(200), [1, 1, 0, 0, 0, 1, 0, 0]));
    assert_eq!(many.who().unwrap().user, who.user);
    assert!(!many.to_json().contains("path") && many.to_json().contains("\"count\":3"), "{}", many.to_json());
    assert_eq!((one.count, one.status), (1, Some(304)));
    assert!(one.to_json().contains("\"path\":\"/page\""), "{}", one.to_json());
}

#[test]
fn an_interval_is_over_when_its_session_is_and_when_it_is_long() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    let event = || AccessEvent { who: Some(&who), shown: shown(9), ..granted(&wiki) };
    rig.emit(&event());
    rig.emit(&AccessEvent { shown: shown(10), ..event() });
    rig.emit(&SessionEnded { caller: None, who: None, session: 9, why: "expired", by: None, cut: None });
    rig.write();
    let over: Vec<_> = rig.all().iter().map(|event| (event.word.to_string(), event.session)).collect();
    assert_eq!(over, [("access.granted".to_owned(), Some(9)), ("session.ended".to_owned(), Some(9))]);
    for _ in 0..16 {
        rig.clock.advance(Duration::from_secs(60));
        rig.emit(&AccessEvent { shown: shown(10), ..event() });
        rig.write();
    }
    let counts: Vec<_> = rig.all().iter().skip(2).map(|event| event.count).collect();
    assert_eq!(counts, [15], "a quarter of an hour");
}

#[test]
fn invariant_28_strangers_do_not_push_the_record_out() {
    let mut rig = Rig::new();
    let refused = |client| AccessEvent {
        client,
        outcome: Outcome::Unauthenticated,
        status: 401,
        reason: "no session",
        ..samples::bare_access(Access::Refused)
    };
    for n in 0..1_000 {
        rig.emit(&refused(client((n % 200) as u8)));
    }
    rig.write();
    assert_eq!(rig.all().len(), 10, "of one network, for one reason");
    rig.end();
    let all = rig.all();
    assert_eq!((all.len(), all.iter().map(|event| event.count).sum::<u64>()), (11, 1_000));
    rig.begin();
    for n in 0..5_000_u32 {
        rig.emit(&refused(IpAddr::from(Ipv4Addr::from_bits(0x0A00_0000 | (n << 8)))));
    }
    rig.write();
    rig.end();
    let all = rig.all();
    assert_eq!(all.iter().map(|event| event.count).sum::<u64>(), 6_000);
    assert!(all.len() < 11 + 610, "{}", all.len());
    let coarse = all.iter().find(|event| event.count > 4_000).unwrap();
    assert!(!coarse.to_json().contains("client"), "whose it is of many is nobody's: {}", coarse.to_json());
}

#[test]
fn a_sign_out_ends_what_goes_on_too() {
    let mut rig = Rig::new();
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    rig.emit(&AccessEvent { who: Some(&who), shown: shown(9), ..granted(&wiki) });
    let caller = portcullis_events::Caller { id: "x", client: client(1), device: None };
    rig.emit(&SignedOut { caller, who: Some(&who), session: 9 });
    rig.write();
    assert_eq!(rig.all().len(), 2);
}
