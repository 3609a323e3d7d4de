//! What strangers write is shown, and nothing else comes of it (invariants 13, 15, 18).

use proptest::prelude::*;
use url::form_urlencoded;

use super::document::{Element, all, elements, skeleton};
use super::gallery::{self, Words};
use super::plain;
use crate::identity::{ProviderName, RequestId};
use crate::pages::*;

pub(crate) const HOSTILE: [&str; 9] = [
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</title></style></script></textarea></noscript><svg onload=alert(1)>",
    "javascript:alert(1)//",
    "//evil.example/",
    "/\\evil.example/",
    "https:evil.example",
    "&lt;b&gt;&#60;&#x3c;{{7*7}}{% raw %}${7}",
    "\u{202e}\u{0}\r\n\t ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[<>\"'&;=/a-z \\\\\r\n-]{0,40}",
        any::<String>(),
        proptest::sample::select(&HOSTILE[..]).prop_map(str::to_owned)
    ]
}

pub(crate) fn is_harmless(link: &str) -> bool {
    let local =
        link.is_empty() || (link.starts_with('/') && !link.starts_with("//") && !link.starts_with("/\\"));
    let absolute = link.starts_with("https://") || link.starts_with("http://");
    (local || absolute || link.starts_with("data:image/")) && !link.contains(char::is_control)
}

const LINKS: [&str; 7] = ["href", "action", "formaction", "src", "data-sign-in", "data-next", "data-address"];

pub(crate) fn links(elements: &[Element]) -> impl Iterator<Item = &str> {
    elements.iter().flat_map(|element| LINKS.iter().filter_map(|name| element.get(name)))
}

#[test]
fn invariant_15_hostile_words_stay_words() {
    let honest: Vec<_> =
        gallery::all(&Words::of_friends()).into_iter().map(|(_, page)| skeleton(&page.html)).collect();
    for text in HOSTILE {
        for ((name, page), honest) in gallery::all(&Words::of_a_stranger(text)).iter().zip(&honest) {
            assert_eq!(&skeleton(&page.html), honest, "{name} with {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn invariant_15_no_word_becomes_markup(text in text()) {
        let honest = gallery::all(&Words::of_friends());
        for ((name, page), (_, honest)) in gallery::all(&Words::of_a_stranger(&text)).iter().zip(&honest) {
            prop_assert_eq!(skeleton(&page.html), skeleton(&honest.html), "{}", name);
        }
    }

    #[test]
    fn invariant_13_no_link_runs_a_script_or_leaves_by_a_trick(text in text()) {
        for (name, page) in gallery::all(&Words::of_a_stranger(&text)) {
            for link in links(&elements(&page.html)) {
                prop_assert!(is_harmless(link), "{}: {:?}", name, link);
            }
        }
    }

    #[test]
    fn a_replayed_form_has_the_fields_it_came_with(fields in proptest::collection::vec((text(), text()), 0..8)) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let replay = Replay { action: "/orders?x=1", enctype: Enctype::Multipart, fields: &fields, multipart: None, person: None };
        let page = replay.page(plain());
        let elements = elements(&page.html);
        let form = all(&elements, "form")[0];
        prop_assert_eq!(form.get("action"), Some("/orders?x=1"));
        prop_assert_eq!((form.get("method"), form.get("enctype")), (Some("post"), Some("multipart/form-data")));
        prop_assert_eq!(hidden(&elements), fields);
    }

    #[test]
    fn the_way_back_and_the_handover_outlive_the_choice(back in text(), handover in text(), name in text()) {
        let name = ProviderName::new(name);
        let chooser = Chooser {
            host: "wiki.example",
            action: "/.portcullis/sign-in",
            providers: &[ProviderChoice { name: &name, display_name: "Corp" }],
            ask_email: true,
            unknown_email: None,
            lasting: &[(HANDOVER, &handover), (RETURN_TO, &back)],
        };
        let elements = elements(&chooser.page(plain()).html);
        let (path, query) = all(&elements, "a")[0].get("href").unwrap().split_once('?').unwrap();
        prop_assert_eq!(path, "/.portcullis/sign-in");
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let wanted = [(PROVIDER, name.as_str()), (HANDOVER, &handover), (RETURN_TO, &back)];
        prop_assert_eq!(pairs, wanted.map(|(name, value)| (name.into(), value.into())));
        prop_assert_eq!(hidden(&elements), vec![(HANDOVER, handover.as_str()), (RETURN_TO, back.as_str())]);
    }
}

fn hidden(elements: &[Element]) -> Vec<(&str, &str)> {
    let fields = all(elements, "input").into_iter().filter(|input| input.get("type") == Some("hidden"));
    fields.map(|field| (field.get("name").unwrap(), field.get("value").unwrap())).collect()
}

#[test]
fn a_kept_form_stands_in_the_page_to_the_letter() {
    let sealed = "v1.\"<&'>_-".repeat(1000);
    let id = RequestId::new("r1");
    let page =
        Keep { id: "a\"b", sealed: &sealed, sign_in_url: "https://login.example/s?a=1&b=2", request_id: &id }
            .page(plain());
    let elements = elements(&page.html);
    let kept = elements.iter().find(|element| element.get("id") == Some("kept")).unwrap();
    assert_eq!(kept.get("data-id"), Some("a\"b"));
    assert_eq!(kept.get("data-sealed"), Some(sealed.as_str()));
    assert_eq!(kept.get("data-sign-in"), Some("https://login.example/s?a=1&b=2"));
    assert!(
        all(&elements, "a").iter().any(|link| link.get("href") == Some("https://login.example/s?a=1&b=2"))
    );
}

#[test]
fn an_interstitial_goes_to_its_target_and_nowhere_else() {
    let target = url::Url::parse("https://id.example/a?x=1;url=https://evil.example&y=\"'<>").unwrap();
    let page = interstitial(plain(), &target);
    let elements = elements(&page.html);
    assert!(!elements.iter().any(|element| element.get("http-equiv").is_some()));
    let link = all(&elements, "a")[0];
    assert_eq!((link.get("id"), link.get("href")), (Some("onward"), Some(target.as_str())));
}

#[test]
fn invariant_14_an_endless_name_is_cut() {
    let words = Words { name: "ä".repeat(100_000), email: "é".repeat(100_000), ..Words::of_friends() };
    for (name, page) in gallery::all(&words)
        .iter()
        .filter(|(name, _)| name.starts_with("forbidden") || name.starts_with("sign-out"))
    {
        assert!(page.html.len() < 20_000, "{name}");
        assert!(page.html.contains(&format!("{}…", "ä".repeat(120))), "{name}");
    }
}

#[test]
fn invariant_15_debug_output_holds_no_token_and_no_form() {
    let id = RequestId::new("r1");
    let fields = [("comment", "do-not-tell")];
    let multipart = Some(("multipart/form-data", "do-not-tell"));
    let replay =
        Replay { action: "/", enctype: Enctype::UrlEncoded, fields: &fields, multipart, person: None };
    let printed = [
        format!("{replay:?}"),
        format!("{:?}", replay.page(plain())),
        format!("{:?}", Keep { id: "1", sealed: "do-not-tell", sign_in_url: "/", request_id: &id }),
    ];
    assert!(printed.iter().all(|text| !text.contains("do-not-tell")), "{printed:?}");
}
