//! From the bytes of a file to a tree whose values know their places: size, encoding and syntax.

use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::check::check;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::located::Node;
use super::raw::Config;
use super::report::Report;
use super::sources::Sources;
use super::syntax::broken;
use super::words::nearest;
use super::{mask, schema};

/// Bytes that a configuration file may have.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The text of the file at `path`, without byte order mark.
pub(super) fn read(path: &Path, sources: &dyn Sources) -> Result<String, Report> {
    let unreadable = |message: String, help| Report::unreadable(path.display().to_string(), message, help);
    let bytes = sources.read(path, LARGEST).map_err(|cause| {
        unreadable(
            format!("the configuration cannot be read: {cause}"),
            "name the file: portcullis check FILE",
        )
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable("the configuration is larger than 16 MiB".into(), "is this the right file?"));
    }
    let text = String::from_utf8(bytes).map_err(|cause| {
        let valid = cause.utf8_error().valid_up_to();
        let line = 1 + cause.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count();
        unreadable(format!("line {line} is not UTF-8"), "save the file as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The tree, and as much of the raw shape as can be read; `diagnostics` holds a fault for all that is left out.
pub(super) fn parse<'t>(text: &'t str, diagnostics: &mut Diagnostics) -> Option<(Node<'t>, Config)> {
    // First of all: no report may show a password in a URL, whatever is wrong with the file.
    diagnostics.masks.extend(mask::userinfo(text));
    let schema = schema::flat();
    let (table, errors) = DeTable::parse_recoverable(text);
    let node = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    if !errors.is_empty() {
        broken(text, schema, &node, &errors, diagnostics);
        return None;
    }
    let sound = check(schema, &node, diagnostics)?;
    if misspells_a_table(schema, &node) {
        return None;
    }
    match Config::deserialize(ValueDeserializer::from(sound)) {
        Ok(raw) => Some((node, raw)),
        Err(error) => {
            diagnostics
                .fault(Diagnostic::spanning(error.span().unwrap_or(0..0), "this value does not fit here"));
            None
        }
    }
}

/// Whether a table such as `[providers]` is misspelt: everything that refers to it would be reported as
/// wrong, too.
fn misspells_a_table(schema: &Value, node: &Node<'_>) -> bool {
    let Some(known) = schema.get("properties").and_then(Value::as_object) else { return true };
    let written =
        node.get_ref().as_table().into_iter().flat_map(DeTable::keys).map(|key| key.get_ref().as_ref());
    let mut unknown = written.filter(|name: &&str| !known.contains_key(*name));
    unknown.any(|name| nearest(name, known.keys().map(String::as_str)).is_some())
}
