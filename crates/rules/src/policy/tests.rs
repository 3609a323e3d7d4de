//! Tables; `properties` holds the rules about all inputs, `unknown` those about what a provider did not say.

mod bound;
mod properties;
mod step_up;
mod step_up_properties;
mod unknown;

use std::sync::Arc;

use http::Method;
use serde_json::json;

use super::{
    Access, AccessSettings, Decision, Grant, PolicySettings, Question, Reason, RuleSettings, decide, explain,
};
use crate::clock::Timestamp;
use crate::identity::{ClaimPath, Email, Gaps, Issuer, Principal, ProviderName, Subject};
use crate::request::{ClientAddress, RequestPath};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn alice() -> Principal {
    let claims =
        json!({"department": "billing", "level": 3, "admin": false, "ext": {"tags": ["a", true, ["deep"]]}});
    Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.corp.example"),
        subject: Subject::new("s-1"),
        user: "alice".into(),
        email: Some(Email { address: "Alice@Corp.example".into(), verified: true, withheld: false }),
        groups: vec!["staff".into(), "dev".into()],
        scopes: vec!["orders:read".into(), "openid".into()],
        auth_time: None,
        acr: None,
        claims: claims.as_object().unwrap().clone().into(),
        gaps: Gaps::default(),
    }
}

fn unverified(address: &str) -> Principal {
    Principal { email: Some(Email { address: address.into(), verified: false, withheld: false }), ..alice() }
}

fn text(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn groups(list: &[&str]) -> RuleSettings {
    RuleSettings { groups: text(list), ..RuleSettings::default() }
}

fn networks(list: &[&str]) -> RuleSettings {
    RuleSettings {
        networks: list.iter().map(|net| net.parse().unwrap()).collect(),
        ..RuleSettings::default()
    }
}

fn claim(path: &str, values: &[&str]) -> RuleSettings {
    RuleSettings { claims: vec![(ClaimPath::parse(path).unwrap(), text(values))], ..RuleSettings::default() }
}

fn policy(name: &str, allow: Vec<RuleSettings>, deny: Vec<RuleSettings>) -> PolicySettings {
    PolicySettings { name: name.into(), allow, deny }
}

fn policies(policies: Vec<PolicySettings>) -> AccessSettings {
    AccessSettings::Policies(policies)
}

/// Reason in words of a GET for `/admin/x` from 203.0.113.9; `explain` must say the same.
fn said(settings: &AccessSettings, principal: Option<Principal>) -> String {
    let (access, principal) = (Access::compile(settings), principal.map(Arc::new));
    let path = RequestPath::parse("/admin/x").unwrap();
    let client = ClientAddress::new("203.0.113.9".parse().unwrap());
    let question = Question {
        principal: principal.as_ref(),
        method: &Method::GET,
        path: &path,
        client,
        now: NOW,
        bound: Some(false),
    };
    let explanation = explain(&access, &question);
    let reason = match decide(&access, &question) {
        Decision::Permit(permit) => permit.reason(),
        Decision::SignIn(reason) | Decision::StepUp(_, reason) | Decision::Forbidden(reason) => reason,
    };
    assert_eq!((explanation.verdict, explanation.reason), (reason.verdict(), reason));
    format!("{}: {}", reason.verdict(), reason.in_words(&access))
}

fn allows(rule: RuleSettings, principal: Principal) -> bool {
    said(&policies(vec![policy("p", vec![rule], vec![])]), Some(principal)).starts_with("permitted")
}

fn denies(rule: RuleSettings, principal: Principal) -> bool {
    let everybody = vec![RuleSettings::default()];
    said(&policies(vec![policy("p", everybody, vec![rule])]), Some(principal)).starts_with("forbidden")
}

#[test]
fn public_and_signed_in_are_different_things() {
    assert_eq!(said(&AccessSettings::Public, None), "permitted: the route is public");
    assert_eq!(said(&AccessSettings::SignedIn, None), "sign-in required: nobody is signed in");
    let signed_in = "permitted: the route is open to everybody who is signed in";
    assert_eq!(said(&AccessSettings::SignedIn, Some(alice())), signed_in);
}

#[test]
fn a_public_route_knows_nobody() {
    let (access, alice) = (Access::compile(&AccessSettings::Public), Arc::new(alice()));
    let path = RequestPath::parse("/").unwrap();
    let client = ClientAddress::new("::1".parse().unwrap());
    let question = Question {
        principal: Some(&alice),
        method: &Method::GET,
        path: &path,
        client,
        now: NOW,
        bound: Some(false),
    };
    let Decision::Permit(permit) = decide(&access, &question) else { panic!("public") };
    assert!(matches!(permit.grant(), Grant::Public) && permit.principal().is_none() && access.is_public());
}

#[test]
fn every_policy_is_required_and_deny_beats_allow() {
    let staff = || policy("staff", vec![groups(&["boss"]), groups(&["staff"])], vec![]);
    let admins = || policy("admins", vec![groups(&["ops"])], vec![]);
    let barred =
        || policy("barred", vec![groups(&["staff"])], vec![groups(&["x"]), networks(&["203.0.113.0/24"])]);
    let said = |list| said(&policies(list), Some(alice()));
    assert_eq!(said(vec![staff()]), "permitted: policy staff, allow rule 2");
    assert_eq!(said(vec![staff(), admins()]), "forbidden: policy admins, no allow rule holds");
    assert_eq!(said(vec![staff(), barred()]), "forbidden: policy barred, deny rule 2");
    assert_eq!(said(vec![admins(), barred()]), "forbidden: policy barred, deny rule 2");
    assert_eq!(said(vec![policy("empty", vec![], vec![])]), "forbidden: policy empty, no allow rule holds");
    assert_eq!(said(vec![]), "forbidden: the route has no policy");
}

#[test]
fn nobody_is_let_in_by_network_method_or_path_alone() {
    let here =
        RuleSettings { methods: vec![Method::GET], paths: text(&["/"]), ..networks(&["203.0.113.0/24"]) };
    let settings = policies(vec![policy("here", vec![here], vec![])]);
    assert_eq!(said(&settings, None), "sign-in required: nobody is signed in");
    assert_eq!(said(&settings, Some(alice())), "permitted: policy here, allow rule 1");
}

#[test]
fn whoever_is_denied_anyway_is_not_sent_to_sign_in() {
    let here = networks(&["203.0.113.0/24"]);
    let both = RuleSettings { groups: text(&["staff"]), ..here.clone() };
    let denying = |rule| policies(vec![policy("p", vec![groups(&["staff"])], vec![rule])]);
    assert_eq!(said(&denying(here), None), "forbidden: policy p, deny rule 1");
    assert_eq!(said(&denying(both), None), "sign-in required: nobody is signed in");
    assert_eq!(said(&policies(vec![]), None), "sign-in required: nobody is signed in");
}

#[test]
fn invariant_11_only_the_whole_domain_of_a_verified_address_counts() {
    let domain = |domain: &str| RuleSettings { email_domains: text(&[domain]), ..RuleSettings::default() };
    let at = |address: &str| Principal {
        email: Some(Email { address: address.into(), verified: true, withheld: false }),
        ..alice()
    };
    assert!(allows(domain("corp.example"), alice()));
    assert!(allows(domain("CORP.example"), at("a@corp.EXAMPLE")));
    for address in [
        "a@evilcorp.example",
        "a@corp.example.evil",
        "a@sub.corp.example",
        "corp.example",
        "@corp.example",
        "a@",
        "a@corp.example@evil.example",
        "a@corp.example.",
        "a@corp.example ",
        "",
    ] {
        assert!(!allows(domain("corp.example"), at(address)), "{address}");
    }
    assert!(!allows(domain("corp.example"), unverified("a@corp.example")));
    assert!(!allows(domain("corp.example"), Principal { email: None, ..alice() }));
    assert!(denies(domain("corp.example"), unverified("a@corp.example")), "in doubt a rule denies");
}

#[test]
fn invariant_11_an_unverified_address_allows_nobody() {
    let email =
        || RuleSettings { emails: text(&["x@y.example", "alice@corp.EXAMPLE"]), ..RuleSettings::default() };
    assert!(allows(email(), alice()));
    assert!(!allows(email(), unverified("alice@corp.example")));
    assert!(!allows(email(), unverified("x@y.example")));
    assert!(denies(email(), unverified("x@y.example")));
}

#[test]
fn names_are_compared_exactly_and_scopes_all_required() {
    let users = |list: &[&str]| RuleSettings { users: text(list), ..RuleSettings::default() };
    let scopes = |list: &[&str]| RuleSettings { scopes: text(list), ..RuleSettings::default() };
    let provider =
        |name| RuleSettings { providers: vec![ProviderName::new(name)], ..RuleSettings::default() };
    assert!(allows(users(&["bob", "alice"]), alice()) && !allows(users(&["Alice", "alic", "s-1"]), alice()));
    assert!(allows(groups(&["dev"]), alice()) && !allows(groups(&["Dev", "de", "staff,dev"]), alice()));
    assert!(
        allows(scopes(&["openid", "orders:read"]), alice())
            && !allows(scopes(&["openid", "orders"]), alice())
    );
    assert!(allows(provider("corp"), alice()) && !allows(provider("partner"), alice()));
}

#[test]
fn claims_are_compared_by_text() {
    for (path, values) in [
        ("department", &["x", "billing"][..]),
        ("department", &[]),
        ("level", &["3"]),
        ("level", &[]),
        ("admin", &["false"]),
        ("ext.tags", &["a"]),
        ("ext.tags", &["true"]),
        ("ext", &[]),
    ] {
        assert!(allows(claim(path, values), alice()), "{path} {values:?}");
    }
    for (path, values) in [
        ("department", &["Billing", "bill"][..]),
        ("missing", &[]),
        ("missing", &["null"]),
        ("admin", &[]),
        ("level", &["3.0"]),
        ("ext.tags", &["deep"]),
        ("ext", &["a"]),
        ("department.x", &[]),
    ] {
        assert!(!allows(claim(path, values), alice()), "{path} {values:?}");
    }
}

#[test]
fn paths_are_judged_decoded_and_on_segment_borders() {
    let paths = |list: &[&str]| RuleSettings { paths: text(list), ..RuleSettings::default() };
    assert!(allows(paths(&["/x", "/admin"]), alice()) && allows(paths(&["/admin/"]), alice()));
    assert!(allows(paths(&["/"]), alice()) && allows(paths(&["/admin/x"]), alice()));
    assert!(!allows(paths(&["/adm", "/admin/x/y", "admin", "/Admin"]), alice()));
}

#[test]
fn explanations_say_what_was_wanted_and_what_was_there() {
    let admins = policy(
        "admins",
        vec![groups(&["ops", "sre"]), claim("level", &["9"])],
        vec![networks(&["10.0.0.0/8"])],
    );
    let (access, alice) = (Access::compile(&policies(vec![admins])), Arc::new(alice()));
    let path = RequestPath::parse("/").unwrap();
    let client = ClientAddress::new("203.0.113.9".parse().unwrap());
    let question = Question {
        principal: Some(&alice),
        method: &Method::GET,
        path: &path,
        client,
        now: NOW,
        bound: Some(false),
    };
    let explanation = explain(&access, &question);
    let shown = "forbidden: policy admins, no allow rule holds
policy admins
  deny rule 1 does not hold
    miss: wanted a client address in one particular network; found 203.0.113.9
  allow rule 1 does not hold
    miss: wanted one of the groups: ops, sre; found staff, dev
  allow rule 2 does not hold
    miss: wanted the claim level with one of: 9; found a claim level";
    assert_eq!(explanation.to_string(), shown);
    assert_eq!(explanation.missing(), ["one of the groups: ops, sre", "the claim level with one of: 9"]);
}

#[test]
fn what_is_missing_joins_conditions_and_names_no_strangers() {
    let secret = RuleSettings {
        users: text(&["carol"]),
        emails: text(&["carol@x.example"]),
        ..networks(&["10.7.0.0/16"])
    };
    let many: Vec<_> = (0..100).map(|index| groups(&[&format!("g{index}")])).collect();
    let missing = |allow| {
        let access = Access::compile(&policies(vec![policy("p", allow, vec![])]));
        let (alice, path) = (Arc::new(alice()), RequestPath::parse("/").unwrap());
        let client = ClientAddress::HIDDEN;
        explain(
            &access,
            &Question {
                principal: Some(&alice),
                method: &Method::GET,
                path: &path,
                client,
                now: NOW,
                bound: Some(false),
            },
        )
        .missing()
    };
    let joined = "a client address in one particular network and one particular user and one particular verified e-mail address";
    assert_eq!(missing(vec![secret]), [joined]);
    assert_eq!(missing(many).len(), 10);
    assert_eq!(missing(vec![groups(&["ops"]), groups(&["ops"])]), ["one of the groups: ops"]);
    let long: Vec<String> = (0..12).map(|index| index.to_string()).collect();
    let long = RuleSettings { groups: long, ..RuleSettings::default() };
    assert_eq!(missing(vec![long]), ["one of the groups: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"]);
}

#[test]
fn a_reason_is_small() {
    assert!(size_of::<Reason>() <= 24);
}

/// More rules than are walked, each of them of a path alone.
#[test]
fn many_rules_of_the_root_hold_everywhere() {
    let everywhere = || RuleSettings { paths: text(&["/"]), ..RuleSettings::default() };
    let deny: Vec<RuleSettings> = std::iter::repeat_with(everywhere).take(8).collect();
    let settings = policies(vec![policy("p", vec![groups(&["staff"])], deny)]);
    let access = Access::compile(&settings);
    let principal = Arc::new(alice());
    for path in ["/", "/a", "/a/b"] {
        let question = Question {
            principal: Some(&principal),
            method: &Method::GET,
            path: &RequestPath::parse(path).unwrap(),
            client: ClientAddress::HIDDEN,
            now: NOW,
            bound: Some(false),
        };
        assert!(matches!(decide(&access, &question), Decision::Forbidden(_)), "{path}");
    }
}
