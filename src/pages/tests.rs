//! What every page promises.

pub(crate) mod document;
mod errors;
pub(crate) mod gallery;
mod policy;
mod sheet;
pub(crate) mod strangers;

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use document::{all, elements};
use gallery::Words;

use super::{Brand, Look};
use crate::words::Catalogue;

/// A look of no brand, in English.
pub(crate) fn plain() -> Look<'static> {
    static BRAND: LazyLock<Brand> = LazyLock::new(Brand::default);
    Look::new(&BRAND, Catalogue::english())
}

/// The same in German.
pub(crate) fn german() -> Look<'static> {
    Look::new(plain().brand, Catalogue::german())
}

/// `PORTCULLIS_PAGES=FOLDER cargo test --lib pages_can_be_looked_at -- --ignored` writes every page there.
#[test]
#[ignore = "writes files to look at"]
fn pages_can_be_looked_at() {
    let folder = env::var_os("PORTCULLIS_PAGES").expect("PORTCULLIS_PAGES names a folder");
    for (name, page) in gallery::all(&Words::of_friends()) {
        fs::write(Path::new(&folder).join(format!("{name}.html")), page.html).unwrap();
    }
}

#[test]
fn every_page_has_a_language_a_title_a_heading_and_landmarks() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        let elements = elements(&page.html);
        assert_eq!(all(&elements, "html")[0].get("lang"), Some("en"), "{name}");
        for landmark in ["title", "h1", "header", "main", "footer"] {
            assert_eq!(all(&elements, landmark).len(), 1, "{landmark} of {name}");
        }
        for written in ["title", "h1"] {
            let text = page.html.split_once(&format!("<{written}>")).unwrap().1.split('<').next().unwrap();
            assert!(text.len() > 5 && text.trim() == text, "{written} of {name}: {text}");
        }
    }
}

#[test]
fn every_field_has_a_label_and_every_reference_its_element() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        let elements = elements(&page.html);
        let ids: Vec<_> = elements.iter().filter_map(|element| element.get("id")).collect();
        let unique: HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "ids of {name}");
        let labels: Vec<_> = all(&elements, "label").iter().filter_map(|label| label.get("for")).collect();
        for field in all(&elements, "input") {
            let hidden = field.get("type") == Some("hidden");
            assert!(hidden || field.get("id").is_some_and(|id| labels.contains(&id)), "{name}: {field:?}");
        }
        for reference in ["for", "aria-describedby", "aria-labelledby"] {
            let mut wanted = elements.iter().filter_map(|element| element.get(reference));
            assert!(wanted.all(|id| ids.contains(&id)), "{reference} of {name}");
        }
    }
}

#[test]
fn pictures_are_hidden_from_those_who_listen() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        for picture in all(&elements(&page.html), "svg") {
            assert_eq!(picture.get("aria-hidden"), Some("true"), "{name}");
        }
    }
}

#[test]
fn a_page_is_small() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        assert!(page.html.len() < 24_000, "{name}: {}", page.html.len());
    }
}

/// A language of texts that are twice as long, with marks that would turn what follows, and markup.
fn pseudo() -> Look<'static> {
    static WORDS: LazyLock<Catalogue> = LazyLock::new(|| {
        let is_text = |line: &str| {
            let variant = line.trim_start().starts_with(['[', '*']);
            !line.starts_with('#') && !line.ends_with("->") && (variant || line.contains(" = "))
        };
        let long = |line: &str| match is_text(line) {
            true => line.replacen(" = ", " = \u{202e}<b>\u{2067}Ẃ{\"\\u202E\"}", 1) + " ẃíďé ẁøŕď",
            false => line.to_owned(),
        };
        let file: Vec<_> = include_str!("../words/en.ftl").lines().map(long).collect();
        Catalogue::read("en-XA", &file.join("\n")).0
    });
    Look::new(plain().brand, &WORDS)
}

#[test]
fn every_page_is_the_same_in_every_language_but_for_its_words() {
    let words = Words::of_friends();
    for look in [german(), pseudo()] {
        for ((name, page), (_, english)) in gallery::all_in(look, &words).iter().zip(gallery::all(&words)) {
            assert_eq!(
                document::skeleton(&page.html),
                document::skeleton(&english.html),
                "{name}, {}",
                look.lang()
            );
            assert_eq!(all(&elements(&page.html), "html")[0].get("lang"), Some(look.lang()), "{name}");
            assert!(!page.html.contains(['\u{202e}', '\u{2067}']), "{name}");
        }
    }
}
