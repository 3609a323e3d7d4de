//! What the process does besides answering requests: reloads, and handing over to another process.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch as watched};

use super::admin_socket::AdminSocket;
use super::control::Control;
use super::program::{apply, unchangeable};
use super::{Event, Next, Reload, Runtime, observe, replace, serve};
use crate::config::Settings;
use crate::gate::Gate;

/// What a reload changes.
pub(super) struct Reloading {
    pub(super) gate: Gate,
    /// The settings in force.
    pub(super) running: Settings,
    pub(super) workers: usize,
    pub(super) files: watched::Sender<Vec<PathBuf>>,
    pub(super) reload: Reload,
}

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

impl Reloading {
    fn again(&mut self, runtime: &mut Runtime) {
        let settings = (self.reload)();
        let good = settings.is_some_and(|settings| self.take(runtime, settings));
        self.gate.reloaded(good);
    }

    fn take(&mut self, runtime: &mut Runtime, settings: Settings) -> bool {
        self.files.send_replace(settings.watched.clone());
        if let Err(error) = apply(runtime, &self.gate, &settings, self.workers) {
            tracing::error!(%error, "the new configuration was refused; the old one goes on");
            return false;
        }
        observe::listeners(&self.gate.metrics(), runtime);
        for key in unchangeable(&self.running, &settings) {
            tracing::warn!(key, "this key has changed and takes effect at the next start only");
        }
        tracing::info!(routes = settings.routes.len(), "the configuration was reloaded");
        self.running = settings;
        true
    }
}
