//! Whatever goes on for long goes on only for as long as it would be let in: by the newest rules, and by what is known of
//! its person now (invariants 8 and 22).

mod ended;
mod kinds;

use tonic::Code;

use crate::support::{Browser, World, until, until_async};
use kinds::{Ends, PATHS, Streams, routes};

const HTTP2: &str = "listen = { address = \"127.0.0.1:{port}\", h2c = true }\n";

/// So that a reload alone can have streams judged.
const SELDOM: &str = "reauthorize_every = \"1h\"\n";

const HOME: &str = "[[routes]]\nname = \"home\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n\n";

const STAFF: &str = "[policies.streams]\nallow = [{ groups = [\"staff\"] }]\n\n";

/// A gateway before apps of all kinds, with these lines in `[server]`, this policy, and these lines in each route.
async fn world(server: &str, policy: &str, lines: &str) -> World {
    let routes = format!("{policy}{HOME}{}", routes(lines).await);
    World::at("http://127.0.0.1:{port}", &format!("{HTTP2}{server}"), "", &routes).await
}

fn cookie(world: &World, browser: &Browser) -> String {
    format!("portcullis={}", browser.cookie(&world.gateway.url("/"), "portcullis").unwrap())
}

/// Streams of Alice's.
async fn streams(world: &World) -> (Browser, Streams) {
    let browser = world.signed_in().await;
    let streams = Streams::open(world.gateway.port, ("cookie", &cookie(world, &browser))).await;
    (browser, streams)
}

/// How many judgements have come to `result`.
async fn judged(world: &World, result: &str) -> u64 {
    let metrics = Browser::new().get(&world.gateway.admin_url("/metrics")).await.body;
    let name = format!("portcullis_reauthorizations_total{{result=\"{result}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0, |count| count.parse().unwrap())
}

/// Each of the streams has left a line that says why it was cut off.
fn each_is_logged(world: &World, why: &str) {
    for path in PATHS {
        let told = |line: &str| line.contains(path) && line.contains("cut off") && line.contains(why);
        until(&format!("a line of {path} with {why}"), || world.gateway.log().lines().any(told));
    }
}

fn refused(ends: &Ends) {
    assert_eq!(ends.close, (1008, "no longer permitted".to_owned()));
    assert!(ends.upload.starts_with("HTTP/1.1 403 "), "{}", ends.upload);
    assert_eq!(ends.grpc, (Code::PermissionDenied, "no longer permitted".to_owned()));
}

fn sent_to_sign_in(ends: &Ends) {
    assert_eq!(ends.close, (1008, "a new sign-in is needed".to_owned()));
    assert!(ends.upload.starts_with("HTTP/1.1 401 "), "{}", ends.upload);
    assert_eq!(ends.grpc, (Code::Unauthenticated, "no longer permitted".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_a_reload_that_takes_a_person_out_of_the_policy_cuts_their_streams() {
    for (to, why) in [
        ("allow = [{ groups = [\"board\"] }]", "policy streams, no allow rule holds"),
        (
            "allow = [{ groups = [\"staff\"], networks = [\"192.0.2.0/24\"] }]",
            "policy streams, no allow rule holds",
        ),
        (
            "allow = [{ groups = [\"staff\"] }]\ndeny = [{ networks = [\"127.0.0.0/8\"] }]",
            "policy streams, deny rule 1",
        ),
    ] {
        let world = world(SELDOM, STAFF, "policy = \"streams\"").await;
        let (_, streams) = streams(&world).await;
        world.gateway.rewrite("allow = [{ groups = [\"staff\"] }]", to);
        refused(&streams.end(world.gateway.port).await);
        each_is_logged(&world, &format!("no longer permitted: {why}"));
        assert_eq!(judged(&world, "cut").await, 6, "{}", world.gateway.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_changes_something_else_leaves_streams_alone() {
    let world = world("", STAFF, "policy = \"streams\"").await;
    let (_, mut streams) = streams(&world).await;
    let further = "[[routes]]\npath = \"/further\"\nredirect = { path = \"/\" }\naccess = \"public\"\n\n[policies.streams]";
    world.gateway.rewrite("[policies.streams]", further);
    world.gateway.rewrite("[\"staff\"]", "[\"staff\", \"board\"]");
    until_async("all to be judged anew", || async { judged(&world, "permitted").await >= 6 }).await;
    streams.go_on().await;
    assert_eq!(judged(&world, "cut").await + judged(&world, "unknown").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_streams_end_when_a_refresh_brings_other_groups() {
    let world = world("reauthorize_every = \"1s\"\n", STAFF, "policy = \"streams\"").await;
    world.provider.control("lifetime?s=1").await;
    let (browser, streams) = streams(&world).await;
    world.provider.control("groups?user=alice&of=board").await;
    // Another tab finds the token expired, which has it renewed, and the groups with it.
    until_async("the new groups", || async {
        browser.get(&world.gateway.url("/socket")).await.status == 403
    })
    .await;
    refused(&streams.end(world.gateway.port).await);
    each_is_logged(&world, "no longer permitted: policy streams, no allow rule holds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_when_the_sign_in_behind_them_is_too_long_ago() {
    let recent = "[policies.streams]\nallow = [{ groups = [\"staff\"], max_auth_age = \"59m\" }]\n\n";
    let world = world("reauthorize_every = \"1s\"\n", recent, "policy = \"streams\"").await;
    // An hour ago less what the streams take to open; the clocks may differ by a minute. The provider tells when it was,
    // for it is asked; the app of WebSockets has nothing for a page.
    world.provider.control("ago?s=3575").await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.gateway.url("/socket")).await.status, 502);
    let streams = Streams::open(world.gateway.port, ("cookie", &cookie(&world, &browser))).await;
    let ends = streams.end(world.gateway.port).await;
    sent_to_sign_in(&ends);
    assert!(ends.upload.contains("insufficient_user_authentication"), "{}", ends.upload);
    assert!(ends.upload.contains("max_age=\"3540\""), "{}", ends.upload);
    each_is_logged(&world, "allow rule 1 needs a stronger sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_22_what_a_token_began_ends_when_its_scopes_or_its_audience_suffice_no_more() {
    let reads = "[policies.streams]\nallow = [{ scopes = [\"orders:read\"] }]\n\n";
    let audience = "audiences = [\"https://api.corp.example\"]";
    for (from, to, is_known) in [
        ("[\"orders:read\"]", "[\"orders:write\"]", true),
        (audience, "audiences = [\"https://other.corp.example\"]", false),
    ] {
        let world = world("", reads, "policy = \"streams\"").await;
        let token = format!("Bearer {}", world.provider.access_token("orders:read").await);
        let mut streams = Streams::open(world.gateway.port, ("authorization", &token)).await;
        streams.go_on().await;
        world.gateway.rewrite(from, to);
        let ends = streams.end(world.gateway.port).await;
        if is_known {
            refused(&ends)
        } else {
            sent_to_sign_in(&ends)
        }
        each_is_logged(&world, if is_known { "no allow rule holds" } else { "nobody is signed in" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_strangers_end_when_their_route_is_public_no_more() {
    let world = world(SELDOM, STAFF, "access = \"public\"").await;
    let streams = Streams::open(world.gateway.port, ("x-nobody", "at all")).await;
    world.gateway.rewrite("access = \"public\"", "policy = \"streams\"");
    sent_to_sign_in(&streams.end(world.gateway.port).await);
    each_is_logged(&world, "no longer permitted: nobody is signed in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_when_their_address_leads_nowhere_or_to_another_app() {
    for (place, why) in
        [("gone", "no route of this host claims this path"), ("moved", "leads to another app now")]
    {
        let world = world("", STAFF, "policy = \"streams\"").await;
        let (_, streams) = streams(&world).await;
        let text = std::fs::read_to_string(world.gateway.configuration()).unwrap();
        let (before, last) = text.split_once("[[routes]]\nname = \"/socket\"").unwrap();
        let last = &text[text.len() - last.len() - "[[routes]]\nname = \"/socket\"".len()..];
        let app = world.app.url();
        let moved = PATHS.map(|path| {
            format!("[[routes]]\npath = \"{path}\"\nupstream = \"{app}\"\npolicy = \"streams\"\n\n")
        });
        let home = "name = \"home\"\n";
        assert!(before.contains(home));
        if place == "gone" {
            world.gateway.rewrite(&text, &before.replace(home, "name = \"home\"\npath = \"/home\"\n"));
        } else {
            world.gateway.rewrite(last, &moved.concat());
        }
        let ends = streams.end(world.gateway.port).await;
        assert_eq!(ends.close, (1008, "no longer permitted".to_owned()));
        assert!(ends.upload.starts_with("HTTP/1.1 404 "), "{}", ends.upload);
        each_is_logged(&world, why);
    }
}
