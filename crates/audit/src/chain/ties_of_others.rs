//! What gateways have signed of one another: nobody's checkpoints can be cut or written anew without those of the others.

use std::collections::BTreeMap;

use super::finding::{Finding, What};
use super::hash::Hash;
use super::series::Series;
use super::ties::Peer;

/// Finds what some gateway has tied and is not there. Each that a witness has tied must be among them; of others a gateway
/// whose own record is verified may have tied more.
pub(super) fn find(own: &[Series], witnesses: &[Series], found: &mut Vec<Finding>) {
    let all: Vec<_> = own.iter().chain(witnesses).collect();
    for (index, by) in all.iter().enumerate() {
        let is_witness = index >= own.len();
        // Of each gateway the last word is told, where it is missing; of the others, whether it is the same.
        for (number, peer) in last_of_each(by).into_values() {
            let is_known = all.iter().any(|one| one.origin == peer.origin);
            if is_witness && !mutant!(is_known, "peer-cut-unnoticed" => true) {
                let words = format!(
                    "nothing is there of what it has signed: checkpoint {number} of {} ties its checkpoint {}",
                    by.origin, peer.number
                );
                found.push(Finding::of(What::CheckpointMissing, &peer.origin, words));
            }
        }
        for other in &all {
            find_in(by, other, found);
        }
    }
}

fn last_of_each(by: &Series) -> BTreeMap<&str, (u64, &Peer)> {
    let ties = by.checkpoints.values().flat_map(|it| it.peers.iter().map(|peer| (it.number, peer)));
    ties.map(|(number, peer)| (peer.origin.as_str(), (number, peer))).collect()
}

/// Compares what one has tied of another with what that has signed.
fn find_in(by: &Series, other: &Series, found: &mut Vec<Finding>) {
    let last = other.checkpoints.keys().next_back().copied().unwrap_or(0);
    let mut gone = None;
    for checkpoint in by.checkpoints.values() {
        for peer in checkpoint.peers.iter().filter(|peer| peer.origin == other.origin) {
            match other.checkpoints.get(&peer.number) {
                Some(signed) if Hash::of(signed.text().as_bytes()) == peer.hash => {}
                Some(_) => {
                    let words = format!(
                        "its checkpoint {} is not the one that checkpoint {} of {} ties",
                        peer.number, checkpoint.number, by.origin
                    );
                    found.push(Finding::of(What::TwoOfOneNumber, &other.origin, words));
                }
                None if peer.number > last => gone = Some((checkpoint.number, peer.number)),
                // A gap is told of already.
                None => {}
            }
        }
    }
    if let Some((number, of)) = gone {
        let words = format!(
            "its checkpoints {} to {of} are gone: checkpoint {number} of {} ties them",
            last + 1,
            by.origin
        );
        found.push(Finding::of(What::CheckpointMissing, &other.origin, words));
    }
}
