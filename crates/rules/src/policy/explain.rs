//! A decision spelled out: every policy, every rule, every condition.

use std::fmt;

use super::access::{Opening, Policy};
use super::condition::Truth;
use super::decision::reason;
use super::rule::{Certainty, Rule};
use super::rules::Rules;
use super::step_up::rule_to_meet;
use super::{Access, Question, Reason, Verdict};
use crate::identity::Gaps;

/// The most things that [`Explanation::missing`] lists.
const MAX_MISSING: usize = 10;

/// Everything that was looked at, and what came of it. `Display` is what log, refusal page and
/// `portcullis explain` print; its words are safe to show to the person who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the decision comes to.
    pub verdict: Verdict,
    /// Which access setting or rule decided.
    pub reason: Reason,
    /// The reason in words.
    pub summary: String,
    /// Every policy of the route.
    pub policies: Vec<PolicyResult>,
}

/// What one policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyResult {
    /// Its name in the configuration.
    pub name: String,
    /// Its `deny` rules.
    pub deny: Vec<RuleResult>,
    /// Its `allow` rules.
    pub allow: Vec<RuleResult>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleResult {
    /// Each of its conditions, in the order of the file, and whether it holds.
    pub conditions: Vec<ConditionResult>,
    certainty: Certainty,
}

/// What one condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionResult {
    /// Whether it holds.
    pub truth: Truth,
    /// What it wants, in words such as `one of the groups: ops`.
    pub wanted: String,
    /// What was found, in words such as `staff, dev`.
    pub found: String,
}

/// Spells out what [`decide`](super::decide) decides, without its short cuts.
#[must_use]
pub fn explain(access: &Access, question: &Question<'_>) -> Explanation {
    let policies: Vec<_> =
        access.policies().iter().map(|policy| PolicyResult::new(policy, question)).collect();
    let reason = match (access.opening(), question.principal) {
        (Opening::Public, _) => Reason::Public,
        (Opening::SignedIn, Some(_)) => Reason::SignedIn,
        (Opening::SignedIn, None) => Reason::NotSignedIn,
        (Opening::Policies, _) => weigh(&policies, access, question),
    };
    let summary = reason.in_words(access).to_string();
    Explanation { verdict: reason.verdict(), reason, summary, policies }
}

/// The reason that [`decide`](super::decide) comes to, found in the results of all rules.
fn weigh(policies: &[PolicyResult], access: &Access, question: &Question<'_>) -> Reason {
    let holding = |rules: &[RuleResult]| rules.iter().position(RuleResult::holds);
    let indexed = || policies.iter().enumerate();
    let denied = indexed().find_map(|(policy, result)| {
        let rule = holding(&result.deny)?;
        Some(Reason::Denied { policy, rule, unsaid: result.deny[rule].unsaid() })
    });
    let refused = indexed().find(|(_, result)| holding(&result.allow).is_none());
    let allowed =
        indexed().filter_map(|(policy, result)| Some((policy, holding(&result.allow)?))).next_back();
    match (denied, question.principal.is_some(), refused, allowed) {
        (Some(denied), ..) => denied,
        (None, false, ..) => Reason::NotSignedIn,
        (None, true, Some((policy, result)), _) => match rule_to_meet(access, policy, question) {
            Some(rule) => Reason::StepUp { policy, rule },
            None => {
                let possible = result.allow.iter().find(|rule| rule.is_possible());
                Reason::NotAllowed { policy, unsaid: possible.map(RuleResult::unsaid).unwrap_or_default() }
            }
        },
        (None, true, None, Some((policy, rule))) => Reason::Allowed { policy, rule },
        (None, true, None, None) => Reason::NoPolicy,
    }
}

impl PolicyResult {
    fn new(policy: &Policy, question: &Question<'_>) -> Self {
        let results = |rules: &Rules, certainty| {
            rules.iter().map(|rule| RuleResult::new(rule, question, certainty)).collect()
        };
        Self {
            name: policy.name.to_string(),
            deny: results(&policy.deny, Certainty::Possible),
            allow: results(&policy.allow, Certainty::Known),
        }
    }
}

impl RuleResult {
    fn new(rule: &Rule, question: &Question<'_>, certainty: Certainty) -> Self {
        let result = rule.conditions.iter().map(|condition| ConditionResult {
            truth: condition.truth(question),
            wanted: condition.wanted(),
            found: condition.found(question),
        });
        Self { conditions: result.collect(), certainty }
    }

    /// Whether it holds: an `allow` rule where all of its conditions are known to, a `deny` rule where none is known
    /// not to.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.certainty {
            Certainty::Known => self.conditions.iter().all(|condition| condition.truth == Truth::Yes),
            Certainty::Possible => self.is_possible(),
        }
    }

    /// Whether no condition is known to fail.
    fn is_possible(&self) -> bool {
        self.conditions.iter().all(|condition| condition.truth != Truth::No)
    }

    /// What the provider did not say and the rule hangs on; nothing where it fails anyhow.
    #[must_use]
    pub fn unsaid(&self) -> Gaps {
        let gaps = self.conditions.iter().filter_map(|condition| condition.truth.gap());
        if self.is_possible() { gaps.collect() } else { Gaps::default() }
    }

    /// What its conditions still want, as one text.
    fn missing(&self) -> String {
        let missed = self.conditions.iter().filter(|condition| condition.truth != Truth::Yes);
        missed.map(|condition| condition.wanted.as_str()).collect::<Vec<_>>().join(" and ")
    }
}

impl Explanation {
    /// What would have let the person in: one text an `allow` rule of the policy that did not allow, any of
    /// which is enough, at most ten. Empty where nothing would: a `deny` rule holds, or nobody is allowed.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let Reason::NotAllowed { policy, .. } = self.reason else { return Vec::new() };
        let mut missing = Vec::new();
        for text in
            self.policies.get(policy).into_iter().flat_map(|policy| &policy.allow).map(RuleResult::missing)
        {
            if !missing.contains(&text) && missing.len() < MAX_MISSING {
                missing.push(text);
            }
        }
        missing
    }
}

/// The scopes that would let the request pass if the access token had them, separated by spaces (RFC 6750,
/// section 3); `None` where no scope would help.
#[must_use]
pub fn missing_scopes(access: &Access, question: &Question<'_>) -> Option<String> {
    let Reason::NotAllowed { policy, .. } = reason(access, question) else { return None };
    let rules = &access.policies().get(policy)?.allow;
    rules.iter().find_map(|rule| {
        let mut missed = rule.conditions.iter().filter(|condition| !condition.holds(question));
        let scopes = missed.next()?.scopes()?;
        missed.next().is_none().then(|| scopes.join(" "))
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verdict, self.summary)?;
        self.policies.iter().try_for_each(|policy| write!(f, "\n{policy}"))
    }
}

impl fmt::Display for PolicyResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy {}", self.name)?;
        show(f, "deny", &self.deny)?;
        show(f, "allow", &self.allow)
    }
}

fn show(f: &mut fmt::Formatter<'_>, list: &str, rules: &[RuleResult]) -> fmt::Result {
    rules.iter().enumerate().try_for_each(|(index, rule)| {
        let holds = if rule.holds() { "holds" } else { "does not hold" };
        write!(f, "\n  {list} rule {} {holds}{rule}", index + 1)
    })
}

impl fmt::Display for RuleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.conditions.iter().try_for_each(|condition| write!(f, "\n    {condition}"))
    }
}

impl fmt::Display for ConditionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.truth {
            Truth::Yes => "hit",
            Truth::No => "miss",
            Truth::Unknown(_) => "unknown",
        };
        write!(f, "{mark}: wanted {}; found {}", self.wanted, self.found)
    }
}
