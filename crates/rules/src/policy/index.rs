//! Rules by what they ask for, so that a decision costs the same among a thousand rules as among ten.

use std::collections::HashMap;

use super::Question;
use super::condition::Kind;
use super::rule::{Rule, Sought};

/// Every rule is filed under the keys of one of its conditions, and only the rules under a key that the question
/// has, or may have, are asked: no other can hold. The index never says that a rule holds; the rule itself does.
#[derive(Clone, Debug)]
pub(super) struct Index {
    shelves: Box<[Shelf]>,
    /// Rules without a key: of networks, of methods, of a claim that is there at all, or of nothing.
    rest: Filed,
}

/// The rules that are filed under keys of one kind.
#[derive(Clone, Debug)]
struct Shelf {
    kind: Kind,
    filed: HashMap<Box<str>, Filed>,
    /// Every rule of the shelf, for a question of which not all keys are known.
    all: Filed,
    /// No key is longer: longer ones are not hashed, so that a path of many segments costs no more than its length.
    longest: usize,
}

/// Indices of rules, in their order.
type Filed = Vec<usize>;

/// A condition's keys.
type Keys = (Kind, Vec<String>);

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut rest = Filed::new();
        let mut shelves: HashMap<Kind, HashMap<Box<str>, Filed>> = HashMap::new();
        for (index, chosen) in chosen(rules).into_iter().enumerate() {
            let Some((kind, keys)) = chosen else {
                rest.push(index);
                continue;
            };
            let shelf = shelves.entry(kind).or_default();
            keys.into_iter().for_each(|key| shelf.entry(key.into()).or_default().push(index));
        }
        Self { shelves: shelves.into_iter().map(Shelf::new).collect(), rest }
    }

    /// The first rule of those that may hold of which `holds` is true.
    pub(super) fn first(
        &self,
        question: &Question<'_>,
        sought: Sought,
        holds: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut first = None;
        let mut ask = |filed: &Filed| {
            let earlier = filed.iter().copied().take_while(|rule| first.is_none_or(|first| *rule < first));
            first = earlier.into_iter().find(|rule| holds(*rule)).or(first);
        };
        ask(&self.rest);
        for shelf in &self.shelves {
            let unknown = sought == Sought::Possible && shelf.kind.may_have_more(question);
            if mutant!(unknown, "unknown-not-among-many-rules" => false) {
                ask(&shelf.all);
            } else {
                shelf.kind.each(question, &mut |key| shelf.under(key).into_iter().for_each(&mut ask));
            }
        }
        first
    }
}

impl Shelf {
    fn new((kind, filed): (Kind, HashMap<Box<str>, Filed>)) -> Self {
        let longest = filed.keys().map(|key| key.len()).max().unwrap_or(0);
        let mut all: Filed = filed.values().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        Self { kind, filed, all, longest }
    }

    fn under(&self, key: &str) -> Option<&Filed> {
        (key.len() <= self.longest).then(|| self.filed.get(key)).flatten()
    }
}

/// For each rule the keys of that condition which it shares with the fewest other rules.
fn chosen(rules: &[Rule]) -> Vec<Option<Keys>> {
    let keys: Vec<Vec<Keys>> = rules
        .iter()
        .map(|rule| rule.conditions.iter().filter_map(|condition| condition.keys()).collect())
        .collect();
    let mut shared: HashMap<(&Kind, &str), usize> = HashMap::new();
    for (kind, keys) in keys.iter().flatten() {
        keys.iter().for_each(|key| *shared.entry((kind, key)).or_default() += 1);
    }
    let rules = |(kind, keys): &&Keys| keys.iter().map(|key| shared[&(kind, key.as_str())]).sum::<usize>();
    keys.iter().map(|keys| keys.iter().min_by_key(rules).cloned()).collect()
}
