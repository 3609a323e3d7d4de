//! What a listener is at, as all its connections are told.

use std::time::Duration;

use tokio::sync::watch;

/// What a listener is at. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Connections are accepted, and requests answered.
    Serve,
    /// No connection is accepted any more; requests under way may go on for so long.
    Drain(Duration),
    /// Every connection ends at once.
    Stop,
}

/// Ends when the phase is such a one, or its sender is dropped, which means the same.
pub(super) async fn left(phase: &mut watch::Receiver<Phase>, such: impl Fn(Phase) -> bool) {
    let _ = phase.wait_for(|phase| such(*phase)).await;
}
