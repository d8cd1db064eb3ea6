//! From the ranking to a finding: what speaks for the leading suspect, what against it, and how sure that makes us.

use std::collections::BTreeSet;

pub(in crate::investigation) use super::weigh::missing;
use super::weigh::{NO_BASELINE, not_looked_at};
use crate::{
    analysis::{Layer, Mechanism, Naming, Party, Place, Suspect},
    investigation::{
        account,
        case::Case,
        filters,
        finding::{Confidence, Finding, Named, Verdict},
        words,
    },
};

/// The suspects, with the place where packets are lost among them.
pub(super) fn ranked(case: &Case) -> Vec<Suspect> {
    let mut ranked = case.diagnosis.suspects.clone();
    let Some(lossy) = &case.lossy else {
        return ranked;
    };
    let party = match &lossy.place {
        Place::Pod { party, .. } => party.clone(),
        Place::Node(node) => Party {
            namespace: None,
            name: node.clone(),
            naming: Naming::Node,
        },
    };
    // Losses in one place explain what is slow or unanswered around it.
    let around = |suspect: &Suspect| {
        let network = !matches!(
            suspect.mechanism,
            Mechanism::Surge { .. }
                | Mechanism::Misrouted { .. }
                | Mechanism::AsksWrongly(_)
                | Mechanism::Retries { .. }
        );
        network
            && (party.naming == Naming::Node
                || suspect.party == party
                || lossy.peers.contains(&suspect.party)
                || suspect
                    .edges
                    .iter()
                    .any(|key| key.from == party || key.to == party))
    };
    let top = ranked.first().map_or(0.0, |first| first.score);
    let suspect = match ranked.iter().find(|suspect| around(suspect)).cloned() {
        Some(base) => Suspect {
            score: top.max(base.score) + 0.5,
            share: 1.0,
            mechanism: Mechanism::Network,
            party,
            ..base
        },
        // Nothing fails and nothing is slow on the whole: what is lost is all there is to say.
        None if ranked.is_empty() => {
            let edges: Vec<_> = case
                .picture
                .edges
                .keys()
                .filter(|key| key.to == party && key.layer.is_request())
                .cloned()
                .collect();
            Suspect {
                party,
                mechanism: Mechanism::Network,
                path: Vec::new(),
                explains: edges.iter().cloned().collect(),
                edges,
                score: 1.0,
                share: 1.0,
                weight: lossy.during.0,
                calls: Vec::new(),
                slowness: None,
                onset: None,
            }
        }
        None => return ranked,
    };
    ranked.retain(|other| other.party != suspect.party);
    ranked.insert(0, suspect);
    ranked
}

/// What one doubt leaves of the confidence, and what a finding without doubts has: `docs/analysis.md` shows how often
/// findings of each level are right.
pub(in crate::investigation) const ONE_DOUBT: f64 = 0.78;
const NO_DOUBT: f64 = 0.95;

/// Below this a suspect is no cause.
const FLOOR: f64 = 0.47;

pub(in crate::investigation) fn level(probability: f64) -> Confidence {
    match probability {
        0.8.. => Confidence::High,
        0.6.. => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// Queries without an answer from which on nothing is concluded.
const TOO_MANY: usize = 3;

/// From this share on what is missing may hold all that matters.
const MUCH_MISSING: f64 = 0.25;

/// From this share on the incident that is seen may not be the one that was meant.
const ALMOST_ALL_MISSING: f64 = 0.9;

/// A second cause explains this much of what the first one does not.
const SECOND: f64 = 0.3;

/// What the part of the window that is missing from the data leaves of the confidence. Where an incident was
/// `seen_to_begin` after a calm, what is missing may hold more, but nothing that explains it.
fn left_by_missing(case: &Case, seen_to_begin: bool) -> f64 {
    match case.coverage.missing {
        missing if missing <= MUCH_MISSING => 1.0,
        missing if !seen_to_begin => 1.0 - missing / 2.0,
        missing if missing <= ALMOST_ALL_MISSING => 1.0,
        _ => ONE_DOUBT,
    }
}

/// The finding around the leading suspect.
pub(super) fn found(case: &Case, leading: &Suspect, ranked: &[Suspect], gaps: &[String]) -> Finding {
    let named = account::cause(case, leading);
    let seen_to_begin = case.picture.has_baseline && named.onset.is_some();
    let path = account::path(case, leading);
    let mut doubts = Vec::new();
    if !case.picture.has_baseline {
        doubts.push(NO_BASELINE.to_owned());
    }
    doubts.extend(gaps.first().map(|gap| not_looked_at(gap)));
    doubts.extend(missing(case));
    match named.onset {
        None if leading.slowness.is_none() && leading.mechanism != Mechanism::Network => {
            doubts.push("no first abnormal call could be found".to_owned());
        }
        None => {}
        Some(onset) => {
            let earlier = path
                .iter()
                .filter(|hop| hop.ended < onset)
                .min_by_key(|hop| hop.first_abnormal);
            if let Some(hop) = earlier {
                doubts.push(format!(
                    "the call from {} to {} failed before the cause did",
                    hop.from, hop.to
                ));
            }
        }
    }
    let others: Vec<&Suspect> = ranked
        .iter()
        .filter(|other| other.party != leading.party && !on_the_way(leading, other))
        .collect();
    let second = others.iter().copied().find(|other| is_second(leading, other));
    let rival = others
        .iter()
        .copied()
        .find(|other| second.is_none_or(|second| second.party != other.party));
    if let Some(rival) = rival.filter(|rival| rival.score * 2.0 >= leading.score) {
        doubts.push(format!(
            "{} changed as well: {}",
            rival.party,
            account::why(case, rival)
        ));
    }
    if leading.share < 0.5 && second.is_none() {
        doubts.push(format!(
            "it explains {} % of what is abnormal",
            (leading.share * 100.0).round()
        ));
    }
    let unanswered: usize = case
        .coverage
        .unanswered
        .values()
        .map(|failed| failed.count as usize)
        .sum();
    let mut probability = NO_DOUBT;
    for _ in &doubts {
        probability *= ONE_DOUBT;
    }
    if leading.calls.is_empty() && leading.slowness.as_ref().is_some_and(|slow| slow.score < 1.0) {
        probability *= ONE_DOUBT;
        doubts.push("the step in latency is small".to_owned());
    }
    probability *= left_by_missing(case, seen_to_begin);
    if unanswered >= TOO_MANY || case.coverage.cut_short || case.coverage.unreliable {
        probability = 0.0;
    }
    let suspects = listed(case, ranked);
    if probability < FLOOR {
        return Finding {
            probability,
            suspects,
            ..undecided(leading, rival, doubts)
        };
    }
    let mut impact = account::impact(case, leading);
    let mut causes = vec![named];
    if let Some(second) = second {
        causes.push(account::cause(case, second));
        for more in account::impact(case, second) {
            if impact.iter().all(|old| old.party != more.party) {
                impact.push(more);
            }
        }
    }
    let guilty: BTreeSet<&Party> = causes.iter().map(|cause| &cause.party).collect();
    let mut ruled_out = account::ruled_out(case, leading);
    ruled_out.retain(|out| !guilty.contains(&out.party));
    Finding {
        probability,
        suspects,
        impact,
        ruled_out,
        path,
        next: account::next(case, causes.first(), leading),
        causes,
        ..Finding::bare(Verdict::RootCause, level(probability), doubts)
    }
}

/// Whether the other suspect lies between the leading one and those who noticed: then it is an effect.
fn on_the_way(leading: &Suspect, other: &Suspect) -> bool {
    leading
        .explains
        .iter()
        .chain(&leading.path)
        .any(|key| key.to == other.party || key.from == other.party)
}

/// Whether the other suspect stands for failures of its own beside those of the leading one.
fn is_second(leading: &Suspect, other: &Suspect) -> bool {
    let apart = leading.explains.iter().all(|key| !other.edges.contains(key));
    let failing = matches!(other.mechanism, Mechanism::Failing(_, _));
    apart && failing && other.share >= SECOND && other.weight >= 10 && !on_the_way(other, leading)
}

fn listed(case: &Case, ranked: &[Suspect]) -> Vec<Named> {
    const LISTED: usize = 8;
    let top = ranked
        .first()
        .map_or(1.0, |first| first.score)
        .max(f64::MIN_POSITIVE);
    ranked
        .iter()
        .take(LISTED)
        .map(|suspect| {
            let cause = account::cause(case, suspect);
            Named {
                party: cause.party,
                workload: cause.workload,
                kind: cause.kind,
                score: suspect.score / top,
                why: account::why(case, suspect),
            }
        })
        .collect()
}

/// Too much speaks against every suspect: the best two are named as what they are, with what would decide.
fn undecided(leading: &Suspect, rival: Option<&Suspect>, doubts: Vec<String>) -> Finding {
    let mut because = doubts;
    let mut next = Vec::new();
    for suspect in [Some(leading), rival].into_iter().flatten() {
        let explains = words::number(suspect.weight);
        because.push(format!(
            "a suspect, not a cause: {} (abnormal calls it would explain: {explains})",
            suspect.party
        ));
        if let Some(key) = suspect.edges.first() {
            let along = filters::along(key);
            let filter = if key.layer == Layer::Tcp || suspect.slowness.is_none() {
                filters::failing(along, key.layer)
            } else {
                along
            };
            next.push(format!(
                "would decide: the calls from {} to {}, `{filter}`, before and during the window",
                key.from, key.to
            ));
        }
    }
    Finding {
        next,
        ..Finding::bare(Verdict::Inconclusive, Confidence::Low, because)
    }
}
