use std::sync::Arc;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{NOW, alice, policy};
use crate::clock::Timestamp;
use crate::identity::{ClaimPath, Email, Gap, Principal, ProviderName, Strength, texts};
use crate::policy::{
    Access, AccessSettings, Decision, PolicySettings, Question, Reason, RuleSettings, Truth, Verdict, decide,
    explain, missing_scopes,
};
use crate::request::{ClientAddress, RequestPath};

const NAMES: [&str; 3] = ["a", "b", "A"];
const ADDRESSES: [&str; 4] = ["a@x.example", "A@X.example", "a@evilx.example", "x.example"];
const DOMAINS: [&str; 3] = ["x.example", "evilx.example", "example"];
pub(super) const LEVELS: [&str; 3] = ["pwd", "mfa", "hwk"];
pub(super) const METHODS: [&str; 2] = ["pwd", "otp"];
const PATHS: [&str; 5] = ["/", "/p", "/p/q", "/pq", "/%70/r"];

pub(super) struct Asked {
    pub(super) principal: Option<Arc<Principal>>,
    method: Method,
    path: RequestPath,
    client: ClientAddress,
}

impl Asked {
    /// The same of this person.
    pub(super) fn by(&self, person: Arc<Principal>) -> Self {
        let Self { method, path, client, .. } = self;
        Self { principal: Some(person), method: method.clone(), path: path.clone(), client: *client }
    }

    pub(super) fn question(&self) -> Question<'_> {
        let Self { principal, method, path, client } = self;
        Question {
            principal: principal.as_ref(),
            method,
            path,
            client: *client,
            now: NOW,
            bound: Some(false),
        }
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.question().fmt(f)
    }
}

fn some_of(list: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let few = prop_oneof![2 => Just(0), 1 => 1..=list.len()];
    few.prop_flat_map(move |count| subsequence(list, count).prop_map(|list| super::text(&list)))
}

fn principal() -> impl Strategy<Value = Principal> {
    let email = (select(&ADDRESSES[..]), any::<bool>());
    let claim = select(vec![
        json!("a"),
        json!(7),
        json!(true),
        json!(false),
        Value::Null,
        json!(["b", ["a"]]),
        json!(["b", {"a": 1}]),
        json!({}),
    ]);
    let claim = (proptest::option::weighted(0.8, claim), any::<bool>());
    let gaps = prop_oneof![
        Just(Vec::new()),
        proptest::collection::vec(select(&Gap::ALL[..]), 1..3),
        Just(Gap::ALL.to_vec()),
    ];
    let provider = select(&["corp", "other"][..]);
    let person = (proptest::option::of(email), some_of(&NAMES), some_of(&NAMES), select(&NAMES[..]));
    let sign_in = (
        proptest::option::of(select(&LEVELS[..])),
        proptest::option::of(some_of(&METHODS)),
        proptest::option::of(select(&[0_u64, 100, 100_000][..])),
    );
    (person, claim, provider, gaps, sign_in).prop_map(|(person, claim, provider, gaps, (acr, amr, ago))| {
        let (email, groups, scopes, user) = person;
        let (claim, elsewhere) = claim;
        let names = elsewhere.then(|| ("_claim_names".to_owned(), json!({"c": "src1"})));
        let amr = amr.map(|amr| ("amr".to_owned(), json!(amr)));
        let claims = claim.map(|claim| ("c".to_owned(), claim)).into_iter().chain(names).chain(amr);
        Principal {
            provider: ProviderName::new(provider),
            user: user.into(),
            email: email.map(|(address, verified)| Email {
                address: address.into(),
                verified,
                withheld: false,
            }),
            groups,
            scopes,
            claims: claims.collect::<serde_json::Map<_, _>>().into(),
            gaps: gaps.into_iter().collect(),
            acr: acr.map(str::to_owned),
            auth_time: ago.map(|ago| Timestamp::from_seconds(NOW.seconds() - ago)),
            ..alice()
        }
    })
}

pub(super) fn asked() -> impl Strategy<Value = Asked> {
    let method = select(&[Method::GET, Method::POST][..]);
    let client = select(&["10.0.0.1", "203.0.113.9", "::ffff:10.0.0.1", "2001:db8::1"][..]);
    (proptest::option::weighted(0.8, principal()), method, select(&PATHS[..]), client).prop_map(
        |(principal, method, path, client)| Asked {
            principal: principal.map(Arc::new),
            method,
            path: RequestPath::parse(path).unwrap(),
            client: ClientAddress::new(client.parse().unwrap()),
        },
    )
}

fn rule() -> impl Strategy<Value = RuleSettings> {
    let people = (some_of(&NAMES), some_of(&ADDRESSES), some_of(&DOMAINS), some_of(&NAMES), some_of(&NAMES));
    let claims = proptest::option::weighted(0.3, some_of(&["a", "7", "true", "false", "b"]));
    let request = (
        some_of(&["GET", "POST"]),
        some_of(&["/", "/p", "/p/q/"]),
        some_of(&["10.0.0.0/8", "2001:db8::/32"]),
    );
    let max_age = proptest::option::weighted(0.2, select(&[60_u64, 3600][..]).prop_map(Duration::from_secs));
    let strength = (some_of(&LEVELS), some_of(&METHODS), max_age).prop_map(|(acr, amr, max_age)| Strength {
        acr,
        amr,
        max_age,
        ..Strength::default()
    });
    let strength = prop_oneof![Just(Strength::default()), strength];
    let rule = (people, claims, request, some_of(&["corp"]), strength);
    rule.prop_map(|(people, claims, request, providers, strength)| RuleSettings {
        strength,
        users: people.0,
        emails: people.1,
        email_domains: people.2,
        groups: people.3,
        scopes: people.4,
        providers: providers.iter().map(ProviderName::new).collect(),
        claims: claims.into_iter().map(|values| (ClaimPath::parse("c").unwrap(), values)).collect(),
        methods: request.0.iter().map(|method| method.parse().unwrap()).collect(),
        paths: request.1,
        networks: request.2.iter().map(|network| network.parse().unwrap()).collect(),
        bound: None,
    })
}

pub(super) fn some_policies() -> impl Strategy<Value = Vec<PolicySettings>> {
    let rules = |most| proptest::collection::vec(rule(), 0..most);
    let one = (rules(4), rules(2)).prop_map(|(allow, deny)| policy("p", allow, deny));
    proptest::collection::vec(one, 0..4)
}

/// Enough rules that they are looked up rather than walked.
fn many_rules() -> impl Strategy<Value = Vec<PolicySettings>> {
    let rules = |most| proptest::collection::vec(rule(), 5..most);
    let one = (rules(60), rules(8)).prop_map(|(allow, deny)| policy("p", allow, deny));
    let allowing = rules(30).prop_map(|allow| policy("p", allow, vec![]));
    proptest::collection::vec(prop_oneof![one, allowing], 1..3)
}

pub(super) fn decided(policies: &[PolicySettings], asked: &Asked) -> Reason {
    let access = Access::compile(&AccessSettings::Policies(policies.to_vec()));
    match decide(&access, &asked.question()) {
        Decision::Permit(permit) => {
            assert_eq!(permit.principal(), asked.principal.as_ref(), "a permit is in the asker's name");
            permit.reason()
        }
        Decision::SignIn(reason) | Decision::StepUp(_, reason) | Decision::Forbidden(reason) => reason,
    }
}

/// What is known: three values, the plain way.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Yes,
    No,
    Maybe,
}

/// Yes or no, or, where it is a no for want of knowledge, neither.
fn known(holds: bool, whole: bool) -> Known {
    match (holds, whole) {
        (true, _) => Known::Yes,
        (false, true) => Known::No,
        (false, false) => Known::Maybe,
    }
}

/// The rules once more, from the settings, with lists and lower-casing. Each condition by itself.
fn conditions(rule: &RuleSettings, asked: &Asked, deny: bool) -> Vec<Known> {
    let path = format!("{}/", asked.path.decoded());
    let here = rule.networks.iter().any(|network: &IpNet| network.contains(&asked.client.ip()));
    let below =
        rule.paths.iter().any(|prefix| path.starts_with(&format!("{}/", prefix.trim_end_matches('/'))));
    let mut all = vec![
        known(rule.methods.is_empty() || rule.methods.contains(&asked.method), true),
        known(rule.networks.is_empty() || here, true),
        known(rule.paths.is_empty() || below, true),
    ];
    match &asked.principal {
        Some(person) => {
            all.extend(about(rule, person, deny));
            all.extend(sign_in(&rule.strength, person));
        }
        None => all.push(known(!asks_for_a_person(rule), true)),
    }
    all
}

fn sign_in(strength: &Strength, person: &Principal) -> [Known; 3] {
    let Strength { acr, amr, max_age, .. } = strength;
    let methods: Option<Vec<_>> = person.claims.get("amr").map(texts);
    let age = person.auth_time.map(|at| NOW.seconds() - at.seconds());
    [
        known(acr.is_empty() || person.acr.as_ref().is_some_and(|it| acr.contains(it)), person.acr.is_some()),
        known(
            amr.is_empty() || methods.iter().any(|has| amr.iter().all(|it| has.contains(it))),
            methods.is_some(),
        ),
        known(
            max_age.is_none_or(|most| age.is_some_and(|age| age <= most.as_secs() + 60)),
            person.auth_time.is_some(),
        ),
    ]
}

fn asks_for_a_person(rule: &RuleSettings) -> bool {
    let (methods, networks, paths) = (rule.methods.clone(), rule.networks.clone(), rule.paths.clone());
    *rule != RuleSettings { methods, networks, paths, ..RuleSettings::default() }
}

fn about(rule: &RuleSettings, person: &Principal, deny: bool) -> Vec<Known> {
    let one_of = |wanted: &[String], found: &[String]| {
        wanted.is_empty() || found.iter().any(|found| wanted.contains(found))
    };
    let lower = |list: &[String]| list.iter().map(|text| text.to_lowercase()).collect::<Vec<_>>();
    let email = person.email.iter().find(|email| email.verified || deny);
    let address: Vec<_> = email.iter().map(|email| email.address.to_lowercase()).collect();
    let domain: Vec<_> = email.and_then(Email::domain).into_iter().collect();
    let whole = |gap| !person.gaps.has(gap);
    let mut all = vec![
        known(rule.providers.is_empty() || rule.providers.contains(&person.provider), true),
        known(one_of(&rule.users, std::slice::from_ref(&person.user)), whole(Gap::User)),
        known(one_of(&lower(&rule.emails), &address), whole(Gap::Email)),
        known(one_of(&lower(&rule.email_domains), &domain), whole(Gap::Email)),
        known(one_of(&rule.groups, &person.groups), whole(Gap::Groups)),
        known(rule.scopes.iter().all(|scope| person.scopes.contains(scope)), whole(Gap::Scopes)),
    ];
    all.extend(rule.claims.iter().map(|(path, values)| {
        let found = path.find(&person.claims).cloned().unwrap_or_default();
        let there = !found.is_null() && found != json!(false);
        let holds = if values.is_empty() { there } else { one_of(values, &texts(&found)) };
        known(holds, claim_is_whole(person, &found, !values.is_empty()))
    }));
    all
}

/// Nothing of the claim `c` is elsewhere, unsaid, or in a shape without texts.
fn claim_is_whole(person: &Principal, found: &Value, values: bool) -> bool {
    let elsewhere = person.claims.contains_key("_claim_names");
    let unsaid = found.is_null() && person.gaps.has(Gap::Claims);
    let items = found.as_array().cloned().unwrap_or_else(|| vec![found.clone()]);
    let unreadable = items.iter().any(|item| item.is_object() || (item.is_array() && found.is_array()));
    !(elsewhere || unsaid || (values && unreadable))
}

fn holds(rule: &RuleSettings, asked: &Asked, deny: bool) -> bool {
    let all = conditions(rule, asked, deny);
    if deny { !all.contains(&Known::No) } else { all.iter().all(|known| *known == Known::Yes) }
}

fn reference(policies: &[PolicySettings], asked: &Asked) -> Verdict {
    let any = |rules: &[RuleSettings], deny| rules.iter().any(|rule| holds(rule, asked, deny));
    let denied = policies.iter().any(|policy| any(&policy.deny, true));
    let allowed = !policies.is_empty() && policies.iter().all(|policy| any(&policy.allow, false));
    match (denied, asked.principal.is_some(), allowed) {
        (false, true, false) if some_sign_in_would_do(policies, asked) => Verdict::StepUp,
        (true, ..) | (false, true, false) => Verdict::Forbidden,
        (false, false, _) => Verdict::SignIn,
        (false, true, true) => Verdict::Permitted,
    }
}

/// Whether, of every policy, some rule would hold that asks for nothing but another sign-in, all of them by one level:
/// each level is tried.
fn some_sign_in_would_do(policies: &[PolicySettings], asked: &Asked) -> bool {
    let weaker = |rule: &RuleSettings| RuleSettings { strength: Strength::default(), ..rule.clone() };
    let of_level = |rule: &RuleSettings, level: &str| {
        let acr = &rule.strength.acr;
        (acr.is_empty() || acr.iter().any(|it| it == level)) && holds(&weaker(rule), asked, false)
    };
    !policies.is_empty()
        && LEVELS
            .iter()
            .any(|level| policies.iter().all(|it| it.allow.iter().any(|rule| of_level(rule, level))))
}

/// The scopes of the first rule that misses nothing else, as the explanation has it.
fn scopes_by_explanation(access: &Access, asked: &Asked) -> Option<String> {
    let explanation = explain(access, &asked.question());
    let Reason::NotAllowed { policy, .. } = explanation.reason else { return None };
    explanation.policies[policy].allow.iter().find_map(|rule| {
        let missed: Vec<_> =
            rule.conditions.iter().filter(|condition| condition.truth != Truth::Yes).collect();
        let [only] = missed[..] else { return None };
        only.wanted.strip_prefix("all of the scopes: ").map(|scopes| scopes.replace(',', ""))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn decides_as_the_slow_reference_and_as_explained(policies in some_policies(), asked in asked()) {
        let reason = decided(&policies, &asked);
        prop_assert_eq!(reason.verdict(), reference(&policies, &asked));
        let access = Access::compile(&AccessSettings::Policies(policies));
        prop_assert_eq!(explain(&access, &asked.question()).reason, reason);
    }

    #[test]
    fn finds_among_many_rules_what_a_walk_over_all_finds(policies in many_rules(), asked in asked()) {
        let reason = decided(&policies, &asked);
        prop_assert_eq!(reason.verdict(), reference(&policies, &asked));
        let access = Access::compile(&AccessSettings::Policies(policies));
        prop_assert_eq!(explain(&access, &asked.question()).reason, reason);
        prop_assert_eq!(missing_scopes(&access, &asked.question()), scopes_by_explanation(&access, &asked));
    }

    #[test]
    fn another_deny_rule_never_widens(mut policies in some_policies(), deny in rule(), asked in asked()) {
        prop_assume!(!policies.is_empty());
        let before = decided(&policies, &asked).verdict();
        policies.push(policy("more", vec![RuleSettings::default()], vec![deny]));
        let after = decided(&policies, &asked).verdict();
        prop_assert!(after == before || after == Verdict::Forbidden, "{:?} {:?}", before, after);
    }

    /// Whoever is let in although something is unknown is let in whatever it turns out to be.
    #[test]
    fn invariant_19_knowing_more_never_keeps_out(
        policies in some_policies(),
        asked in asked(),
        more in some_of(&NAMES),
    ) {
        let with = |person: &Principal, gaps, more: &[String]| {
            let groups = person.groups.iter().chain(more).cloned().collect();
            Some(Arc::new(Principal { groups, gaps, ..person.clone() }))
        };
        prop_assume!(asked.principal.is_some());
        let person = asked.principal.clone().unwrap();
        let unknown = Asked { principal: with(&person, person.gaps.with(Gap::Groups), &[]), ..asked };
        if decided(&policies, &unknown).verdict() == Verdict::Permitted {
            let others = Gap::ALL.into_iter().filter(|gap| *gap != Gap::Groups && person.gaps.has(*gap));
            let known = Asked { principal: with(&person, others.collect(), &more), ..unknown };
            prop_assert_eq!(decided(&policies, &known).verdict(), Verdict::Permitted);
        }
    }

    #[test]
    fn another_policy_never_widens(policies in some_policies(), more in some_policies(), asked in asked()) {
        prop_assume!(!policies.is_empty());
        let both: Vec<_> = policies.iter().chain(&more).cloned().collect();
        if decided(&both, &asked).verdict() == Verdict::Permitted {
            prop_assert_eq!(decided(&policies, &asked).verdict(), Verdict::Permitted);
        }
    }

    #[test]
    fn another_condition_on_an_allow_rule_never_widens(allow in rule(), more in rule(), asked in asked()) {
        let narrow = RuleSettings { groups: more.groups, networks: more.networks, ..allow.clone() };
        let wide = RuleSettings { groups: vec![], networks: vec![], ..allow };
        if decided(&[policy("p", vec![narrow], vec![])], &asked).verdict() == Verdict::Permitted {
            prop_assert_eq!(decided(&[policy("p", vec![wide], vec![])], &asked).verdict(), Verdict::Permitted);
        }
    }

    #[test]
    fn nobody_is_permitted_but_on_public_routes(policies in some_policies(), asked in asked()) {
        let stranger = Asked { principal: None, ..asked };
        prop_assert_ne!(decided(&policies, &stranger).verdict(), Verdict::Permitted);
    }
}
