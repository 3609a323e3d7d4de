//! Where a person is signed in, and the way to end what they do not want.

use askama::Template;

use super::moment::Moment;
use super::shell::{Frame, Section, Shell, page};
use crate::pages::{Look, Page, clipped, safe_link};
use crate::words::{Arg, Word};

/// Hosts of a sign-in that are shown at most (invariant 14).
const MOST_HOSTS: usize = 12;

/// The sign-ins of a person, as they see them.
#[derive(Clone, Debug)]
pub struct SessionsPage<'a> {
    /// Whose they are.
    pub shell: Shell<'a>,
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

impl SessionsPage<'_> {
    /// 200 with the sign-ins, each with what ends it.
    #[must_use]
    pub fn page(&self) -> Page {
        let view = SessionsView {
            look: self.shell.look,
            frame: self.shell.around(Section::Sessions),
            here: self.here.as_ref(),
            others: &self.others,
            more: self.more,
            ended: self.ended,
            action: safe_link(self.action),
        };
        page(self.shell.look, &view, None)
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
#[template(path = "portal/sessions.html")]
struct SessionsView<'a> {
    look: Look<'a>,
    frame: Frame<'a>,
    here: Option<&'a SignInShown>,
    others: &'a [SignInShown],
    more: bool,
    ended: Option<SessionsEnded>,
    action: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::portal::tests::{shell, somebody};

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
            shell: shell(&principal, "Corp"),
            here: Some(sign_in("Firefox on Windows", 1)),
            others: vec![sign_in("Safari on an iPhone", 2)],
            more: false,
            ended: None,
            action: "/.portcullis/sessions",
        };
        change(&mut page);
        page.page().html
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
        assert!(!alone.contains("name=\"others\"") && alone.contains("not signed in anywhere else"));
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
