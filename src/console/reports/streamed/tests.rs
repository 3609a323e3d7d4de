use std::pin::pin;

use futures_util::StreamExt;
use tokio::sync::oneshot;

use super::*;

/// An answer that comes when the test says so.
fn coming() -> (Coming, oneshot::Sender<Told>, Patience) {
    let (answer, waits) = oneshot::channel();
    let patience = Patience::of(Duration::from_secs(60));
    let task = tokio::spawn(async { waits.await.unwrap_or(Err(AskError::Left)) });
    let asking = Asking { task, _asker: patience.asker(), patience: patience.clone() };
    let (head, tail) = (Some("<head>".to_owned()), "<tail>".to_owned());
    let seat = Seats::default().take(1).unwrap();
    (Coming { head, asking, tail, told: (0, 0), is_over: false, _seat: seat }, answer, patience)
}

fn text(piece: Option<Bytes>) -> String {
    String::from_utf8(piece.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_page_begins_at_once_tells_how_far_it_has_come_and_ends_with_the_answer() {
    let (coming, answer, patience) = coming();
    let mut pieces = pin!(coming.pieces());
    assert_eq!(text(pieces.next().await), "<head>");
    patience.begin(3);
    patience.step();
    assert!(text(pieces.next().await).contains("1 of 3 files"));
    answer.send(Ok(None)).unwrap();
    let last = text(pieces.next().await);
    assert!(last.starts_with("</ol>") && last.ends_with("<tail>") && last.contains("no sink"), "{last}");
    assert!(pieces.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_breaks_it_off() {
    let (coming, _answer, patience) = coming();
    drop(coming);
    assert!(patience.has_left());
}
