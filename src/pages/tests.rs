//! What every page promises.

mod contrast;
pub(crate) mod document;
mod errors;
pub(crate) mod gallery;
mod policy;
pub(crate) mod strangers;

use std::collections::HashSet;
use std::path::Path;
use std::{env, fs};

use document::{all, elements};
use gallery::Words;

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
