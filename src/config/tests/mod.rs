//! What the tests of this room share: a machine that exists only here.

mod audit;
mod bound;
mod branding;
mod console;
mod documents;
mod fault_routes;
mod fault_server;
mod fault_structure;
mod loads;
mod meaning;
mod mutations;
mod origins;
mod postgres;
mod provider_warnings;
mod providers;
mod reports;
mod secrets;
mod serve;
mod signals;
mod slips;
mod state;
mod strength;
mod telemetry;
mod upstreams;
mod warnings;
mod whose;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Report, Settings, Sources, load};

const FILE: &str = "portcullis.toml";

/// An environment and files of a test's own.
#[derive(Clone, Debug, Default)]
struct Machine {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    open: Vec<PathBuf>,
    /// Folders that are not there.
    missing: Vec<PathBuf>,
}

impl Machine {
    fn with(text: &str) -> Self {
        Self::default().file(FILE, text)
    }

    fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), text.as_ref().to_vec());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// A certificate at `path.crt` with its key at `path.key`.
    fn certificate(self, path: &str) -> Self {
        static PAIR: OnceLock<(String, String)> = OnceLock::new();
        let (cert, key) = PAIR.get_or_init(|| {
            let made = rcgen::generate_simple_self_signed(vec!["corp.example".into()]).unwrap();
            (made.cert.pem(), made.signing_key.serialize_pem())
        });
        self.file(&format!("{path}.crt"), cert).file(&format!("{path}.key"), key)
    }

    /// What a file of these tests may speak of.
    fn furnished(text: &str) -> Self {
        Self::with(text)
            .certificate("tls")
            .certificate("other")
            .variable("SECRET", "s3cret")
            .variable("EMPTY", " ")
            .variable("TOKEN", "0123456789abcdef0123456789abcdef")
    }

    fn load(&self) -> Result<(Settings, Report), Report> {
        load(Path::new(FILE), self)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap_or_else(|report| panic!("{report}")).0
    }
}

impl Sources for Machine {
    fn env(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        Ok(bytes.iter().take(limit).copied().collect())
    }

    fn world_readable(&self, path: &Path) -> bool {
        self.open.iter().any(|open| open == path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        !self.missing.iter().any(|missing| missing == path)
    }
}

/// A good file, to spoil.
const GOOD: &str = r#"[server]
listen = "127.0.0.1:8443"
public_url = "https://login.corp.example"
tls = { cert = "tls.crt", key = "tls.key" }

[providers.corp]
issuer = "https://id.corp.example"
client_id = "portcullis"
client_secret = { env = "SECRET" }
audiences = ["https://api.corp.example"]

[policies.staff]
allow = [{ groups = ["staff"], provider = "corp" }]

[[routes]]
host = "wiki.corp.example"
path = "/wiki"
upstream = "http://10.0.0.5:8080"
policy = "staff"
"#;

/// The good file with `line` in `table` (`routes`: in its first route), in place of a line for the same key, or
/// without that line where only the key is given.
fn changed(table: &str, line: &str) -> String {
    let key = line.split([' ', '=']).next().unwrap_or_default();
    let header = |text: &str| text.starts_with('[').then(|| text.trim_matches(['[', ']']).to_owned());
    let mut current = String::new();
    let mut lines: Vec<&str> = Vec::new();
    for text in GOOD.lines() {
        current = header(text).unwrap_or(current);
        let replaced = current == table && text.split(' ').next() == Some(key);
        lines.extend((!replaced).then_some(text));
        lines.extend((header(text).as_deref() == Some(table) && line != key).then_some(line));
    }
    let mut file = lines.join("\n") + "\n";
    if line != key && !file.contains(&format!("[{table}]")) {
        file += &format!("\n[{table}]\n{line}\n");
    }
    file
}

/// The good file with another table behind it.
fn longer(text: &str) -> String {
    format!("{GOOD}\n{text}\n")
}

fn faults(text: &str) -> Report {
    match Machine::furnished(text).load() {
        Err(report) => report,
        Ok((_, report)) => panic!("this file loads:\n{text}\n{report}"),
    }
}

fn warnings(text: &str) -> Report {
    Machine::furnished(text).load().unwrap_or_else(|report| panic!("{report}\n{text}")).1
}

fn settings(text: &str) -> Settings {
    Machine::furnished(text).settings()
}

/// A file, the message of its only fault, and what the report expected.
type Case<'a> = (String, &'a str, &'a str);

fn each_is_told(cases: &[Case<'_>]) {
    for (file, message, expected) in cases {
        let report = faults(file);
        let told: Vec<_> =
            report.faults.iter().map(|fault| (fault.message.as_str(), fault.expected.as_str())).collect();
        assert!(
            matches!(told[..], [(m, e)] if m == *message && e.contains(expected)),
            "{message}\n{report}\n{file}"
        );
    }
}

fn shows(report: &Report, expected: &str) {
    let shown = report.render(false);
    assert_eq!(shown.trim(), expected.trim(), "\n{shown}");
}
