//! What the process does besides answering requests, event by event: it reloads, hands over to another process, and
//! ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::admin_socket::AdminSocket;
use super::control::Control;
use super::reload::Reloading;
use super::{Event, Next, Runtime, replace, serve};

/// What a process does besides answering requests.
pub(super) struct Life {
    pub(super) reloading: Reloading,
    pub(super) control: Option<Control>,
    pub(super) admin: Option<AdminSocket>,
}

impl Life {
    /// Until the process is told to end.
    pub(super) async fn live(mut self, runtime: Runtime, events: mpsc::Receiver<Event>) {
        // Seconds, shared because the drain is asked for while the rest is still held.
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

    async fn act(&mut self, runtime: &mut Runtime, event: Event) -> Next {
        match event {
            Event::Reload => self.reloading.again(runtime),
            Event::Replace if self.control.is_some() => replace::start(),
            Event::Replace => tracing::warn!("SIGUSR2: without a control socket nothing can take over"),
            Event::TakeOver => return self.hand_over(runtime).await,
            Event::Drain | Event::Stop => {}
        }
        Next::GoOn
    }

    async fn hand_over(&mut self, runtime: &Runtime) -> Next {
        let Some(control) = &mut self.control else { return Next::GoOn };
        let sockets = runtime.offered().and_then(|mut sockets| {
            sockets.admin = self.admin.iter().map(AdminSocket::offered).collect::<io::Result<_>>()?;
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
            return Next::GoOn;
        }
        self.control = None;
        self.admin.take().into_iter().for_each(AdminSocket::close);
        Next::HandedOver
    }
}
