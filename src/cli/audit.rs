//! `portcullis audit`: whether a record is whole, parts of it for elsewhere, and by which keys it is signed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use super::audit_report::{checkpoints_text, human, json, keys_text};
use super::terminal::{Paint, complain_of, escaped_json, print, visible};
use crate::chain::{Export, LinesOfFile, Report, Verification, VerifierKey, Whole, file_name, read_export};
use crate::clock::Timestamp;
use crate::config::{self, CHECKPOINTS, Settings, Sources, SystemSources, WithoutSecrets};
use crate::sinks::{KeptFile, PostgresRecord, PostgresServer, is_kept_name, is_postgres_place, kept_files};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
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
    };
    done.unwrap_or_else(|fault| {
        complain_of(&visible(&fault), None);
        ExitCode::from(UNREADABLE)
    })
}

/// What is to be read: families of files, a database, what was signed, and whether it is whole.
struct Record {
    families: Vec<PathBuf>,
    files: Vec<KeptFile>,
    database: Option<PostgresServer>,
    signed: Option<(PathBuf, String)>,
    whole: Whole,
}

impl Record {
    fn of(files: &[PathBuf], place: &Place) -> Result<Self, String> {
        match files {
            [folder] if folder.is_dir() => Self::exported(folder),
            [] => {
                let Configured { families, database, checkpoints } = configured(&place.config)?;
                Self::kept(families, database, place.checkpoint.clone().or(checkpoints))
            }
            files => {
                let beside = || {
                    let beside = config::beside(files.first()?, CHECKPOINTS);
                    beside.exists().then_some(beside)
                };
                Self::kept(files.to_vec(), None, place.checkpoint.clone().or_else(beside))
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
        Ok(Self { families: Vec::new(), files, database: None, signed, whole: Whole::Export })
    }

    /// What was signed is read before the record, which may grow meanwhile.
    fn kept(
        families: Vec<PathBuf>,
        database: Option<PostgresServer>,
        checkpoints: Option<PathBuf>,
    ) -> Result<Self, String> {
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
        if files.is_empty() && database.is_none() {
            return Err("no file of a record is there".to_owned());
        }
        Ok(Self { families, files, database, signed, whole: Whole::Record })
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
        if let Some(server) = &self.database {
            verification.expect(is_postgres_place);
            let walked = PostgresRecord::open(server).and_then(|record| record.verify(&mut verification));
            walked.map_err(|error| format!("PostgreSQL cannot be read: {error}"))?;
        }
        Ok(verification.finish(key))
    }
}

/// What the configuration chains: files, and what is in a database; and the file of checkpoints.
struct Configured {
    families: Vec<PathBuf>,
    database: Option<PostgresServer>,
    checkpoints: Option<PathBuf>,
}

fn configured(path: &Path) -> Result<Configured, String> {
    let mut settings = loaded(path, &WithoutSecrets)?;
    let in_postgres = settings.in_postgres().next().is_some();
    if in_postgres {
        // How the database is reached is a secret.
        settings = loaded(path, &SystemSources)?;
    }
    let families: Vec<_> = settings.chained().map(Path::to_owned).collect();
    if families.is_empty() && !in_postgres {
        return Err(format!("{}: no sink keeps a chained file, or events in PostgreSQL", path.display()));
    }
    let (checkpoints, database) = (settings.checkpoint_file(), settings.postgres.filter(|_| in_postgres));
    Ok(Configured { families, database, checkpoints })
}

fn loaded(path: &Path, sources: &dyn Sources) -> Result<Settings, String> {
    let fault = |_| format!("{}: the configuration has faults; see `portcullis check`", path.display());
    config::load(path, sources).map(|(settings, _)| settings).map_err(fault)
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
    if files.is_empty() {
        return Err("only files can be exported, and no sink keeps one".to_owned());
    }
    let (_, signed) =
        record.signed.clone().ok_or("there is no file of checkpoints: an export would prove nothing")?;
    let report = record.verify(None)?;
    if let Some(finding) = report.findings.first() {
        return Err(format!(
            "the record is not as it was written ({finding}); see `portcullis audit verify`"
        ));
    }
    let ExportArguments { from, to, user, hashes, output, .. } = arguments;
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
