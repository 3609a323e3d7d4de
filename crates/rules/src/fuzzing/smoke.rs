//! The smoke run: what earlier runs of the fuzzer found worth keeping, and a bounded number of changes to it. The
//! generator begins with the same seed each time, so that a failure comes back.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "it fails as tests do")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Bytes of the longest input that is made.
const LONGEST: usize = 4096;

/// Runs `body` over the corpus of `target`, and over so many changed inputs.
pub fn smoke(target: &str, rounds: usize, body: fn(&[u8])) {
    let corpus = corpus(target);
    corpus.iter().for_each(|input| run(target, body, input));
    let words = dictionary(target);
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for _ in 0..rounds {
        run(target, body, &changed(&corpus, &words, &mut random));
    }
}

fn run(target: &str, body: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
        eprintln!(
            "\nfuzz target {target} fails. Keep this input in fuzz/corpus/{target}/:\nb\"{}\"\n",
            input.escape_ascii()
        );
        resume_unwind(panic);
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = project("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The words of a dictionary as libFuzzer reads them, one in quotes a line, with `\\`, `\"` and `\xNN`.
fn dictionary(target: &str) -> Vec<Vec<u8>> {
    let text =
        fs::read_to_string(project("fuzz/dictionaries").join(format!("{target}.dict"))).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('"')?.1.strip_suffix('"')).map(unescaped).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), word.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (_, true) => match rest.next().unwrap() {
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            (plain, false) => plain,
        });
    }
    bytes
}

/// A place in the project; each crate runs its tests in its own folder.
fn project(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(place)
}

fn below(end: usize, random: &mut TestRng) -> usize {
    random.next_u32() as usize % end
}

fn changed(corpus: &[Vec<u8>], words: &[Vec<u8>], random: &mut TestRng) -> Vec<u8> {
    let mut input = corpus[below(corpus.len(), random)].clone();
    for _ in 0..=below(4, random) {
        change(&mut input, corpus, words, random);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[Vec<u8>], random: &mut TestRng) {
    let at = below(input.len() + 1, random);
    let end = (at + 1 + below(16, random)).min(input.len());
    match below(8, random) {
        0 => drop(input.drain(at..end)),
        1 => input.insert(at, random.next_u32().to_le_bytes()[0]),
        2 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        3 => {
            let other = &corpus[below(corpus.len(), random)];
            let from = below(other.len() + 1, random);
            input.splice(at.., other[from..].iter().copied());
        }
        4 | 5 if !words.is_empty() => {
            let word = words[below(words.len(), random)].clone();
            input.splice(at..if below(2, random) == 0 { at } else { end }, word);
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << below(8, random);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_read_as_the_fuzzer_reads_it() {
        assert_eq!(unescaped(r#"a\x0d\\\"\x00b"#), b"a\r\\\"\0b");
    }

    /// A target without a body here would never be run; a body without a target would never be fuzzed.
    #[test]
    fn every_target_is_smoked_and_has_a_corpus() {
        let names = |folder: &str| {
            let entries = fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().path());
            let mut names: Vec<_> =
                entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        let targets = names("fuzz/fuzz_targets");
        assert_eq!(names("fuzz/corpus"), targets);
        let mut smoked = Vec::new();
        sources(&project("src"), &mut smoked);
        sources(&project("crates"), &mut smoked);
        smoked.sort();
        assert_eq!(smoked, targets);
    }

    fn sources(folder: &Path, smoked: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, smoked);
            } else if path.file_name().is_some_and(|name| name == "fuzzing.rs") {
                let text = fs::read_to_string(path).unwrap();
                let calls = text.split("smoke(\"").skip(1);
                smoked.extend(calls.map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
}
