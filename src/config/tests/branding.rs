//! `[branding]`, and how people find an app.

use super::{Machine, changed, each_is_told, longer, warnings};
use crate::config::{Report, Settings};
use crate::pages::{Brand, Looks};
use crate::words::Word;

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg'/>";

fn branding(lines: &str) -> String {
    longer(&format!("[branding]\n{lines}"))
}

/// The machine with pictures and languages on it, good ones and others.
fn machine(text: &str) -> Machine {
    Machine::furnished(text)
        .file("wiki.svg", SVG)
        .file("large.svg", format!("{SVG}{}", " ".repeat(40_000)))
        .file("huge.svg", format!("{SVG}{}", " ".repeat(70_000)))
        .file("page.html", "<html>")
        .file("fr.ftl", "sign-out = Se déconnecter\nsign-oud = x\n")
        .file("pl.ftl", include_str!("../../words/en.ftl"))
        .file("nl.ftl", b"\xff\xfe")
        .file("french.ftl", "")
}

fn loaded(text: &str) -> (Settings, Report) {
    machine(text).load().unwrap_or_else(|report| panic!("{report}"))
}

fn fault(text: &str) -> (String, String) {
    let report = machine(text).load().err().unwrap_or_else(|| panic!("this loads:\n{text}"));
    assert_eq!(report.faults.len(), 1, "{report}");
    (report.faults[0].message.clone(), report.faults[0].expected.clone())
}

#[test]
fn a_brand_is_what_the_file_says_and_the_gateways_own_otherwise() {
    let lines = "name = \"Corp & <b>\"\nlogo = \"wiki.svg\"\naccent = \"#1f4fbf\"\n\
                 links = [{ title = \"Help\", url = \"https://help.corp.example/\" }]\n\
                 texts = { sign_in = \"<i>Welcome</i>\" }";
    let (settings, report) = loaded(&branding(lines));
    assert_eq!(report.render(false), "");
    let brand = Brand::new(&settings.branding.brand);
    assert_eq!((brand.name.as_str(), brand.links.len()), ("Corp & <b>", 1));
    assert!(brand.logo.as_deref().is_some_and(|logo| logo.starts_with("data:image/svg+xml;base64,")));
    assert_eq!(brand.texts.sign_in.as_deref(), Some("<i>Welcome</i>"));
    for sheet in [&brand.narrow, &brand.wide] {
        assert!(sheet.text().contains("--accent: #1f4fbf;"));
    }
    assert!(settings.watched.iter().any(|file| file.ends_with("wiki.svg")), "a new logo is a reload");
    let plain = Brand::new(&loaded(&longer("")).0.branding.brand);
    assert_eq!((plain.name.as_str(), plain.logo), ("Portcullis", None));
}

#[test]
fn an_accent_that_cannot_be_read_does_not_load() {
    each_is_told(&[
        (branding("accent = \"#ffd43b\""), "the accent cannot be read", "from a light page by 1.3"),
        (
            branding("accent = \"#1f4fbf\"\naccent_dark = \"#1f4fbf\""),
            "the accent cannot be read",
            "from a dark page by 2",
        ),
        (branding("accent = \"blue\""), "not a colour", "six hexadecimal digits"),
        (branding("accent_dark = \"#9db8ff\""), "`accent_dark` without `accent`", "expected both"),
    ]);
}

#[test]
fn what_is_no_logo_no_link_and_no_text_does_not_load() {
    let script = "links = [{ title = \"x\", url = \"javascript://x/%0aalert(1)\" }]";
    for (lines, message, expected) in [
        ("logo = \"huge.svg\"", "the picture is larger than 64 KiB", "64 KiB"),
        ("logo = \"large.svg\"", "the logo is larger than 32 KiB", "in every page"),
        ("logo = \"page.html\"", "not a picture: expected a PNG, an SVG or a WebP", "64 KiB"),
        ("logo = \"missing.svg\"", "the file cannot be read: entity not found", "may read"),
        (script, "not a URL of a scheme that works here", "https"),
        ("name = \" \"", "not a text to show", "up to 60 characters"),
        ("name = \"a\\u202eb\"", "not a text to show", "without control characters"),
    ] {
        let (told, wanted) = fault(&branding(lines));
        assert!(told == message && wanted.contains(expected), "{lines}: {told}: {wanted}");
    }
}

#[test]
fn languages_are_those_of_the_file_and_what_is_wrong_with_one_is_a_warning() {
    let looks = |lines: &str| {
        let (settings, report) = loaded(&branding(lines));
        let branding = settings.branding;
        (Looks::new(Brand::new(&branding.brand), branding.languages), report)
    };
    let told = |looks: &Looks, accepted: &'static str| {
        let look = looks.of(Some(&http::HeaderValue::from_static(accepted)));
        (look.lang().to_owned(), look.say(Word::SignOut))
    };
    let (both, _) = looks("name = \"x\"");
    assert_eq!(told(&both, "de-CH"), ("de".into(), "Abmelden".into()));
    assert_eq!(told(&both, "it"), ("en".into(), "Sign out".into()));
    let (three, report) = looks("languages = [\"de\", \"en\", \"fr.ftl\"]");
    assert_eq!(told(&three, "fr"), ("fr".into(), "Se déconnecter".into()));
    assert_eq!(told(&three, "it"), ("de".into(), "Abmelden".into()), "the first is for everybody else");
    let look = three.of(Some(&http::HeaderValue::from_static("fr")));
    assert_eq!(look.say(Word::TryAgain), "Try again", "English stands in");
    let warnings: Vec<_> = report.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings.len(), 2, "{report}");
    assert!(warnings[0].contains("no text called `sign-oud`"), "{report}");
    assert!(warnings[1].contains("texts are missing"), "{report}");
    assert_eq!(looks("languages = \"pl.ftl\"").1.render(false), "", "a whole file is fine");
    for (lines, message) in [
        ("languages = \"klingon\"", "no language is called `klingon`"),
        ("languages = \"french.ftl\"", "the file is not called by a language"),
        ("languages = \"nl.ftl\"", "not a file of texts"),
        ("languages = [\"de\", \"de\"]", "the language de twice"),
        ("languages = []", "no language"),
    ] {
        assert_eq!(fault(&branding(lines)).0, message);
    }
}

#[test]
fn an_app_has_a_tile_unless_it_is_hidden() {
    let (settings, _) = loaded(&changed("routes", "title = \" Wiki \""));
    assert_eq!(settings.routes[0].tile.as_ref().and_then(|tile| tile.title.as_deref()), Some("Wiki"));
    let (settings, _) = loaded(&changed("routes", "icon = \"wiki.svg\""));
    assert!(settings.routes[0].tile.as_ref().is_some_and(|tile| tile.icon.is_some()));
    assert!(settings.watched.iter().any(|file| file.ends_with("wiki.svg")), "a new picture is a reload");
    let (settings, _) = loaded(&changed("routes", "hidden = true"));
    assert_eq!(settings.routes[0].tile, None);
    each_is_told(&[
        (changed("routes", "title = \"\""), "not a text to show", "up to 80 characters"),
        (changed("routes", "description = \"a\\nb\""), "not a text to show", "one line"),
        (
            changed("routes", "icon = \"tls.crt\""),
            "not a picture: expected a PNG, an SVG or a WebP",
            "64 KiB",
        ),
    ]);
    assert_eq!(warnings(&changed("routes", "group = \"Documents\"")).render(false), "");
}
