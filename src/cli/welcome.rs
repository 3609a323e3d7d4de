//! What `portcullis demo` prints when it has started.

use std::fmt::Write;

use super::terminal::Paint;
use crate::demo::Demo;

/// Where else to go than the front page.
const PLACES: [(&str, &str); 3] = [
    ("ops", "bob gets in, alice is refused"),
    ("public", "anybody gets in"),
    ("api", "programs get in with a token:"),
];

/// The address, the people and what to try.
pub(super) fn welcome(demo: &Demo, paint: Paint) -> String {
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
    // Padded to the longest of the paths, six letters.
    for (path, what) in PLACES {
        let address = format!("{url}{path}");
        line(&format!("  {}{:pad$}  {}", paint.link(&address), "", paint.faint(what), pad = 6 - path.len()));
    }
    demo.curl().lines().for_each(|command| line(&format!("    {command}")));
    line("");
    line(&paint.faint("All of it is on this machine, and gone after Ctrl-C."));
    text + "\n"
}
