//! What the documents promise holds: configurations load, commands run, links lead somewhere.

mod apps;
mod commands;
mod compliance;
mod configurations;
mod dependencies;
mod events;
mod invariants;
mod operations;
mod references;
mod shared_signals;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A document and its text.
pub(crate) struct Document {
    path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block: what stands behind the fence, and what stands in it.
struct Block<'a> {
    info: &'a str,
    text: &'a str,
}

impl Document {
    pub(crate) fn read(path: &str) -> Self {
        let path = PathBuf::from(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// Everything that is written for people.
    fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> =
            [".", "docs", "docs/recipes", "docs/recipes/apps", "benches", "fuzz", "tests/mutations"]
                .into_iter()
                .flat_map(markdown)
                .collect();
        paths.sort();
        assert!(paths.len() > 10, "the documents were not found: {paths:?}");
        paths.iter().map(|path| Self::read(path.to_str().unwrap())).collect()
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let parts: Vec<&str> = self.text.split("```").collect();
        assert!(parts.len() % 2 == 1, "{}: a fence is not closed", self.path.display());
        let fenced = parts.into_iter().skip(1).step_by(2).filter_map(|part| part.split_once('\n'));
        fenced.map(|(info, text)| Block { info: info.trim(), text }).collect()
    }

    /// Blocks of exactly this kind.
    pub(crate) fn blocks_of(&self, info: &str) -> Vec<&str> {
        self.blocks().into_iter().filter(|block| block.info == info).map(|block| block.text).collect()
    }

    /// The text without fenced blocks.
    fn prose(&self) -> String {
        self.text.split("```").step_by(2).collect()
    }
}

fn markdown(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

/// A folder with `portcullis.toml` in it, and every certificate that it names there or in `/etc/portcullis`.
fn folder(configuration: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let here = folder.path().to_str().unwrap();
    let text = configuration.replace("/etc/portcullis", here).replace("/var/lib/portcullis", here);
    for path in text.split('"').filter(|quoted| quoted.ends_with(".crt")) {
        certificate(folder.path(), Path::new(path).file_stem().unwrap().to_str().unwrap());
    }
    fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    folder
}

/// Certificate and key of one name.
fn certificate(folder: &Path, stem: &str) {
    let file = |end: &str| folder.join(format!("{stem}.{end}"));
    let made = rcgen::generate_simple_self_signed(["corp.example".to_owned()]).unwrap();
    fs::write(file("crt"), made.cert.pem()).unwrap();
    fs::write(file("key"), made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(file("key"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs the program in `folder` with a value for every secret that `configuration` takes from the environment.
fn portcullis(folder: &Path, configuration: &str, arguments: &[&str]) -> Output {
    let secrets = configuration.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next());
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(folder)
        .envs(secrets.map(|name| (name, "throw-away")))
        .output()
        .unwrap()
}
