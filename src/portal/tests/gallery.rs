//! Every page of the portal, with the same words of strangers in all of them.

use std::time::Duration;

use super::shell;
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::pages::Page;
use crate::pages::tests::gallery::{Words, principal};
use crate::portal::{AccountPage, App, AppsPage, Moment, SessionsEnded, SessionsPage, SignInShown, SignedIn};

/// Apps of which some have a group, a description or a title.
pub(super) fn apps(words: &Words) -> Vec<App<'_>> {
    let app = |name: &str, place: &str, description, group| App {
        name: name.to_owned(),
        href: format!("https://{place}"),
        place: place.to_owned(),
        description,
        group,
        icon: None,
    };
    vec![
        app("Wiki", "wiki.corp.example", Some("What everybody should know"), Some("Documents")),
        app(&words.name, "mail.corp.example", Some(words.host.as_str()), Some(words.provider.as_str())),
        app(
            "Grafana",
            "grafana.corp.example",
            Some("Dashboards of everything"),
            Some(words.provider.as_str()),
        ),
        app("board", "board.corp.example", None, Some("Documents")),
        App { href: words.address.clone(), ..app("files", "files.corp.example/shared", None, None) },
    ]
}

/// So many apps with a title each.
pub(super) fn titled(count: usize) -> Vec<App<'static>> {
    let app = |number| App {
        name: format!("App {number}"),
        href: format!("https://app-{number}.corp.example/"),
        place: format!("app-{number}.corp.example"),
        description: None,
        group: None,
        icon: None,
    };
    (0..count).map(app).collect()
}

/// All pages with their names.
pub(super) fn all(words: &Words) -> Vec<(String, Page)> {
    let principal = principal(words);
    let shell = shell(&principal, &words.provider);
    let page = |apps, query| AppsPage { shell, apps, query }.page();
    let ended = |ended| sessions(words, &principal, ended);
    let pages = [
        ("apps", page(apps(words), "")),
        ("apps-found", page(apps(words), "wiki")),
        ("apps-not-found", page(apps(words), "nothing like that")),
        ("apps-none", page(Vec::new(), "")),
        ("apps-one", page(titled(1), "")),
        ("apps-sixty", page(titled(60), "")),
        ("account", account(words, &principal, Some(true))),
        ("account-unbound", account(words, &principal, None)),
        ("sessions", ended(None)),
        ("sessions-one-ended", ended(Some(SessionsEnded::One))),
        ("sessions-others-ended", ended(Some(SessionsEnded::Others(2)))),
        ("sessions-gone", ended(Some(SessionsEnded::Gone))),
    ];
    pages.into_iter().map(|(name, page)| (name.to_owned(), page)).collect()
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_796_000_000)
}

pub(super) fn account(words: &Words, principal: &Principal, bound: Option<bool>) -> Page {
    let moment = |minutes: u64| Moment::new(Timestamp::from_seconds(now().seconds() - 60 * minutes), now());
    let ends = Moment::new(now() + Duration::from_secs(8 * 3600), now());
    let signed_in = SignedIn { at: moment(130), proved: bound.map(|_| moment(4000)), ends, bound };
    AccountPage { shell: shell(principal, &words.provider), signed_in }.page()
}

/// A person's sign-ins; none but their own where all others have just been ended.
fn sessions(words: &Words, principal: &Principal, ended: Option<SessionsEnded>) -> Page {
    let now = now();
    let sign_in = |device: &str, address: &str, minutes: u64, hosts: &[&str]| SignInShown {
        id: "5e".repeat(32),
        device: device.into(),
        address: Some(address.into()),
        signed_in: Moment::new(Timestamp::from_seconds(now.seconds() - 60 * minutes), now),
        last_used: Moment::new(Timestamp::from_seconds(now.seconds() - 6 * minutes), now),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    };
    let others = vec![
        sign_in("Safari on an iPhone", "2001:db8::7:1a2b", 200, &["login.corp.example", &words.host]),
        sign_in("Chrome on Windows", "198.51.100.23", 4000, &["login.corp.example"]),
    ];
    let page = SessionsPage {
        shell: shell(principal, &words.provider),
        here: Some(sign_in("Firefox on Linux", "192.0.2.7", 5, &["login.corp.example", &words.host])),
        others: if matches!(ended, Some(SessionsEnded::Others(_))) { Vec::new() } else { others },
        more: ended == Some(SessionsEnded::Gone),
        ended,
        action: "/.portcullis/sessions",
    };
    page.page()
}
