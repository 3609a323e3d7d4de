//! What somebody sees who starts the demo.

use std::fmt::Write;

use crate::demo::Demo;

/// The addresses, the people and what to try, for a terminal that shows colours or not.
pub(super) fn welcome(demo: &Demo, coloured: bool) -> String {
    let paint = Paint { coloured };
    let mut text = String::new();
    let url = demo.public_url().as_str();
    let _ = writeln!(text, "\n  {}  identity at the gate\n", paint.bold("Portcullis"));
    let _ = writeln!(text, "  Open         {}", paint.link(url));
    let _ = writeln!(text, "  Sign in as");
    for person in demo.people() {
        let groups = person.groups.join(", ");
        let password = person.password.expose();
        let _ = writeln!(
            text,
            "    {:<8} password {}   in {groups}",
            paint.bold(person.name),
            paint.bold(password)
        );
    }
    let _ = writeln!(text, "\n  Try");
    for (path, what) in [
        ("", "the app: it shows who it is told you are"),
        ("ops", "bob may, alice may not"),
        ("public", "anybody may"),
    ] {
        let _ = writeln!(text, "    {:<32} {what}", format!("{url}{path}"));
    }
    let _ = writeln!(text, "\n  As a program");
    demo.curl().lines().for_each(|line| {
        let _ = writeln!(text, "    {line}");
    });
    let _ = writeln!(text, "\n  Everything stays on this machine and ends with Ctrl-C.\n");
    text
}

struct Paint {
    coloured: bool,
}

impl Paint {
    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn link(&self, text: &str) -> String {
        self.with("1;36", text)
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
