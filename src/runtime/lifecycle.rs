//! What the process does besides answering requests, event by event: it reloads, hands over to another process, and
//! ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::admin_socket::AdminSockets;
use super::control::Control;
use super::reload::Reloading;
use super::{AfterEvent, Event, Runtime, replace, serve};
use crate::events::ProcessDraining;

/// What reacts to events: reloads of the configuration, a take-over by another process, the sockets of the admin
/// listener.
pub(super) struct Lifecycle {
    pub(super) reloading: Reloading,
    pub(super) control: Option<Control>,
    pub(super) admin: Option<AdminSockets>,
}

impl Lifecycle {
    /// Handles events until the process is told to end.
    pub(super) async fn run(mut self, runtime: Runtime, events: mpsc::Receiver<Event>) {
        // In seconds. Shared, for `serve` asks how long to drain while the closure still borrows `self`.
        let drain = Arc::new(AtomicU64::new(self.reloading.running.drain.as_secs()));
        let at_end = Arc::clone(&drain);
        let limit = move || Duration::from_secs(at_end.load(Ordering::Relaxed));
        serve(runtime, limit, events, async |runtime: &mut Runtime, event| {
            let next = self.act(runtime, event).await;
            drain.store(self.reloading.running.drain.as_secs(), Ordering::Relaxed);
            next
        })
        .await;
    }

    async fn act(&mut self, runtime: &mut Runtime, event: Event) -> AfterEvent {
        match event {
            Event::Reload => self.reloading.again(runtime),
            Event::Replace if self.control.is_some() => replace::start(),
            Event::Replace => tracing::warn!("SIGUSR2: without a control socket nothing can take over"),
            Event::TakeOver => return self.hand_over(runtime).await,
            Event::Drain => self.tell_drain("it was told to end"),
            Event::Stop => {}
        }
        AfterEvent::GoOn
    }

    fn tell_drain(&self, why: &str) {
        let limit = self.reloading.running.drain;
        let reason = format!("{why}; what goes on has {limit:?}, and a second signal ends it at once");
        let draining = ProcessDraining { pid: std::process::id(), reason: Some(&reason) };
        self.reloading.recorder.emit(&draining);
    }

    async fn hand_over(&mut self, runtime: &Runtime) -> AfterEvent {
        let Some(control) = &mut self.control else { return AfterEvent::GoOn };
        let sockets = runtime.offered().and_then(|mut sockets| {
            sockets.admin = self.admin.as_ref().map(AdminSockets::offered).transpose()?.unwrap_or_default();
            Ok(sockets)
        });
        let handed_over = match sockets {
            Ok(sockets) => control.hand_over(sockets).await,
            Err(error) => {
                tracing::error!(%error, "the sockets cannot be handed over; this process goes on");
                control.refuse();
                false
            }
        };
        if !handed_over {
            return AfterEvent::GoOn;
        }
        self.tell_drain("another process has taken over");
        self.control = None;
        self.admin.take().into_iter().for_each(AdminSockets::close);
        AfterEvent::HandedOver
    }
}
