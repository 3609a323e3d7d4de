//! What `portcullis audit` prints.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::terminal::{Paint, escaped_json, visible};
use crate::chain::{ChainReport, Finding, KeyInUse, Report};

/// For people: what is wrong, how far each chain is proved, and by which key.
pub(super) fn human(report: &Report, key_given: bool, paint: Paint) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let _ = writeln!(text, "{} {}", paint.bad(finding.what.word()), visible(&finding.to_string()));
    }
    for chain in &report.chains {
        chain_text(chain, &mut text);
    }
    if report.unchained > 0 {
        let _ = writeln!(
            text,
            "{} lines or rows stand in files without a chain: nothing is known of them",
            report.unchained
        );
    }
    for series in &report.series {
        if let Some(first) = series.keys.first().filter(|_| !key_given) {
            let _ = writeln!(text, "signed by keys that begin with {}", visible(&first.key.to_string()));
            text += "  is that the one you know? Give it with --key.\n";
        }
    }
    if report.series.is_empty() {
        text += "nothing is signed: whoever rewrote all of it is not seen\n";
    }
    let end = match report.findings.len() {
        0 => paint.good("whole"),
        1 => paint.bad("1 finding"),
        many => paint.bad(&format!("{many} findings")),
    };
    text + &end + "\n"
}

fn chain_text(chain: &ChainReport, text: &mut String) {
    let ChainReport { lines, blocks, unproved, tail, adopted, hidden, .. } = chain;
    let (files, of) = (chain.places.len(), if chain.of_rows { "segments" } else { "files" });
    let (line, all) = if chain.of_rows { ("row", "entries") } else { ("line", "lines") };
    let _ = writeln!(text, "{}: {lines} {all} in {blocks} blocks and {files} {of}", visible(&chain.chain));
    if chain.of_rows {
        text.push_str(
            "  an entry is a row (an event, or an interval with how many it stands for) or the chain's own\n",
        );
    }
    match &chain.proved {
        Some(proved) => {
            let (last, place, time) = (proved.line, visible(&proved.place), proved.time.rfc3339());
            let number = proved.checkpoint;
            let _ = writeln!(
                text,
                "  proved up to {line} {last} of {place}, signed at {time} (checkpoint {number})"
            );
            let _ = writeln!(
                text,
                "  {unproved} {all} after it are not yet proved; {tail} of them are in no block yet"
            );
        }
        None => {
            let _ = writeln!(text, "  nothing of it is signed; {tail} {all} are in no block yet");
        }
    }
    if *adopted > 0 {
        let _ = writeln!(
            text,
            "  {adopted} lines were left by a process that ended without a footer: they are proved from the next one on"
        );
    }
    if *hidden > 0 {
        let _ = writeln!(text, "  {hidden} of the lines are hashes alone");
    }
}

/// For programs.
pub(super) fn json(report: &Report) -> Value {
    json!({
        "whole": report.findings.is_empty(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "chains": report.chains.iter().map(chain).collect::<Vec<_>>(),
        "unchained": report.unchained,
        "keys": keys(report),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "what": finding.what.word(),
        "file": finding.place,
        "line": finding.line,
        "byte": finding.at,
        "event": finding.event,
        "words": finding.words,
    })
}

fn chain(chain: &ChainReport) -> Value {
    let proved = chain.proved.as_ref().map(|proved| {
        json!({
            "block": proved.block,
            "file": proved.place,
            "line": proved.line,
            "checkpoint": proved.checkpoint,
            "origin": proved.origin,
            "time": proved.time.rfc3339(),
        })
    });
    json!({
        "chain": &*chain.chain,
        "kind": if chain.of_rows { "store" } else { "file" },
        "files": chain.places,
        "lines": chain.lines,
        "hidden": chain.hidden,
        "adopted": chain.adopted,
        "blocks": chain.blocks,
        "proved": proved,
        "unproved": chain.unproved,
        "tail": chain.tail,
    })
}

fn keys(report: &Report) -> Vec<Value> {
    let key = |known: &KeyInUse| {
        let (from, until) = (known.from.rfc3339(), known.until.map(|until| until.rfc3339()));
        json!({ "key": known.key.to_string(), "from": from, "until": until })
    };
    report.series.iter().flat_map(|series| &series.keys).map(key).collect()
}

/// `audit keys`.
pub(super) fn keys_text(report: &Report, as_json: bool) -> String {
    if as_json {
        return escaped_json(&keys(report));
    }
    let mut text = String::new();
    for known in report.series.iter().flat_map(|series| &series.keys) {
        let until = known.until.map(|until| format!(" to {}", until.rfc3339())).unwrap_or_default();
        let _ = writeln!(text, "{}  from {}{until}", visible(&known.key.to_string()), known.from.rfc3339());
    }
    text
}

/// `audit checkpoints`.
pub(super) fn checkpoints_text(report: &Report, as_json: bool) -> String {
    let all = || report.series.iter().flat_map(|series| series.checkpoints.values());
    if as_json {
        let heads = |checkpoint: &crate::chain::Checkpoint| {
            let head = |head: &crate::chain::Head| json!({ "chain": &*head.chain, "block": head.number, "hash": head.hash.to_string(), "file": head.file });
            checkpoint.heads.iter().map(head).collect::<Vec<_>>()
        };
        let one = |it: &crate::chain::Checkpoint| json!({ "origin": it.origin, "number": it.number, "time": it.time.rfc3339(), "heads": heads(it) });
        return escaped_json(&all().map(one).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for checkpoint in all() {
        let _ = writeln!(
            text,
            "{} {} {}",
            visible(&checkpoint.origin),
            checkpoint.number,
            checkpoint.time.rfc3339()
        );
        for head in &checkpoint.heads {
            let _ =
                writeln!(text, "  {} block {} in {}", visible(&head.chain), head.number, visible(&head.file));
        }
    }
    text
}
