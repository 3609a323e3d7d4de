//! A store with everything that happens to one: several segments, a process that is killed, one beside it, intervals that go
//! on, and what was signed of all that.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use portcullis_rules::identity::fixtures;

use super::*;
use crate::chain::{Book, Finding as Found, Report, Verification, Whole};

/// What signs a record.
pub(super) struct Signer {
    book: Book,
    pub(super) log: String,
}

impl Signer {
    pub(super) fn new(clock: &Clock) -> Self {
        let book = Book::begin("gate.example", 0x9f2c, clock.now()).unwrap();
        let log = format!("{}\n", book.words()[0]);
        Self { book, log }
    }

    pub(super) fn sign(&mut self, ties: &Ties, clock: &Clock) {
        let heads = ties.heads();
        self.book.next(heads.clone(), Vec::new(), clock.now());
        self.log += &format!("{}\n", self.book.last().unwrap().unwrap());
        ties.signed(&heads);
    }
}

pub(super) fn verify(folder: &Path, log: &str) -> Report {
    let mut verification = Verification::new(Whole::Record);
    verification.expect(SegmentPlaces::is_name);
    verification.checkpoints("checkpoints", log);
    let mut places = SegmentPlaces::of(folder);
    while let Some(mut place) = places.open_next().unwrap() {
        verification.place(&mut place).unwrap();
    }
    verification.finish(None)
}

/// A store that is at rest, in memory, to be tampered with again and again.
pub(super) struct Record {
    files: BTreeMap<String, Vec<u8>>,
    pub(super) log: String,
    folder: tempfile::TempDir,
}

impl Record {
    pub(super) fn of(folder: &Path, log: &str) -> Self {
        let read = |entry: std::io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
        };
        let files = fs::read_dir(folder).unwrap().map(read).collect();
        Self { files, log: log.to_owned(), folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts everything back as it was.
    pub(super) fn restore(&self) {
        for entry in fs::read_dir(self.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if self.files.get(&name).is_none_or(|bytes| fs::read(&path).unwrap() != *bytes) {
                fs::remove_file(path).unwrap();
            }
        }
        for (name, bytes) in &self.files {
            let path = self.path().join(name);
            if !path.exists() {
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
    }

    /// The segments, the oldest first; the last one is written still.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let is_segment = |name: &&String| name.ends_with(".seg") || name.ends_with(".open");
        self.files.keys().filter(is_segment).map(|name| self.path().join(name)).collect()
    }

    pub(super) fn findings(&self) -> Vec<Found> {
        verify(self.path(), &self.log).findings
    }

    /// All that a reader can be told.
    pub(super) fn told(&self) -> Option<String> {
        let reader = Reader::open(self.path()).ok()?;
        let mut told = String::new();
        let mut take = |event: Event| {
            told += &event.to_json();
            ControlFlow::Continue(())
        };
        let walked = reader.each(&Filter::default(), true, &Patience::endless(), &mut take).ok()?;
        let mut sums = BTreeMap::new();
        let hours = 0..4_000_000_000_000_000;
        let summed = reader.summaries(hours, &Patience::endless(), &mut |summary| {
            *sums.entry(format!("{summary:?}")).or_insert(0) += 1;
        });
        (walked.is_whole && summed.ok()?.is_whole).then(|| format!("{told}{sums:?}"))
    }
}

/// What a segment is called in the chain.
pub(super) fn name(path: &Path) -> String {
    path.with_extension("seg").file_name().unwrap().to_string_lossy().into_owned()
}

/// Things happen for two minutes, and are signed in each.
pub(super) fn live(rig: &mut Rig, signer: &mut Signer) {
    let (wiki, who) = (RouteWords::new(1, "wiki"), fixtures::alice());
    for round in 0..4 {
        for session in 0..3 {
            rig.emit(&AccessEvent { who: Some(&who), shown: shown(9 + session), ..granted(&wiki) });
        }
        if round == 1 {
            rig.bare();
        }
        rig.write();
        rig.clock.advance(Duration::from_secs(31));
        rig.settle();
        if round % 2 == 1 {
            signer.sign(&rig.ties, &rig.clock);
        }
    }
}

/// Nothing happens until the next day.
fn night(rig: &mut Rig, signer: &mut Signer) {
    for seconds in [400, 31, 86_400 - 555] {
        rig.clock.advance(Duration::from_secs(seconds));
        rig.settle();
        signer.sign(&rig.ties, &rig.clock);
    }
}

/// A record of everything. The segment of the process that lives is open.
pub(super) fn eventful() -> (Rig, Signer) {
    let mut first = Rig::with(Limits { rows: 60, ..Limits::WHOLE });
    let mut signer = Signer::new(&first.clock);
    (0..2).for_each(|_| live(&mut first, &mut signer));
    let mut second = first.beside();
    second.ties = first.ties.clone();
    second.begin();
    live(&mut second, &mut signer);
    first.emit(&AccessEvent {
        who: Some(&fixtures::alice()),
        shown: shown(7),
        ..granted(&RouteWords::new(2, "mail"))
    });
    first.write();
    first.clock.advance(Duration::from_secs(61));
    first.beat();
    signer.sign(&first.ties, &first.clock);
    // It is killed while something goes on; the other one closes what it has left.
    first.writer = None;
    (0..2).for_each(|_| live(&mut second, &mut signer));
    second.folder = first.folder;
    (second, signer)
}

#[test]
fn a_store_that_nobody_touched_is_whole_whatever_happened_to_its_writers() {
    let (mut rig, mut signer) = eventful();
    let report = verify(rig.path(), &signer.log);
    assert_eq!(report.findings, [], "{report:#?}");
    assert_eq!(report.chains.len(), 2);
    assert!(report.chains.iter().all(|chain| chain.of_rows && chain.proved.is_some()), "{report:#?}");
    assert!(report.chains.iter().all(|chain| chain.places.len() >= 2 && chain.tail == 0), "{report:#?}");
    let rows: u64 = report.chains.iter().map(|chain| chain.lines).sum();
    assert!(rows > rig.all().iter().filter(|event| !event.goes_on).count() as u64, "{report:#?}");
    let record = Record::of(rig.path(), &signer.log);
    record.restore();
    assert_eq!(record.findings(), []);
    rig.end();
    signer.sign(&rig.ties, &rig.clock);
    let report = verify(rig.path(), &signer.log);
    assert_eq!(report.findings, []);
    assert!(report.chains.iter().all(|chain| chain.unproved == 0), "the end is signed: {report:#?}");
    assert!(rig.ties.heads().is_empty(), "chains that have ended are told no more");
}

/// Whose key is destroyed is nobody, and the chain has no word of them.
#[test]
fn invariant_28_erasing_a_person_leaves_the_chain_as_it_is() {
    let (rig, signer) = eventful();
    let people = rusqlite::Connection::open(rig.path().join("people.db")).unwrap();
    assert!(people.execute("DELETE FROM person", []).unwrap() > 0);
    assert_eq!(verify(rig.path(), &signer.log).findings, []);
    assert!(rig.all().iter().any(|event| event.is_erased));
}

/// What is signed as an event in the store itself is read from there, where the file of checkpoints is gone.
#[test]
fn what_was_signed_is_found_among_the_events() {
    let mut rig = Rig::new();
    let mut signer = Signer::new(&rig.clock);
    live(&mut rig, &mut signer);
    let notes: Vec<_> = crate::chain::read_notes(&signer.log).collect();
    let event = portcullis_events::RecordCheckpoint { key: "9f2c", number: 2, note: notes.last().unwrap() };
    rig.emit(&event);
    rig.write();
    let words = signer.log.split("\n\n\n").next().unwrap().to_owned() + "\n\n";
    let report = verify(rig.path(), &words[..signer.log.find("gate.example/00009f2c\n1\n").unwrap()]);
    let told: Vec<_> = report.series[0].checkpoints.keys().copied().collect();
    assert_eq!(told, [2], "{report:#?}");
    assert!(report.chains[0].proved.is_some());
}

#[test]
fn segments_that_retention_removes_are_not_missed_and_others_are() {
    let mut rig = Rig::new();
    rig.settings.keep = Duration::from_secs(3 * 86_400);
    rig.begin();
    let mut signer = Signer::new(&rig.clock);
    for day in 0..7 {
        live(&mut rig, &mut signer);
        night(&mut rig, &mut signer);
        let report = verify(rig.path(), &signer.log);
        assert_eq!(report.findings, [], "day {day}: {report:#?}");
    }
    let segments = rig.files(".seg");
    assert!(segments.len() <= 5 && !segments[0].starts_with("000001"), "{segments:?}");
    let record = Record::of(rig.path(), &signer.log);
    for gone in &segments[..segments.len() - 1] {
        record.restore();
        fs::remove_file(record.path().join(gone)).unwrap();
        let found = record.findings();
        assert!(
            found.iter().any(|found| found.place == *gone && found.what.word() == "missing"),
            "{gone}: {found:?}"
        );
    }
    // The next process has nothing to do with the one before but what that has said.
    rig.end();
    let mut next = rig.beside();
    next.ties = rig.ties.clone();
    next.settings = rig.settings.clone();
    next.begin();
    for day in 0..5 {
        live(&mut next, &mut signer);
        night(&mut next, &mut signer);
        assert_eq!(verify(next.path(), &signer.log).findings, [], "day {day}");
    }
    let process = rig.recorder.process();
    assert!(next.files(".seg").iter().all(|file| !file.contains(process)), "all of the first one's are gone");
}

/// A process that is killed between saying that something goes and removing it leaves nothing that is missed.
#[test]
fn what_is_removed_is_told_before_it_is_gone() {
    let mut rig = Rig::new();
    rig.settings.keep = Duration::from_secs(2 * 86_400);
    rig.begin();
    let mut signer = Signer::new(&rig.clock);
    for _ in 0..3 {
        live(&mut rig, &mut signer);
        rig.clock.advance(Duration::from_secs(86_400));
        rig.settle();
    }
    rig.clock.advance(Duration::from_secs(86_400));
    let before = rig.files(".seg");
    until("a segment to be removed", || {
        rig.beat();
        assert_eq!(verify(rig.path(), &signer.log).findings, []);
        (!rig.files(".seg").contains(&before[0])).then_some(())
    });
}

#[test]
fn a_segment_of_before_the_chain_is_read_and_said_to_be_in_none() {
    let mut rig = Rig::new();
    rig.bare();
    rig.write();
    rig.end();
    let path = rig.path().join(&rig.files(".seg")[0]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE block").unwrap();
    let report = verify(rig.path(), "");
    assert_eq!((report.findings.len(), report.chains.len()), (0, 0), "{report:#?}");
    assert!(report.unchained > 40);
    assert!(rig.all().len() > 40);
}
