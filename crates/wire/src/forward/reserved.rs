//! Names that only the gateway may write (decision 2, invariants 9 and 10).

use std::collections::HashSet;

use super::ForwardSettings;

/// Whole families: whatever begins like this is the gateway's.
const PREFIXES: [&str; 6] =
    ["portcullis-", "remote-", "x-auth-request-", "x-forwarded-", "x-original-", "x-rewrite-"];

/// Names of no family that proxies believe each other by, or that some server takes for framing or routing.
const NAMES: [&str; 9] = [
    "forwarded",
    "front-end-https",
    // Apache's mod_dav takes it for a path to write to where there is no `Destination`, which alone is judged.
    "new-uri",
    "x-forwarded",
    "x-portcullis-authorization",
    "x-real-ip",
    "x-request-id",
    "x-scheme",
    "x-url-scheme",
];

/// Every header name that any route may emit, the built-in families, and the names that proxies
/// believe each other by.
///
/// A name matches in every spelling that an upstream could fold to a reserved one. CGI and WSGI turn
/// `-` into `_`, PHP `.` too, Apache and lighttpd every byte that is no letter or digit: so all of
/// those are one and the same here.
#[derive(Clone, Debug)]
pub struct ReservedHeaders {
    names: HashSet<Box<[u8]>>,
    /// For each folded first byte: the lengths (63: that or more) a reserved name has.
    lengths: Box<[u64; 256]>,
}

impl ReservedHeaders {
    /// The built-in names and those that `routes` write; every route must be among them, for a header
    /// that one route's app trusts must not come in through another route to the same app.
    pub fn new<'a>(routes: impl IntoIterator<Item = &'a ForwardSettings>) -> Self {
        let mut reserved = Self { names: HashSet::new(), lengths: Box::new([0; 256]) };
        for name in NAMES {
            mutant!(
                reserved.add(name),
                "reserved-front-end-https" => if name != "front-end-https" { reserved.add(name) },
                "reserved-x-real-ip" => if name != "x-real-ip" { reserved.add(name) },
                "reserved-forwarded" => if name != "forwarded" { reserved.add(name) },
                "reserved-x-portcullis-authorization" => if name != "x-portcullis-authorization" { reserved.add(name) },
            );
        }
        PREFIXES.iter().for_each(|prefix| reserved.widen(prefix));
        // What begins with a separator is looked at without it, whatever its length.
        reserved.lengths[usize::from(b'-')] = !0;
        let identity = routes.into_iter().flat_map(|route| &route.identity.headers);
        identity.for_each(|(name, _)| reserved.add(name.as_str()));
        reserved
    }

    /// Adds a name, as folding servers read it.
    fn add(&mut self, name: &str) {
        let folded: Box<[u8]> = name.bytes().map(fold).collect();
        if let Some(&first) = folded.first() {
            self.lengths[usize::from(first)] |= 1 << folded.len().min(63);
            self.names.insert(folded);
        }
    }

    /// Notes that a family begins like this: names of its length or more have to be looked at.
    fn widen(&mut self, prefix: &str) {
        if let Some(first) = prefix.bytes().next() {
            self.lengths[usize::from(first)] |= !0 << prefix.len().min(63);
        }
    }

    /// Takes from a request's head every reserved name and every hop-by-hop field (RFC 9110, section 7.6.1)
    /// with what `Connection` names.
    pub fn strip(&self, headers: &mut http::HeaderMap) {
        super::headers::strip_request(headers, self);
    }

    /// Whether `name` could be read as a reserved one. Names that begin or measure unlike all of them
    /// cost one look-up.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        let (Some(first), Some(last)) = (name.bytes().next(), name.bytes().next_back()) else { return false };
        let lengths = self.lengths[usize::from(fold(first))];
        let may_be = lengths & (1 << name.len().min(63)) != 0 || is_separator(last);
        // A server that folds what is no letter or digit may take it away at the ends.
        may_be && self.holds_slowly(name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()))
    }

    fn holds_slowly(&self, name: &str) -> bool {
        let begins = |prefix: &&str| {
            name.len() > prefix.len() && name.bytes().map(fold).zip(prefix.bytes()).all(|(a, b)| a == b)
        };
        if mutant!(PREFIXES.iter().any(begins), "reserved-family-forgotten" => PREFIXES.iter().skip(1).any(begins))
        {
            return true;
        }
        let mut short = [0; 64];
        match short.get_mut(..name.len()) {
            Some(folded) => {
                folded.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = fold(from));
                self.names.contains(&*folded)
            }
            None => self.names.contains(name.bytes().map(fold).collect::<Vec<u8>>().as_slice()),
        }
    }
}

/// Each byte as the most forgiving server reads it: letters in lower case, digits, and one separator for all the rest.
const FOLDED: [u8; 256] = {
    let mut folded = [b'-'; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            folded[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    folded
};

const fn is_separator(byte: u8) -> bool {
    FOLDED[byte as usize] == b'-'
}

fn fold(byte: u8) -> u8 {
    let folded = FOLDED[usize::from(byte)];
    mutant!(folded, "underscore-is-another-name" => if byte == b'_' { byte } else { folded })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;
    use crate::forward::{IdentityValue, fixtures};

    fn reserved() -> ReservedHeaders {
        let mut route = fixtures::forward_settings();
        let long = HeaderName::from_bytes("x-a-very-long-name-".repeat(5).as_bytes()).unwrap();
        route.identity.headers =
            vec![(HeaderName::from_static("corp-user"), IdentityValue::User), (long, IdentityValue::User)];
        ReservedHeaders::new([&route])
    }

    /// What apps and proxies are known to believe, written down a second time: a name that is lost above must
    /// be missed here (invariants 9 and 10).
    const BELIEVED: [&str; 9] = [
        "forwarded",
        "front-end-https",
        "new-uri",
        "x-forwarded",
        "x-portcullis-authorization",
        "x-real-ip",
        "x-request-id",
        "x-scheme",
        "x-url-scheme",
    ];
    const FAMILIES: [&str; 6] =
        ["portcullis-", "remote-", "x-auth-request-", "x-forwarded-", "x-original-", "x-rewrite-"];

    /// The rule said slowly: both sides written in one spelling, then compared.
    fn obviously_reserved(name: &str) -> bool {
        let one = |text: &str| text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let long = "x-a-very-long-name-".repeat(5);
        let mut names = BELIEVED.to_vec();
        names.extend(["corp-user", &long]);
        let name = one(name);
        let name = name.trim_matches('-');
        names.contains(&name) || FAMILIES.iter().any(|p| name.len() > p.len() && name.starts_with(p))
    }

    #[test]
    fn invariant_9_each_believed_name_is_reserved_with_no_route_that_writes_it() {
        let reserved = ReservedHeaders::new([]);
        for name in BELIEVED {
            assert!(reserved.holds(name) && reserved.holds(&name.replace('-', "_")), "{name}");
        }
        for family in FAMILIES {
            for rest in ["a", "user", "for", "groups-and-more", &"x".repeat(80)] {
                assert!(reserved.holds(&format!("{family}{rest}")), "{family}{rest}");
            }
        }
    }

    #[test]
    fn every_spelling_is_reserved_and_neighbours_are_not() {
        let reserved = reserved();
        for name in [
            "X-Auth-Request-User",
            "x_auth_request_user",
            "x.auth.request.user",
            "x!auth~request|user",
            "Remote_User",
            "corp.user",
            "CORP-USER",
            "x-forwarded-for",
            "x_forwarded_prefix",
            "forwarded",
            "x-original-url",
            "x-rewrite-url",
            "x_real_ip",
            "portcullis-assertion",
            "x_request_id",
            "_X-Auth-Request-User",
            ".x-forwarded-user",
            "-remote-user-",
            "x-portcullis-authorization_",
            "--corp-user",
            "forwarded-",
        ] {
            assert!(reserved.holds(name), "{name}");
        }
        for name in [
            "host",
            "cookie",
            "x-auth",
            "x-authrequest-user",
            "corp-users",
            "forwarded-by",
            "x-requested-with",
            "authorization",
            "remote",
            "",
            "-",
            "__",
            "_remote",
            "-hosted-",
        ] {
            assert!(!reserved.holds(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn reserved_names_match_the_slow_rule(
            parts in prop::collection::vec(prop::sample::select(vec!["x", "auth", "request", "user", "forwarded",
                "for", "remote", "corp", "real", "ip", "original", "url", "portcullis", "a", "very", "long", "name", "id"]), 1..8),
            separators in prop::collection::vec(prop::sample::select(vec!["-", "_", ".", "~", "!", "*", ""]), 8),
            upper in any::<bool>(),
        ) {
            let mut name: String = parts.iter().zip(&separators).flat_map(|(part, sep)| [*part, *sep]).collect();
            if upper { name = name.to_uppercase(); }
            let times = if name.len().is_multiple_of(3) { 1 } else { 5 };
            for name in [name.clone(), name.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned(), name.repeat(times)] {
                prop_assert_eq!(reserved().holds(&name), obviously_reserved(&name), "{}", name);
            }
        }

        #[test]
        fn any_text_is_judged_without_panic(name in "\\PC{0,200}") {
            prop_assert_eq!(ReservedHeaders::new([]).holds(&name) && !obviously_reserved(&name), false);
        }
    }
}
