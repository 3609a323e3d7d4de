//! Where a person is signed in, and the way to end what they do not want.

use std::time::Duration;

use askama::Template;
use http::StatusCode;

use super::csp::{Forms, Needs};
use super::link::safe_link;
use super::page::Page;
use super::person::{Person, clipped};
use crate::clock::Timestamp;
use crate::identity::Principal;

/// Hosts of a sign-in that are shown at most (invariant 14).
const MOST_HOSTS: usize = 12;

/// The sign-ins of a person, as they see them.
#[derive(Clone, Debug)]
pub struct SessionsPage<'a> {
    /// Whose they are.
    pub principal: &'a Principal,
    /// What people call the provider that vouches.
    pub provider: &'a str,
    /// That of the browser that asks; `None` where it is over by now.
    pub here: Option<SignInShown>,
    /// All others, or as many as are shown.
    pub others: Vec<SignInShown>,
    /// Whether there are others that are not shown.
    pub more: bool,
    /// What has just been ended from this page.
    pub ended: Option<SessionsEnded>,
    /// Where the forms are posted to: a path of this gateway.
    pub action: &'a str,
    /// Where this browser signs out.
    pub sign_out: &'a str,
    /// The person's page.
    pub home: &'a str,
}

/// What a form of the page has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsEnded {
    /// The sign-in that was named.
    One,
    /// All but that of this browser: so many.
    Others(usize),
    /// There is no such sign-in of this person, or not any more.
    Gone,
}

/// A sign-in as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInShown {
    /// Its identifier, for the form that ends it.
    pub id: String,
    /// Browser and device in words.
    pub device: String,
    /// The client's address at sign-in.
    pub address: Option<String>,
    /// When the person signed in.
    pub signed_in: Moment,
    /// When it was last used, as far as known.
    pub last_used: Moment,
    /// The hosts on which it has a session.
    pub hosts: Vec<String>,
}

/// A moment for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    words: String,
    exact: String,
}

impl Moment {
    /// `at` as it is seen at `now`.
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { words: ago(now.since(at)), exact: at.rfc3339() }
    }
}

/// How long ago something was, in words.
fn ago(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let many = |count: u64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match span.as_secs() {
        0..MINUTE => "just now".into(),
        seconds @ MINUTE..HOUR => many(seconds / MINUTE, "minute"),
        seconds @ HOUR..DAY => many(seconds / HOUR, "hour"),
        seconds => many(seconds / DAY, "day"),
    }
}

impl SessionsPage<'_> {
    /// 200 with the sign-ins, each with what ends it.
    #[must_use]
    pub fn page(&self) -> Page {
        let action = safe_link(self.action);
        let view = SessionsView {
            person: Person::new(self.principal, self.provider),
            here: self.here.as_ref(),
            others: &self.others,
            more: self.more,
            ended: self.ended,
            action,
            sign_out: safe_link(self.sign_out),
            home: safe_link(self.home),
        };
        let forms = if self.others.is_empty() { Forms::None } else { Forms::To(action) };
        Page::new(StatusCode::OK, &view, Needs { forms, ..Needs::default() })
    }
}

impl SignInShown {
    fn hosts(&self) -> impl Iterator<Item = String> + '_ {
        self.hosts.iter().take(MOST_HOSTS).map(|host| clipped(host).into_owned())
    }

    fn more_hosts(&self) -> usize {
        self.hosts.len().saturating_sub(MOST_HOSTS)
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsView<'a> {
    person: Person<'a>,
    here: Option<&'a SignInShown>,
    others: &'a [SignInShown],
    more: bool,
    ended: Option<SessionsEnded>,
    action: &'a str,
    sign_out: &'a str,
    home: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::somebody;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn sign_in(device: &str, hosts: usize) -> SignInShown {
        SignInShown {
            id: "0".repeat(64),
            device: device.into(),
            address: Some("192.0.2.7".into()),
            signed_in: Moment::new(NOW, NOW),
            last_used: Moment::new(NOW, NOW),
            hosts: (0..hosts).map(|n| format!("app-{n}.corp.example")).collect(),
        }
    }

    fn html(change: impl FnOnce(&mut SessionsPage<'_>)) -> String {
        let principal = somebody();
        let mut page = SessionsPage {
            principal: &principal,
            provider: "Corp",
            here: Some(sign_in("Firefox on Windows", 1)),
            others: vec![sign_in("Safari on an iPhone", 2)],
            more: false,
            ended: None,
            action: "/.portcullis/sessions",
            sign_out: "/.portcullis/sign-out",
            home: "/.portcullis",
        };
        change(&mut page);
        page.page().html
    }

    #[test]
    fn spans_are_told_in_words() {
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (40 * 86_400, "40 days ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn the_page_says_what_has_ended_and_what_the_provider_still_holds() {
        let told = |ended| html(|page| page.ended = Some(ended));
        for ended in [SessionsEnded::One, SessionsEnded::Others(2)] {
            let page = told(ended);
            assert!(page.contains("not taken back at") && page.contains("role=\"status\""), "{page}");
        }
        assert!(told(SessionsEnded::Others(2)).contains("2 sign-ins have ended"));
        assert!(told(SessionsEnded::Others(1)).contains("1 sign-in has ended"));
        assert!(told(SessionsEnded::Others(0)).contains("There was no other sign-in"));
        assert!(told(SessionsEnded::Gone).contains("It is gone"));
        assert!(!html(|_| ()).contains("role=\"status\""));
    }

    #[test]
    fn only_what_is_elsewhere_can_be_ended_by_its_own_button() {
        let page = html(|_| ());
        assert_eq!(page.matches("name=\"end\"").count(), 1);
        assert!(page.contains("name=\"others\"") && page.contains("href=\"/.portcullis/sign-out\""));
        let alone = html(|page| page.others.clear());
        assert!(!alone.contains("<form") && alone.contains("not signed in anywhere else"));
    }

    #[test]
    fn invariant_14_a_sign_in_on_many_hosts_is_cut_and_says_so() {
        let page = html(|page| {
            page.others = vec![sign_in("Firefox", 500); 100];
            page.more = true;
        });
        assert!(page.contains("and 488 more") && page.contains("There are more"));
        assert!(page.len() < 200_000, "{}", page.len());
    }
}
