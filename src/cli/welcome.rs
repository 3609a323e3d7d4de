//! What `portcullis demo` prints when it has started.

use std::fmt::Write;
use std::path::Path;

use super::terminal::Paint;
use crate::demo::Demo;

/// Where else to go than the front page.
const PLACES: [(&str, &str); 4] = [
    (".portcullis", "the apps that you may open, and your sign-ins"),
    ("ops", "bob gets in, alice is refused"),
    ("public", "anybody gets in"),
    ("api", "programs get in with a token:"),
];

/// The address, the people and what to try; where there is a history, how to ask it.
pub(super) fn welcome(demo: &Demo, history: Option<&Path>, paint: Paint) -> String {
    let url = demo.public_url().as_str();
    let mut text = String::from("\n");
    let mut line = |line: &str| {
        let _ = writeln!(text, "  {line}");
    };
    line(&format!(
        "{}  {}",
        paint.good("Portcullis"),
        paint.faint("an app, its gateway, and who signs people in")
    ));
    line("");
    line(&format!("{}   {}", paint.bold("Open"), paint.link(url)));
    line("");
    line(&paint.bold("Sign in as"));
    for person in demo.people() {
        let (name, password) = (format!("{:<6}", person.name), person.password.expose());
        let groups = paint.faint(&format!("in {}", person.groups.join(", ")));
        line(&format!("  {name}  {}  {groups}", paint.bold(password)));
    }
    line("");
    line(&paint.bold("Then try"));
    line(&format!("  {}  {}", paint.link(demo.console_url().as_str()), paint.faint("bob sees who did what")));
    // Padded to the longest of the paths.
    let longest = PLACES.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    for (path, what) in PLACES {
        let address = format!("{url}{path}");
        line(&format!(
            "  {}{:pad$}  {}",
            paint.link(&address),
            "",
            paint.faint(what),
            pad = longest - path.len()
        ));
    }
    demo.curl().lines().for_each(|command| line(&format!("    {command}")));
    if let Some(store) = history {
        line("");
        line(&format!(
            "{} {}",
            paint.bold("A month has happened"),
            paint.faint("(made up): see the console, and")
        ));
        for report in ["sign-ins", "anomalies", "dormant --since 14d"] {
            line(&format!("  portcullis report {report} --store {}", store.display()));
        }
    }
    line("");
    line(&paint.faint("All of it is on this machine, and gone after Ctrl-C."));
    text + "\n"
}
