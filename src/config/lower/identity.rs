//! What an app is told about who asks.

use std::collections::BTreeMap;

use http::{HeaderName, header};

use crate::forward::{IdentitySettings, IdentityValue, TokenPass};
use crate::identity::ClaimPath;

use super::Lowering;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{Family, Identity, IdentityHeaders, TokenWord};
use crate::config::words::nearest;

/// Names that say where a request comes from, or that mean something else to every app.
const TAKEN: [&str; 18] = [
    "accept",
    "authorization",
    "content-encoding",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "origin",
    "range",
    "referer",
    "user-agent",
    "via",
    "x-portcullis-authorization",
    "x-real-ip",
    "x-request-id",
    "traceparent",
    "tracestate",
];

const FORWARDED: [&str; 6] = ["for", "host", "port", "prefix", "proto", "server"];

impl Lowering<'_> {
    pub(super) fn identity(&mut self, at: Located<'_, Option<Identity>>) -> IdentitySettings {
        let Some(at) = at.given() else { return IdentitySettings::default() };
        IdentitySettings {
            headers: at!(at.headers).given().map(|at| self.identity_headers(at)).unwrap_or_default(),
            assertion: at.value.assertion.unwrap_or_default(),
            token: match at.value.token {
                None => TokenPass::None,
                Some(TokenWord::Access) => TokenPass::Access,
                Some(TokenWord::Id) => TokenPass::Id,
            },
        }
    }

    fn identity_headers(&mut self, at: Located<'_, IdentityHeaders>) -> Vec<(HeaderName, IdentityValue)> {
        match at.value {
            IdentityHeaders::Family(family) => names(family).into_iter().flatten().collect(),
            IdentityHeaders::Own(own) => self.own_headers(Located::new(own, at.place)),
        }
    }

    fn own_headers(&mut self, at: Located<'_, BTreeMap<String, String>>) -> Vec<(HeaderName, IdentityValue)> {
        let mut headers: Vec<(HeaderName, IdentityValue)> = Vec::new();
        for (text, at) in at.entries() {
            let name = self.header_name(text, at.place).filter(|name| self.is_free(name, text, at));
            let value = self.keep(value(at));
            let Some((name, value)) = name.zip(value) else { continue };
            if headers.iter().any(|(other, _)| *other == name) {
                self.fault(
                    Diagnostic::new(at.place, format!("the header {} twice", quoted(text)))
                        .expected("expected each header once"),
                );
            }
            headers.push((name, value));
        }
        headers
    }

    fn is_free(&mut self, name: &HeaderName, written: &str, at: Located<'_, String>) -> bool {
        let text = name.as_str();
        let forwarded = text.strip_prefix("x-forwarded-").is_some_and(|rest| FORWARDED.contains(&rest));
        let taken = forwarded || text.starts_with("portcullis-") || TAKEN.contains(&text);
        if taken {
            let diagnostic = Diagnostic::new(
                at.place,
                format!("the header {} means something else already", quoted(written)),
            )
            .expected("expected a name of its own such as \"X-User\"");
            self.fault(if *name == header::AUTHORIZATION {
                diagnostic.help("a token is handed on with `token = \"access\"`")
            } else {
                diagnostic
            });
        }
        !taken
    }
}

/// The headers of a family, as the software that made it known fills them.
fn names(family: &Family) -> [Option<(HeaderName, IdentityValue)>; 4] {
    let claim = |name, path| {
        ClaimPath::parse(path).map(|path| (HeaderName::from_static(name), IdentityValue::Claim(path)))
    };
    let known = |name, value| Some((HeaderName::from_static(name), value));
    match family {
        Family::XAuthRequest => [
            known("x-auth-request-user", IdentityValue::User),
            known("x-auth-request-email", IdentityValue::Email),
            known("x-auth-request-groups", IdentityValue::Groups),
            claim("x-auth-request-preferred-username", "preferred_username"),
        ],
        Family::XForwarded => [
            known("x-forwarded-user", IdentityValue::User),
            known("x-forwarded-email", IdentityValue::Email),
            known("x-forwarded-groups", IdentityValue::Groups),
            claim("x-forwarded-preferred-username", "preferred_username"),
        ],
        Family::Remote => [
            known("remote-user", IdentityValue::User),
            known("remote-email", IdentityValue::Email),
            known("remote-groups", IdentityValue::Groups),
            claim("remote-name", "name"),
        ],
    }
}

fn value(at: Located<'_, String>) -> Result<IdentityValue, Diagnostic> {
    const WORDS: [&str; 5] = ["user", "email", "subject", "groups", "provider"];
    let claim = at.value.strip_prefix("claim:").map(ClaimPath::parse);
    match (at.value.as_str(), claim) {
        (_, Some(Some(path))) => Ok(IdentityValue::Claim(path)),
        ("user", _) => Ok(IdentityValue::User),
        ("email", _) => Ok(IdentityValue::Email),
        ("subject", _) => Ok(IdentityValue::Subject),
        ("groups", _) => Ok(IdentityValue::Groups),
        ("provider", _) => Ok(IdentityValue::Provider),
        (text, _) => {
            let diagnostic = Diagnostic::new(at.place, format!("unknown word {}", quoted(text))).expected(
                "expected \"user\", \"email\", \"subject\", \"groups\", \"provider\" or \"claim:PATH\"",
            );
            Err(match nearest(text, WORDS) {
                Some(word) => diagnostic.help(format!("did you mean \"{word}\"?")),
                None if ClaimPath::parse(text).is_some() => {
                    diagnostic.help(format!("for the claim say {}", quoted(&format!("claim:{text}"))))
                }
                None => diagnostic,
            })
        }
    }
}
