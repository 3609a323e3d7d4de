//! The stream at the transmitter, which is as the configuration says.

use std::fs;

use serde_json::{Value, json};

use super::{ROUTES, Rig};
use crate::support::{Browser, Transmitter, until_async};

const NAME: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// Reads the file again, with `from` in it as `to`.
fn reload(rig: &Rig, from: &str, to: &str) {
    let file = rig.gateway.configuration();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&file, text.replace(from, to)).unwrap();
    rig.gateway.signal("HUP");
}

#[tokio::test]
async fn a_stream_is_made_as_the_file_says_and_verified() {
    let rig = Rig::open("events = [\"session-revoked\", \"account-disabled\"]\n").await;
    let made = rig.transmitter.calls("POST /streams");
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["delivery"]["method"], "urn:ietf:rfc:8935");
    assert_eq!(made[0]["delivery"]["endpoint_url"], rig.gateway.url("/.portcullis/signals/corp"));
    let disabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    assert_eq!(made[0]["events_requested"], json!([NAME, disabled]));
    let asked = rig.transmitter.calls("POST /verify");
    assert_eq!((asked.len(), &asked[0]["stream_id"]), (1, &json!("stream-1")));
    assert!(asked[0]["state"].as_str().unwrap().len() > 20);
    assert!(
        rig.transmitter.calls("POST /subjects:add").is_empty(),
        "all subjects are in a stream by themselves"
    );
}

#[tokio::test]
async fn a_restart_finds_the_stream_and_a_reload_changes_and_deletes_it() {
    let mut rig = Rig::open("").await;
    let secret = rig.authorization();
    rig.gateway.restart();
    rig.is_verified().await;
    assert_eq!(rig.transmitter.calls("POST /streams").len(), 1, "it is not made again");
    assert_eq!(rig.authorization(), secret, "it follows from the gateway's key");
    reload(&rig, "provider = \"corp\"\n", "provider = \"corp\"\nevents = \"session-revoked\"\n");
    let is_narrow = |stream: &Value| stream["events_requested"] == json!([NAME]);
    until_async("a change", || async { is_narrow(&rig.transmitter.state().streams[0]) }).await;
    assert_eq!(rig.transmitter.calls("POST /streams").len(), 1);
    rig.is_verified().await;
    let file = fs::read_to_string(rig.gateway.configuration()).unwrap();
    let table =
        file.split_once("[signals.corp]").unwrap().1.split_once(ROUTES.lines().next().unwrap()).unwrap().0;
    reload(&rig, &format!("[signals.corp]{table}"), "");
    until_async("a deletion", || async { rig.transmitter.state().streams.is_empty() }).await;
    rig.logs("the stream of signals was deleted at the transmitter").await;
    let head = [("content-type", "application/secevent+jwt"), ("authorization", secret.as_str())];
    assert_eq!(rig.post(&head, "x").await.status, 404);
}

#[tokio::test]
async fn a_process_that_ends_leaves_its_stream() {
    let mut rig = Rig::open("").await;
    rig.gateway.signal("TERM");
    rig.gateway.wait();
    assert_eq!(rig.transmitter.state().streams.len(), 1);
    assert!(rig.transmitter.calls("DELETE /streams").is_empty());
}

#[tokio::test]
async fn a_transmitter_that_allows_one_stream_has_it_changed() {
    let transmitter = Transmitter::start().await;
    let other = json!({
        "stream_id": "old", "iss": transmitter.issuer(), "aud": "receiver-1", "description": "of somebody before",
        "delivery": {"method": "urn:ietf:rfc:8936"}, "events_requested": [],
    });
    transmitter.state().streams.push(other);
    let rig = Rig::unready(transmitter, "", "").await;
    rig.is_verified().await;
    let stream = rig.transmitter.state().streams[0].clone();
    assert_eq!(
        (&stream["stream_id"], &stream["delivery"]["method"]),
        (&json!("old"), &json!("urn:ietf:rfc:8935"))
    );
}

/// Which one of them nobody uses, the operator knows.
#[tokio::test]
async fn of_several_streams_of_others_none_is_taken() {
    let transmitter = Transmitter::start().await;
    for name in ["one", "other"] {
        let stream = json!({"stream_id": name, "iss": transmitter.issuer(), "aud": "receiver-1",
            "delivery": {"method": "urn:ietf:rfc:8936"}, "description": name});
        transmitter.state().streams.push(stream);
    }
    let rig = Rig::unready(transmitter, "", "").await;
    rig.logs("has 2 of which none is described as").await;
    assert!(rig.transmitter.calls("PATCH /streams").is_empty());
}

#[tokio::test]
async fn a_stream_that_is_paused_is_enabled_again() {
    let transmitter = Transmitter::start().await;
    transmitter.state().status = "paused".into();
    let rig = Rig::unready(transmitter, "", "").await;
    rig.is_verified().await;
    assert_eq!(rig.transmitter.state().status, "enabled");
    rig.transmitter.state().status = "disabled".into();
    let updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
    let subject = json!({"format": "opaque", "id": "stream-1"});
    rig.pushed(
        &json!({"events": {updated: {"status": "disabled", "reason": "maintenance"}}, "sub_id": subject}),
    )
    .await;
    until_async("an enabled stream", || async { rig.transmitter.state().status == "enabled" }).await;
}

#[tokio::test]
async fn a_client_is_given_access_tokens_and_asks_anew_for_one_that_is_refused() {
    let transmitter = Transmitter::start().await;
    transmitter.state().by_client = true;
    let root = transmitter.issuer().trim_end_matches("/tenant").to_owned();
    let client = format!(
        "client_id = \"us\"\nclient_secret = {{ env = \"CLIENT_SECRET\" }}\ntoken_endpoint = \"{root}/token\"\n"
    );
    let rig = Rig::unready(transmitter, "", "").await;
    rig.logs("does `token`, or the client, have the right to manage streams").await;
    let before = rig.transmitter.calls("POST /token").len();
    reload(&rig, "token = { env = \"CLIENT_SECRET\" }\n", &client);
    rig.is_verified().await;
    assert_eq!(rig.transmitter.calls("POST /token").len(), before + 1, "one token serves all calls");
    rig.transmitter.revoke_token();
    rig.transmitter.state().status = "paused".into();
    let updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
    rig.pushed(&json!({"events": {updated: {"status": "paused"}}})).await;
    until_async("an enabled stream", || async { rig.transmitter.state().status == "enabled" }).await;
    assert_eq!(rig.transmitter.calls("POST /token").len(), before + 2);
}

#[tokio::test]
async fn what_keeps_a_stream_from_its_work_is_told() {
    for (metadata, stream, why) in [
        (json!({"issuer": "https://evil.example"}), json!({}), "issuer is https://evil.example"),
        (
            json!({"configuration_endpoint": "http://evil.example/"}),
            json!({}),
            "configuration_endpoint is no URL",
        ),
        (json!({"delivery_methods_supported": ["urn:ietf:rfc:8936"]}), json!({}), "set another `delivery`"),
        (json!({}), json!({"iss": "https://evil.example"}), "its iss is https://evil.example"),
        (json!({}), json!({"aud": null}), "it names no aud"),
    ] {
        let transmitter = Transmitter::start().await;
        transmitter.state().metadata = metadata;
        transmitter.state().stream = stream;
        let rig = Rig::unready(transmitter, "", "").await;
        rig.logs(why).await;
        let ready = Browser::new().get(&rig.gateway.admin_url("/readyz")).await;
        assert!(ready.body.contains("signals corp"), "{}", ready.body);
        assert_eq!(ready.status, 200, "everything else goes on: {}", ready.body);
    }
    let transmitter = Transmitter::start().await;
    transmitter.state().stream = json!({"events_delivered": [NAME]});
    let rig = Rig::unready(transmitter, "", "").await;
    rig.logs("does not send all events that were asked for").await;
}
