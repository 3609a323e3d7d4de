//! What is a webhook's alone.

use tempfile::TempDir;

use super::far_ends::{self, FarEnd, Mood};
use super::suite::{Rig, far_sink, webhook_to};
use super::*;
use crate::sinks::signature::signature;

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

#[test]
fn a_batch_has_an_id_and_is_signed_by_every_secret() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    let mut settings = webhook_to(&format!("http://{}/events", far.address));
    settings.secrets.push(Secret::new("another secret, which is the next one"));
    let rig = Rig::start(folder.path(), &FarSettings::Webhook(settings.clone()), false);
    rig.emit(3, 10);
    until("it came", || (far.lines().len() == 3).then_some(()));
    let (head, body) = (far.heads().remove(0), far.lines().join("\n") + "\n");
    assert!(head.starts_with("POST /events HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "content-type"), "application/x-ndjson");
    assert_eq!(field(&head, "portcullis-batch"), format!("{}-0-1-3", rig.recorder.process()));
    let time = field(&head, "portcullis-signature").split(['=', ',']).nth(1).unwrap().parse().unwrap();
    let expected = signature(&settings.secrets, time, body.as_bytes());
    assert_eq!(field(&head, "portcullis-signature"), expected);
    assert!(Clock::system().now().seconds().abs_diff(time) < 60);
}

/// An answer without end, one that comes a byte at a time and a redirect to where secrets of the machine are: it is tried
/// again, by itself, at the address that was configured.
#[test]
fn invariant_16_hostile_answers_do_no_harm() {
    for mood in [Mood::Slow, Mood::Status(302), Mood::Status(307), Mood::Status(503), Mood::Status(429)] {
        let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
        far.is(mood);
        let settings = webhook_to(&format!("http://{}/events", far.address));
        let rig = Rig::start(folder.path(), &FarSettings::Webhook(settings), false);
        rig.emit(3, 10);
        until("trouble", || rig.health().trouble);
        assert_eq!((rig.health().written, far.lines().len()), (0, 0), "{mood:?}");
        far.is(Mood::Well);
        until("it came", || (far.lines().len() >= 3).then_some(()));
    }
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    far.is(Mood::Endless);
    let settings = webhook_to(&format!("http://{}/events", far.address));
    let rig = Rig::start(folder.path(), &FarSettings::Webhook(settings), false);
    rig.emit(3, 10);
    // It has said 200 before it began.
    until("it is acknowledged", || (rig.health().written == 3).then_some(()));
}

#[test]
fn what_is_refused_for_good_lies_in_a_file_and_is_told() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    far.is(Mood::Status(422));
    let settings = webhook_to(&format!("http://{}/events", far.address));
    let rig = Rig::start(folder.path(), &FarSettings::Webhook(settings), false);
    rig.emit(3, 10);
    let file = folder.path().join("spool/refused.jsonl");
    until("it is put aside", || std::fs::read_to_string(&file).ok().filter(|text| text.lines().count() >= 3));
    assert_eq!(rig.health().trouble, None, "what comes next may fare better");
    far.is(Mood::Well);
    let told = until("it is told", || far.lines().into_iter().find(|line| line.contains("record.lost")));
    assert!(told.contains("\"from\":1,\"to\":3,\"count\":3,\"cause\":\"refused\""), "{told}");
}

#[test]
fn a_server_of_another_name_gets_nothing() {
    let (config, ca) = far_ends::tls_for("other.example");
    let (far, folder) = (FarEnd::start(far_ends::webhook, Some(config)), TempDir::new().unwrap());
    let url = format!("https://localhost:{}/events", far.address.port());
    let tls = TlsSettings { ca: Some(ca), client: None };
    let settings = FarSettings::Webhook(WebhookSettings { tls, ..webhook_to(&url) });
    let rig = Rig::start(folder.path(), &settings, false);
    rig.emit(3, 10);
    let trouble = until("trouble", || rig.health().trouble);
    assert!(trouble.contains("other.example") || trouble.contains("certificate"), "{trouble}");
    assert!(far.connections() > 0 && far.heads().is_empty());
}

/// Between two tries there is a pause, which grows.
#[test]
fn a_far_end_that_is_away_is_not_asked_all_the_time() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    far.is(Mood::Gone);
    let settings = webhook_to(&format!("http://{}/events", far.address));
    let rig = Rig::start(folder.path(), &FarSettings::Webhook(settings), false);
    rig.emit(3, 10);
    until("a few tries", || (far.connections() >= 8).then_some(()));
    let (before, began) = (far.connections(), Instant::now());
    until("a second", || (began.elapsed() > Duration::from_secs(1)).then_some(()));
    let more = far.connections() - before;
    assert!((4..=25).contains(&more), "{more} in a second, with at most 100 ms between two");
}

#[test]
fn a_batch_is_in_the_words_that_were_asked_for() {
    let (far, folder) = (FarEnd::start(far_ends::webhook, None), TempDir::new().unwrap());
    let settings = FarSettings::Webhook(webhook_to(&format!("http://{}/events", far.address)));
    let rig = Rig::start(folder.path(), &settings, false);
    let mut sink = far_sink(folder.path(), &settings, false);
    let SinkKind::Spooled(spooled) = &mut sink.kind else { return };
    spooled.schema = Some(crate::mapping::Schema::Ecs);
    rig.audit.apply(&Settings { log: Selection::NONE, sinks: vec![sink] }).unwrap();
    rig.emit(3, 10);
    until("in their words", || far.lines().iter().find(|line| line.contains("\"@timestamp\":")).cloned());
}
