//! Which party the changes point at.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    compare::{Thresholds, compare},
    outcome::{Outcome, outcome},
    picture::{Edge, EdgeKey, Layer, Party, Picture},
};
use crate::time::Utc;

/// A party whose own behaviour changed and none of whose callees' did.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    pub party: Party,
    /// The abnormal edges into it.
    pub edges: Vec<EdgeKey>,
    /// Edges from where people noticed down to the party; the last one ends in it.
    pub path: Vec<EdgeKey>,
    /// Abnormal edges that lead to it, its own included.
    pub explains: BTreeSet<EdgeKey>,
    /// Abnormal calls of others that it explains; its own where there are no others. Its own do not
    /// count beside them: a party that is asked ten times as often is not ten times as guilty.
    pub weight: u64,
    /// By how much the share of failing calls into it rose, in points of a thousand. Half as much where
    /// nobody called it before: what it would have answered then is not known.
    pub strength: u64,
    /// The first abnormal call into it.
    pub onset: Option<Utc>,
}

/// All suspects, the one that explains most first; among equals the one that began first.
pub fn suspects(picture: &Picture, thresholds: &Thresholds) -> Vec<Suspect> {
    let abnormal: BTreeMap<&EdgeKey, &Edge> = picture
        .edges
        .iter()
        .filter(|(_, edge)| compare(&edge.before, &edge.during, thresholds).is_abnormal())
        .collect();
    let fails_itself = |party: &Party| abnormal.keys().any(|key| &key.from == party && &key.to != party);
    let called: BTreeSet<&Party> = abnormal.keys().map(|key| &key.to).collect();
    let leaves: Vec<&Party> = called
        .iter()
        .copied()
        .filter(|party| !fails_itself(party))
        .collect();
    // A circle of callers has no leaf: then everyone in it is a suspect, and the onset decides.
    let candidates = if leaves.is_empty() {
        called.into_iter().collect()
    } else {
        leaves
    };
    let mut suspects: Vec<Suspect> = candidates
        .into_iter()
        .map(|party| suspect(party, &abnormal))
        .collect();
    suspects.sort_by(|a, b| {
        let key = |s: &Suspect| (Reverse(s.weight), Reverse(s.strength), s.onset.is_none(), s.onset);
        key(a).cmp(&key(b)).then_with(|| a.party.cmp(&b.party))
    });
    suspects
}

fn suspect(party: &Party, abnormal: &BTreeMap<&EdgeKey, &Edge>) -> Suspect {
    let mut explains = BTreeSet::new();
    let mut reached = BTreeSet::from([party]);
    let mut front = vec![party];
    while let Some(to) = front.pop() {
        for key in abnormal.keys().filter(|key| &key.to == to) {
            explains.insert((*key).clone());
            if reached.insert(&key.from) {
                front.push(&key.from);
            }
        }
    }
    let edges: Vec<EdgeKey> = abnormal
        .keys()
        .filter(|key| &key.to == party)
        .map(|key| (*key).clone())
        .collect();
    let onset = edges
        .iter()
        .filter_map(|key| abnormal.get(key)?.onset.as_ref())
        .map(|onset| onset.at)
        .min();
    let others: u64 = explains
        .iter()
        .filter(|key| &key.to != party)
        .filter_map(|key| abnormal.get(key))
        .map(|edge| abnormal_calls(edge))
        .sum();
    let own: u64 = edges
        .iter()
        .filter_map(|key| abnormal.get(key))
        .map(|edge| abnormal_calls(edge))
        .sum();
    let strength = edges
        .iter()
        .filter_map(|key| abnormal.get(key))
        .map(|edge| strength(edge))
        .max();
    Suspect {
        path: path_to(party, abnormal),
        party: party.clone(),
        edges,
        explains,
        weight: if others > 0 { others } else { own },
        strength: strength.unwrap_or(0),
        onset,
    }
}

fn strength(edge: &Edge) -> u64 {
    let per_mille = |failing: u64, calls: u64| failing.saturating_mul(1000).checked_div(calls).unwrap_or(0);
    let rise = per_mille(edge.during.failing, edge.during.calls)
        .saturating_sub(per_mille(edge.before.failing, edge.before.calls));
    if edge.before.calls == 0 { rise / 2 } else { rise }
}

/// Failing calls; on an edge that is only slower, the calls of the slower half.
fn abnormal_calls(edge: &Edge) -> u64 {
    if edge.during.failing > 0 {
        edge.during.failing
    } else {
        edge.during.calls / 2
    }
}

/// Walks from the party to its callers, each time along the edge with most abnormal calls.
fn path_to(party: &Party, abnormal: &BTreeMap<&EdgeKey, &Edge>) -> Vec<EdgeKey> {
    let mut path: Vec<EdgeKey> = Vec::new();
    let mut seen = BTreeSet::from([party]);
    let mut at = party;
    while let Some((key, _)) = abnormal
        .iter()
        .filter(|(key, _)| &key.to == at && !seen.contains(&key.from))
        .max_by_key(|(key, edge)| (leads_on(&key.from, abnormal), abnormal_calls(edge)))
    {
        path.push((*key).clone());
        seen.insert(&key.from);
        at = &key.from;
    }
    path.reverse();
    path
}

/// Whether the party is itself called abnormally: such a caller leads towards the people who noticed.
fn leads_on(party: &Party, abnormal: &BTreeMap<&EdgeKey, &Edge>) -> bool {
    abnormal.keys().any(|key| &key.to == party)
}

/// The outcome that most failing calls on these edges had, or `None` where none failed.
pub fn kind_of(edges: &[EdgeKey], picture: &Picture) -> Option<(Layer, Outcome)> {
    let mut counts: BTreeMap<(Layer, Outcome), u64> = BTreeMap::new();
    for key in edges {
        for call in picture
            .edges
            .get(key)
            .map(|edge| edge.failing.as_slice())
            .unwrap_or_default()
        {
            *counts.entry((key.layer, outcome(call))).or_default() += 1;
        }
    }
    // Connections that were refused explain requests that failed, never the other way round.
    let refused = counts.iter().find(|((layer, outcome), _)| {
        *layer == Layer::Tcp && matches!(outcome, Outcome::Refused | Outcome::Unanswered)
    });
    refused
        .or_else(|| counts.iter().max_by_key(|(_, count)| **count))
        .map(|(kind, _)| *kind)
}

/// The one pod behind all failing calls of these edges, where good calls went to others as well.
pub fn bad_replica(edges: &[EdgeKey], picture: &Picture) -> Option<String> {
    let pods = |calls: &[crate::wire::decode::Call]| -> BTreeSet<String> {
        calls
            .iter()
            .filter_map(|call| call.dst.pod.clone())
            .filter(|pod| !pod.is_empty())
            .collect()
    };
    let (mut failing, mut good, mut count) = (BTreeSet::new(), BTreeSet::new(), 0);
    for edge in edges.iter().filter_map(|key| picture.edges.get(key)) {
        failing.extend(pods(&edge.failing));
        good.extend(pods(&edge.good));
        count += edge.failing.len();
    }
    good.retain(|pod| !failing.contains(pod));
    match (failing.pop_first(), failing.is_empty()) {
        (Some(pod), true) if count >= 5 && !good.is_empty() => Some(pod),
        _ => None,
    }
}
