//! Every event once with all that it can tell, and once with what it must, for tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use portcullis_rules::identity::{Principal, ProviderName, RequestId, Subject, fixtures};

use super::*;

const TOOK: Duration = Duration::from_micros(684);

struct Texts<'a> {
    text: &'a str,
    list: Vec<String>,
    who: Principal,
    route: RouteWords,
    owned: OwnedCaller,
}

/// Gives `take` one of each kind with every field, each text of which is `text`.
pub fn full(text: &str, take: &mut dyn FnMut(&dyn Event)) {
    let mut who = fixtures::alice();
    (who.provider, who.subject) = (ProviderName::new(text), Subject::new(text));
    (who.user, who.acr) = (text.to_owned(), Some(text.to_owned()));
    let owned = OwnedCaller { id: RequestId::new(text), client: Some(address(text)) };
    let texts = Texts { text, list: vec![text.to_owned(); 3], who, route: RouteWords::new(7, text), owned };
    requests(&texts, take);
    people(&texts, take);
    sessions(&texts, take);
    told(&texts, take);
    operations(&texts, take);
    parts(&texts, take);
    itself(&texts, take);
}

const ACCESS: [Access; 4] = [Access::Granted, Access::Refused, Access::Opened, Access::Open];

fn address(text: &str) -> IpAddr {
    if text.len().is_multiple_of(2) {
        Ipv4Addr::new(192, 0, 2, 7).into()
    } else {
        Ipv6Addr::from_bits(u128::MAX).into()
    }
}

const fn shown(bound: Option<bool>) -> Shown {
    Shown { kind: AuthKind::AccessToken, credential: u64::MAX, session: 0x1F0C, bound }
}

fn requests(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, list, who, route, .. } = texts;
    for access in ACCESS {
        take(&AccessEvent {
            access,
            id: text,
            trace: Some(text),
            client: address(text),
            agent: Some(text.as_bytes()),
            http: Some("1.1"),
            method: text,
            host: text,
            path: text,
            route: Some(route),
            who: Some(who),
            shown: Some(shown(Some(true))),
            device: Some(text),
            amr: list,
            status: u16::MAX,
            outcome: Outcome::Unauthenticated,
            rule: Some(text),
            missing: list,
            reason: if text.is_empty() { "-" } else { text },
            bytes: u64::MAX,
            took: Duration::MAX,
            upstream: Some(Duration::MAX),
        });
    }
    take(&RequestUnreadable { client: address(text), reason: text, status: Some(400) });
}

fn caller<'a>(text: &'a str) -> Caller<'a> {
    Caller { id: text, client: address(text), device: Some(text) }
}

fn people(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, list, who, .. } = texts;
    let (caller, session, took, route) = (caller(text), u64::MAX, Some(TOOK), Some(*text));
    let owned = Some(&texts.owned);
    let (amr, missing) = (list.as_slice(), list.as_slice());
    take(&SignInBegun { caller, provider: text, route });
    take(&SignInSucceeded { caller, who, session, amr, took });
    let culprit = Culprit::Provider;
    take(&SignInFailed { caller, provider: None, who: Some(who), culprit, reason: text, took });
    take(&StepUpAsked { caller, who, session, route, missing });
    take(&StepUpUnmet { caller, provider: "", who: Some(who), session, amr, route, missing });
    take(&TokensRefreshed { caller: owned, who, session, took: TOOK });
    take(&TokensNotRefreshed { caller: owned, who, session, culprit, reason: text, took });
    take(&TokensRevoked { provider: text, session, took });
    take(&TokensNotRevoked { provider: text, session, reason: text, took });
}

fn sessions(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, list, who, .. } = texts;
    let (caller, session, amr, one) = (caller(text), u64::MAX, list.as_slice(), Some(who));
    let owned = Some(&texts.owned);
    take(&SignedOut { caller, who: one, session });
    take(&SessionEnded { caller: owned, who: one, session, why: text, by: Some(text), cut: Some(0) });
    take(&SessionBound { caller, who: one, session, key: Some(text) });
    take(&SessionBindingRefused { caller, who: one, session, reason: text });
    take(&CredentialFirstUsed { caller, who, shown: shown(Some(false)), amr });
    let auth = AuthKind::Session;
    take(&CredentialRefused { caller, auth, provider: Some(text), credential: 1, reason: text });
}

fn told(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, .. } = texts;
    let (caller, channel, selected, ended, some) =
        (caller(text), Channel::Front, Some(2), Some(1), Some(*text));
    let (provider, subject, reason, owned) = (some, some, some, Some(&texts.owned));
    take(&SignalReceived { transmitter: text, signal: text, provider, subject, selected, ended, reason });
    take(&SignalRefused { caller: owned, transmitter: text, signal: some, reason: text });
    take(&LogoutTokenAccepted { caller, provider: text, channel, subject, session: 1, selected, ended });
    take(&LogoutTokenRefused { caller, provider, channel: Channel::Back, reason: text });
}

fn operations(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, .. } = texts;
    let (some, count, client, ended) = (Some(*text), Some(24), Some(address(text)), Some(u64::MAX));
    let change = Change { key: text, before: some, after: some };
    take(&ConfigurationLoaded { file: text, count });
    take(&ConfigurationRefused { file: text, count, reason: text, by: some });
    take(&ConfigurationChanged { file: text, changes: &[change; 9], count, by: some });
    take(&KeyPublished { key: text, signs_from: ended, by: some });
    take(&KeyRotated { key: text, signs_from: Some(0), by: some });
    let (operator, operation, status, reason) = (*text, *text, 409, some);
    take(&ManagementCalled { operator, operation, id: some, client, status, reason, selected: count, ended });
    take(&ManagementRefused { operator: some, operation: some, client, status: Some(403), reason: text });
    take(&PersonErased { person: text, operator, count: u64::MAX, id: some, client, ended, reason });
    take(&RecordRead { operator, operation, id: some, client, status, reason });
    let (provider, subject, user, route, rule) = (*text, *text, *text, *text, some);
    let (id, mark, took) = (some, Mark::Revoke, Some(TOOK));
    take(&AccessReviewed { operator, id, client, provider, subject, user, route, rule, mark, reason, took });
}

fn parts(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, .. } = texts;
    for part in [Part::Provider, Part::Store, Part::Upstream, Part::SharedCounts] {
        let route = (part == Part::Upstream).then_some(*text);
        take(&PartLost { part, name: text, route, reason: text });
        take(&PartBack { part, name: text, route, away: Some(TOOK) });
    }
    take(&ProviderKeysChanged { name: text, count: Some(2) });
    take(&StoreMissed { name: text, reason: text, away: Some(TOOK) });
}

fn itself(texts: &Texts<'_>, take: &mut dyn FnMut(&dyn Event)) {
    let Texts { text, .. } = texts;
    let (some, pid, to) = (Some(*text), u32::MAX, u64::MAX);
    for before in [None, Some(pid)] {
        take(&ProcessStarted { version: text, pid, before, workers: Some(2), file: some });
    }
    take(&ProcessDraining { pid, reason: some });
    take(&ProcessEnded { pid, reason: some, served: Some(Duration::MAX) });
    take(&RecordLost { sink: some, process: some, lane: u16::MAX, from: 0, to, count: to, cause: "queue" });
    take(&RecordRotated { sink: text, file: text, next: text, bytes: to });
    take(&RecordRemoved { sink: text, file: text, count: to, bytes: to });
    take(&RecordBeside { sink: text, file: text, next: text });
    take(&RecordDamaged { sink: text, file: text, reason: text });
    take(&RecordAltered { file: text, reason: text, count: to });
    take(&RecordGap { sink: text, since: to, away: TOOK, reason: text });
    take(&RecordCheckpoint { key: text, number: to, note: text });
    take(&RecordKeyRotated { key: text, signs_from: to, note: text });
    take(&ClockSetBack { by: TOOK });
    take(&RecordLeftOut { lane: 1, count: 9, since: 0, within: TOOK });
}

/// A request of whose line nothing is told that can be left out.
#[must_use]
pub fn bare_access(access: Access) -> AccessEvent<'static> {
    AccessEvent {
        access,
        id: "9d754d00dceca87e",
        trace: None,
        client: Ipv4Addr::LOCALHOST.into(),
        agent: None,
        http: None,
        method: "GET",
        host: "wiki.corp.example",
        path: "/",
        route: None,
        who: None,
        shown: None,
        device: None,
        amr: &[],
        status: 404,
        outcome: Outcome::NotFound,
        rule: None,
        missing: &[],
        reason: "",
        bytes: 0,
        took: TOOK,
        upstream: None,
    }
}

/// Gives `take` one of each kind with what it must tell, and nothing else.
pub fn bare(take: &mut dyn FnMut(&dyn Event)) {
    ACCESS.into_iter().for_each(|access| take(&bare_access(access)));
    take(&RequestUnreadable { client: Ipv4Addr::LOCALHOST.into(), reason: "x", status: None });
    bare_people(&fixtures::alice(), take);
    bare_operations(take);
}

fn bare_people(who: &Principal, take: &mut dyn FnMut(&dyn Event)) {
    let caller = Caller { id: "9d754d00dceca87e", client: Ipv4Addr::LOCALHOST.into(), device: None };
    let (session, amr, missing, route, took, reason) = (1, &[], &[], None, None, "x");
    take(&SignInBegun { caller, provider: "corp", route });
    take(&SignInSucceeded { caller, who, session, amr, took });
    take(&SignInFailed { caller, provider: None, who: None, culprit: Culprit::Client, reason, took });
    take(&StepUpAsked { caller, who, session, route, missing });
    take(&StepUpUnmet { caller, provider: "corp", who: None, session: 0, amr, route, missing });
    take(&TokensRefreshed { caller: None, who, session, took: TOOK });
    take(&TokensNotRefreshed { caller: None, who, session, culprit: Culprit::Gateway, reason, took });
    take(&TokensRevoked { provider: "corp", session, took });
    take(&TokensNotRevoked { provider: "corp", session, reason, took });
    take(&SignedOut { caller, who: None, session: 0 });
    take(&SessionEnded { caller: None, who: None, session, why: "expired", by: None, cut: None });
    take(&SessionBound { caller, who: None, session, key: None });
    take(&SessionBindingRefused { caller, who: None, session: 0, reason });
    take(&CredentialFirstUsed { caller, who, shown: Shown { session: 0, ..shown(None) }, amr });
    let auth = AuthKind::AccessToken;
    take(&CredentialRefused { caller, auth, provider: None, credential: 0, reason });
    let (channel, subject, selected, ended, provider) = (Channel::Back, None, None, None, None);
    take(&LogoutTokenAccepted { caller, provider: "corp", channel, subject, session: 0, selected, ended });
    take(&LogoutTokenRefused { caller, provider, channel, reason });
}

fn bare_operations(take: &mut dyn FnMut(&dyn Event)) {
    let (count, by, client, selected, ended, away) = (None, None, None, None, None, None);
    let (file, name, reason, key, signs_from, route) = ("x", "x", "x", "x", None, None);
    let (transmitter, signal) = ("x", "x");
    take(&SignalReceived {
        transmitter,
        signal,
        provider: None,
        subject: None,
        selected,
        ended,
        reason: None,
    });
    take(&SignalRefused { caller: None, transmitter, signal: None, reason });
    take(&ConfigurationLoaded { file, count });
    take(&ConfigurationRefused { file, count, reason, by });
    take(&ConfigurationChanged { file, changes: &[], count, by });
    take(&KeyPublished { key, signs_from, by });
    take(&KeyRotated { key, signs_from, by });
    let (operator, operation, status) = ("x", "x", 200);
    take(&ManagementCalled { operator, operation, id: None, client, status, reason: None, selected, ended });
    take(&ManagementRefused { operator: None, operation: None, client, status: None, reason });
    let (person, id, why) = ("x", None, None);
    take(&PersonErased { person, operator, count: 0, id, client, ended, reason: why });
    bare_reviews(&fixtures::alice(), take);
    for part in [Part::Provider, Part::Store, Part::Upstream, Part::SharedCounts] {
        take(&PartLost { part, name, route, reason });
        take(&PartBack { part, name, route, away });
    }
    take(&ProviderKeysChanged { name, count });
    take(&StoreMissed { name, reason, away });
    for before in [None, Some(1)] {
        take(&ProcessStarted { version: "0", pid: 1, before, workers: None, file: None });
    }
    take(&ProcessDraining { pid: 1, reason: None });
    take(&ProcessEnded { pid: 1, reason: None, served: None });
    take(&RecordLost { sink: None, process: None, lane: 0, from: 1, to: 1, count: 1, cause: "memory" });
    take(&RecordRotated { sink: "x", file, next: "x", bytes: 0 });
    take(&RecordRemoved { sink: "x", file, count: 1, bytes: 0 });
    take(&RecordBeside { sink: "x", file, next: "x" });
    take(&RecordDamaged { sink: "x", file, reason });
    take(&RecordAltered { file, reason, count: 1 });
    take(&RecordGap { sink: "x", since: 0, away: TOOK, reason });
    take(&RecordCheckpoint { key: "x", number: 1, note: "x" });
    take(&ClockSetBack { by: TOOK });
    take(&RecordLeftOut { lane: 1, count: 9, since: 0, within: TOOK });
}

fn bare_reviews(who: &Principal, take: &mut dyn FnMut(&dyn Event)) {
    let (operator, operation, status, client) = ("x", "x", 200, None);
    take(&RecordRead { operator, operation, id: None, client, status, reason: None });
    let (provider, subject, user) = (who.provider.as_str(), who.subject.as_str(), who.user.as_str());
    let (route, mark) = ("x", Mark::Keep);
    let (id, rule, reason, took) = (None, None, None, None);
    take(&AccessReviewed { operator, id, client, provider, subject, user, route, rule, mark, reason, took });
}
