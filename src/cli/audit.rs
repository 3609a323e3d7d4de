//! `portcullis audit`: whether a record is whole, parts of it for elsewhere, and by which keys it is signed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::audit_report::{checkpoints_text, human, json, keys_text};
use super::person::{PersonArguments, person};
use super::terminal::{Paint, complain_of, escaped_json, print, visible};
use super::{Format, given};
use crate::chain::{Export, LinesOfFile, Report, Verification, VerifierKey, Whole, file_name, read_export};
use crate::clock::Timestamp;
use crate::config::{self, CHECKPOINTS, Settings, Sources, SystemSources, WithoutSecrets};
use crate::segments::SegmentPlaces;
use crate::sinks::{self, Evidence, Kept, Signed, kept_files};

/// Exit code where something cannot be read.
const UNREADABLE: u8 = 2;
/// What the file of checkpoints is called in an export.
const CHECKPOINTS_OF_EXPORT: &str = "checkpoints";

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Tell whether a record is as it was written; exit 0 where it is, 1 where it is not, 2 where it cannot be read
    Verify(VerifyArguments),
    /// Write a part of a record that proves itself elsewhere
    Export(ExportArguments),
    /// Print the keys that sign the record, the first one first
    Keys(SignedArguments),
    /// Print what was signed of the record, and when
    Checkpoints(SignedArguments),
    /// Tell what the record has of a person, give it to them, or erase it
    Person(Box<PersonArguments>),
}

#[derive(Debug, Args)]
struct Place {
    /// The configuration file, which names the record where no file does
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The file of checkpoints; otherwise that of the configuration, or the one beside the first file
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// Files of a record, each with those that it has been; folders of stores; or the folder of an export
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// The key to which everything signed must lead, as `audit keys` once printed it: NAME+ID+KEY
    #[arg(long, value_name = "KEY", value_parser = VerifierKey::read)]
    key: Option<VerifierKey>,
    /// The checkpoints of another gateway that shares its state with this one: what it has tied must be there. Each that
    /// it has tied must be verified, or be a witness as well
    #[arg(long, value_name = "FILE")]
    witness: Vec<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Files of a record, each with those that it has been
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// The folder to write; nothing may be there yet
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Events from this moment on: 2026-11-30T19:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Events before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// Events of this person alone: the user's name or identifier
    #[arg(long)]
    user: Option<String>,
    /// Hashes alone, and no line in clear
    #[arg(long)]
    hashes: bool,
}

#[derive(Debug, Args)]
pub(super) struct SignedArguments {
    #[command(flatten)]
    place: Place,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let since = humantime::parse_rfc3339_weak(text).map_err(|error| error.to_string())?;
    let since = since.duration_since(std::time::UNIX_EPOCH).map_err(|error| error.to_string())?;
    Ok(Timestamp::from_seconds(since.as_secs()))
}

/// Runs the command.
pub(super) fn audit(command: &AuditCommand) -> ExitCode {
    let done = match command {
        AuditCommand::Verify(arguments) => verify(arguments),
        AuditCommand::Export(arguments) => export(arguments),
        AuditCommand::Keys(arguments) => signed(arguments, keys_text),
        AuditCommand::Checkpoints(arguments) => signed(arguments, checkpoints_text),
        AuditCommand::Person(arguments) => Ok(person(arguments)),
    };
    done.unwrap_or_else(|fault| {
        complain_of(&visible(&fault), None);
        ExitCode::from(UNREADABLE)
    })
}

/// What is to be read, and what was signed of it.
struct Record {
    what: What,
    signed: Option<Signed>,
}

enum What {
    /// What sinks keep.
    Kept(Vec<Kept>),
    /// The files of an export.
    Part(Vec<PathBuf>),
}

impl Record {
    fn of(files: &[PathBuf], place: &Place) -> Result<Self, String> {
        match files {
            [folder] if folder.is_dir() && !SegmentPlaces::is_store(folder) => Self::exported(folder),
            [] => {
                let (kept, checkpoints) = configured(&place.config)?;
                Self::kept(kept, place.checkpoint.clone().or(checkpoints))
            }
            files => {
                let beside = || {
                    let beside = config::beside(files.first()?, CHECKPOINTS);
                    beside.exists().then_some(beside)
                };
                let kept = |path: &PathBuf| match path.is_dir() {
                    true => Kept::Store(path.clone()),
                    false => Kept::Files(path.clone()),
                };
                Self::kept(files.iter().map(kept).collect(), place.checkpoint.clone().or_else(beside))
            }
        }
    }

    fn exported(folder: &Path) -> Result<Self, String> {
        let at = |error| format!("{}: {error}", folder.display());
        let (paths, text) = read_export(folder).map_err(at)?;
        let signed = Some(Signed { name: CHECKPOINTS_OF_EXPORT.to_owned(), text });
        Ok(Self { what: What::Part(paths), signed })
    }

    /// What was signed is read before the files, which may grow meanwhile.
    fn kept(kept: Vec<Kept>, checkpoints: Option<PathBuf>) -> Result<Self, String> {
        let signed = checkpoints.map(|path| read_signed(&path));
        let is_there = |kept: &Kept| match kept {
            Kept::Files(path) => kept_files(path).map_or(true, |files| !files.is_empty()),
            Kept::Store(folder) => folder.exists(),
            Kept::Postgres(_) => true,
        };
        if !kept.iter().any(is_there) {
            return Err("no file of a record is there".to_owned());
        }
        Ok(Self { what: What::Kept(kept), signed: signed.transpose()? })
    }

    fn verify(&self, key: Option<&VerifierKey>, witnesses: &[PathBuf]) -> Result<Report, String> {
        let witnesses = witnesses.iter().map(|path| read_signed(path)).collect::<Result<Vec<_>, _>>()?;
        let files = match &self.what {
            What::Kept(kept) => {
                let evidence = Evidence { signed: self.signed.clone(), witnesses, key: key.cloned() };
                let verified = sinks::verify(kept, &evidence, &mut || Ok(()));
                return verified.map_err(|error| error.to_string());
            }
            What::Part(files) => files,
        };
        let mut verification = Verification::new(Whole::Export);
        self.signed.iter().for_each(|signed| verification.checkpoints(&signed.name, &signed.text));
        witnesses.iter().for_each(|signed| verification.witness(&signed.name, &signed.text));
        for path in files {
            let verified = File::open(path).and_then(|file| {
                verification
                    .place(&mut LinesOfFile::new(file_name(path), BufReader::with_capacity(1 << 17, file)))
            });
            verified.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(verification.finish(key))
    }

    /// The files of lines, of which a part can be exported.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let What::Kept(kept) = &self.what else {
            return Err("a part of a record cannot be exported again".to_owned());
        };
        let mut files = Vec::new();
        for one in kept {
            if let Kept::Files(path) = one {
                let found = kept_files(path).map_err(|error| format!("{}: {error}", path.display()))?;
                files.extend(found.into_iter().map(|file| file.path));
            }
        }
        match files.is_empty() {
            true => Err("there is no chained file: of a store no part can be exported".to_owned()),
            false => Ok(files),
        }
    }
}

fn read_signed(path: &Path) -> Result<Signed, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Signed { name: file_name(path), text: String::from_utf8_lossy(&text).into_owned() })
}

/// What the configuration chains, and the file of checkpoints.
fn configured(path: &Path) -> Result<(Vec<Kept>, Option<PathBuf>), String> {
    let mut settings = loaded(path, &WithoutSecrets)?;
    if settings.in_postgres().next().is_some() {
        // How the database is reached is a secret.
        settings = loaded(path, &SystemSources)?;
    }
    let chained: Vec<_> = settings.chained().collect();
    if chained.is_empty() {
        return Err(format!("{}: no sink keeps what it writes in a chain", path.display()));
    }
    Ok((chained, settings.checkpoint_file()))
}

fn loaded(path: &Path, sources: &dyn Sources) -> Result<Settings, String> {
    let fault = |_| format!("{}: the configuration has faults; see `portcullis check`", path.display());
    config::load(path, sources).map(|(settings, _)| settings).map_err(fault)
}

fn verify(arguments: &VerifyArguments) -> Result<ExitCode, String> {
    let report =
        Record::of(&arguments.files, &arguments.place)?.verify(arguments.key.as_ref(), &arguments.witness)?;
    match arguments.format {
        Format::Human => print(&human(&report, arguments.key.is_some(), Paint::of_output())),
        Format::Json => print(&escaped_json(&json(&report))),
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn export(arguments: &ExportArguments) -> Result<ExitCode, String> {
    let record = Record::of(&arguments.files, &arguments.place)?;
    let files = record.files()?;
    let signed =
        record.signed.as_ref().ok_or("there is no file of checkpoints: an export would prove nothing")?;
    let report = record.verify(None, &[])?;
    if let Some(finding) = report.findings.first() {
        return Err(format!(
            "the record is not as it was written ({finding}); see `portcullis audit verify`"
        ));
    }
    let ExportArguments { from, to, user, hashes, output, .. } = arguments;
    if !hashes {
        note(&arguments.place.config, output);
    }
    let export = Export { from: *from, to: *to, user: user.clone(), hashes: *hashes };
    let exported = export.write(&files, &signed.text, &report.series, output);
    let exported = exported.map_err(|error| format!("{}: {error}", output.display()))?;
    let (lines, hidden, files) = (exported.lines, exported.hidden, exported.files);
    print(&visible(&format!(
        "{}: {lines} lines in clear and {hidden} hashes, of {files} files",
        output.display()
    )));
    print("\n");
    Ok(ExitCode::SUCCESS)
}

/// Whoever gets lines in clear is kept beside the store of the configuration, where there is one.
fn note(configuration: &Path, output: &Path) {
    let settings = config::load(configuration, &WithoutSecrets).ok();
    if let Some(store) = settings.as_ref().and_then(|(settings, _)| settings.store()) {
        given::note(store, "audit export", &given::whole(output), None);
    }
}

fn signed(arguments: &SignedArguments, text: fn(&Report, bool) -> String) -> Result<ExitCode, String> {
    let path = match &arguments.place.checkpoint {
        Some(path) => path.clone(),
        None => {
            let settings = loaded(&arguments.place.config, &WithoutSecrets)?;
            settings.checkpoint_file().ok_or("no file of checkpoints is configured")?
        }
    };
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut verification = Verification::new(Whole::Export);
    verification.checkpoints(&file_name(&path), &String::from_utf8_lossy(&bytes));
    let report = verification.finish(None);
    print(&text(&report, arguments.format == Format::Json));
    for finding in &report.findings {
        complain_of(&visible(&finding.to_string()), None);
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
