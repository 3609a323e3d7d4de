//! Every page there is, with the same words of strangers in all of them.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, json};
use url::Url;

use super::plain;
use crate::identity::{Email, Gap, Gaps, Issuer, Principal, ProviderName, RequestId, Shortfall, Subject};
use crate::pages::*;

/// What a page is told by others.
pub(crate) struct Words {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) provider: String,
    pub(crate) host: String,
    pub(crate) address: String,
    pub(crate) token: String,
    pub(crate) required: [String; 2],
    /// What a step-up asked for, and what came.
    pub(crate) shortfall: [[String; 2]; 2],
    pub(crate) public: String,
    pub(crate) request_id: String,
}

impl Words {
    pub(crate) fn of_friends() -> Self {
        Self {
            name: "Alice Example".into(),
            email: "alice@corp.example".into(),
            provider: "Corp SSO".into(),
            host: "wiki.corp.example".into(),
            address: "https://wiki.corp.example/admin?tab=1&sort=up".into(),
            token: "c3VwZXItc2VjcmV0LXRva2Vu".into(),
            required: [
                "one of the groups: ops, platform-admins".into(),
                "verified e-mail address in: partner.example and one of the providers: partner".into(),
            ],
            shortfall: [
                [
                    "one of the authentication levels (acr): urn:corp:hardware-key".into(),
                    "urn:corp:password".into(),
                ],
                ["a sign-in at most 5m ago".into(), "a sign-in 2h 14m 3s ago".into()],
            ],
            public: "The identity provider gave an answer that cannot be accepted.".into(),
            request_id: "8f14e45fceea167a".into(),
        }
    }

    /// The same text in all places; the places differ by their last letter.
    pub(crate) fn of_a_stranger(text: &str) -> Self {
        Self {
            name: format!("{text}n"),
            email: format!("{text}e"),
            provider: format!("{text}p"),
            host: format!("{text}h"),
            address: format!("{text}a"),
            token: format!("{text}t"),
            required: [format!("{text}1"), format!("{text}2")],
            shortfall: [3, 5].map(|n| [format!("{text}{n}"), format!("{text}{}", n + 1)]),
            public: format!("{text}u"),
            request_id: format!("{text}i"),
        }
    }
}

/// All pages with their names.
pub(crate) fn all(words: &Words) -> Vec<(String, Page)> {
    all_in(plain(), words)
}

/// The same in one look.
pub(crate) fn all_in(look: Look<'_>, words: &Words) -> Vec<(String, Page)> {
    let id = RequestId::new(&words.request_id);
    let mut pages = people(look, words, &id);
    pages.extend(forms(look, words, &id));
    for (name, kind) in error_kinds(&words.provider) {
        for refresh in [false, true] {
            let (home, others) =
                (words.address.as_str(), [Link { name: &words.provider, href: &words.address }]);
            let others = if name == "provider-down" { &others[..] } else { &[] };
            let page = ErrorPage { kind, request_id: &id, refresh, home, others }.page(look);
            pages.push((
                format!("{}-{name}{}", kind.status().as_u16(), if refresh { "-get" } else { "" }),
                page,
            ));
        }
    }
    pages
}

fn people(look: Look<'_>, words: &Words, id: &RequestId) -> Vec<(String, Page)> {
    let principal = principal(words);
    let provider = words.provider.as_str();
    let sign_out = "/.portcullis/sign-out";
    let forbidden = Forbidden {
        principal: &principal,
        provider,
        host: &words.host,
        required: &words.required,
        unsaid: None,
        request_id: id,
        switch: "https://login.corp.example/.portcullis/sign-in",
        back: &words.address,
    };
    let failed = SignInFailed {
        status: StatusCode::BAD_GATEWAY,
        public: &words.public,
        request_id: id,
        retry: &words.address,
        anew: None,
        others: &[],
    };
    let others = [Link { name: provider, href: &words.address }];
    let home = words.address.as_str();
    let target = Url::parse("https://id.corp.example/authorize?client_id=portcullis&state=%22%3E").unwrap();
    let signed_out =
        SignedOut { sign_in: &words.address, provider: None, tokens: None, until_restart: false };
    let shortfall = words
        .shortfall
        .iter()
        .map(|[wanted, found]| Shortfall { wanted: wanted.clone(), found: found.clone() });
    let shortfall: Vec<_> = shortfall.collect();
    let unmet =
        UnmetStepUp { provider, shortfall: &shortfall, request_id: id, retry: home, anew: home, home };
    let mut pages = choosers(look, words);
    pages.extend([
        ("forbidden", forbidden.page(look)),
        ("forbidden-one", Forbidden { required: &words.required[..1], ..forbidden }.page(look)),
        (
            "forbidden-unsaid",
            Forbidden { unsaid: Some(Gaps::default().with(Gap::Groups)), ..forbidden }.page(look),
        ),
        ("forbidden-silent", Forbidden { required: &[], ..forbidden }.page(look)),
        ("sign-in-failed", failed.page(look)),
        ("sign-in-failed-ways", SignInFailed { anew: Some(home), others: &others, ..failed }.page(look)),
        ("unmet-step-up", unmet.page(look)),
        ("cross-site", CrossSite { home, request_id: id }.page(look)),
        ("not-kept", NotKept { sign_in: home, request_id: id }.page(look)),
        ("ended-elsewhere", EndedElsewhere { newer: false, sign_in: home, request_id: id }.page(look)),
        ("ended-for-newer", EndedElsewhere { newer: true, sign_in: home, request_id: id }.page(look)),
        ("ended-meanwhile", EndedMeanwhile { sign_in: home, request_id: id }.page(look)),
        (
            "sign-out",
            SignOut { principal: &principal, provider, action: sign_out, cancel: &words.address }.page(look),
        ),
        ("signed-out", signed_out.page(look)),
        (
            "signed-out-here",
            SignedOut {
                provider: Some((provider, Told::No)),
                tokens: Some(GivenTokens::TakenBack),
                ..signed_out
            }
            .page(look),
        ),
        (
            "signed-out-everywhere",
            SignedOut { provider: Some((provider, Told::Yes)), ..signed_out }.page(look),
        ),
        ("signed-out-until-restart", SignedOut { until_restart: true, ..signed_out }.page(look)),
        ("interstitial", interstitial(look, &target)),
    ]);
    pages.into_iter().map(|(name, page)| (name.to_owned(), page)).collect()
}

fn choosers(look: Look<'_>, words: &Words) -> Vec<(&'static str, Page)> {
    let (corp, partner) = (ProviderName::new(&words.provider), ProviderName::new("partner"));
    let choices = [(&corp, words.provider.as_str()), (&partner, "Partner network")];
    let choices = choices.map(|(name, display_name)| ProviderChoice { name, display_name });
    let lasting = [(HANDOVER, words.token.as_str()), (RETURN_TO, &words.address)];
    let chooser = Chooser {
        host: &words.host,
        action: "/.portcullis/sign-in",
        providers: &choices,
        ask_email: true,
        unknown_email: None,
        lasting: &lasting,
    };
    let many: Vec<_> = (0..12).map(|_| choices[0]).collect();
    vec![
        ("chooser", chooser.page(look)),
        ("chooser-plain", Chooser { ask_email: false, ..chooser }.page(look)),
        ("chooser-email-only", Chooser { providers: &[], ..chooser }.page(look)),
        ("chooser-unknown", Chooser { unknown_email: Some(&words.email), ..chooser }.page(look)),
        ("chooser-nowhere", Chooser { host: "", lasting: &lasting[1..], ..chooser }.page(look)),
        ("chooser-many", Chooser { providers: &many, ..chooser }.page(look)),
    ]
}

fn forms(look: Look<'_>, words: &Words, id: &RequestId) -> Vec<(String, Page)> {
    let fields = [("submit", words.public.as_str()), (&words.name, &words.email), ("submit", "")];
    let principal = principal(words);
    let plain = Replay {
        action: &words.address,
        enctype: Enctype::UrlEncoded,
        fields: &fields,
        multipart: None,
        person: None,
    };
    let person = Some((&principal, words.provider.as_str()));
    let multipart = Some((words.public.as_str(), "LS0="));
    let address = KeepAddress {
        id: &words.token,
        address: Some(&words.address),
        next: &words.address,
        sign_in: &words.address,
        request_id: id,
    };
    let keep = Keep { id: &words.token, sealed: &words.public, sign_in_url: &words.address, request_id: id };
    vec![
        ("keep".into(), keep.page(look)),
        ("resume".into(), Resume { id: &words.token }.page(look)),
        ("keep-address".into(), address.page(look)),
        ("keep-address-here".into(), KeepAddress { address: None, ..address }.page(look)),
        ("replay".into(), plain.page(look)),
        ("replay-person".into(), Replay { person, ..plain }.page(look)),
        (
            "replay-multipart".into(),
            Replay { enctype: Enctype::Multipart, fields: &[], multipart, person, ..plain }.page(look),
        ),
    ]
}

pub(crate) fn error_kinds(provider: &str) -> Vec<(&'static str, ErrorKind<'_>)> {
    let retry_after = Duration::from_millis(14_200);
    vec![
        ("bad-request", ErrorKind::BadRequest),
        ("not-bound", ErrorKind::NotBound),
        ("not-found", ErrorKind::NotFound),
        ("method", ErrorKind::MethodNotAllowed),
        ("request-timeout", ErrorKind::RequestTimeout),
        ("content", ErrorKind::ContentTooLarge),
        ("uri", ErrorKind::UriTooLong),
        ("too-many", ErrorKind::TooManyRequests { retry_after }),
        ("internal", ErrorKind::Internal),
        ("app-down", ErrorKind::AppDown),
        ("app-refused", ErrorKind::AppRefused),
        ("provider-down", ErrorKind::ProviderDown { provider, retry_after }),
        ("overloaded", ErrorKind::Overloaded { retry_after }),
        ("binding-awaited", ErrorKind::BindingAwaited { retry_after }),
        ("store-down", ErrorKind::StoreDown { retry_after }),
        ("unrecorded", ErrorKind::Unrecorded { retry_after }),
        ("app-timeout", ErrorKind::AppTimeout),
    ]
}

pub(crate) fn principal(words: &Words) -> Principal {
    Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.corp.example"),
        subject: Subject::new("24400320"),
        user: "alice".into(),
        email: Some(Email { address: words.email.clone(), verified: true, withheld: false }),
        groups: vec!["staff".into()],
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: Map::from_iter([("name".to_owned(), json!(words.name))]).into(),
        gaps: Gaps::default(),
    }
}
