//! How sign-ins look on a terminal.

use super::terminal::{Paint, visible};
use crate::admin::SessionEntry;

/// Digits of an identifier that are shown: as many as the log prints, and as `--id` needs.
const ID: usize = 8;

/// Characters at most of a column that strangers fill.
const WIDEST: usize = 40;

const HEADINGS: [&str; 9] =
    ["ID", "USER", "PROVIDER", "HOSTS", "BOUND", "SIGNED IN", "LAST SEEN", "ADDRESS", "DEVICE"];

/// A line for each sign-in, below a heading. What people and providers wrote moves no cursor.
pub(super) fn table(entries: &[SessionEntry], paint: Paint) -> String {
    let rows: Vec<_> = entries.iter().map(row).collect();
    let widths: [usize; 9] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or_default()
    });
    let heading = paint.faint(&line(&HEADINGS.map(str::to_owned), &widths));
    let lines = std::iter::once(heading).chain(rows.iter().map(|row| line(row, &widths)));
    lines.map(|line| line + "\n").collect()
}

fn row(entry: &SessionEntry) -> [String; 9] {
    let SessionEntry { id, provider, user, hosts, bound, created, last_seen, address, device, .. } = entry;
    let missing = || "-".to_owned();
    [
        id.chars().take(ID).collect(),
        user.as_deref().map_or_else(missing, cell),
        cell(provider),
        cell(&hosts.join(" ")),
        cell(&bound.join(" ")),
        cell(created),
        cell(last_seen),
        address.map_or_else(missing, |address| address.to_string()),
        device.as_deref().map_or_else(missing, cell),
    ]
}

fn cell(text: &str) -> String {
    let shown = visible(text);
    if shown.chars().count() <= WIDEST {
        return shown;
    }
    shown.chars().take(WIDEST - 1).chain(['…']).collect()
}

fn line(cells: &[String; 9], widths: &[usize; 9]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_shown_in_its_column_and_moves_nothing() {
        let entry = SessionEntry {
            id: "12ab34cd".repeat(8),
            provider: "corp".into(),
            user: Some("al\u{1b}[2Jice\nroot".into()),
            issuer: None,
            subject: None,
            sid: None,
            email: None,
            groups: Vec::new(),
            device: Some(format!("\u{202e}{}", "x".repeat(100))),
            address: None,
            created: "2027-01-15T08:00:00Z".into(),
            last_seen: "2027-01-15T08:01:00Z".into(),
            expires: "2027-01-15T20:00:00Z".into(),
            hosts: vec!["login.corp.example".into(), "wiki.corp.example".into()],
            bound: vec!["wiki.corp.example".into()],
        };
        let text = table(&[entry], Paint::of_errors());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("ID        USER            PROVIDER  HOSTS "), "{text}");
        assert!(
            lines[1].starts_with("12ab34cd  al\u{fffd}[2Jice\u{fffd}root  corp      login.corp.example wiki"),
            "{text}"
        );
        assert!(lines[1].ends_with(&format!("-        \u{fffd}{}…", "x".repeat(38))), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }
}
