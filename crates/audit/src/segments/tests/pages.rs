//! Pages.

use std::collections::HashSet;
use std::str::FromStr;

use super::*;

#[test]
fn pages_neither_repeat_nor_leave_out_while_more_is_written() {
    let mut rig = Rig::with(Limits { rows: 100, ..Limits::WHOLE });
    for _ in 0..5 {
        rig.bare();
        rig.write();
        rig.clock.advance(Duration::from_secs(1));
    }
    rig.settle();
    let (reader, filter) = (rig.reader(), Filter::default());
    let before: HashSet<_> = rig.all().into_iter().map(|event| event.id).collect();
    let (mut seen, mut behind, mut last) = (Vec::new(), None, u64::MAX);
    loop {
        let question = Question { filter: &filter, behind: behind.as_ref(), limit: 9, personal: false };
        let page = reader.page(question, &Patience::endless()).unwrap();
        for event in page.events {
            assert!(event.time <= last, "newest first");
            last = event.time;
            seen.push(event.id);
        }
        // Meanwhile, at the same moments and later ones; segments are closed.
        rig.bare();
        rig.write();
        rig.beat();
        match page.next {
            Some(next) => behind = Some(next),
            None => break,
        }
    }
    let set: HashSet<_> = seen.iter().cloned().collect();
    assert_eq!(set.len(), seen.len(), "none twice");
    assert!(before.is_subset(&set), "{} of {}", before.intersection(&set).count(), before.len());
}

#[test]
fn a_page_says_how_far_it_looked_when_its_time_is_over() {
    let mut rig = Rig::new();
    for _ in 0..4 {
        rig.bare();
        rig.write();
        rig.clock.advance(Duration::from_secs(86_400));
        rig.settle();
    }
    let (reader, nothing) = (rig.reader(), filter(rig.now(), &[("status", "499")]));
    let (mut behind, mut pages) = (None::<Cursor>, 0);
    loop {
        let question = Question { filter: &nothing, behind: behind.as_ref(), limit: 9, personal: false };
        let mut hasty = Patience::of(Duration::ZERO);
        hasty.end = Instant::now() + Duration::from_secs(60);
        let page = reader.page(question, &hasty).unwrap();
        assert!(page.events.is_empty());
        pages += 1;
        match page.next {
            Some(next) => {
                assert!(page.looked_back_to.is_some_and(|time| time < rig.now()));
                behind = Some(next.to_string().parse().unwrap());
            }
            None => break,
        }
    }
    assert_eq!(pages, 4, "a segment each");
}

#[test]
fn a_cursor_is_good_for_its_question_alone() {
    let mut rig = Rig::new();
    rig.bare();
    rig.write();
    let (reader, one) = (rig.reader(), filter(rig.now(), &[("type", "access.*")]));
    let ask = |filter: &Filter, behind: Option<&Cursor>| {
        reader.page(Question { filter, behind, limit: 1, personal: false }, &Patience::endless())
    };
    let next = ask(&one, None).unwrap().next.unwrap();
    let later = filter(rig.now(), &[("type", "access.*"), ("since", "1h")]);
    assert!(ask(&later, Some(&next)).is_ok(), "the time goes on");
    assert!(matches!(ask(&Filter::default(), Some(&next)), Err(AskError::Cursor)));
    for text in
        ["", "...", "1.2.3", "g.a.1.1", "1.9f.1.1.1", "-1.9f.1.1", "1.9f'.1.1", "ffffffffffffffffff.a.1.1"]
    {
        assert!(Cursor::from_str(text).is_err(), "{text}");
    }
}

#[test]
fn a_page_has_a_bound() {
    let mut rig = Rig::new();
    for _ in 0..20 {
        rig.bare();
        rig.clock.advance(Duration::from_secs(60));
    }
    rig.write();
    let (reader, filter) = (rig.reader(), Filter::default());
    let question = Question { filter: &filter, behind: None, limit: usize::MAX - 1, personal: false };
    let page = reader.page(question, &Patience::endless()).unwrap();
    assert!(page.events.len() == LARGEST && page.next.is_some());
}

#[test]
fn news_are_told_once_and_what_went_on_when_it_is_over() {
    let mut rig = Rig::with(Limits { rows: 100, ..Limits::WHOLE });
    rig.bare();
    rig.write();
    let (reader, filter, mut mark) = (rig.reader(), Filter::default(), Mark::default());
    let mut told = Vec::new();
    let news = |mark: &mut Mark, told: &mut Vec<String>| {
        let take = &mut |event: Event| {
            told.push(event.id);
            ControlFlow::Continue(())
        };
        reader.news(&filter, mark, false, &Patience::endless(), take).unwrap();
    };
    news(&mut mark, &mut told);
    assert!(told.is_empty(), "what was there before is no news");
    let before: HashSet<_> = rig.all().into_iter().map(|event| event.id).collect();
    for _ in 0..5 {
        rig.bare();
        rig.write();
        rig.clock.advance(Duration::from_secs(400));
        rig.settle();
        news(&mut mark, &mut told);
    }
    rig.end();
    news(&mut mark, &mut told);
    let all: HashSet<_> = rig.all().into_iter().map(|event| event.id).collect();
    let set: HashSet<_> = told.iter().cloned().collect();
    assert_eq!(set.len(), told.len(), "none twice");
    assert_eq!(set.union(&before).cloned().collect::<HashSet<_>>(), all);
}

#[test]
fn whoever_leaves_is_not_waited_for() {
    let mut rig = Rig::new();
    rig.bare();
    rig.write();
    let (reader, patience, filter) = (rig.reader(), Patience::endless(), Filter::default());
    drop(patience.asker());
    let question = Question { filter: &filter, behind: None, limit: 1, personal: false };
    assert!(matches!(reader.page(question, &patience), Err(AskError::Left)));
}
