//! Which sign-ins a subject names.
//!
//! A member of a subject is known to be so of a sign-in, known not to be so, or unknown. A sign-in is named
//! - where its person or its provider's session is known to be the one, and nothing is known to be another. What is unknown
//!   beside it does not count: that a device cannot be told apart is no reason to let its session live;
//! - else where all that is said is known to be so. What is unknown then counts: an event about some people of a tenant
//!   never concerns all of them (invariant 19).

use super::settings::SignalsSettings;
use super::subject::{Identifier, Member, Subject};
use crate::identity::{ClaimPath, Principal, texts};
use crate::session::{Card, Selector, SessionOverview};

/// Where sign-ins are looked for that `subject` may name: by what finds them at once where that is possible, and nowhere
/// twice. None where it can name none.
pub(super) fn selectors(settings: &SignalsSettings, subject: &Subject, of_a_session: bool) -> Vec<Selector> {
    let mut once: Vec<Selector> = Vec::new();
    for selector in all_selectors(settings, subject, of_a_session) {
        if !once.contains(&selector) {
            once.push(selector);
        }
    }
    once
}

fn all_selectors(settings: &SignalsSettings, subject: &Subject, of_a_session: bool) -> Vec<Selector> {
    match subject {
        Subject::Simple(Identifier::Opaque(id)) if of_a_session => {
            vec![Selector::ProviderSession(settings.issuer.clone(), id.clone())]
        }
        // What else an opaque identifier by itself names nobody has said.
        Subject::Simple(Identifier::Opaque(_)) => Vec::new(),
        Subject::Simple(identifier) => of_a_user(settings, identifier),
        Subject::Complex(members) => of_members(settings, members),
    }
}

fn of_members(settings: &SignalsSettings, members: &[(Member, Identifier)]) -> Vec<Selector> {
    let of = |wanted: Member| members.iter().find(|(member, _)| *member == wanted).map(|(_, it)| it);
    let users = of(Member::User).map(|user| of_a_user(settings, user)).unwrap_or_default();
    if !users.is_empty() {
        return users;
    }
    if let Some(Identifier::Opaque(id)) = of(Member::Session) {
        return vec![Selector::ProviderSession(settings.issuer.clone(), id.clone())];
    }
    let by_claim = |member, claim: &Option<ClaimPath>| claim.is_some() && of(member).is_some();
    if by_claim(Member::Device, &settings.device) || by_claim(Member::Tenant, &settings.tenant) {
        return vec![Selector::Provider(settings.provider.to_string())];
    }
    Vec::new()
}

fn of_a_user(settings: &SignalsSettings, identifier: &Identifier) -> Vec<Selector> {
    let issuer = || settings.issuer.clone();
    let subject = |sub: &String| vec![Selector::Subject(issuer(), sub.clone())];
    match identifier {
        Identifier::IssuerSubject { iss, sub } if *iss == settings.issuer.as_str() => subject(sub),
        Identifier::Opaque(id) | Identifier::Did(id) | Identifier::Uri(id) => subject(id),
        Identifier::Email(address) => vec![Selector::Email(issuer(), address.clone())],
        Identifier::Account(account) => {
            vec![Selector::Email(issuer(), account.clone()), Selector::User(account.clone())]
        }
        // Nothing else finds these.
        Identifier::Phone(_) | Identifier::JwtId { .. } => {
            vec![Selector::Provider(settings.provider.to_string())]
        }
        Identifier::Aliases(all) => all.iter().flat_map(|one| of_a_user(settings, one)).collect(),
        Identifier::IssuerSubject { .. } | Identifier::Other(_) => Vec::new(),
    }
}

/// The first member that the transmitter calls critical and that nothing is known of here: then the event is not to be
/// acted on (Shared Signals Framework 1.0, section 3.6).
pub(super) fn uninterpretable<'s>(
    settings: &SignalsSettings,
    subject: &'s Subject,
    critical: &[String],
) -> Option<&'s str> {
    let Subject::Complex(members) = subject else { return None };
    let is_known = |member: &Member| match member {
        Member::User | Member::Session => true,
        Member::Device => settings.device.is_some(),
        Member::Tenant => settings.tenant.is_some(),
        Member::Other(_) => false,
    };
    let mut names = members.iter().filter(|(member, _)| !is_known(member)).map(|(member, _)| member.name());
    names.find(|name| critical.iter().any(|it| it == name))
}

/// Whether `subject` names `sign_in`, which `selector` has found. The transmitter speaks for the sign-ins of its provider
/// alone, whoever they are of.
pub(super) fn names(
    settings: &SignalsSettings,
    subject: &Subject,
    of_a_session: bool,
    selector: &Selector,
    sign_in: &SessionOverview,
) -> bool {
    let theirs = sign_in.provider == settings.provider.as_str();
    if !mutant!(theirs, "signal-about-anothers-session" => true) {
        return false;
    }
    match &sign_in.card {
        Some(card) => names_card(settings, subject, of_a_session, card),
        // Of a version before, or sealed by a key that is gone: what it was found by is all that is known of it.
        None => {
            matches!(selector, Selector::Subject(..) | Selector::ProviderSession(..) | Selector::Email(..))
        }
    }
}

fn names_card(settings: &SignalsSettings, subject: &Subject, of_a_session: bool, card: &Card) -> bool {
    let members = match subject {
        Subject::Simple(identifier) if of_a_session && matches!(identifier, Identifier::Opaque(_)) => {
            return is_session(identifier, card) == Some(true);
        }
        Subject::Simple(identifier) => return is_user(settings, identifier, card) == Some(true),
        Subject::Complex(members) => members,
    };
    let is = |(member, identifier): &(Member, Identifier)| match member {
        Member::User => is_user(settings, identifier, card),
        Member::Session => is_session(identifier, card),
        Member::Device => is_claim(settings.device.as_ref(), identifier, &card.principal),
        Member::Tenant => is_claim(settings.tenant.as_ref(), identifier, &card.principal),
        Member::Other(_) => None,
    };
    let known: Vec<_> = members.iter().map(|member| (&member.0, is(member))).collect();
    let so = |(_, is): &(&Member, Option<bool>)| *is == Some(true);
    if mutant!(known.iter().any(|(_, is)| *is == Some(false)), "one-member-is-enough" => false) {
        return false;
    }
    let is_a_person_or_session = |one: &&(&Member, _)| matches!(one.0, Member::User | Member::Session);
    known.iter().filter(is_a_person_or_session).any(so)
        || mutant!(known.iter().all(so), "unknown-member-empties-a-tenant" => known.iter().any(so))
}

fn is_user(settings: &SignalsSettings, identifier: &Identifier, card: &Card) -> Option<bool> {
    let (principal, subject) = (&*card.principal, card.principal.subject.as_str());
    let address = principal.email.as_ref().map(|email| &email.address);
    match identifier {
        Identifier::IssuerSubject { iss, sub } => {
            Some(*iss == settings.issuer.as_str() && principal.issuer == settings.issuer && sub == subject)
        }
        Identifier::Email(wanted) => address.map(|address| is_same_address(address, wanted)),
        Identifier::Account(wanted) => {
            let is = address.is_some_and(|it| is_same_address(it, wanted)) || principal.user == *wanted;
            (is || address.is_some()).then_some(is)
        }
        Identifier::Phone(wanted) => claim(principal, "phone_number").map(|phone| phone == *wanted),
        // Which names these are of is not said: another one need not be of somebody else.
        Identifier::Opaque(id) | Identifier::Did(id) | Identifier::Uri(id) => (id == subject).then_some(true),
        Identifier::JwtId { iss, jti } => {
            let is = *iss == settings.issuer.as_str() && claim(principal, "jti").as_ref() == Some(jti);
            is.then_some(true)
        }
        Identifier::Aliases(all) => {
            let known: Vec<_> = all.iter().map(|one| is_user(settings, one, card)).collect();
            match known.contains(&Some(true)) {
                true => Some(true),
                false => known.iter().all(|is| *is == Some(false)).then_some(false),
            }
        }
        Identifier::Other(_) => None,
    }
}

/// Whatever its case, as rows are found.
fn is_same_address(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A sign-in whose provider named no session may be of any.
fn is_session(identifier: &Identifier, card: &Card) -> Option<bool> {
    let Identifier::Opaque(id) = identifier else { return None };
    card.sid.as_ref().map(|sid| sid == id)
}

/// Whether the claim that names a device or tenant is this one; unknown where there is no such claim.
fn is_claim(path: Option<&ClaimPath>, identifier: &Identifier, principal: &Principal) -> Option<bool> {
    let (Identifier::Opaque(wanted)
    | Identifier::Uri(wanted)
    | Identifier::Did(wanted)
    | Identifier::IssuerSubject { sub: wanted, .. }) = identifier
    else {
        return None;
    };
    let said = texts(principal.claim(path?)?);
    (!said.is_empty()).then(|| said.contains(wanted))
}

fn claim(principal: &Principal, name: &str) -> Option<String> {
    principal.claims.get(name)?.as_str().map(str::to_owned)
}
