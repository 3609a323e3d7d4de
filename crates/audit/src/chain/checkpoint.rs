//! The texts that are signed: a checkpoint, in the manner of <https://c2sp.org/tlog-checkpoint>, and the word of a key for
//! the next one.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::footer::chain_name;
use super::hash::Hash;
use super::note::VerifierKey;
use super::ties::{Head, Peer};
use crate::clock::Timestamp;

/// What a record held at a moment: the last block of each chain. In the place of a tree's size stands the number of the
/// checkpoint, and in that of its root the hash of all lines below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose it is: the name of the key that signs.
    pub origin: String,
    /// Its number, from 1 on.
    pub number: u64,
    /// When it was made.
    pub time: Timestamp,
    /// The number of the checkpoint before, and the hash of its text; none for the first one.
    pub after: Option<(u64, Hash)>,
    /// The last block of each chain.
    pub heads: Vec<Head>,
    /// What other gateways have signed last, as far as it was heard.
    pub peers: Vec<Peer>,
}

/// The first word of a key, which it says itself, or the last word of the key before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatement {
    /// Whose it is.
    pub origin: String,
    /// The key that signs from now on.
    pub key: VerifierKey,
    /// From when on.
    pub from: Timestamp,
    /// The number of the last checkpoint that the key before has signed; 0 where there was none.
    pub after: u64,
}

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// What a record held.
    Checkpoint(Checkpoint),
    /// Which key signs.
    Key(KeyStatement),
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let below = self.below();
        let root = STANDARD.encode(Hash::of(below.as_bytes()).0);
        format!("{}\n{}\n{root}\n{below}", self.origin, self.number)
    }

    fn below(&self) -> String {
        let mut text = format!("time {}\n", self.time.rfc3339());
        if let Some((number, hash)) = &self.after {
            let _ = writeln!(text, "after {number} {hash}");
        }
        for Head { chain, number, hash, file } in &self.heads {
            let _ = writeln!(text, "head {chain} {number} {hash} {file}");
        }
        for Peer { origin, number, hash } in &self.peers {
            let _ = writeln!(text, "peer {origin} {number} {hash}");
        }
        text
    }

    fn read(origin: &str, number: u64, mut lines: std::str::Lines<'_>) -> Option<Self> {
        lines.next()?;
        let time = time(lines.next()?.strip_prefix("time ")?)?;
        let (after, heads, peers) = (None, Vec::new(), Vec::new());
        let mut read = Self { origin: origin.to_owned(), number, time, after, heads, peers };
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "after" => {
                    read.after = rest
                        .split_once(' ')
                        .and_then(|(number, hash)| Some((digits(number)?, Hash::read(hash)?)))
                }
                "head" => read.heads.push(head(rest)?),
                "peer" => read.peers.push(peer(rest)?),
                _ => return None,
            }
        }
        Some(read)
    }
}

impl KeyStatement {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { origin, key, from, after } = self;
        format!("{origin}\nkey {key}\nfrom {}\nafter {after}\n", from.rfc3339())
    }

    fn read(origin: &str, key: &str, mut lines: std::str::Lines<'_>) -> Option<Self> {
        let key = VerifierKey::read(key).ok()?;
        let from = time(lines.next()?.strip_prefix("from ")?)?;
        let after = digits(lines.next()?.strip_prefix("after ")?)?;
        Some(Self { origin: origin.to_owned(), key, from, after })
    }
}

impl Statement {
    /// What a text says; none where it is neither, to the letter.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, second) = (lines.next()?, lines.next()?);
        let (read, written) = match second.strip_prefix("key ") {
            Some(key) => {
                let read = KeyStatement::read(origin, key, lines)?;
                let text = read.text();
                (Self::Key(read), text)
            }
            None => {
                let read = Checkpoint::read(origin, digits(second)?, lines)?;
                let text = read.text();
                (Self::Checkpoint(read), text)
            }
        };
        (written == text).then_some(read)
    }

    /// Whose it is.
    #[must_use]
    pub fn origin(&self) -> &str {
        match self {
            Self::Checkpoint(checkpoint) => &checkpoint.origin,
            Self::Key(key) => &key.origin,
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn time(text: &str) -> Option<Timestamp> {
    let time = humantime::parse_rfc3339(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(time.as_secs()))
}

fn head(text: &str) -> Option<Head> {
    let mut parts = text.splitn(4, ' ');
    let chain = chain_name(parts.next()?)?;
    let (number, hash) = (digits(parts.next()?)?, Hash::read(parts.next()?)?);
    Some(Head { chain, number, hash, file: parts.next()?.to_owned() })
}

fn peer(text: &str) -> Option<Peer> {
    let mut parts = text.splitn(3, ' ');
    let origin = parts.next()?.to_owned();
    Some(Peer { origin, number: digits(parts.next()?)?, hash: Hash::read(parts.next()?)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::SignerKey;

    fn checkpoint() -> Checkpoint {
        let (number, hash) = (880, Hash::of(b"head"));
        let file = "a file with spaces".to_owned();
        Checkpoint {
            origin: "portcullis.corp.example/9f2c41d0".to_owned(),
            number: 1841,
            time: Timestamp::from_seconds(1_800_000_000),
            after: Some((1840, Hash::of(b"before"))),
            heads: vec![Head { chain: "file/9f2c41d07ab3".into(), number, hash, file }],
            peers: vec![Peer { origin: "portcullis.corp.example/77aa".to_owned(), number: 3, hash }],
        }
    }

    #[test]
    fn a_checkpoint_is_as_it_is_documented() {
        let text = checkpoint().text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["portcullis.corp.example/9f2c41d0", "1841"]);
        let below = text.split_inclusive('\n').skip(3).collect::<String>();
        assert_eq!(STANDARD.decode(lines[2]).unwrap(), Hash::of(below.as_bytes()).0);
        assert_eq!(lines[3], "time 2027-01-15T08:00:00Z");
        assert!(
            lines[5].starts_with("head file/9f2c41d07ab3 880 ") && lines[5].ends_with(" a file with spaces")
        );
        assert_eq!(Statement::read(&text), Some(Statement::Checkpoint(checkpoint())));
    }

    #[test]
    fn what_is_not_written_so_says_nothing() {
        let text = checkpoint().text();
        for wrong in [
            text.replace("1841", "01841"),
            text.replace("1841", "99999999999999999999"),
            text.replace("1841", "-1"),
            text.replace("head file", "hood file"),
            text.replace(" 880 ", " 881 "),
            text.replace("time 2027-01-15T08:00:00Z", "time 2027-01-15 08:00:00"),
            text.replace("\nafter", "\nmore\nafter"),
            format!("{text}\n"),
            text.trim_end().to_owned(),
            String::new(),
        ] {
            assert_ne!(wrong, text);
            assert_eq!(Statement::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_word_of_a_key_is_no_checkpoint() {
        let signer = SignerKey::read("a.example/1", &SignerKey::generate().unwrap()).unwrap();
        let (key, from) = (signer.verifier().clone(), Timestamp::from_seconds(1_800_000_000));
        let statement = KeyStatement { origin: "a.example/1".to_owned(), key, from, after: 7 };
        assert_eq!(Statement::read(&statement.text()), Some(Statement::Key(statement.clone())));
        assert_eq!(Statement::read(&format!("{}x\n", statement.text())), None);
    }
}
