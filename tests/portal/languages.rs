//! Pages speak the language of whoever reads them; programs are told in English.

use http::Method;

use super::Rig;
use crate::support::{Answer, Browser};

const PERSON: [(&str, &str); 3] =
    [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

async fn page(browser: &Browser, url: &str, languages: &'static str) -> Answer {
    let fields = [PERSON.as_slice(), &[("accept-language", languages)]].concat();
    browser.send(Method::GET, url, &fields, "").await
}

#[tokio::test]
async fn a_page_is_in_the_language_that_its_reader_asks_for() {
    let rig = Rig::open().await;
    let browser = Browser::new();
    rig.portal(&browser, "").await;
    let home = rig.at("login", "/.portcullis");
    for (languages, lang, shown) in [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Ihre Apps"),
        ("en-GB", "en", "Your apps"),
        ("it, de;q=0.2", "de", "Abmelden"),
        ("it", "en", "Sign out"),
    ] {
        let answer = page(&browser, &home, languages).await;
        assert!(answer.body.contains(&format!("<html lang=\"{lang}\">")), "{languages}: {}", answer.body);
        assert!(answer.body.contains(shown), "{languages}: {}", answer.body);
        assert!(answer.header("vary").contains("accept-language"), "{}", answer.header("vary"));
    }
    for (host, path, shown) in [
        ("machines", "/", "Sie haben keinen Zugang"),
        ("login", "/nothing", "Hier ist nichts"),
        ("login", "/.portcullis/account", "Wie Sie angemeldet sind"),
        ("login", "/.portcullis/sessions", "Wo Sie angemeldet sind"),
        ("login", "/.portcullis/sign-out", "Abmelden?"),
    ] {
        let answer = browser.follow(page(&browser, &rig.at(host, path), "de").await).await;
        let answer = if answer.body.contains(shown) {
            answer
        } else {
            page(&browser, answer.url.as_str(), "de").await
        };
        assert!(answer.body.contains(shown), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn programs_are_told_in_one_language() {
    let rig = Rig::open().await;
    let fields = [("accept", "application/json"), ("accept-language", "de")];
    let answer = Browser::new().send(Method::GET, &rig.at("login", "/nothing"), &fields, "").await;
    assert_eq!((answer.status, answer.json()["title"].as_str()), (404, Some("There is nothing here")));
}
