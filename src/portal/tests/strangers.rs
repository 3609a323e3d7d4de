//! What strangers write is shown, and nothing else comes of it (invariants 13, 15, 16 and 17).

use proptest::prelude::*;

use super::gallery::{account, all};
use super::somebody;
use crate::identity::{Gap, Gaps};
use crate::pages::tests::document::{all as elements_of, elements, skeleton};
use crate::pages::tests::gallery::Words;
use crate::pages::tests::strangers::{HOSTILE, is_harmless, links};

#[test]
fn invariant_15_hostile_words_stay_words() {
    let honest: Vec<_> =
        all(&Words::of_friends()).into_iter().map(|(_, page)| skeleton(&page.html)).collect();
    for text in HOSTILE {
        for ((name, page), honest) in all(&Words::of_a_stranger(text)).iter().zip(&honest) {
            // Which apps a search finds hangs on what they are called.
            let searched = name.contains("found");
            assert!(searched || &skeleton(&page.html) == honest, "{name} with {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn invariant_13_no_link_runs_a_script_or_leaves_by_a_trick(
        text in prop_oneof!["[<>\"'&;=/a-z \\\\\r\n-]{0,40}", any::<String>(), proptest::sample::select(&HOSTILE[..]).prop_map(str::to_owned)],
    ) {
        for (name, page) in all(&Words::of_a_stranger(&text)) {
            for link in links(&elements(&page.html)) {
                prop_assert!(is_harmless(link) || ["?", "#content"].contains(&link), "{}: {:?}", name, link);
            }
        }
    }
}

#[test]
fn invariant_16_pages_fetch_pictures_of_their_own_host_alone() {
    for (name, page) in all(&Words::of_friends()) {
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; img-src 'self' data:; style-src 'sha256-"), "{name}");
        assert!(policy.contains("; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"), "{name}");
        assert!(!policy.contains("unsafe") && !policy.contains("connect-src"), "{name}");
        let elements = elements(&page.html);
        let scripts = elements_of(&elements, "script").len();
        assert_eq!(scripts, usize::from(name.starts_with("apps")), "{name}");
        assert_eq!(policy.contains("script-src 'sha256-"), scripts > 0, "{name}");
        for (attribute, _) in elements.iter().flat_map(|element| &element.attributes) {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{attribute} in {name}");
        }
    }
}

#[test]
fn invariant_17_no_page_is_kept_or_framed() {
    for (name, page) in all(&Words::of_friends()) {
        assert_eq!(page.headers["cache-control"], "no-store", "{name}");
        assert_eq!(page.headers["x-frame-options"], "DENY", "{name}");
    }
}

/// The commonest question, "why not me?", is most often answered by what has not arrived.
#[test]
fn a_person_sees_what_the_provider_says_of_them() {
    let words = Words { provider: "Corp SSO".into(), ..Words::of_friends() };
    let mut principal = somebody();
    principal.groups = vec!["staff".into(), "<b>ops".into()];
    principal.acr = Some("urn:corp:mfa".into());
    principal.claims = serde_json::Map::from_iter([
        ("department".to_owned(), "R&D".into()),
        ("amr".to_owned(), serde_json::json!(["pwd", "otp", 7])),
        ("roles".to_owned(), serde_json::json!(["a", 1])),
    ])
    .into();
    let html = account(&words, &principal, Some(true)).html;
    for shown in [
        "Corp SSO",
        "https://id.corp.example",
        "staff",
        "&#60;b&#62;ops",
        "department",
        "R&#38;D",
        ", verified",
        "<bdi class=\"tag\">otp</bdi>",
        "urn:corp:mfa",
        "2 hours ago",
        "in 8 hours",
        "bound: nobody",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(!account(&words, &principal, None).html.contains("This device"), "where nothing is bound");
    let home = |principal: &_| account(&words, principal, Some(false)).html;
    assert!(home(&principal).contains("not bound"));
    principal.gaps = Gaps::default().with(Gap::Groups);
    assert!(home(&principal).contains("may be others that the provider has not listed"));
    principal.groups = Vec::new();
    assert!(home(&principal).contains("The provider has not listed them."));
    principal.gaps = Gaps::default();
    assert!(home(&principal).contains("<dt>Groups</dt><dd>none</dd>"));
    principal.groups = (0..1000).map(|number| format!("{number}{}", "g".repeat(500))).collect();
    assert!(
        home(&principal).contains("and 800 more") && home(&principal).len() < 100_000,
        "bounded (invariant 14)"
    );
}
