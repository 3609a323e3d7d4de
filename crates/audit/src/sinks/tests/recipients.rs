//! Who has got what is personal in clear is told, also of sinks that are no more.

use std::fs;

use tempfile::TempDir;

use super::*;

fn settings(sinks: Vec<SinkSettings>) -> Settings {
    Settings { log: Selection::NONE, sinks }
}

#[test]
fn a_sink_stands_there_from_when_to_when_it_got_something() {
    let folder = TempDir::new().unwrap();
    let recipients = Recipients::beside(&folder.path().join("audit"));
    let file = file_sink(&folder.path().join("events.jsonl"));
    let veiled = SinkSettings { name: "veiled".into(), personal: Personal::Pseudonyms, ..file.clone() };
    recipients.in_force(&settings(vec![file.clone(), veiled.clone()]), None, 10).unwrap();
    recipients.in_force(&settings(vec![file.clone(), veiled.clone()]), None, 20).unwrap();
    let told = |at: usize| {
        let all = recipients.all().unwrap();
        (all.len(), all[at].recipient.name.clone(), all[at].since, all[at].until)
    };
    assert_eq!(told(0), (1, "file".into(), 10, None), "the same, and told once");
    recipients.in_force(&settings(vec![veiled.clone()]), None, 30).unwrap();
    assert_eq!(told(0), (1, "file".into(), 10, Some(30)));
    let clear = SinkSettings { personal: Personal::Clear, ..veiled };
    recipients.in_force(&settings(vec![file, clear]), None, 40).unwrap();
    assert_eq!((told(1), told(2)), ((3, "file".into(), 40, None), (3, "veiled".into(), 40, None)));
    let all = recipients.all().unwrap();
    assert!(
        all[0].recipient.fields.iter().any(|field| field == "subject") && all[0].recipient.events.is_empty()
    );
    assert!(!all[0].concerns("x", 31) && all[0].concerns("x", 30), "it had ended before");
}

#[test]
fn an_export_of_one_person_concerns_nobody_else() {
    let folder = TempDir::new().unwrap();
    let recipients = Recipients::beside(&folder.path().join("audit"));
    let recipient = |person: Option<&str>| Recipient {
        name: "audit person --export".into(),
        kind: "export".into(),
        to: "/tmp/x".into(),
        fields: personal_fields(),
        events: Vec::new(),
        person: person.map(str::to_owned),
    };
    recipients.got(&recipient(Some("a")), 5).unwrap();
    recipients.got(&recipient(None), 6).unwrap();
    let concern = |person| recipients.all().unwrap().iter().filter(|it| it.concerns(person, 0)).count();
    assert_eq!((concern("a"), concern("b")), (2, 1));
}

#[test]
fn lines_that_nobody_can_read_hide_no_others() {
    let folder = TempDir::new().unwrap();
    let recipients = Recipients::beside(&folder.path().join("audit"));
    let file = file_sink(&folder.path().join("events.jsonl"));
    recipients.in_force(&settings(vec![file.clone()]), None, 10).unwrap();
    for junk in [&b"{\"v\":1,\"what\":"[..], b"\xff\xfe", b"[]", &[b'x'; 200_000]] {
        let before = fs::read(recipients.path()).unwrap();
        fs::write(recipients.path(), [&before, junk].concat()).unwrap();
        recipients.in_force(&settings(vec![file.clone()]), None, 20).unwrap();
        recipients.in_force(&settings(Vec::new()), None, 30).unwrap();
        let all = recipients.all().unwrap();
        assert!(all.iter().all(|it| it.until.is_some()), "{all:?}");
        recipients.in_force(&settings(vec![file.clone()]), None, 40).unwrap();
        assert_eq!(recipients.all().unwrap().iter().filter(|it| it.until.is_none()).count(), 1);
    }
}

#[test]
fn what_formats_tell_is_what_stands_there() {
    let folder = TempDir::new().unwrap();
    let fields = |format| {
        let recipients = Recipients::beside(&folder.path().join(format!("{format:?}")));
        let kind = SinkKind::File(FileSettings { format, ..file_settings(folder.path()) });
        recipients
            .in_force(&settings(vec![SinkSettings { kind, ..file_sink(folder.path()) }]), None, 1)
            .unwrap();
        recipients.all().unwrap().remove(0).recipient.fields
    };
    assert_eq!(fields(LineFormat::Common), ["client", "user", "path"]);
    assert_eq!(fields(LineFormat::Combined), ["client", "user", "path", "agent"]);
    assert_eq!(fields(LineFormat::Json), personal_fields());
}
