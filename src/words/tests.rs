//! Both files are whole, and say the same.

use proptest::prelude::*;

use super::catalogue::{Arg, Catalogue};
use super::fuzzing;
use super::read::{Flaw, read};
use super::word::Word;

const FILES: [(&str, &str); 2] = [("en", include_str!("en.ftl")), ("de", include_str!("de.ftl"))];

#[test]
fn both_languages_have_every_text_with_all_its_places_and_no_other() {
    for (tag, file) in FILES {
        let (texts, flaws) = read(file, &[]);
        assert_eq!(flaws, [], "{tag}");
        assert_eq!(texts.len(), Word::ALL.len(), "{tag}");
        let keys = file.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).count();
        assert_eq!(keys, Word::ALL.len(), "{tag}: a text stands there twice");
    }
}

#[test]
fn no_text_of_the_second_language_is_still_in_the_first() {
    let (english, german) = (Catalogue::english(), Catalogue::german());
    let same = |word: &&Word| english.pattern_of(**word) == german.pattern_of(**word);
    let same: Vec<_> = Word::ALL.iter().filter(same).map(|word| word.key()).collect();
    assert_eq!(same, ["part-gateway", "part-app", "part-online", "portal", "portal-apps"]);
}

#[test]
fn counts_choose_their_text_by_the_rules_of_the_language() {
    let (english, german) = (Catalogue::english(), Catalogue::german());
    let told = |language: &Catalogue, count| language.plain(Word::DaysAgo, &[("count", Arg::Count(count))]);
    assert_eq!(
        [told(english, 1), told(english, 2), told(english, 0)],
        ["1 day ago", "2 days ago", "0 days ago"]
    );
    assert_eq!([told(german, 1), told(german, 2)], ["vor 1 Tag", "vor 2 Tagen"]);
    let file = "days-ago = { $count ->\n  [one] { $count } dzień temu\n  [few] { $count } dni temu (few)\n  [7] tydzień temu\n *[other] { $count } dni temu\n}\n";
    let (polish, _) = Catalogue::read("pl", file);
    assert_eq!(
        [1, 2, 5, 7, 22].map(|count| told(&polish, count)),
        ["1 dzień temu", "2 dni temu (few)", "5 dni temu", "tydzień temu", "22 dni temu (few)"]
    );
    let (swiss, _) = Catalogue::read(
        "de-CH",
        "days-ago = { $count ->\n  [one] gestern\n *[other] vor { $count } Tagen\n}\n",
    );
    assert_eq!(
        (told(&swiss, 1), swiss.say(Word::SignOut)),
        ("gestern".into(), "Abmelden".into()),
        "the rest is German"
    );
}

#[test]
fn invariant_15_a_file_is_text_and_so_is_what_stands_in_its_places() {
    let file = "chooser-to = <b>zu</b> { $host } &amp; \u{202e}weiter\u{7}\n";
    let (catalogue, _) = Catalogue::read("xx", file);
    let told = |arg| catalogue.html(Word::ChooserTo, &[("host", arg)]);
    assert_eq!(
        told(Arg::Strong("<i>\"")),
        "&#60;b&#62;zu&#60;/b&#62; <strong><bdi>&#60;i&#62;&#34;</bdi></strong> &#38;amp; weiter"
    );
    assert_eq!(told(Arg::Text("{ $x }")), "&#60;b&#62;zu&#60;/b&#62; { $x } &#38;amp; weiter");
    assert_eq!(catalogue.plain(Word::ChooserTo, &[("host", Arg::Name("h"))]), "<b>zu</b> h &amp; weiter");
}

#[test]
fn what_is_wrong_with_a_file_is_told_and_english_stands_in() {
    let file = "sign-out = Uitloggen\nsign-oud = x\nchooser-to = zonder plaats\nskip = { $name }\ntry-again = { NUMBER(1) }\n= kapot\n";
    let (catalogue, flaws) = Catalogue::read("nl", file);
    assert_eq!(
        (catalogue.say(Word::SignOut), catalogue.say(Word::Skip)),
        ("Uitloggen".into(), "Skip to the content".into())
    );
    let told: Vec<_> = flaws.iter().map(ToString::to_string).collect();
    assert_eq!(told[0], "there is no text called `sign-oud`");
    assert_eq!(told[1], "the text `chooser-to` cannot be used: a variable is missing");
    assert_eq!(told[2], "the text `skip` cannot be used: it has a variable that there is not");
    assert_eq!(told[3], "the text `try-again` cannot be used: it uses more than texts, variables and counts");
    assert_eq!(told[4], "1 places cannot be read");
    assert!(told[5].starts_with("texts are missing: `request-id`, "), "{told:?}");
    assert!(matches!(flaws.last(), Some(Flaw::Missing(keys)) if keys.len() == Word::ALL.len() - 1));
}

/// Each of these ends the parser.
#[test]
fn invariant_14_a_file_that_its_parser_does_not_survive_is_not_given_to_it() {
    for file in [
        "skip = {\"\\u2é\"}\n".to_owned(),
        "skip = {\"\\U00ü\"}\n".into(),
        format!("skip = {}\n", "{".repeat(100_000)),
    ] {
        let (catalogue, flaws) = Catalogue::read("nl", &file);
        assert_eq!(
            (catalogue.say(Word::Skip), flaws[0].clone()),
            ("Skip to the content".into(), Flaw::Unreadable(1))
        );
    }
    assert_eq!(Catalogue::read("nl", "skip = {\"\\u00e9\"}é\n").0.say(Word::Skip), "éé");
}

proptest! {
    #[test]
    fn whatever_a_browser_asks_for_is_answered(text in "[a-z*;=,q0-9. -]{0,60}|\\PC{0,40}") {
        fuzzing::accept_language(text.as_bytes());
    }

    #[test]
    fn whatever_a_file_says_every_text_is_there(text in "((sign-out|chooser-to|days-ago|skip) ?= ?[a-z<>\"{}$ \n*\\[\\]>-]{0,40}\n){0,6}|\\PC{0,60}") {
        fuzzing::language_files(text.as_bytes());
    }
}
