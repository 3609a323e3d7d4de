//! What a document points at is there, and nothing in it waits to be filled in.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Document;

/// Targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    let kept = kept.filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in Document::all() {
        let prose = document.prose();
        for link in links(&prose).filter(|link| !link.contains("://")) {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                document.path.clone()
            } else {
                document.path.parent().unwrap_or(Path::new(".")).join(file)
            };
            assert!(target.exists(), "{}: {link} leads nowhere", document.path.display());
            if !part.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let found =
                    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == part);
                assert!(found, "{}: {link}: no such heading", document.path.display());
            }
        }
    }
}

#[test]
fn nothing_waits_to_be_filled_in() {
    for document in Document::all() {
        for word in ["TODO", "TBD", "FIXME", "XXX", "lorem", "coming soon"] {
            assert!(!document.text.contains(word), "{}: {word}", document.path.display());
        }
    }
}

/// Types of events look like keys.
fn is_event(code: &str) -> bool {
    portcullis::events::Kind::TABLE.iter().any(|row| row.word == code)
}

/// Keys as documents name them, `[server] listen` or `server.listen`, are keys of the schema.
#[test]
fn keys_that_documents_name_exist() {
    let schema = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("schema").output().unwrap();
    let schema = String::from_utf8(schema.stdout).unwrap();
    let known = |key: &str| schema.contains(&format!("\"{key}\": {{"));
    assert!(known("trusted_proxies") && !known("trusted_proxy"));
    let mut named = 0;
    for document in Document::all() {
        for code in
            document.prose().split('`').skip(1).step_by(2).filter(|code| is_key(code) && !is_event(code))
        {
            let keys =
                code.split(['.', ' ']).map(|key| key.trim_matches(['[', ']'])).filter(|key| *key != "NAME");
            let unknown: Vec<_> = keys.filter(|key| !known(key)).collect();
            assert!(
                unknown.is_empty(),
                "{}: `{code}`: not in the schema: {unknown:?}",
                document.path.display()
            );
            named += 1;
        }
    }
    assert!(named > 10, "only {named} keys were found");
}

fn is_key(code: &str) -> bool {
    let begins =
        ["server.", "session.", "admin.", "providers.", "[server] ", "[session] ", "[admin] ", "[log] "];
    begins.iter().any(|start| code.starts_with(start)) && !code.contains('=')
}
