//! OCSF: by the schema that is published, where a tool that carries it is there, and by what is written here in any case.

use std::path::Path;
use std::process::Command;

use super::*;

/// Class and activity of each kind, as they are meant: written down once more, so that a slip in the one is seen in the other.
const CLASSES: &str = "
    access.granted 400203
    access.refused 400203
    access.opened 400203
    access.open 400203
    request.unreadable 400105
    sign-in.begun 300206
    sign-in.succeeded 300201
    sign-in.failed 300201
    step-up.asked 300206
    step-up.unmet 300201
    tokens.refreshed 300205
    tokens.not-refreshed 300205
    tokens.revoked 300299
    tokens.not-revoked 300299
    signed-out 300202
    session.ended 300202
    session.bound 300299
    session.binding-refused 300299
    credential.first-used 300299
    credential.refused 300201
    signal.received 200401
    signal.refused 600399
    logout-token.accepted 600399
    logout-token.refused 600399
    configuration.loaded 300410
    configuration.refused 300403
    configuration.changed 300403
    key.published 300401
    key.rotated 300410
    provider.lost 600299
    provider.back 600299
    provider.keys-changed 300403
    store.lost 600299
    store.back 600299
    store.missed 600299
    upstream.lost 600299
    upstream.back 600299
    shared-counts.lost 600299
    shared-counts.back 600299
    management.called 600399
    management.refused 600399
    person.erased 600399
    record.read 600399
    access.reviewed 600399
    process.started 600203
    process.draining 600207
    process.took-over 600205
    process.ended 600204
    record.lost 100899
    record.rotated 100805
    record.removed 100802
    record.beside 100899
    record.damaged 100899
    record.altered 100899
    record.gap 100899
    record.left-out 100899
    record.checkpoint 100899
    clock.set-back 600801
";

#[test]
fn each_kind_has_its_class() {
    let meant: BTreeMap<&str, u64> = CLASSES
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(word, uid)| (word, uid.parse().unwrap()))
        .collect();
    samples::bare(&mut |event| {
        let (word, json) = (event.kind().word(), mapped(Schema::Ocsf, event));
        let type_uid = json["type_uid"].as_u64().unwrap();
        assert_eq!(Some(&type_uid), meant.get(word), "{word}");
        assert_eq!(json["class_uid"].as_u64(), Some(type_uid / 100), "{word}");
        assert_eq!(json["category_uid"].as_u64(), Some(type_uid / 100_000), "{word}");
        assert_eq!(json["activity_id"].as_u64(), Some(type_uid % 100), "{word}");
    });
}

#[test]
fn a_request_says_who_asked_for_what_and_what_became_of_it() {
    request(&mut |event| {
        let json = mapped(Schema::Ocsf, event);
        let expected = [
            ("time", 1_800_000_000_000_u64.into()),
            ("metadata.version", "1.8.0".into()),
            ("metadata.product.name", "Portcullis".into()),
            ("metadata.original_time", "2027-01-15T08:00:00.000000Z".into()),
            ("type_name", "HTTP Activity: Get".into()),
            ("severity_id", 1.into()),
            ("status_id", 1.into()),
            ("status", "Success".into()),
            ("status_code", "allowed".into()),
            ("action_id", 1.into()),
            ("disposition_id", 1.into()),
            ("authorizations.0.policy.name", "policy staff, rule 1".into()),
            ("actor.user.name", event.who.unwrap().user.as_str().into()),
            ("actor.user.type_id", 1.into()),
            ("actor.session.uid", "0000000000000002".into()),
            ("src_endpoint.ip", "192.0.2.7".into()),
            ("http_request.url.hostname", "wiki.corp.example".into()),
            ("http_request.url.port", 8443.into()),
            ("http_request.http_method", "GET".into()),
            ("http_request.user_agent", "curl/8".into()),
            ("http_response.code", 200.into()),
            ("duration", 0.into()),
            ("unmapped.us", 684.into()),
            ("unmapped.bound", true.into()),
        ];
        for (path, value) in expected {
            let value: Json = value;
            assert_eq!(at(&json, path), &value, "{path} in {json}");
        }
    });
}

#[test]
fn whoever_is_unknown_has_no_name_and_is_nobody_else() {
    samples::bare(&mut |event| {
        if ["sign-in.begun", "sign-in.failed", "credential.refused"].contains(&event.kind().word()) {
            let json = mapped(Schema::Ocsf, event);
            let user = (at(&json, "user.name"), at(&json, "user.type_id"), at(&json, "user.uid"));
            assert_eq!(user, (&"".into(), &0.into(), &Json::Null), "{json}");
        }
    });
}

#[test]
fn nothing_that_a_line_says_is_lost() {
    samples::full("zz-mark", &mut |event| {
        for (path, value) in lost(Schema::Ocsf, event) {
            let in_parts = ["host", "since"].contains(&path.as_str());
            assert!(in_parts, "{}: {path} = {value}", event.kind().word());
        }
    });
}

/// `bash tests/run` installs the tool; it carries the schema as it was published.
#[test]
fn every_event_is_what_the_published_schema_asks_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/tools/ocsf/bin/python");
    assert!(python.exists(), "the schema of OCSF is missing: `bash tests/run` installs it");
    let lines = all(Schema::Ocsf).into_iter().fold(String::new(), |mut lines, (_, json)| {
        writeln!(lines, "{json}").unwrap();
        lines
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    let output =
        Command::new(python).arg(root.join("tests/ocsf/check.py")).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
