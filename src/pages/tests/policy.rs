//! What a page may do, and who may keep it (invariants 16, 17, 18).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::document::{Element, all, elements};
use super::gallery::{self, Words};
use super::plain;
use crate::pages::*;

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    page.headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
}

/// The sources of a directive of the page's policy.
fn sources<'a>(page: &'a Page, directive: &str) -> Vec<&'a str> {
    let mut directives = header(page, "content-security-policy").split("; ");
    let found = directives.find_map(|text| text.strip_prefix(directive)?.strip_prefix(' '));
    found.map(|sources| sources.split(' ').collect()).unwrap_or_default()
}

fn hashes(elements: &[Element], name: &str) -> Vec<String> {
    let hash = |element: &&Element| {
        format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, element.text.as_bytes())))
    };
    all(elements, name).iter().map(hash).collect()
}

#[test]
fn the_policy_allows_the_inline_texts_of_the_page_and_no_other() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        let elements = elements(&page.html);
        assert_eq!(sources(&page, "style-src"), hashes(&elements, "style"), "{name}");
        assert_eq!(sources(&page, "script-src"), hashes(&elements, "script"), "{name}");
        assert!(!header(&page, "content-security-policy").contains("unsafe"), "{name}");
        let asks_again = [
            "429-too-many-get",
            "502-app-down-get",
            "502-app-refused-get",
            "503-binding-awaited-get",
            "503-provider-down-get",
            "503-store-down-get",
            "503-unrecorded-get",
        ];
        let scripted =
            ["keep", "resume", "replay", "chooser", "interstitial"].iter().any(|kind| name.starts_with(kind))
                || asks_again.contains(&name.as_str());
        assert_eq!(all(&elements, "script").len(), usize::from(scripted), "{name}");
    }
}

#[test]
fn no_attribute_styles_or_scripts() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        for (attribute, _) in elements(&page.html).iter().flat_map(|element| &element.attributes) {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{attribute} in {name}");
        }
    }
}

#[test]
fn invariant_16_no_page_fetches_anything() {
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
    for (name, page) in gallery::all(&Words::of_friends()) {
        assert_eq!(sources(&page, "default-src"), ["'none'"], "{name}");
        assert_eq!(sources(&page, "img-src"), ["data:"], "{name}");
        for element in elements(&page.html) {
            let fetches = ["src", "srcset", "poster", "background", "ping", "xlink:href"];
            assert!(fetches.iter().all(|attribute| element.get(attribute).is_none()), "{name}: {element:?}");
            let link = element.name != "link" || element.get("href").unwrap().starts_with("data:");
            assert!(link, "{name}: {element:?}");
        }
    }
}

#[test]
fn invariant_17_no_page_is_kept_or_framed_or_told_apart() {
    for (name, page) in gallery::all(&Words::of_friends()) {
        assert_eq!(header(&page, "cache-control"), "no-store", "{name}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{name}");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff", "{name}");
        assert_eq!(header(&page, "referrer-policy"), "same-origin", "{name}");
        assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin", "{name}");
        assert_eq!(header(&page, "x-frame-options"), "DENY", "{name}");
        assert!(
            ["cookie", "accept", "authorization"].iter().all(|field| header(&page, "vary").contains(field)),
            "{name}"
        );
        assert_eq!(sources(&page, "frame-ancestors"), ["'none'"], "{name}");
        assert_eq!(sources(&page, "base-uri"), ["'none'"], "{name}");
    }
}

#[test]
fn invariant_18_forms_lead_where_they_must_and_nowhere_else() {
    let wanted = |name: &str| match name {
        "chooser-plain" => vec!["'none'"],
        name if name.starts_with("replay") => vec!["'self'", "https:"],
        name if name.starts_with("forbidden") => vec!["https://login.corp.example"],
        name if ["chooser", "sign-out", "resume"].iter().any(|kind| name.starts_with(kind)) => {
            vec!["'self'"]
        }
        _ => vec!["'none'"],
    };
    for (name, page) in gallery::all(&Words::of_friends()) {
        assert_eq!(sources(&page, "form-action"), wanted(&name), "{name}");
        let has_form = !all(&elements(&page.html), "form").is_empty();
        assert_eq!(has_form, wanted(&name) != ["'none'"], "{name}");
    }
}

#[test]
fn a_form_adds_its_origin_to_the_policy_and_no_word_of_its_own() {
    for (action, wanted) in [
        ("/.portcullis/sign-out", "'self'"),
        ("https://login.example/x?y", "https://login.example"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("https://evil.example;script-src/*", "'self'"),
        ("https://evil.example,default-src/*", "'self'"),
        ("javascript:alert(1)", "'self'"),
        ("//evil.example/", "'self'"),
    ] {
        let principal = gallery::principal(&Words::of_friends());
        let page = SignOut { principal: &principal, provider: "Corp", action, cancel: "/" }.page(plain());
        assert_eq!(sources(&page, "form-action"), [wanted], "{action}");
        assert!(sources(&page, "script-src").is_empty(), "{action}");
    }
}
