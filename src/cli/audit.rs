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
use crate::config::{self, CHECKPOINTS, WithoutSecrets};
use crate::sinks::{KeptFile, is_kept_name, kept_files};

/// Exit code where something cannot be read.
const UNREADABLE: u8 = 2;

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
    /// Files of a record, each with those that it has been; or the folder of an export
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// The key to which everything signed must lead, as `audit keys` once printed it: NAME+ID+KEY
    #[arg(long, value_name = "KEY", value_parser = VerifierKey::read)]
    key: Option<VerifierKey>,
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

/// What is to be read: families of files, what was signed, and whether it is whole.
struct Record {
    families: Vec<PathBuf>,
    files: Vec<KeptFile>,
    signed: Option<(PathBuf, String)>,
    whole: Whole,
}

impl Record {
    fn of(files: &[PathBuf], place: &Place) -> Result<Self, String> {
        match files {
            [folder] if folder.is_dir() => Self::exported(folder),
            [] => {
                let (families, checkpoints) = configured(&place.config)?;
                Self::kept(families, place.checkpoint.clone().or(checkpoints))
            }
            files => {
                let beside = || {
                    let beside = config::beside(files.first()?, CHECKPOINTS);
                    beside.exists().then_some(beside)
                };
                Self::kept(files.to_vec(), place.checkpoint.clone().or_else(beside))
            }
        }
    }

    fn exported(folder: &Path) -> Result<Self, String> {
        let at = |error| format!("{}: {error}", folder.display());
        let (paths, signed) = read_export(folder).map_err(at)?;
        let open = |path: PathBuf| {
            let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(KeptFile { path, file })
        };
        let files = paths.into_iter().map(open).collect::<Result<Vec<_>, String>>()?;
        let signed = Some((folder.join("checkpoints"), signed));
        Ok(Self { families: Vec::new(), files, signed, whole: Whole::Export })
    }

    /// What was signed is read before the files, which may grow meanwhile.
    fn kept(families: Vec<PathBuf>, checkpoints: Option<PathBuf>) -> Result<Self, String> {
        let at = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let signed = match checkpoints {
            Some(path) => {
                let text = fs::read(&path).map_err(|error| at(&path, error))?;
                Some((path, String::from_utf8_lossy(&text).into_owned()))
            }
            None => None,
        };
        let mut files = Vec::new();
        for family in &families {
            files.extend(kept_files(family).map_err(|error| at(family, error))?);
        }
        if files.is_empty() {
            return Err("no file of a record is there".to_owned());
        }
        Ok(Self { families, files, signed, whole: Whole::Record })
    }

    fn verify(self, key: Option<&VerifierKey>) -> Result<Report, String> {
        let mut verification = Verification::new(self.whole);
        for family in self.families {
            verification.expect(move |name| is_kept_name(&family, name));
        }
        if let Some((path, text)) = &self.signed {
            verification.checkpoints(&file_name(path), text);
        }
        for KeptFile { path, file } in self.files {
            let mut lines = LinesOfFile::new(file_name(&path), BufReader::with_capacity(1 << 17, file));
            verification.place(&mut lines).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(verification.finish(key))
    }
}

/// The files that the configuration chains, and that of checkpoints.
fn configured(path: &Path) -> Result<(Vec<PathBuf>, Option<PathBuf>), String> {
    let loaded = config::load(path, &WithoutSecrets);
    let (settings, _) = loaded
        .map_err(|_| format!("{}: the configuration has faults; see `portcullis check`", path.display()))?;
    let chained: Vec<_> = settings.chained().map(Path::to_owned).collect();
    if chained.is_empty() {
        return Err(format!("{}: no sink keeps a chained file", path.display()));
    }
    Ok((chained, settings.checkpoint_file()))
}

fn verify(arguments: &VerifyArguments) -> Result<ExitCode, String> {
    let report = Record::of(&arguments.files, &arguments.place)?.verify(arguments.key.as_ref())?;
    match arguments.format {
        Format::Human => print(&human(&report, arguments.key.is_some(), Paint::of_output())),
        Format::Json => print(&escaped_json(&json(&report))),
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn export(arguments: &ExportArguments) -> Result<ExitCode, String> {
    let record = Record::of(&arguments.files, &arguments.place)?;
    let files: Vec<_> = record.files.iter().map(|file| file.path.clone()).collect();
    let (_, signed) =
        record.signed.clone().ok_or("there is no file of checkpoints: an export would prove nothing")?;
    let report = record.verify(None)?;
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
    let exported = export.write(&files, &signed, &report.series, output);
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
        None => configured(&arguments.place.config)?.1.ok_or("no file of checkpoints is configured")?,
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
