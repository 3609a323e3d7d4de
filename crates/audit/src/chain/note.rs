//! Signed notes (<https://c2sp.org/signed-note>): a text, and who signed it, with Ed25519 (RFC 8032).

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::hash::Hash;

/// The word of the specification for Ed25519.
const ALGORITHM: u8 = 1;
/// Signatures of a note that are read; more are a fault.
const SIGNATURES: usize = 100;
/// What a line with a signature begins with.
const DASH: &str = "\u{2014} ";

/// Why a note or a key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a note.
    #[error("no signed note")]
    Form,
    /// It is no text that can be signed.
    #[error("no text of a note: it must end with a line feed, without empty lines and control characters")]
    Text,
    /// It is no key.
    #[error("no key of the form NAME+ID+KEY")]
    Key,
    /// A key that is known did not sign this.
    #[error("the signature is not of this text")]
    Signature,
    /// The system gave no key, or no signature.
    #[error("the system makes no keys or signatures")]
    System,
}

/// A key by which signatures are checked: `NAME+ID+KEY`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: [u8; 32],
}

impl VerifierKey {
    fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteError> {
        let fits = is_name(name);
        let id = Self::id_of(name, &key);
        fits.then(|| Self { name: name.to_owned(), id, key }).ok_or(NoteError::Key)
    }

    fn id_of(name: &str, key: &[u8; 32]) -> u32 {
        let text = [name.as_bytes(), &[b'\n', ALGORITHM], key].concat();
        let [a, b, c, d, ..] = Hash::of(&text).0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Reads one as it is written.
    ///
    /// # Errors
    /// Where it is none, is not of Ed25519, or has another id than it should.
    pub fn read(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let key = match bytes.split_first() {
            Some((&ALGORITHM, key)) => <[u8; 32]>::try_from(key).map_err(|_| NoteError::Key)?,
            Some(_) | None => return Err(NoteError::Key),
        };
        let read = Self::new(name, key)?;
        if id == read.short_id() { Ok(read) } else { Err(NoteError::Key) }
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, in eight digits.
    #[must_use]
    pub fn short_id(&self) -> String {
        format!("{:08x}", self.id)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ALGORITHM], &self.key[..]].concat());
        write!(f, "{}+{}+{key}", self.name, self.short_id())
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
}

/// A key that signs.
pub struct SignerKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl SignerKey {
    /// A new one, as PKCS #8.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, NoteError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| NoteError::System)?;
        let document = pair.to_pkcs8().map_err(|_| NoteError::System)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The one of this name.
    ///
    /// # Errors
    /// Where it is no key or no name.
    pub fn read(name: &str, pkcs8: &[u8]) -> Result<Self, NoteError> {
        Self::of(name, Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoteError::Key)?)
    }

    pub(crate) fn of(name: &str, pair: Ed25519KeyPair) -> Result<Self, NoteError> {
        let key = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| NoteError::Key)?;
        Ok(Self { pair, verifier: VerifierKey::new(name, key)? })
    }

    /// What checks its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The note of this text.
    ///
    /// # Errors
    /// Where it is no text of a note.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if !is_text(text) {
            return Err(NoteError::Text);
        }
        let signature = self.pair.try_sign(text.as_bytes()).map_err(|_| NoteError::System)?;
        let bytes = [&self.verifier.id.to_be_bytes(), signature.as_ref()].concat();
        Ok(format!("{text}\n{DASH}{} {}\n", self.verifier.name, STANDARD.encode(bytes)))
    }
}

fn is_text(text: &str) -> bool {
    text.len() > 1 && text.ends_with('\n') && !text.contains("\n\n") && text.chars().all(is_plain)
}

const fn is_plain(letter: char) -> bool {
    letter >= ' ' || letter == '\n'
}

/// A note that was read. Its text says nothing before a signature of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature<'a> {
    name: &'a str,
    id: u32,
    bytes: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note, with its last line feed.
    ///
    /// # Errors
    /// Where it has not the form.
    pub fn read(note: &'a str) -> Result<Self, NoteError> {
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signed) = (&note[..=split], &note[split + 2..]);
        let lines = signed.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures =
            lines.split('\n').map(signature).collect::<Option<Vec<_>>>().ok_or(NoteError::Form)?;
        if !text.chars().all(is_plain) || signatures.len() > SIGNATURES {
            return Err(NoteError::Form);
        }
        Ok(Self { text, signatures })
    }

    /// The text, unchecked.
    #[must_use]
    pub const fn unchecked(&self) -> &'a str {
        self.text
    }

    /// The text, where this key has signed it; none where it has not signed at all.
    ///
    /// # Errors
    /// Where a signature is said to be of this key and is not.
    pub fn signed_by(&self, key: &VerifierKey) -> Result<Option<&'a str>, NoteError> {
        let own = |signature: &&Signature<'_>| signature.name == key.name && signature.id == key.id;
        let Some(signature) = self.signatures.iter().find(own) else { return Ok(None) };
        let good = UnparsedPublicKey::new(&ED25519, key.key).verify(self.text.as_bytes(), &signature.bytes);
        match mutant!(good.is_ok(), "checkpoint-of-any-key" => true) {
            true => Ok(Some(self.text)),
            false => Err(NoteError::Signature),
        }
    }

    /// Who is said to have signed: names and ids.
    pub fn signers(&self) -> impl Iterator<Item = (&'a str, String)> {
        self.signatures.iter().map(|signature| (signature.name, format!("{:08x}", signature.id)))
    }
}

fn signature(line: &str) -> Option<Signature<'_>> {
    let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (id, rest) = bytes.split_first_chunk::<4>()?;
    let plain = is_name(name) && !rest.is_empty();
    plain.then(|| Signature { name, id: u32::from_be_bytes(*id), bytes: rest.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's first implementation, Go's `sumdb/note`: key, text and signature.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const SIGNED: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn peter() -> SignerKey {
        let seed = STANDARD.decode(SECRET).unwrap();
        SignerKey::of("PeterNeumann", Ed25519KeyPair::from_seed_unchecked(&seed[1..]).unwrap()).unwrap()
    }

    #[test]
    fn the_published_note_is_read_and_written_to_the_letter() {
        let key = VerifierKey::read(KEY).unwrap();
        let note = format!("{TEXT}\n{SIGNED}");
        assert_eq!(Note::read(&note).unwrap().signed_by(&key), Ok(Some(TEXT)));
        assert_eq!(peter().sign(TEXT).unwrap(), note);
        assert_eq!((peter().verifier(), key.to_string().as_str()), (&key, KEY));
    }

    #[test]
    fn what_was_not_signed_does_not_verify() {
        let key = VerifierKey::read(KEY).unwrap();
        let changed = format!("{}\n{SIGNED}", TEXT.replace("cryptography", "cryptographY"));
        assert_eq!(Note::read(&changed).unwrap().signed_by(&key), Err(NoteError::Signature));
        let other = SignerKey::read("PeterNeumann", &SignerKey::generate().unwrap()).unwrap();
        let signed = other.sign(TEXT).unwrap();
        assert_eq!(Note::read(&signed).unwrap().signed_by(&key), Ok(None), "another key of the same name");
        // Whoever else signs the same text is no matter.
        let both = format!("{signed}{SIGNED}");
        assert_eq!(Note::read(&both).unwrap().signed_by(&key), Ok(Some(TEXT)));
    }

    #[test]
    fn what_is_no_note_or_key_is_refused() {
        let note = format!("{TEXT}\n{SIGNED}");
        for wrong in [
            TEXT.to_owned(),
            note.trim_end().to_owned(),
            note.replace('\u{2014}', "-"),
            note.replace("\u{2014} ", "\u{2014}"),
            note.replace("PeterNeumann ", "Peter+Neumann "),
            note.replace("x08go", "x08g\u{e9}"),
            note.replace("you", "y\u{1b}u"),
            format!("{note}\n"),
            format!("{TEXT}\n\u{2014} PeterNeumann x08gow==\n"),
            format!("{TEXT}\n{}", SIGNED.repeat(101)),
        ] {
            assert_eq!(Note::read(&wrong), Err(NoteError::Form), "{wrong}");
        }
        for at in 0..KEY.len() {
            let cut = &KEY[at + 1..];
            assert!(VerifierKey::read(cut).is_err() && VerifierKey::read(&KEY[..at]).is_err(), "{at}");
        }
        for text in ["", "\n", "no line feed", "a\n\nb\n", "a\r\n", "a\tb\n"] {
            assert_eq!(peter().sign(text), Err(NoteError::Text), "{text:?}");
        }
        for name in ["", "a b", "a+b", "a\n", "a\u{2003}b"] {
            assert!(SignerKey::read(name, &SignerKey::generate().unwrap()).is_err(), "{name:?}");
        }
    }
}
