//! A disk that takes nothing any more: who signs out is out, at once and for good, and everybody is told.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::device::offered;
use crate::support::{
    Answer, App, Browser, Device, Gateway, Provider, free_port, logged, program, until, until_async,
};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
"#;

const COOKIE: &str = "portcullis";

/// A small disk of its own, which a test fills.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// `None` where this machine lets nobody mount one; the test is skipped then, and says so.
    pub(crate) fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        // Not a failure: who is not root cannot mount.
        let _ = writeln!(std::io::stderr(), "skipped: no small disk can be mounted here");
        None
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    /// Writes until not a byte more goes.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.0.path().join("filler")).unwrap();
        for piece in [65_536, 4096, 512, 1] {
            while file.write_all(&vec![7; piece]).is_ok() {}
        }
        assert_eq!(file.write(&[7]).unwrap_err().kind(), ErrorKind::StorageFull);
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

struct World {
    gateway: Gateway,
    _provider: Provider,
    _app: App,
}

impl World {
    async fn on(disk: &Disk) -> Self {
        let (port, app) = (free_port(), App::start().await);
        let provider = Provider::start(&format!("http://127.0.0.1:{port}"));
        let rest = format!("{}{}", provider.configuration(), WIKI.replace("{app}", &app.url()));
        let gateway = Gateway::with_state(port, &disk.state(), &rest);
        Self { gateway, _provider: provider, _app: app }
    }

    async fn signed_in(&self) -> Browser {
        let browser = Browser::new();
        assert_eq!(browser.visit(&self.gateway.url("/")).await.status, 200);
        browser
    }

    fn key(&self, browser: &Browser) -> Option<String> {
        browser.cookie(&self.gateway.url("/"), COOKIE)
    }

    async fn sign_out(&self, browser: &Browser) -> Answer {
        browser.submit(&self.gateway.url("/.portcullis/sign-out"), "").await
    }

    /// Whether this key, as a thief would send it, opens the app.
    async fn opens(&self, key: &str) -> bool {
        let thief = Browser::new();
        thief.set_cookie(&self.gateway.url("/"), COOKIE, key);
        thief.get(&self.gateway.url("/")).await.status == 200
    }

    async fn metric(&self, name: &str) -> f64 {
        let text = Browser::new().get(&self.gateway.admin_url("/metrics")).await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

#[tokio::test]
async fn invariant_23_a_sign_out_on_a_full_disk_holds_over_a_crash() {
    let Some(disk) = Disk::mount() else { return };
    let mut world = World::on(&disk).await;
    let (leaver, stayer) = (world.signed_in().await, world.signed_in().await);
    let (gone, stays) = (world.key(&leaver).unwrap(), world.key(&stayer).unwrap());
    disk.fill();

    let answer = world.sign_out(&leaver).await;
    assert!(answer.status < 400, "{} {}", answer.status, answer.body);
    assert!(!answer.body.contains("until the gateway restarts"), "{}", answer.body);
    assert_eq!(world.key(&leaver), None, "the cookie is cleared");
    assert!(!world.opens(&gone).await && world.opens(&stays).await);

    let told = logged(&world.gateway, "a session has ended; the store takes it later");
    assert!(told.contains("WARN") && told.contains("state.db"), "{told}");
    let ready = Browser::new().get(&world.gateway.admin_url("/readyz")).await.body;
    assert!(ready.contains("\"what\": \"state\"") && ready.contains("state.db"), "{ready}");
    assert_eq!(world.metric("portcullis_state_up").await, 0.0);
    assert_eq!(world.metric("portcullis_state_endings_waiting").await, 1.0);

    world.gateway.kill();
    world.gateway.start_again();
    assert!(!world.opens(&gone).await, "still out though the disk is still full");
    assert!(world.opens(&stays).await);

    disk.free();
    until_async("the state file to take it", || async {
        world.metric("portcullis_state_endings_waiting").await == 0.0
    })
    .await;
    world.gateway.kill();
    world.gateway.start_again();
    assert!(!world.opens(&gone).await && world.opens(&stays).await);
    let ready = Browser::new().get(&world.gateway.admin_url("/readyz")).await.body;
    assert!(!ready.contains("state.db"), "{ready}");
}

#[tokio::test]
async fn a_sign_in_that_is_not_kept_is_not_counted_as_one() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::on(&disk).await;
    world.signed_in().await;
    disk.fill();
    assert_eq!(Browser::new().visit(&world.gateway.url("/")).await.status, 503);
    let count = |result| format!("portcullis_sign_ins_total{{provider=\"corp\",result=\"{result}\"}}");
    assert_eq!(world.metric(&count("ok")).await, 1.0);
    assert_eq!(world.metric(&count("gateway-error")).await, 1.0);
    disk.free();
    until_async("the gateway to notice", || async { world.metric("portcullis_state_up").await == 1.0 }).await;
    world.signed_in().await;
    assert_eq!(world.metric(&count("ok")).await, 2.0);
}

#[tokio::test]
async fn a_sign_out_that_no_disk_takes_says_how_long_it_holds() {
    let Some(disk) = Disk::mount() else { return };
    let mut world = World::on(&disk).await;
    let leaver = world.signed_in().await;
    let gone = world.key(&leaver).unwrap();
    world.gateway.kill();
    fs::remove_file(disk.0.path().join("state.db-endings")).unwrap();
    disk.fill();
    world.gateway.start_again();
    let answer = world.sign_out(&leaver).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("it holds until the gateway restarts"), "{}", answer.body);
    assert_eq!(world.key(&leaver), None);
    assert!(!world.opens(&gone).await);
    until("the error", || world.gateway.log().contains("a session has ended only until the next start"));
}

/// Of 5xx a browser tries again later, with what it has.
#[tokio::test]
async fn a_full_disk_costs_no_browser_its_bound_session() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::on(&disk).await;
    let page = world.gateway.url("/");
    let (browser, device) = (Browser::new(), Device::new());
    let (other, late) = (Browser::new(), Device::new());
    let offer = offered(&browser, &page).await.expect("the sign-in tells how to bind");
    let session = device.register(&browser, &offer).await.json();
    let offer = offered(&other, &page).await.unwrap();
    let (before, unbound) = (browser.cookie_names(&page), other.cookie_names(&page));
    disk.fill();
    // The journal has room for some.
    let mut refused = device.refresh(&browser, &session, None).await;
    for _ in 0..500 {
        if refused.status != 200 {
            break;
        }
        refused = device.refresh(&browser, &session, None).await;
    }
    for answer in [refused, late.register(&other, &offer).await] {
        assert_eq!((answer.status, answer.set_cookies()), (503, vec![]), "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
    }
    assert_eq!((browser.cookie_names(&page), other.cookie_names(&page)), (before, unbound));
    assert_eq!(browser.get(&page).await.status, 200, "what it has is still good");
    disk.free();
    until_async("the next refresh", || async {
        device.refresh(&browser, &session, None).await.status == 200
    })
    .await;
    assert_eq!(late.register(&other, &offer).await.status, 200);
    assert_eq!(browser.get(&page).await.status, 200);
}

/// What happens while the store of events has no room waits in memory, and is kept once there is some.
#[tokio::test]
async fn what_happened_on_a_full_disk_is_told_when_there_is_room_again() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::on(&disk).await;
    let browser = world.signed_in().await;
    let events = |arguments: &[&str]| {
        let arguments = [&["events", "--format", "json"], arguments].concat();
        String::from_utf8(program(world.gateway.directory.path(), &arguments).stdout).unwrap()
    };
    until("the store to be there", || events(&["--type", "sign-in.succeeded"]).contains("alice"));
    let refused = || {
        let events = events(&["--type", "access.refused"]);
        let times = |line| serde_json::from_str::<Value>(line).unwrap()["count"].as_u64().unwrap_or(1);
        events.lines().map(times).sum::<u64>()
    };
    let before = refused();
    disk.fill();
    // So few that none is left out: the record takes only so many of strangers' in a second.
    for n in 0..100 {
        let answer = Browser::new().get(&world.gateway.url(&format!("/{n}"))).await;
        assert_ne!(answer.status, 503, "nobody waits for it");
    }
    disk.free();
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
    until("all of them", || refused() == before + 100);
}
