//! What a listener is at, as all its connections are told.

use std::time::Duration;

use tokio::sync::watch;

/// What a listener is at. It only ever goes forward, from [`Phase::Serve`] by way of [`Phase::Drain`] or
/// directly to [`Phase::Stop`].
///
/// Its owner moves it: a reload that takes the listener away, or the end of the process. The accept loop and
/// every connection watch it. Where the owner is gone, that means [`Phase::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Connections are accepted, and requests answered.
    Serve,
    /// No connection is accepted any more. Requests under way may go on for this long.
    Drain(Duration),
    /// Every connection ends at once.
    Stop,
}

/// Ends when `such` holds of the phase, or its sender is dropped, which counts as every phase but
/// [`Phase::Serve`].
pub(super) async fn left(phase: &mut watch::Receiver<Phase>, such: impl Fn(Phase) -> bool) {
    let _ = phase.wait_for(|phase| such(*phase)).await;
}
