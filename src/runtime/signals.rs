//! Signals as events.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Sender;

use super::Event;

/// Listens for SIGHUP, SIGUSR2, SIGTERM and SIGINT from now on; the future sends what they mean.
///
/// It ends after the second SIGTERM or SIGINT, or when nobody receives any more.
///
/// # Errors
/// Where the system does not let us listen.
pub fn signals(events: Sender<Event>) -> io::Result<impl Future<Output = ()> + Send> {
    let hangup = signal(SignalKind::hangup())?;
    let replace = signal(SignalKind::user_defined2())?;
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    Ok(send(events, hangup, replace, terminate, interrupt))
}

async fn send(
    events: Sender<Event>,
    mut hangup: Signal,
    mut replace: Signal,
    mut terminate: Signal,
    mut interrupt: Signal,
) {
    let mut ends = [Event::Drain, Event::Stop].into_iter();
    loop {
        let event = tokio::select! {
            Some(()) = hangup.recv() => Some(Event::Reload),
            Some(()) = replace.recv() => Some(Event::Replace),
            Some(()) = terminate.recv() => ends.next(),
            Some(()) = interrupt.recv() => ends.next(),
        };
        let Some(event) = event else { return };
        if events.send(event).await.is_err() || event == Event::Stop {
            return;
        }
    }
}
