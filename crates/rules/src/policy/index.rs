//! Rules by what they ask for, so that a decision costs the same among a thousand rules as among ten.

use std::collections::HashMap;

use super::Question;
use super::condition::KeyKind;
use super::rule::{Certainty, Rule};

/// Every rule is filed under the keys of one of its conditions, and only the rules under a key that the question
/// has, or may have, are asked: no other can hold. The index never says that a rule holds; the rule itself does.
#[derive(Clone, Debug)]
pub(super) struct Index {
    by_kind: Box<[KindIndex]>,
    /// Rules without a key: of networks, of methods, of a claim that is there at all, or of nothing.
    rest: RuleIndices,
}

/// The rules that are filed under keys of one kind.
#[derive(Clone, Debug)]
struct KindIndex {
    kind: KeyKind,
    by_key: HashMap<Box<str>, RuleIndices>,
    /// Every rule that is filed here, for a question of which not all keys are known.
    all: RuleIndices,
    /// No key is longer: longer ones are not hashed, so that a path of many segments costs no more than its length.
    longest: usize,
}

/// Indices of rules, in their order.
type RuleIndices = Vec<usize>;

/// A condition's keys.
type ConditionKeys = (KeyKind, Vec<String>);

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut rest = RuleIndices::new();
        let mut by_kind: HashMap<KeyKind, HashMap<Box<str>, RuleIndices>> = HashMap::new();
        for (index, chosen) in chosen(rules).into_iter().enumerate() {
            let Some((kind, keys)) = chosen else {
                rest.push(index);
                continue;
            };
            let index_of_kind = by_kind.entry(kind).or_default();
            keys.into_iter().for_each(|key| index_of_kind.entry(key.into()).or_default().push(index));
        }
        Self { by_kind: by_kind.into_iter().map(KindIndex::new).collect(), rest }
    }

    /// The first rule of those that may hold of which `holds` is true.
    pub(super) fn first(
        &self,
        question: &Question<'_>,
        certainty: Certainty,
        holds: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut first = None;
        let mut ask = |filed: &RuleIndices| {
            let earlier = filed.iter().copied().take_while(|rule| first.is_none_or(|first| *rule < first));
            first = earlier.into_iter().find(|rule| holds(*rule)).or(first);
        };
        ask(&self.rest);
        for index_of_kind in &self.by_kind {
            let unknown = certainty == Certainty::Possible && index_of_kind.kind.may_have_more(question);
            if mutant!(unknown, "unknown-not-among-many-rules" => false) {
                ask(&index_of_kind.all);
            } else {
                index_of_kind
                    .kind
                    .each(question, &mut |key| index_of_kind.under(key).into_iter().for_each(&mut ask));
            }
        }
        first
    }
}

impl KindIndex {
    fn new((kind, by_key): (KeyKind, HashMap<Box<str>, RuleIndices>)) -> Self {
        let longest = by_key.keys().map(|key| key.len()).max().unwrap_or(0);
        let mut all: RuleIndices = by_key.values().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        Self { kind, by_key, all, longest }
    }

    fn under(&self, key: &str) -> Option<&RuleIndices> {
        (key.len() <= self.longest).then(|| self.by_key.get(key)).flatten()
    }
}

/// For each rule the keys of that condition which it shares with the fewest other rules.
fn chosen(rules: &[Rule]) -> Vec<Option<ConditionKeys>> {
    let keys: Vec<Vec<ConditionKeys>> = rules
        .iter()
        .map(|rule| rule.conditions.iter().filter_map(|condition| condition.keys()).collect())
        .collect();
    let mut shared: HashMap<(&KeyKind, &str), usize> = HashMap::new();
    for (kind, keys) in keys.iter().flatten() {
        keys.iter().for_each(|key| *shared.entry((kind, key)).or_default() += 1);
    }
    let rules =
        |(kind, keys): &&ConditionKeys| keys.iter().map(|key| shared[&(kind, key.as_str())]).sum::<usize>();
    keys.iter().map(|keys| keys.iter().min_by_key(rules).cloned()).collect()
}
