//! A record with everything that happens to one: rotations, a process that is killed, one beside another, another key.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::ops::Range;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::chain::{
    Book, Finding, Footer, Hash, LinesOfFile, Note, Report, SignerKey, Ties, Verification, VerifierKey, What,
    Whole, Writer,
};
use crate::sinks::file::FileSink;
use crate::sinks::health::Status;
use crate::sinks::sink::{Batch, Sink};
use portcullis_events::{RecordCheckpoint, RecordKeyRotated};

/// A folder in which processes write.
pub(super) struct Rig {
    pub(super) folder: TempDir,
    pub(super) clock: Clock,
    pub(super) recorder: Recorder,
    pub(super) ties: Ties,
    pub(super) book: Book,
    pub(super) log: String,
    asked: usize,
}

impl Rig {
    pub(super) fn new() -> Self {
        let clock = clock();
        let recorder = Recorder::new(0, clock.clone(), 0);
        let book = Book::begin("gate.example", 0x9f2c, clock.now()).unwrap();
        let log = format!("{}\n", book.words()[0]);
        let (folder, ties) = (TempDir::new().unwrap(), Ties::default());
        Self { folder, clock, recorder, ties, book, log, asked: 0 }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("events.jsonl")
    }

    pub(super) fn sink(&self, process: &str, rotation: Rotation) -> Box<FileSink> {
        let settings = FileSettings { rotation, chain: true, ..file_settings(&self.path()) };
        let writer = Writer::new("file", process, &self.ties);
        let status = Arc::<Status>::default();
        Box::new(FileSink::open(&settings, writer, &Arc::from(process), &self.clock, &status).unwrap())
    }

    pub(super) fn write(&mut self, sink: &mut FileSink, lines: usize) {
        let paths: Vec<_> = (0..lines).map(|n| format!("/{}", self.asked + n)).collect();
        self.asked += lines;
        let block = block(&self.recorder, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        sink.write(&Batch { block: &block, chosen: KindSet::ALL }).unwrap();
    }

    /// Signs what is there, and lets the sink keep that as an event.
    pub(super) fn sign(&mut self, sink: Option<&mut FileSink>) {
        let heads = self.ties.heads();
        self.book.next(heads.clone(), Vec::new(), self.clock.now());
        let note = self.book.last().unwrap().unwrap();
        self.log += &format!("{note}\n");
        self.ties.signed(&heads);
        let (key, number) = (self.book.key_id(), self.book.number());
        self.recorder.emit(&RecordCheckpoint { key: &key, number, note: &note });
        self.sweep_into(sink);
        self.clock.advance(Duration::from_secs(60));
    }

    pub(super) fn rotate_key(&mut self, sink: &mut FileSink) {
        self.book.rotate(self.clock.now()).unwrap();
        let (note, key) = (self.book.words().last().unwrap().clone(), self.book.key_id());
        self.log += &format!("{note}\n");
        let signs_from = self.book.signs_from().seconds() * 1_000_000;
        self.recorder.emit(&RecordKeyRotated { key: &key, signs_from, note: &note });
        self.sweep_into(Some(sink));
    }

    fn sweep_into(&self, mut sink: Option<&mut FileSink>) {
        self.recorder.sweep(|block| {
            if let Some(sink) = &mut sink {
                sink.write(&Batch { block: &block, chosen: KindSet::ALL }).unwrap();
            }
        });
    }

    pub(super) fn record(&self) -> Record {
        let read = |entry: io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
        };
        let files = fs::read_dir(self.folder.path()).unwrap().map(read).collect();
        Record { files, log: self.log.clone() }
    }

    pub(super) fn key(&self) -> VerifierKey {
        first_key(&self.log)
    }
}

pub(super) fn first_key(log: &str) -> VerifierKey {
    let word = log.lines().nth(1).unwrap();
    VerifierKey::read(word.strip_prefix("key ").unwrap()).unwrap()
}

/// A record as bytes.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) log: String,
}

impl Record {
    pub(super) fn verify_with(&self, key: Option<&VerifierKey>) -> Report {
        let mut verification = Verification::new(Whole::Record);
        verification.expect(|name| is_kept_name(Path::new("events.jsonl"), name));
        verification.checkpoints("checkpoints", &self.log);
        for (name, bytes) in &self.files {
            verification.place(&mut LinesOfFile::new(name, BufReader::new(&bytes[..]))).unwrap();
        }
        verification.finish(key)
    }

    pub(super) fn verify(&self) -> Report {
        self.verify_with(None)
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.verify().findings
    }
}

/// A record of everything.
pub(super) fn eventful() -> Rig {
    let mut rig = Rig::new();
    let rotation = Rotation { size: Some(6000), ..Rotation::default() };
    let mut first = rig.sink("aaaaaaaaaaaa", rotation);
    for round in 0..12 {
        rig.write(&mut first, 1 + round % 4);
        first.beat().unwrap();
        if round % 4 == 3 {
            rig.sign(Some(&mut first));
        }
    }
    // One beside it, as where another process takes over.
    let mut beside = rig.sink("bbbbbbbbbbbb", rotation);
    rig.write(&mut beside, 3);
    beside.beat().unwrap();
    rig.write(&mut beside, 2);
    beside.beat().unwrap();
    rig.sign(Some(&mut first));
    // It is killed: the lines are written, and no footer is.
    rig.write(&mut first, 3);
    drop(first);
    for round in 0..12 {
        beside.beat().unwrap();
        rig.write(&mut beside, 1 + round % 3);
        beside.beat().unwrap();
        if round % 4 == 1 {
            rig.sign(Some(&mut beside));
        }
        if round == 6 {
            rig.rotate_key(&mut beside);
        }
    }
    beside.beat().unwrap();
    rig.sign(Some(&mut beside));
    beside.close(Instant::now()).unwrap();
    rig.sign(None);
    rig
}

/// The lines of a file, each with where it begins.
pub(super) fn lines(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        all.push((at, line.to_vec()));
        at += line.len();
    }
    all
}

pub(super) fn joined(lines: &[(usize, Vec<u8>)]) -> Vec<u8> {
    lines.iter().flat_map(|(_, line)| line.clone()).collect()
}

pub(super) fn is_own(line: &[u8]) -> bool {
    line.starts_with(b"{\"v\":1,\"type\":\"record.")
}

/// From the line's block to the end of the one behind it, which is where damage to footers and ends of lines shows.
pub(super) fn around(lines: &[(usize, Vec<u8>)], index: usize) -> Range<u64> {
    let is_footer = |line: &(usize, Vec<u8>)| Footer::read(&line.1).is_some();
    let start = lines[..index].iter().rposition(is_footer).map_or(0, |footer| footer + 1);
    let mut ends = (index..lines.len()).filter(|index| is_footer(&lines[*index]));
    let end = ends.nth(1).or_else(|| lines.len().checked_sub(1)).unwrap();
    lines[start].0 as u64..(lines[end].0 + lines[end].1.len()) as u64 + 1
}

/// A line of an event is found to the byte.
pub(super) fn exactly(lines: &[(usize, Vec<u8>)], index: usize) -> Range<u64> {
    if is_own(&lines[index].1) || lines.get(index + 1).is_none_or(|(_, next)| is_own(next)) {
        return around(lines, index);
    }
    lines[index].0 as u64..lines[index].0 as u64 + 1
}

/// Whether two findings are of one kind.
pub(super) fn has(findings: &[Finding], what: What) -> bool {
    findings.iter().any(|finding| finding.what == what)
}

#[test]
fn what_nobody_touched_is_whole() {
    let rig = eventful();
    let report = rig.record().verify_with(Some(&rig.key()));
    assert_eq!(report.findings, []);
    assert!(report.chains.iter().all(|chain| chain.unproved == 0 && chain.proved.is_some()), "{report:#?}");
    assert!(report.chains.len() == 2 && report.chains[0].places.len() > 3, "{report:#?}");
    assert_eq!(report.chains.iter().map(|chain| chain.adopted).sum::<u64>(), 5);
    assert_eq!(report.series[0].keys.len(), 2);
    let other = SignerKey::read("other.example", &SignerKey::generate().unwrap()).unwrap();
    let findings = rig.record().verify_with(Some(other.verifier())).findings;
    assert!(has(&findings, What::UnknownKey), "{findings:?}");
}

/// The hash of the block that a footer tells, worked out by the words of the documentation alone.
#[test]
fn a_footer_tells_the_hash_of_its_lines_behind_the_block_before() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    rig.write(&mut sink, 2);
    sink.beat().unwrap();
    rig.write(&mut sink, 1);
    sink.close(Instant::now()).unwrap();
    let text = fs::read_to_string(rig.path()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let footer = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let (first, second) = (footer(lines[3]), footer(lines[5]));
    let block = |prev: &[u8], lines: &[&str]| {
        let hashes = lines.iter().flat_map(|line| Hash::of(line.as_bytes()).bytes().to_vec());
        Hash::of(&prev.iter().copied().chain(hashes).collect::<Vec<_>>())
    };
    let one = block(&[0; 32], &lines[..3]);
    assert_eq!((&first["hash"], &first["lines"]), (&one.to_string().into(), &3.into()));
    assert_eq!(first["bytes"], lines[..3].concat().len());
    assert_eq!(second["hash"], block(one.bytes(), &lines[4..5]).to_string());
    assert_eq!((&second["prev"], &second["number"]), (&first["hash"], &2.into()));
    let note = rig.log.clone();
    assert!(Note::read(note.trim_end_matches('\n')).is_err() && Note::read(&note[..note.len() - 1]).is_ok());
}
