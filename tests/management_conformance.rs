//! The management API is what its description says, in the eyes of a program that reads nothing else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{World, event};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Calls what is `chosen` in every way that the description allows and in many that it forbids. What it
/// checks of each answer: its status, media type, headers and content are described; what is forbidden is
/// refused; methods that are not there are 405; the token is asked for. Not that everything allowed is
/// accepted: that no selection is empty, and that `all` stands alone, no schema says here. Nor does it warn: that nobody has a
/// subject which it makes up is as it should be.
fn checked(world: &World, chosen: &[&str]) {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/schemathesis/bin/schemathesis");
    assert!(tool.exists(), "schemathesis is missing: `bash tests/run` installs it");
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let output = Command::new(tool)
        .args(["run", &world.gateway.admin_url("/api/v1/openapi.json"), "--header", &bearer])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--max-examples", "30", "--seed", "1", "--generation-database", "none", "--no-color"])
        .args(["--warnings", "off"])
        .args(chosen)
        .current_dir(world.gateway.directory.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("No issues found"), "{told}");
}

#[tokio::test]
async fn the_api_is_what_its_description_says() {
    let route = "[[routes]]\nupstream = \"{app}\"\naccess = \"signed-in\"\n";
    let world = World::open(route).await;
    let token = world.gateway.directory.path().join("admin.token");
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(world.gateway.configuration()).unwrap();
    let text = text.replace("[admin]\n", "[admin]\ntoken = { file = \"admin.token\" }\n");
    fs::write(world.gateway.configuration(), text).unwrap();
    world.gateway.signal("HUP");
    event(&world.gateway, "configuration.changed");
    world.signed_in().await;
    // First while somebody is there to be listed, whom the second may sign out.
    checked(&world, &["--include-operation-id", "list-sessions"]);
    checked(&world, &["--exclude-operation-id", "drain"]);
}
