//! Which sign-in would let somebody in whom the rules refuse only for how they signed in.

use std::collections::HashSet;

use super::rule::Rule;
use super::{Access, Question};
use crate::identity::Strength;

/// A sign-in that would do.
pub(super) struct StepUp {
    /// What every policy asks of it together.
    pub(super) strength: Strength,
    /// The `allow` rule of each policy that would hold then.
    pub(super) rules: Vec<usize>,
}

/// An `allow` rule that holds but for how strong the sign-in was, and its place in its policy.
type Candidate<'a> = (usize, &'a Rule);

/// The sign-in by which every policy would allow; `None` where there is none: some policy refuses the person however
/// they sign in, or no level (`acr`) satisfies all policies, of which a sign-in has one alone.
///
/// A policy that allows already counts as well: what it asks must still hold then.
#[cold] // kept out of what every request passes
#[inline(never)]
pub(super) fn step_up(access: &Access, question: &Question<'_>) -> Option<StepUp> {
    let policies = access.policies();
    if !policies.iter().any(|policy| policy.allow.ask_for_strength()) {
        return None;
    }
    let candidates: Vec<_> = policies.iter().map(|policy| policy.allow.but_for_strength(question)).collect();
    let mut seen = HashSet::new();
    let levels = candidates.iter().flatten().flat_map(|(_, rule)| rule.levels());
    levels
        .filter(|level| seen.insert(*level))
        .map(Some)
        .chain([None])
        .find_map(|level| at_level(level, &candidates))
}

/// The `allow` rule of the policy at `policy` that a stronger sign-in would meet, where every other policy allowed as well.
pub(super) fn rule_to_meet(access: &Access, policy: usize, question: &Question<'_>) -> Option<usize> {
    step_up(access, question)?.rules.get(policy).copied()
}

/// What a sign-in has to prove at the least, whoever makes it: where nobody is signed in, it is asked for at once rather
/// than by a second sign-in. Every policy is required, and of each the `allow` rules that hold for such a request of
/// somebody's: what all of these ask for. Methods (`amr`) are left out; a provider can only be asked for them by a sign-in
/// from scratch, which a person who has used them already need not make.
#[cold]
#[inline(never)]
pub fn least_strength(access: &Access, question: &Question<'_>) -> Strength {
    let mut strength = Strength::default();
    let asking = access.policies().iter().filter(|policy| policy.allow.ask_for_strength());
    asking.for_each(|policy| add(&mut strength, &least(policy.allow.for_somebody(question))));
    strength
}

/// What all of these rules ask for.
fn least<'r>(rules: impl Iterator<Item = &'r Rule>) -> Strength {
    let asked = |rule: &'r Rule| {
        let strength = rule.strength.as_deref();
        strength.map(|it| (it.acr.clone(), it.max_age)).unwrap_or_default()
    };
    let common = rules.map(asked).reduce(|(mut levels, age), (others, other_age)| {
        let open =
            mutant!(levels.is_empty() || others.is_empty(), "first-sign-in-stronger-than-needed" => false);
        if open {
            levels.clear();
        } else {
            let new: Vec<_> = others.into_iter().filter(|level| !levels.contains(level)).collect();
            levels.extend(new);
        }
        (levels, age.zip(other_age).map(|(one, other)| one.max(other)))
    });
    let (acr, max_age) = common.unwrap_or_default();
    Strength { acr, max_age, ..Strength::default() }
}

/// The same by sign-ins of this level, or without any.
fn at_level(level: Option<&String>, candidates: &[Vec<Candidate<'_>>]) -> Option<StepUp> {
    let chosen = candidates.iter().map(|rules| choose(level, rules)).collect::<Option<Vec<_>>>()?;
    let mut strength = Strength::default();
    let asked = chosen.iter().filter_map(|(_, rule)| rule.strength.as_deref());
    asked.for_each(|more| add(&mut strength, more));
    Some(StepUp { strength, rules: chosen.into_iter().map(|(place, _)| place).collect() })
}

/// The first rule that asks for nothing, or else the first that takes the level.
fn choose<'a>(level: Option<&String>, rules: &[Candidate<'a>]) -> Option<Candidate<'a>> {
    let takes = |(_, rule): &&Candidate<'_>| {
        let mut levels = rule.levels().peekable();
        levels.peek().is_none() || levels.any(|taken| Some(taken) == level)
    };
    let asks_nothing = |(_, rule): &&Candidate<'_>| rule.strength.is_none();
    rules.iter().find(asks_nothing).or_else(|| rules.iter().find(takes)).copied()
}

/// Both are asked for from now on. Where both name levels, some are common to them.
fn add(strength: &mut Strength, more: &Strength) {
    if strength.acr.is_empty() {
        strength.acr.clone_from(&more.acr);
    } else if !more.acr.is_empty() {
        let common = |level: &String| more.acr.contains(level);
        mutant!(strength.acr.retain(common), "levels-of-one-policy" => ());
    }
    let new = |method: &&String| !strength.amr.contains(method);
    let new: Vec<_> = more.amr.iter().filter(new).cloned().collect();
    strength.amr.extend(new);
    strength.max_age = strength.max_age.into_iter().chain(more.max_age).min();
}
