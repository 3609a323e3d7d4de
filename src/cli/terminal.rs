//! Writing to a terminal or to what stands in its place.

use std::io::{IsTerminal, Write};

use crate::pages::steers;
pub(super) use crate::pages::visible;

/// Writes `text` to standard output. That a reader such as `head` has closed the pipe is no error.
pub(super) fn print(text: &str) {
    print_bytes(text.as_bytes());
}

/// Writes what a library has rendered to standard output, in the same way.
pub(super) fn print_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes `text` to standard error.
pub(super) fn complain(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Says on standard error what went wrong, and what to do where that is known.
pub(super) fn complain_of(fault: &str, help: Option<&str>) {
    let paint = Paint::of_errors();
    let help = help.map(|help| format!("{} {help}\n", paint.bold(" = help:"))).unwrap_or_default();
    complain(&format!("{} {fault}\n{help}", paint.bad("error:")));
}

/// Whether standard error shows colours: a terminal, and `NO_COLOR` is not set.
pub(super) fn has_colour() -> bool {
    std::io::stderr().is_terminal() && wants_colour()
}

/// Whether the environment allows colours. An empty `NO_COLOR` forbids nothing (<https://no-color.org>);
/// `TERM=dumb` is a terminal that shows none.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// `value` as JSON with a line break at its end. Characters that steer are escaped, also where JSON would not have it
/// (RFC 8259, section 7).
pub(super) fn escaped_json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let escaped = |c: char| match c {
        c if c != '\n' && steers(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).chain(["\n".to_owned()]).collect()
}

/// Colours for what shows them, and plain text for everything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    coloured: bool,
}

impl Paint {
    /// For standard output.
    pub(super) fn of_output() -> Self {
        Self { coloured: std::io::stdout().is_terminal() && wants_colour() }
    }

    /// For standard error.
    pub(super) fn of_errors() -> Self {
        Self { coloured: has_colour() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn link(self, text: &str) -> String {
        self.with("1;36", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("1;32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        let told = escaped_json(&serde_json::json!({ "user": "a\u{1b}\u{9b}\u{7f}\u{202e}ë\n" }));
        assert_eq!(told, "{\n  \"user\": \"a\\u001b\\u009b\\u007f\\u202eë\\n\"\n}\n");
    }
}
