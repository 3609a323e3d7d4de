//! Formats: what a stranger wrote is text in each of them, and is read back as it was by readers that are not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

const HOSTILE: [&str; 8] = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\ttab",
    "<script>alert(1)</script> & \"quoted\", 'single'",
    "\u{1b}[2J\u{202e}evil\r\nnext",
    "a;b",
];

fn frame() -> Frame {
    let rig = Rig::new();
    let mut frame = Frame::new(
        &rig.question(Report::Refusals),
        &[("who", Type::Text), ("times", Type::Number), ("last", Type::Time), ("said", Type::Text)],
    );
    for (index, hostile) in HOSTILE.iter().enumerate() {
        let last = if index == 0 { Cell::Unknown } else { Cell::Time(START * 1_000_000) };
        let cells = [Cell::Text((*hostile).into()), Cell::Number(index as u64 * 1000), last, Cell::None];
        frame.push(cells, Lead::default());
    }
    frame.notes.push("a <note>".into());
    frame
}

/// What a script of Python says of a text.
fn python(script: &str, text: &str) -> Json {
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_inert(text: &str) -> bool {
    let turns =
        |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !text.contains(|c: char| (c.is_control() && c != '\n' && c != '\r') || turns(c))
}

#[test]
fn a_spreadsheet_calculates_nothing_and_keeps_numbers() {
    let script = "import csv,json,sys,io\n\
        print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode(), newline='')))))";
    let text = Format::Csv.write(&frame());
    assert!(is_inert(&text));
    let rows = python(script, &text);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), HOSTILE.len() + 1);
    assert_eq!(rows[0], serde_json::json!(["who", "times", "last", "said"]));
    for (index, row) in rows[1..].iter().enumerate() {
        let cell = |index: usize| row[index].as_str().unwrap();
        assert!(!cell(0).starts_with(['=', '+', '-', '@', '\t', '\r']), "{row}");
        assert_eq!((cell(1), cell(3)), ((index * 1000).to_string().as_str(), ""));
    }
    assert_eq!((&rows[1][0], &rows[1][2]), (&"'=cmd|' /C calc'!A0".into(), &"unknown".into()));
    assert_eq!((&rows[8][0], &rows[8][2]), (&"a;b".into(), &"2026-11-30 10:00:00+00:00".into()));
}

#[test]
fn a_page_has_no_element_of_a_strangers() {
    let script = "import sys,json\nfrom html.parser import HTMLParser\n\
        class P(HTMLParser):\n def __init__(s):\n  super().__init__(); s.tags=set(); s.cells=[]; s.cell=None\n \
        def handle_starttag(s,t,a):\n  s.tags.add(t)\n  if t=='td': s.cell=''\n \
        def handle_endtag(s,t):\n  if t=='td': s.cells.append(s.cell); s.cell=None\n \
        def handle_data(s,d):\n  if s.cell is not None: s.cell+=d\n\
        p=P(); p.feed(sys.stdin.buffer.read().decode()); p.close()\n\
        print(json.dumps({'tags':sorted(p.tags),'cells':p.cells}))";
    let text = Format::Html.write(&frame());
    assert!(is_inert(&text));
    let page = python(script, &text);
    let tags = [
        "body", "h1", "head", "html", "meta", "p", "style", "table", "tbody", "td", "th", "thead", "title",
        "tr",
    ];
    assert_eq!(page["tags"], serde_json::json!(tags));
    assert_eq!(page["cells"][20], HOSTILE[5], "the sixth row's first cell is what was written");
    assert_eq!(
        (&page["cells"][2], &page["cells"][3], &page["cells"][1]),
        (&"unknown".into(), &"–".into(), &"0".into())
    );
}

#[test]
fn a_program_reads_what_was_written() {
    let text = Format::Json.write(&frame());
    assert!(is_inert(&text));
    let report: Json = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["report"], &report["zone"]), (&"refusals".into(), &"UTC".into()));
    for (row, hostile) in report["rows"].as_array().unwrap().iter().zip(HOSTILE) {
        assert_eq!((&row["who"], &row["said"]), (&hostile.into(), &Json::Null));
    }
    assert_eq!(report["rows"][0]["last"], serde_json::json!({ "unknown": true }));
    assert_eq!(report["rows"][1]["last"], "2026-11-30T10:00:00.000000Z");
}

#[test]
fn a_terminal_shows_it_and_does_nothing_else() {
    let mut frame = frame();
    let text = Format::Table.write(&frame);
    assert!(is_inert(&text) && text.contains("\\u001b[2J\\u202eevil\\u000d\\u000anext"), "{text}");
    assert_eq!(text.lines().count(), 2 + 1 + HOSTILE.len() + 2);
    frame.rows.clear();
    assert!(Format::Table.write(&frame).contains("\nnothing\n"));
}
