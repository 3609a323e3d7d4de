use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::chain::{Ties, Writer};
use crate::sinks::file::FileSink;
use crate::sinks::health::{Note, Status};
use crate::sinks::sink::{Batch, Sink};

/// A folder, and what a sink needs.
struct Place {
    folder: TempDir,
    clock: Clock,
    recorder: Recorder,
}

impl Place {
    fn new() -> Self {
        let clock = clock();
        let recorder = Recorder::new(0, clock.clone(), 0);
        Self { folder: TempDir::new().unwrap(), clock, recorder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("events.jsonl")
    }

    fn open(&self, rotation: Rotation) -> Result<Writing<'_>, SinkError> {
        let (status, settings) =
            (Arc::<Status>::default(), FileSettings { rotation, ..file_settings(&self.path()) });
        // Each is as another process would be: locks are of what is opened, not of who opens it.
        let process = Arc::from("9f2c41d07ab3");
        let chain = Writer::new("file", &process, &Ties::default());
        let sink = FileSink::open(&settings, chain, &process, &self.clock, &status)?;
        Ok(Writing { place: self, sink, status })
    }

    /// Every file with the paths that its lines tell.
    fn files(&self) -> Vec<(String, Vec<String>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), paths(&path)))
            .collect();
        files.sort();
        files
    }
}

fn paths(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let path = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(line["path"].as_str()?.to_owned())
    };
    text.lines().map(|line| path(line).unwrap_or_else(|| format!("torn: {line}"))).collect()
}

struct Writing<'a> {
    place: &'a Place,
    sink: FileSink,
    status: Arc<Status>,
}

impl Writing<'_> {
    fn write(&mut self, paths: &[&str]) {
        let block = block(&self.place.recorder, paths);
        self.sink.write(&Batch { block: &block, chosen: KindSet::ALL }).unwrap();
    }

    fn notes(&self) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let notes = self.status.take_notes().into_iter().map(|note| match note {
            Note::Rotated { file, next, .. } => format!("rotated {} {}", name(&file), name(&next)),
            Note::Removed { file, count, .. } => format!("removed {count} {}", name(&file)),
            Note::Beside { file, next } => format!("beside {} {}", name(&file), name(&next)),
            Note::Gap { reason, .. } => format!("gap {reason}"),
            Note::Damaged { reason, .. } => format!("damaged {reason}"),
            Note::Lost { loss, cause, .. } => format!("lost {} {cause}", loss.count),
        });
        notes.collect()
    }
}

const OLD: &str = "events.20270115T080000Z-9f2c41d07ab3";

#[test]
fn lines_are_appended_to_a_file_of_the_mode_that_was_asked_for() {
    let place = Place::new();
    place.open(Rotation::default()).unwrap().write(&["/1", "/2"]);
    place.open(Rotation::default()).unwrap().write(&["/3"]);
    assert_eq!(paths(&place.path()), ["/1", "/2", "/3"]);
    assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_link_is_not_followed_and_what_is_no_file_is_not_written() {
    let place = Place::new();
    fs::write(place.folder.path().join("passwd"), "root\n").unwrap();
    symlink("passwd", place.path()).unwrap();
    assert!(matches!(place.open(Rotation::default()).err(), Some(SinkError::Unusable(_))));
    assert_eq!(fs::read_to_string(place.folder.path().join("passwd")).unwrap(), "root\n");
    fs::remove_file(place.path()).unwrap();
    fs::create_dir(place.path()).unwrap();
    assert!(place.open(Rotation::default()).is_err());
    fs::remove_dir(place.path()).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, place.path(), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(place.open(Rotation::default()).is_err(), "a pipe that nobody reads would hold us up");
}

/// What was opened is looked at, not its name: by another name it could be kept, and another's file can be changed.
#[test]
fn a_file_with_another_name_or_of_another_user_is_not_written_and_an_open_one_is_narrowed() {
    let place = Place::new();
    let refused = || place.open(Rotation::default()).err().map(|error| error.to_string()).unwrap_or_default();
    fs::write(place.path(), "").unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o666)).unwrap();
    place.open(Rotation::default()).unwrap().write(&["/1"]);
    assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
    fs::hard_link(place.path(), place.folder.path().join("kept")).unwrap();
    assert!(refused().contains("it has 2 names"), "{}", refused());
    fs::remove_file(place.folder.path().join("kept")).unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(place.path(), Some(65534), None).is_ok() {
        assert!(refused().contains("it belongs to the user 65534"), "{}", refused());
    }
}

#[test]
fn a_file_that_never_came_into_force_is_not_left_behind() {
    let place = Place::new();
    let open = || Box::new(place.open(Rotation::default()).unwrap().sink) as Box<dyn Sink>;
    open().discard();
    assert!(!place.path().exists());
    place.open(Rotation::default()).unwrap().write(&["/1"]);
    open().discard();
    assert_eq!(paths(&place.path()), ["/1"]);
    fs::write(place.path(), "").unwrap();
    open().discard();
    assert!(place.path().exists(), "it was there before");
}

#[test]
fn invariant_28_a_file_has_one_writer() {
    let place = Place::new();
    let mut first = place.open(Rotation::default()).unwrap();
    let mut second = place.open(Rotation::default()).unwrap();
    first.write(&["/1"]);
    second.write(&["/2"]);
    let beside = format!("{OLD}-0001.jsonl");
    assert_eq!(second.status.file(), Some(place.folder.path().join(&beside)));
    assert_eq!(
        place.files(),
        [(beside.clone(), vec!["/2".into()]), ("events.jsonl".into(), vec!["/1".into()])]
    );
    assert_eq!(second.notes(), [format!("beside events.jsonl {beside}")]);
    // It comes back once the first one has gone.
    second.sink.beat().unwrap();
    assert_eq!(second.notes(), [""; 0]);
    drop(first);
    second.sink.beat().unwrap();
    second.write(&["/3"]);
    assert_eq!(paths(&place.path()), ["/1", "/3"]);
    assert_eq!(second.notes(), [format!("rotated {beside} events.jsonl")]);
    assert!(second.status.file() == Some(place.path()));
}

#[test]
fn a_file_that_is_written_beside_is_not_removed_as_an_old_one() {
    let place = Place::new();
    let rotation = Rotation { size: Some(1), keep: Some(0), ..Rotation::default() };
    let mut first = place.open(rotation).unwrap();
    let mut second = place.open(Rotation::default()).unwrap();
    second.write(&["/2"]);
    ["/1", "/3", "/4"].iter().for_each(|path| first.write(&[path]));
    assert_eq!(
        place.files(),
        [(format!("{OLD}-0001.jsonl"), vec!["/2".into()]), ("events.jsonl".into(), vec!["/4".into()])]
    );
}

#[test]
fn a_file_that_is_moved_or_deleted_is_made_anew() {
    let place = Place::new();
    let mut writer = place.open(Rotation::default()).unwrap();
    writer.write(&["/1"]);
    let moved = place.folder.path().join("moved");
    fs::rename(place.path(), &moved).unwrap();
    writer.sink.beat().unwrap();
    writer.write(&["/2"]);
    assert_eq!((paths(&moved), paths(&place.path())), (vec!["/1".to_owned()], vec!["/2".to_owned()]));
    fs::remove_file(place.path()).unwrap();
    writer.sink.beat().unwrap();
    writer.write(&["/3"]);
    assert_eq!(paths(&place.path()), ["/3"]);
}

#[test]
fn where_it_cannot_be_made_anew_the_moved_one_is_written_until_it_can() {
    let place = Place::new();
    let mut writer = place.open(Rotation::default()).unwrap();
    let moved = place.folder.path().join("moved");
    fs::rename(place.path(), &moved).unwrap();
    fs::create_dir(place.path()).unwrap();
    assert!(writer.sink.beat().is_err());
    writer.write(&["/1"]);
    assert_eq!(paths(&moved), ["/1"]);
    fs::remove_dir(place.path()).unwrap();
    writer.sink.beat().unwrap();
    writer.write(&["/2"]);
    assert_eq!((paths(&moved), paths(&place.path())), (vec!["/1".to_owned()], vec!["/2".to_owned()]));
}

#[test]
fn a_line_that_was_torn_is_ended_before_the_next() {
    let place = Place::new();
    place.open(Rotation::default()).unwrap().write(&["/1"]);
    let whole = fs::read(place.path()).unwrap();
    fs::write(place.path(), [&whole[..], b"{\"v\":1,\"ti"].concat()).unwrap();
    place.open(Rotation::default()).unwrap().write(&["/2"]);
    assert_eq!(paths(&place.path()), ["/1", "torn: {\"v\":1,\"ti", "/2"]);
}

#[test]
fn a_full_file_goes_on_in_a_new_one_and_the_oldest_go() {
    let place = Place::new();
    let rotation = Rotation { size: Some(500), keep: Some(2), ..Rotation::default() };
    let mut writer = place.open(rotation).unwrap();
    for path in ["/1", "/2", "/3", "/4", "/5", "/6", "/7"] {
        writer.write(&[path]);
    }
    let two = |number: u32, from: u32| {
        (format!("{OLD}-{number:04}.jsonl"), vec![format!("/{from}"), format!("/{}", from + 1)])
    };
    assert_eq!(place.files(), [two(2, 3), two(3, 5), ("events.jsonl".to_owned(), vec!["/7".to_owned()])]);
    let mut told: Vec<_> =
        (1..=3).map(|number| format!("rotated {OLD}-{number:04}.jsonl events.jsonl")).collect();
    told.push(format!("removed 1 {OLD}-0001.jsonl"));
    assert_eq!(writer.notes(), told);
}

#[test]
fn invariant_28_files_that_are_removed_together_are_told_by_the_newest_and_their_number() {
    let place = Place::new();
    let mut writer = place.open(Rotation { size: Some(1), ..Rotation::default() }).unwrap();
    ["/1", "/2", "/3", "/4"].iter().for_each(|path| writer.write(&[path]));
    drop(writer.notes());
    drop(writer);
    let mut writer = place.open(Rotation { size: Some(1), keep: Some(1), ..Rotation::default() }).unwrap();
    writer.write(&["/5"]);
    assert_eq!(
        writer.notes(),
        [format!("rotated {OLD}-0004.jsonl events.jsonl"), format!("removed 3 {OLD}-0003.jsonl")]
    );
}

#[test]
fn a_file_is_old_when_its_first_line_is_whoever_wrote_that() {
    let place = Place::new();
    let rotation = Rotation { every: Some(Duration::from_secs(60)), ..Rotation::default() };
    place.open(rotation).unwrap().write(&["/1"]);
    place.clock.advance(Duration::from_secs(50));
    let mut writer = place.open(rotation).unwrap();
    writer.sink.beat().unwrap();
    place.clock.advance(Duration::from_secs(10));
    writer.sink.beat().unwrap();
    writer.write(&["/2"]);
    let first = (format!("{OLD}-0001.jsonl"), vec!["/1".to_owned()]);
    assert_eq!(place.files(), [first, ("events.jsonl".to_owned(), vec!["/2".to_owned()])]);
    place.clock.advance(Duration::from_secs(59));
    writer.sink.beat().unwrap();
    assert_eq!(place.files().len(), 2);
}

#[test]
fn strangers_files_stay() {
    let place = Place::new();
    fs::write(place.folder.path().join("events.important.jsonl"), "").unwrap();
    let mut writer = place.open(Rotation { size: Some(1), keep: Some(0), ..Rotation::default() }).unwrap();
    ["/1", "/2", "/3"].iter().for_each(|path| writer.write(&[path]));
    let names: Vec<_> = place.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["events.important.jsonl", "events.jsonl"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens to the file between writes, every line is somewhere, once, and whole.
    #[test]
    fn no_line_is_lost_or_twice_whatever_becomes_of_the_file(steps in prop::collection::vec(0..6u8, 1..24)) {
        let place = Place::new();
        let rotation = Rotation { size: Some(700), every: Some(Duration::from_secs(60)), ..Rotation::default() };
        let mut writer = place.open(rotation).unwrap();
        let mut written = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            let path = format!("/{at}");
            match step {
                0 => drop(fs::rename(place.path(), place.folder.path().join(format!("moved{at}")))),
                1 => writer.sink.beat().unwrap(),
                2 => place.clock.advance(Duration::from_secs(40)),
                3 => {
                    drop(writer);
                    writer = place.open(rotation).unwrap();
                }
                _ => {
                    writer.write(&[&path]);
                    written.push(path);
                }
            }
        }
        let mut found: Vec<_> = place.files().into_iter().flat_map(|(_, lines)| lines).collect();
        found.sort();
        written.sort();
        prop_assert_eq!(found, written);
    }
}
