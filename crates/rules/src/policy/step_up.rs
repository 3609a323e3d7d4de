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
