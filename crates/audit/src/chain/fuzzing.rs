//! What stands in a record for the chain, and what was signed: any bytes.

#![allow(clippy::panic, reason = "it fails as tests do")]

use super::checkpoint::Statement;
use super::footer::Footer;
use super::hash::Hash;
use super::lines::LinesOfFile;
use super::note::{Note, SignerKey, VerifierKey};
use super::verify::{Verification, Whole};
use super::{log, opening::Opening};

/// A seed, so that a run is as the one before.
const SEED: [u8; 32] = [7; 32];

fn signer() -> SignerKey {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&SEED);
    let pair = pair.unwrap_or_else(|error| panic!("{error}"));
    SignerKey::of("fuzz.example/1", pair).unwrap_or_else(|error| panic!("{error}"))
}

/// Any text as a file of checkpoints: what is read is written so again, nothing verifies that was not signed, and what can be
/// signed does.
pub fn checkpoints(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let signer = signer();
    for note in log::read_notes(&text) {
        let Ok(read) = Note::read(&note) else { continue };
        assert_ne!(read.signed_by(signer.verifier()), Ok(Some(read.unchecked())), "nobody signed {note:?}");
        if let Some(said) = Statement::read(read.unchecked()) {
            let again = match &said {
                Statement::Checkpoint(checkpoint) => checkpoint.text(),
                Statement::Key(key) => key.text(),
            };
            assert_eq!(again, read.unchecked());
        }
    }
    if let Ok(signed) = signer.sign(&text) {
        let note = Note::read(&signed).unwrap_or_else(|error| panic!("{error}: {signed:?}"));
        assert_eq!(note.signed_by(signer.verifier()), Ok(Some(&*text)));
    }
    if let Ok(key) = VerifierKey::read(&text) {
        assert_eq!(key.to_string(), text);
    }
    let mut verification = Verification::new(Whole::Record);
    verification.checkpoints("checkpoints", &text);
    let report = verification.finish(Some(signer.verifier()));
    assert!(!report.findings.is_empty(), "nobody signed that");
}

/// Any bytes as a file of a record: every line is in the place where it stands, nothing is proved that was not signed, and
/// what is read of the chain's own lines is written so again.
pub fn chained_lines(data: &[u8]) {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(footer) = Footer::read(line) {
            assert_eq!(footer.line(), line);
        }
        if let Some(opening) = Opening::read(line) {
            assert_eq!(Opening::read(&opening.line()), Some(opening));
        }
    }
    for whole in [Whole::Record, Whole::Export] {
        let mut verification = Verification::new(whole);
        let walked = verification.place(&mut LinesOfFile::new("a", data));
        assert!(walked.is_ok());
        let report = verification.finish(None);
        for finding in &report.findings {
            let at = finding.at.unwrap_or_default();
            assert!(at <= data.len() as u64, "{finding} is behind the end");
        }
        assert!(report.chains.iter().all(|chain| chain.proved.is_none() || !report.series.is_empty()));
    }
    assert_eq!(Hash::read(&Hash::of(data).to_string()), Some(Hash::of(data)));
}

#[cfg(test)]
mod smoke {
    use portcullis_rules::fuzzing::smoke;

    #[test]
    fn checkpoints() {
        smoke("checkpoints", 3000, super::checkpoints);
    }

    #[test]
    fn chained_lines() {
        smoke("chained_lines", 3000, super::chained_lines);
    }
}
