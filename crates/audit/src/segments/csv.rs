//! Rows for spreadsheets (RFC 4180). What a stranger wrote is text there, and nothing that is calculated.

/// Appends a row of texts.
pub fn push_csv<'a>(cells: impl IntoIterator<Item = &'a str>, out: &mut String) {
    push_row(cells.into_iter().map(written), out);
}

/// Appends a row of cells that are written already.
pub(crate) fn push_row(cells: impl Iterator<Item = String>, out: &mut String) {
    for (index, cell) in cells.enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(&cell);
    }
    out.push_str("\r\n");
}

/// Whether a spreadsheet takes it for a formula, or for what may become one.
pub(crate) fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn written(cell: &str) -> String {
    let text: String =
        cell.chars().map(|letter| if is_inert(letter) { letter } else { '\u{FFFD}' }).collect();
    let guard = if mutant!(is_formula(cell), "csv-formula-runs" => false) { "'" } else { "" };
    if text.contains([',', '"', '\'']) || !guard.is_empty() || text.trim() != text {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Whether a spreadsheet would calculate it. A number is what it is.
fn is_formula(cell: &str) -> bool {
    let is_number = || cell.strip_prefix('-').unwrap_or(cell).bytes().all(|byte| byte.is_ascii_digit());
    begins_formula(cell) && (cell == "-" || !is_number())
}

/// Whether a terminal shows it and does nothing else.
fn is_inert(letter: char) -> bool {
    let turns = matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !letter.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut out = String::new();
        push_csv(cells.iter().copied(), &mut out);
        out
    }

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for formula in
            ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "-", "－1"]
        {
            assert!(row(&[formula]).starts_with("\"'"), "{formula:?} {}", row(&[formula]));
        }
        assert_eq!(row(&["-5", "404", "a=b", ""]), "-5,404,a=b,\r\n");
        assert_eq!(row(&["a,b", "say \"x\"", " y"]), "\"a,b\",\"say \"\"x\"\"\",\" y\"\r\n");
        assert_eq!(row(&["a\u{1b}[2J\nb\u{202e}"]), "a\u{FFFD}[2J\u{FFFD}b\u{FFFD}\r\n");
    }
}
