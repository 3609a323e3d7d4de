//! What every page of the portal promises.

mod gallery;
mod strangers;

use std::collections::HashSet;

use gallery::{all, titled};

use super::{App, AppsPage, Shell};
use crate::identity::Principal;
use crate::pages::tests::document::{all as elements_of, elements};
use crate::pages::tests::gallery::{Words, principal};
use crate::pages::tests::plain;

/// A person to show pages to.
pub(super) fn somebody() -> Principal {
    principal(&Words::of_friends())
}

/// The shell around their pages.
pub(super) fn shell<'a>(principal: &'a Principal, provider: &'a str) -> Shell<'a> {
    Shell {
        look: plain(),
        principal,
        provider,
        apps: "/.portcullis",
        sessions: "/.portcullis/sessions",
        account: "/.portcullis/account",
        sign_out: "/.portcullis/sign-out",
    }
}

#[test]
fn every_page_has_a_language_a_title_a_heading_and_landmarks() {
    for (name, page) in all(&Words::of_friends()) {
        let elements = elements(&page.html);
        assert_eq!(elements_of(&elements, "html")[0].get("lang"), Some("en"), "{name}");
        for landmark in ["title", "h1", "header", "main", "footer", "nav"] {
            assert_eq!(elements_of(&elements, landmark).len(), 1, "{landmark} of {name}");
        }
        let here = elements.iter().filter(|element| element.get("aria-current") == Some("page")).count();
        assert_eq!(here, 1, "{name}");
    }
}

#[test]
fn every_field_has_a_label_and_every_reference_its_element() {
    for (name, page) in all(&Words::of_friends()) {
        let elements = elements(&page.html);
        let ids: Vec<_> = elements.iter().filter_map(|element| element.get("id")).collect();
        let unique: HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "ids of {name}");
        let labels: Vec<_> =
            elements_of(&elements, "label").iter().filter_map(|label| label.get("for")).collect();
        for field in elements_of(&elements, "input") {
            let hidden = field.get("type") == Some("hidden");
            assert!(hidden || field.get("id").is_some_and(|id| labels.contains(&id)), "{name}: {field:?}");
        }
        for reference in ["for", "aria-describedby", "aria-labelledby"] {
            let mut wanted = elements.iter().filter_map(|element| element.get(reference));
            assert!(wanted.all(|id| ids.contains(&id)), "{reference} of {name}");
        }
        for picture in elements_of(&elements, "svg") {
            assert_eq!(picture.get("aria-hidden"), Some("true"), "{name}");
        }
        assert!(elements_of(&elements, "img").iter().all(|image| image.get("alt").is_some()), "{name}");
    }
}

/// Names and places of the apps that a page shows.
fn shown(query: &str) -> Vec<String> {
    let (principal, words) = (somebody(), Words::of_friends());
    let apps = gallery::apps(&words);
    let page = AppsPage { shell: shell(&principal, "Corp"), apps, query }.page();
    let elements = elements(&page.html);
    elements.iter().filter_map(|element| element.get("data-place").map(str::to_owned)).collect()
}

#[test]
fn apps_stand_under_their_groups_by_name_and_those_without_last() {
    let wanted = [
        "board.corp.example",
        "wiki.corp.example",
        "mail.corp.example",
        "grafana.corp.example",
        "files.corp.example/shared",
    ];
    assert_eq!(shown(""), wanted);
}

#[test]
fn a_search_works_without_a_script() {
    assert_eq!(shown("GRAF"), ["grafana.corp.example"]);
    assert_eq!(shown("documents wiki"), ["wiki.corp.example"]);
    assert!(shown("nothing like that").is_empty());
    let principal = somebody();
    let page = AppsPage { shell: shell(&principal, "Corp"), apps: titled(4), query: "\"><b>" }.page();
    assert!(
        page.html.contains("0 of 4") && page.html.contains("value=\"&#34;&#62;&#60;b&#62;\""),
        "{}",
        page.html
    );
    let elements = elements(&page.html);
    let none = elements.iter().find(|element| element.get("id") == Some("none")).unwrap();
    assert_eq!(none.get("hidden"), None);
    let form = elements.iter().find(|element| element.get("role") == Some("search")).unwrap();
    assert_eq!((form.get("method"), form.get("action")), (Some("get"), None), "to this very page");
}

#[test]
fn few_apps_need_no_search_and_none_say_where_to_look() {
    let principal = somebody();
    let page =
        |apps: Vec<App<'static>>| AppsPage { shell: shell(&principal, "Corp"), apps, query: "" }.page().html;
    assert!(!page(titled(3)).contains("role=\"search\"") && page(titled(4)).contains("role=\"search\""));
    let none = page(Vec::new());
    assert!(none.contains("No app is open to you") && none.contains("href=\"/.portcullis/account\""));
    assert!(!none.contains("id=\"none\""));
}

#[test]
fn invariant_14_very_many_apps_are_cut_and_found_by_searching() {
    let principal = somebody();
    let page = |query| AppsPage { shell: shell(&principal, "Corp"), apps: titled(10_000), query }.page().html;
    let html = page("");
    assert_eq!(html.matches("data-place").count(), 500);
    assert!(html.contains("And 9500 more") && html.len() < 250_000, "{}", html.len());
    assert_eq!(page("App 9999").matches("data-place").count(), 1);
}

#[test]
fn an_app_without_a_picture_has_letters_and_always_the_same_colour() {
    let principal = somebody();
    let one = AppsPage { shell: shell(&principal, "Corp"), apps: titled(1), query: "" }.page().html;
    let two = AppsPage { shell: shell(&principal, "Corp"), apps: titled(2), query: "" }.page().html;
    let letters =
        |html: &str| html.split("<i class=\"hue-").nth(1).unwrap().split("</i>").next().unwrap().to_owned();
    assert_eq!(letters(&one), letters(&two));
    assert!(letters(&one).ends_with(">A"), "{}", letters(&one));
}
