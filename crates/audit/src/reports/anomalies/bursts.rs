//! Many refusals of one network, one after another.

use std::collections::HashMap;

use super::{EVIDENCE, Finding, Strike, network, span};

/// So many are a burst.
const MANY: u64 = 20;
/// A burst is over when nothing has come for so long.
const PAUSE: u64 = 10 * 60_000_000;

#[derive(Default)]
struct Burst {
    first: u64,
    last: u64,
    times: u64,
    people: std::collections::HashSet<crate::segments::Pseudonym>,
    events: Vec<String>,
}

/// Finds bursts: one finding for each, however long it is.
#[must_use]
pub fn bursts(strikes: &[Strike]) -> Vec<Finding> {
    let mut going: HashMap<String, Burst> = HashMap::new();
    let mut findings = Vec::new();
    for strike in strikes {
        let Some(client) = strike.client else { continue };
        let network = network(client);
        let burst = going.entry(network.clone()).or_default();
        if burst.times > 0 && strike.time > burst.last.saturating_add(PAUSE) {
            findings.extend(std::mem::take(burst).finding(&network));
        }
        burst.add(strike);
        if mutant!(false, "burst-a-finding-each" => true) {
            findings.extend(burst.finding(&network));
        }
    }
    findings.extend(going.iter().filter_map(|(network, burst)| burst.finding(network)));
    findings
}

impl Burst {
    fn add(&mut self, strike: &Strike) {
        if self.times == 0 {
            self.first = strike.time;
        }
        self.last = self.last.max(strike.until);
        self.times += strike.times;
        self.people.extend(strike.person);
        if self.events.len() < EVIDENCE {
            self.events.push(strike.event.clone());
        }
    }

    fn finding(&self, network: &str) -> Option<Finding> {
        let whose = match self.people.len() {
            0 => "nobody who is known".to_owned(),
            1 => "one person".to_owned(),
            people => format!("{people} people"),
        };
        (self.times >= MANY).then(|| Finding {
            time: self.first,
            kind: "burst",
            person: None,
            sentence: format!(
                "{} refusals from {network} within {}, of {whose}",
                self.times,
                span(self.last.saturating_sub(self.first))
            ),
            doubt: "a program whose token has run out, or a page that asks again and again, looks the same"
                .into(),
            evidence: self.events.clone(),
        })
    }
}
