//! A backup is whole, private and made while the gateway runs; a restored one lets nobody in who has left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use http::Method;

use crate::support::{Browser, World, program};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
"#;

const COOKIE: &str = "portcullis";

/// What lies beside the state file and is no store: it holds nothing that a restored gateway needs.
/// `-endings` is taken into the copy of the state file.
const NO_STORES: [&str; 11] = [
    "admin.sock",
    "portcullis.toml",
    "log",
    "state.db-wal",
    "state.db-shm",
    "state.db-lock",
    "state.db-endings",
    "state.db-control",
    // What happened is no state: a backup would be as large as all of it.
    "state.db-audit",
    // Who got of that in clear, on this machine.
    "state.db-audit-recipients",
    // What was signed of it stays beside it: nobody goes back behind that.
    "state.db-checkpoints",
];

fn run(world: &World, arguments: &[&str]) -> (bool, String) {
    let output = program(world.gateway.directory.path(), arguments);
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

fn good(world: &World, arguments: &[&str]) -> String {
    let (success, told) = run(world, arguments);
    assert!(success, "{told}");
    told
}

fn key(world: &World, browser: &Browser) -> String {
    browser.cookie(&world.gateway.url("/"), COOKIE).unwrap()
}

async fn opens(world: &World, key: &str) -> bool {
    let browser = Browser::new();
    browser.set_cookie(&world.gateway.url("/"), COOKIE, key);
    browser.get(&world.gateway.url("/")).await.status == 200
}

/// The keys that apps verify assertions with: they come from the state file.
async fn keys(world: &World) -> String {
    Browser::new().send(Method::GET, &world.gateway.url("/.portcullis/jwks.json"), &[], "").await.body
}

#[tokio::test]
async fn invariant_27_a_restored_backup_revives_no_session_unless_told_to() {
    let mut world = World::open(WIKI).await;
    let (leaver, stayer) = (world.signed_in().await, world.signed_in().await);
    let (gone, stays) = (key(&world, &leaver), key(&world, &stayer));
    good(&world, &["backup", "one.backup"]);
    let before = keys(&world).await;
    leaver.submit(&world.gateway.url("/.portcullis/sign-out"), "").await;

    let (restored, told) = run(&world, &["restore", "one.backup"]);
    assert!(!restored && told.contains("in use by another running gateway"), "{told}");

    world.gateway.kill();
    let told = good(&world, &["restore", "one.backup", "--keep-sessions"]);
    assert!(told.contains("2 sign-ins were kept") && told.contains("state.db-before-restore"), "{told}");
    world.gateway.start_again();
    assert!(opens(&world, &gone).await && opens(&world, &stays).await, "as it was told");

    world.gateway.kill();
    let told = good(&world, &["restore", "one.backup"]);
    assert!(told.contains("2 sign-ins were ended"), "{told}");
    world.gateway.start_again();
    assert!(!opens(&world, &gone).await && !opens(&world, &stays).await);
    assert_eq!(keys(&world).await, before, "the keys are those of the backup");
    world.signed_in().await;
}

#[tokio::test]
async fn a_backup_is_private_and_overwrites_nothing() {
    let world = World::open(WIKI).await;
    world.signed_in().await;
    good(&world, &["backup", "one.backup"]);
    let file = world.gateway.directory.path().join("one.backup");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read(&file).unwrap();
    let (done, told) = run(&world, &["backup", "one.backup"]);
    assert!(!done && told.contains("is there already"), "{told}");
    assert!(!run(&world, &["backup", "state.db"]).0 && !run(&world, &["backup", "nowhere/one.backup"]).0);
    assert_eq!(fs::read(&file).unwrap(), content);
    let names = names(world.gateway.directory.path());
    assert!(!names.iter().any(|name| name.contains(".part")), "nothing is left behind: {names:?}");
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn every_store_of_the_gateway_is_in_its_backup() {
    let world = World::open(WIKI).await;
    world.signed_in().await;
    let kept: BTreeSet<String> = names(world.gateway.directory.path())
        .into_iter()
        .filter(|name| !NO_STORES.contains(&name.as_str()))
        .collect();
    good(&world, &["backup", "one.backup"]);
    let archive = fs::File::open(world.gateway.directory.path().join("one.backup")).unwrap();
    let mut archive = tar::Archive::new(archive);
    let entries =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    let mut entries: Vec<_> = entries.collect();
    assert_eq!(entries.remove(0), "portcullis-backup.json");
    assert_eq!(entries.into_iter().collect::<BTreeSet<_>>(), kept);
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let mut world = World::open(WIKI).await;
    let stays = key(&world, &world.signed_in().await);
    good(&world, &["backup", "good.backup"]);
    world.gateway.kill();
    let folder = world.gateway.directory.path().to_owned();
    let whole = fs::read(folder.join("good.backup")).unwrap();
    let newer = String::from_utf8_lossy(&whole[..512 + 40]).replace("\"version\":1", "\"version\":9");
    let newer = [newer.as_bytes(), &whole[512 + 40..]].concat();
    let mut damaged = whole.clone();
    damaged[8192..20_000].fill(0xA5);
    let cases: [(&str, &[u8]); 5] = [
        ("no backup", b"these are my holiday pictures"),
        ("no backup", b""),
        ("it is damaged", &whole[..whole.len() / 2]),
        ("damaged", &damaged),
        ("newer gateway", &newer),
    ];
    for (why, content) in cases {
        fs::write(folder.join("bad.backup"), content).unwrap();
        let (restored, told) = run(&world, &["restore", "bad.backup"]);
        assert!(!restored && told.contains(why), "{why}: {told}");
        assert!(
            !folder.join("state.db-before-restore").exists() && !folder.join("state.db-restore").exists()
        );
    }
    world.gateway.start_again();
    assert!(opens(&world, &stays).await);
}
