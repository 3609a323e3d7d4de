//! What strangers say of languages, and files that operators write: for `cargo test` and for the fuzzer.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use super::catalogue::{Arg, Catalogue};
use super::language::choose;
use super::word::Word;

/// Whatever a browser asks for, one of the languages or none is chosen, and the same once more.
pub fn accept_language(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let tags = ["en", "de", "pt-BR"];
    let chosen = choose(&text, &tags);
    assert!(chosen.is_none_or(|at| at < tags.len()));
    assert_eq!(chosen, choose(&text, &tags));
    assert_eq!(choose(&text, &[]), None);
}

/// Whatever a file says, every text is there, and none of it is markup.
pub fn language_files(bytes: &[u8]) {
    let (catalogue, _) = Catalogue::read("fr", &String::from_utf8_lossy(bytes));
    for word in Word::ALL {
        let args: Vec<_> = word.arguments().iter().map(|name| (*name, Arg::Text("<&\">"))).collect();
        let html = catalogue.html(*word, &args);
        assert!(!html.is_empty() && !html.contains(['<', '>', '"', '\'']), "{word:?}: {html}");
    }
}

#[cfg(test)]
#[test]
fn smoke_accept_language() {
    crate::fuzzing::smoke("accept_language", 2000, accept_language);
}

#[cfg(test)]
#[test]
fn smoke_language_files() {
    crate::fuzzing::smoke("language_files", 300, language_files);
}
