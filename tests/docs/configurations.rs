//! Whoever copies a configuration out of a document has one that loads.

use super::{Document, folder, portcullis};

#[test]
fn every_configuration_in_a_document_loads_without_a_warning() {
    let mut checked = 0;
    for document in Document::all() {
        for text in document.blocks_of("toml") {
            let folder = folder(text);
            let output = portcullis(folder.path(), text, &["check"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}:\n{text}\n{said}", document.path.display());
            assert!(!said.contains("warning"), "{}:\n{text}\n{said}", document.path.display());
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} configurations were found");
}

#[test]
fn every_fragment_is_toml_at_least() {
    for document in Document::all() {
        for text in document.blocks_of("toml fragment") {
            let parsed: Result<toml::Table, _> = toml::from_str(text);
            assert!(parsed.is_ok(), "{}:\n{text}\n{parsed:?}", document.path.display());
        }
    }
}

#[test]
fn the_first_configuration_is_short() {
    let readme = Document::read("README.md");
    let first = readme.blocks_of("toml")[0];
    assert!(first.lines().count() <= 15, "{first}");
}
