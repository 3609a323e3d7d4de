//! `portcullis demo` as a newcomer starts it: what its welcome prints is all that is known of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::free_port;

/// A running demo; killed when dropped.
pub(crate) struct Demo {
    pub(crate) url: String,
    /// What it printed until it was ready.
    pub(crate) welcome: String,
    alice: String,
    bob: String,
    child: Child,
    /// Held open: who writes into a closed pipe may end.
    _output: BufReader<ChildStdout>,
}

impl Demo {
    /// Starts it on a free port and reads its welcome to the end.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["demo", "--listen", &format!("127.0.0.1:{}", free_port())])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let welcome = read_welcome(&mut output);
        Self {
            url: word_after(&welcome, "Open").trim_end_matches('/').to_owned(),
            alice: word_after(&welcome, "alice"),
            bob: word_after(&welcome, "bob"),
            welcome,
            child,
            _output: output,
        }
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap();
    }

    /// What a script needs to know to walk through it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        [("GATEWAY", self.url.clone()), ("ALICE", self.alice.clone()), ("BOB", self.bob.clone())]
    }
}

fn read_welcome(output: &mut impl BufRead) -> String {
    let mut welcome = String::new();
    while !welcome.contains("Ctrl-C") {
        assert_ne!(output.read_line(&mut welcome).unwrap(), 0, "the demo ended with its welcome:\n{welcome}");
    }
    welcome
}

fn word_after(text: &str, first: &str) -> String {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let line = text.lines().map(words).find(|line| line.first().is_some_and(|word| word == first));
    line.and_then(|line| line.get(1).cloned())
        .unwrap_or_else(|| panic!("no line begins with {first}:\n{text}"))
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
