use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tokio::sync::mpsc::{Receiver, Sender, channel, error::TryRecvError};
use tokio::sync::watch as watched;
use tokio::task::JoinHandle;

use crate::runtime::*;

/// Ticks when told to, and tells when the tick before has been worked off.
struct Hand {
    ticks: Receiver<()>,
    waiting: Sender<()>,
}

impl Ticker for Hand {
    async fn tick(&mut self) {
        let _ = self.waiting.send(()).await;
        if self.ticks.recv().await.is_none() {
            std::future::pending().await
        }
    }
}

struct Watching {
    directory: tempfile::TempDir,
    files: watched::Sender<Vec<PathBuf>>,
    ticks: Sender<()>,
    waiting: Receiver<()>,
    events: Receiver<Event>,
    task: JoinHandle<()>,
}

impl Watching {
    async fn start(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let paths = names.iter().map(|name| directory.path().join(name)).collect();
        let (files, list) = watched::channel(paths);
        let (ticks, hand) = channel(1);
        let (idle, mut waiting) = channel(1);
        let (sender, events) = channel(8);
        let task = tokio::spawn(watch(list, Hand { ticks: hand, waiting: idle }, sender));
        waiting.recv().await.unwrap();
        Self { directory, files, ticks, waiting, events, task }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Ticks once and returns whether that led to a reload.
    async fn tick(&mut self) -> bool {
        self.ticks.send(()).await.unwrap();
        self.waiting.recv().await.unwrap();
        self.events.try_recv() == Ok(Event::Reload)
    }
}

#[tokio::test]
async fn a_change_is_told_once_after_it_has_settled() {
    let mut watching = Watching::start(&["a", "b"]).await;
    assert!(!watching.tick().await);
    watching.write("a", "1");
    assert!(!watching.tick().await, "it may still be written to");
    watching.write("b", "22");
    assert!(!watching.tick().await, "and was");
    assert!(watching.tick().await);
    assert!(!watching.tick().await, "once");
    std::fs::remove_file(watching.directory.path().join("b")).unwrap();
    assert!(!watching.tick().await);
    assert!(watching.tick().await, "a file that goes is a change");
}

#[tokio::test]
async fn a_swapped_symbolic_link_is_a_change() {
    let mut watching = Watching::start(&["data/tls.crt"]).await;
    let at = |name: &str| watching.directory.path().join(name);
    for version in ["v1", "v2"] {
        std::fs::create_dir(at(version)).unwrap();
        std::fs::write(at(version).join("tls.crt"), "same size").unwrap();
    }
    symlink("v1", at("data")).unwrap();
    watching.tick().await;
    assert!(watching.tick().await);
    let at = |name: &str| watching.directory.path().join(name);
    symlink("v2", at("new")).unwrap();
    std::fs::rename(at("new"), at("data")).unwrap();
    watching.tick().await;
    assert!(watching.tick().await);
}

#[tokio::test]
async fn a_new_list_is_no_change_and_a_change_back_is_none_either() {
    let mut watching = Watching::start(&["a"]).await;
    watching.write("b", "1");
    watching.files.send(vec![watching.directory.path().join("b")]).unwrap();
    assert!(!watching.tick().await && !watching.tick().await);
    watching.write("a", "not watched any more");
    assert!(!watching.tick().await && !watching.tick().await);
    watching.write("b", "333");
    watching.tick().await;
    assert!(watching.tick().await);
}

#[tokio::test]
async fn a_change_between_the_reading_and_the_new_list_is_not_missed() {
    let mut watching = Watching::start(&["a"]).await;
    let list = vec![watching.directory.path().join("a")];
    watching.write("a", "4444");
    watching.files.send(list).unwrap();
    assert!(!watching.tick().await);
    assert!(watching.tick().await);
}

#[tokio::test]
async fn watching_ends_when_nobody_listens() {
    let watching = Watching::start(&["a"]).await;
    drop(watching.events);
    watching.task.await.unwrap();
}

fn kill(signal: &str) {
    let process = std::process::id().to_string();
    assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
}

#[tokio::test]
async fn signals_mean_reload_then_drain_then_stop() {
    let (sender, mut events) = channel(8);
    let signals = tokio::spawn(signals(sender).unwrap());
    for (signal, event) in [
        ("-HUP", Event::Reload),
        ("-USR2", Event::Replace),
        ("-TERM", Event::Drain),
        ("-HUP", Event::Reload),
        ("-INT", Event::Stop),
    ] {
        kill(signal);
        assert_eq!(events.recv().await, Some(event), "{signal}");
    }
    signals.await.unwrap();
    assert_eq!(events.try_recv(), Err(TryRecvError::Disconnected));
}
