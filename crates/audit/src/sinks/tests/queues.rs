use super::*;
use crate::sinks::queue::{Item, Loss, Next, Queue};

fn next(queue: &Queue) -> Option<Arc<Item>> {
    match queue.next(Instant::now()) {
        Next::Item(item) => Some(item),
        Next::Change(_) | Next::Nothing | Next::Closed(_) => None,
    }
}

#[test]
fn invariant_28_what_does_not_fit_is_counted_by_its_numbers() {
    let recorder = Recorder::new(0, clock(), 0);
    let queue = Queue::new(1);
    for count in 1..=4 {
        queue.push(&Arc::new(block(&recorder, &vec!["/"; count])), KindSet::ALL);
    }
    assert_eq!(queue.lost(), 9);
    assert!(queue.take_losses(false).is_empty(), "there is no room for telling it yet");
    assert!(next(&queue).is_some());
    queue.done();
    assert_eq!(queue.take_losses(false), [Loss { lane: 0, from: 2, to: 10, count: 9 }]);
    assert!(queue.take_losses(false).is_empty());
}

#[test]
fn invariant_28_whoever_brings_something_to_a_full_queue_does_not_wait() {
    let recorder = Recorder::new(0, clock(), 0);
    let (queue, block) = (Queue::new(1), Arc::new(block(&recorder, &["/"])));
    let began = Instant::now();
    (0..4).for_each(|_| queue.push(&block, KindSet::ALL));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(queue.lost(), 3);
}

#[test]
fn gaps_that_do_not_touch_are_told_apart() {
    let recorder = Recorder::new(0, clock(), 0);
    let queue = Queue::new(1);
    let bring = || queue.push(&Arc::new(block(&recorder, &["/", "/"])), KindSet::ALL);
    (0..2).for_each(|_| bring());
    assert!(next(&queue).is_some());
    queue.done();
    (0..2).for_each(|_| bring());
    let loss = |from| Loss { lane: 0, from, to: from + 1, count: 2 };
    assert_eq!(queue.take_losses(true), [loss(3), loss(7)]);
}

#[test]
fn what_a_sink_does_not_take_is_no_loss() {
    let recorder = Recorder::new(0, clock(), 0);
    let queue = Queue::new(1);
    let signed_out = Selection::only(["signed-out"]).unwrap().kinds();
    (0..3).for_each(|_| queue.push(&Arc::new(block(&recorder, &["/"])), signed_out));
    assert_eq!((queue.lost(), next(&queue).is_none()), (0, true));
}

#[test]
fn lines_that_are_lost_are_told_where_they_are_missing() {
    let queue = Queue::new(8);
    for line in ["one\n", "two\n", "three\n", "four\n"] {
        queue.push_text(line.as_bytes());
    }
    (0..2).for_each(|_| {
        assert!(matches!(*next(&queue).unwrap(), Item::Text(_)));
        queue.done();
    });
    queue.push_text(b"five\n");
    assert!(matches!(*next(&queue).unwrap(), Item::Missed(2)));
    queue.done();
    assert!(matches!(&*next(&queue).unwrap(), Item::Text(text) if **text == *b"five\n"));
}

#[test]
fn what_waits_is_old() {
    let queue = Queue::new(99);
    assert!(queue.oldest().is_none() && queue.wait_idle(Instant::now()));
    queue.push_text(b"x\n");
    assert!(queue.oldest().is_some() && !queue.wait_idle(Instant::now()));
    assert!(next(&queue).is_some());
    assert!(queue.oldest().is_some() && !queue.wait_idle(Instant::now()), "it is being written");
    queue.done();
    assert!(queue.oldest().is_none() && queue.wait_idle(Instant::now()));
}
