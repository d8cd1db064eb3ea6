//! The account of a suspect: cause, path, impact and innocents, each sentence made from counted
//! calls and carrying the evidence that the counts come from.

use std::collections::BTreeSet;

mod cause;

pub(super) use cause::{cause, why};

use super::{
    case::Case,
    evidence::EvidenceId,
    finding::{Cause, CauseKind, Hop, Impact, RuledOut},
    words,
};
use crate::analysis::{Change, EdgeKey, Layer, Naming, Outcome, Party, Suspect, Tally, compare, kind_of};

/// Names listed in a report; more would hide what matters.
const LISTED: usize = 12;

fn change(case: &Case, key: &EdgeKey) -> Change {
    let rules = &case.settings.playbook.survey.abnormal;
    case.picture
        .edges
        .get(key)
        .map_or(Change::None, |edge| compare(&edge.before, &edge.during, rules))
}

fn evidence(case: &Case, keys: &[EdgeKey]) -> Vec<EvidenceId> {
    let mut ids = Vec::new();
    for id in keys.iter().flat_map(|key| case.supporting(key)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// What happened on an edge, in counted calls: "812 of 812 connections were refused, 0 of 240 before".
fn counted(case: &Case, key: &EdgeKey) -> String {
    let Some(edge) = case.picture.edges.get(key) else {
        return String::new();
    };
    let noun = key.layer.noun();
    if edge.during.calls == 0 && edge.before.calls > 0 {
        return format!("no {noun} were made, {} before", words::number(edge.before.calls));
    }
    if let Change::Slower {
        percent,
        before_us,
        during_us,
    } = change(case, key)
    {
        let which = if percent == 50 {
            "half of the calls"
        } else {
            "one call in twenty"
        };
        return format!(
            "{which} took {} or more, {} before",
            words::latency(during_us),
            words::latency(before_us)
        );
    }
    let verb = match kind_of(std::slice::from_ref(key), &case.picture) {
        Some((_, Outcome::Refused)) => "were refused",
        Some((_, Outcome::Unanswered)) => "were never answered",
        Some((_, Outcome::Reset)) => "were reset",
        Some((_, Outcome::ErrorBody)) => "said in their bodies that they failed",
        _ => "failed",
    };
    let before = if edge.before.calls == 0 {
        "none was recorded before".to_owned()
    } else {
        format!("{} before", words::failing_of(&edge.before))
    };
    format!("{} {noun} {verb}, {before}", words::failing_of(&edge.during))
}

/// The hops from where people noticed to the cause. A hop without a first abnormal call is left out.
pub(super) fn path(case: &Case, suspect: &Suspect) -> Vec<Hop> {
    suspect
        .path
        .iter()
        .filter_map(|key| {
            let onset = case.picture.edges.get(key)?.onset.as_ref()?;
            let first = case.readings.get(key).map(|reading| {
                let said = reading
                    .said
                    .as_ref()
                    .map(|said| format!(": `{said}`"))
                    .unwrap_or_default();
                format!("; the first one {}{said}", reading.outcome)
            });
            Some(Hop {
                from: key.from.clone(),
                to: key.to.clone(),
                layer: key.layer,
                first_abnormal: onset.at,
                ended: onset.ended,
                what: format!("{}{}", counted(case, key), first.unwrap_or_default()),
                evidence: evidence(case, std::slice::from_ref(key)),
            })
        })
        .collect()
}

/// Who was hurt: every party whose calls failed or became slow, those on the path first, from where it was noticed.
pub(super) fn impact(case: &Case, suspect: &Suspect) -> Vec<Impact> {
    let mut parties: BTreeSet<&Party> = suspect.explains.iter().map(|key| &key.to).collect();
    if parties.len() > 1 {
        parties.remove(&suspect.party);
    }
    let place = |party: &Party| {
        suspect
            .path
            .iter()
            .position(|key| &key.to == party)
            .unwrap_or(usize::MAX)
    };
    let mut hurt: Vec<(u64, Impact)> = parties
        .into_iter()
        .filter_map(|party| {
            let keys: Vec<EdgeKey> = suspect
                .explains
                .iter()
                .filter(|key| &key.to == party && key.layer != Layer::Dns)
                .cloned()
                .collect();
            let key = keys
                .iter()
                .find(|key| key.layer == Layer::Http)
                .or(keys.first())?;
            let (before, during) = case.picture.into_party(party, key.layer);
            let noun = key.layer.noun();
            // Where the harm is the waiting, the few calls that fail as they always do are not it.
            let slower = matches!(change(case, key), Change::Slower { .. });
            let what = if during.failing > 0 && !slower {
                let usual = if before.calls == 0 {
                    String::new()
                } else {
                    format!(", {} before", words::failing_of(&before))
                };
                format!("{} {noun} failed{usual}", words::failing_of(&during))
            } else {
                counted(case, key)
            };
            let all: Vec<EdgeKey> = case
                .picture
                .edges
                .keys()
                .filter(|k| &k.to == party && k.layer == key.layer)
                .cloned()
                .collect();
            Some((
                during.failing,
                Impact {
                    party: party.clone(),
                    what,
                    evidence: evidence(case, &all),
                },
            ))
        })
        .filter(|(_, impact)| !impact.evidence.is_empty())
        .collect();
    hurt.sort_by_key(|(failing, impact)| (place(&impact.party), std::cmp::Reverse(*failing)));
    hurt.into_iter().take(LISTED).map(|(_, impact)| impact).collect()
}

/// The loud and innocent, then those that behaved as before.
pub(super) fn ruled_out(case: &Case, suspect: &Suspect) -> Vec<RuledOut> {
    let mut out = Vec::new();
    let loud: BTreeSet<&Party> = suspect
        .explains
        .iter()
        .map(|key| &key.to)
        .filter(|party| **party != suspect.party)
        .collect();
    for party in loud {
        let Some(deeper) = suspect.explains.iter().find(|key| &key.from == party) else {
            continue;
        };
        let keys: Vec<EdgeKey> = suspect
            .explains
            .iter()
            .filter(|key| &key.to == party || &key.from == party)
            .cloned()
            .collect();
        let (_, during) = case.picture.into_party(party, Layer::Http);
        let reason = format!(
            "{} of its calls failed, but what it calls changed too: to {}, {}",
            words::failing_of(&during),
            deeper.to,
            counted(case, deeper)
        );
        out.push(RuledOut {
            party: party.clone(),
            reason,
            evidence: evidence(case, &keys),
        });
    }
    out.extend(unchanged(case, Some(suspect)));
    out.retain(|ruled| !ruled.evidence.is_empty());
    out.truncate(LISTED);
    out
}

/// Parties whose calls are as they were, busiest first.
pub(super) fn unchanged(case: &Case, suspect: Option<&Suspect>) -> Vec<RuledOut> {
    let mut calm: Vec<(u64, RuledOut)> = Vec::new();
    for party in case.picture.called() {
        if suspect.is_some_and(|suspect| {
            &suspect.party == party || suspect.explains.iter().any(|key| &key.to == party)
        }) {
            continue;
        }
        let keys: Vec<EdgeKey> = case
            .picture
            .edges
            .keys()
            .filter(|key| &key.to == party)
            .cloned()
            .collect();
        if keys.iter().any(|key| change(case, key).is_abnormal()) {
            continue;
        }
        let layer = [Layer::Http, Layer::Dns, Layer::Tcp]
            .into_iter()
            .find(|layer| keys.iter().any(|key| key.layer == *layer));
        let Some(layer) = layer else { continue };
        let (before, during) = case.picture.into_party(party, layer);
        if during.calls == 0 {
            continue;
        }
        let keys: Vec<EdgeKey> = keys.into_iter().filter(|key| key.layer == layer).collect();
        calm.push((
            during.calls,
            RuledOut {
                party: party.clone(),
                reason: calm_reason(layer, &before, &during),
                evidence: evidence(case, &keys),
            },
        ));
    }
    calm.retain(|(_, ruled)| !ruled.evidence.is_empty());
    calm.sort_by_key(|(calls, _)| std::cmp::Reverse(*calls));
    calm.into_iter().take(LISTED).map(|(_, ruled)| ruled).collect()
}

fn calm_reason(layer: Layer, before: &Tally, during: &Tally) -> String {
    let noun = layer.noun();
    if before.calls == 0 {
        format!("{} {noun} failed", words::failing_of(during))
    } else {
        format!(
            "as before: {} {noun} failed, {} before",
            words::failing_of(during),
            words::failing_of(before)
        )
    }
}

/// How the workload that the user named did.
pub(super) fn about(case: &Case) -> Option<String> {
    let service = case.settings.service.as_ref()?;
    let named = |party: &Party| {
        party.name == service.name && (service.namespace.is_none() || party.namespace == service.namespace)
    };
    let said: Vec<String> = [Layer::Http, Layer::Dns, Layer::Tcp]
        .into_iter()
        .filter_map(|layer| {
            let (key, _) = case
                .picture
                .edges
                .iter()
                .find(|(key, edge)| key.layer == layer && named(&key.to) && edge.during.calls > 0)?;
            let (before, during) = case.picture.into_party(&key.to, layer);
            let noun = layer.noun();
            Some(format!(
                "{} {noun} failed, {} before",
                words::failing_of(&during),
                words::failing_of(&before)
            ))
        })
        .collect();
    Some(if said.is_empty() {
        format!("{service}: it is in the recorded traffic, with no request and no failing connection")
    } else {
        format!("{service}: {}", said.join("; "))
    })
}

/// What to do now, in order.
pub(super) fn next(case: &Case, cause: Option<&Cause>, suspect: &Suspect) -> Vec<String> {
    let Some(cause) = cause else { return Vec::new() };
    let name = &cause.party.name;
    let namespace = cause
        .party
        .namespace
        .as_ref()
        .map(|namespace| format!("-n {namespace} "))
        .unwrap_or_default();
    let mut next = Vec::new();
    if cause.party.naming == Naming::Node {
        next.push(format!(
            "look at the node {name}: `kubectl describe node {name}`, its network interface and its neighbours; moving its pods elsewhere shows whether it is the node"
        ));
    } else if cause.party.is_outside() {
        next.push(
            "the calls come from outside the cluster: ask who sends them, and limit their rate where it hurts".to_owned(),
        );
    } else if cause.party.namespace.is_none() && cause.party.naming == Naming::Address {
        next.push(format!(
            "{name} is outside the cluster: ask whoever runs it, and check the way to it"
        ));
    } else {
        next.push(match cause.kind {
            _ if cause.ended.is_some() => format!(
                "it is over: look at what restarted, was deployed or changed at {name} between onset and end: `kubectl {namespace}get events` and the logs of {name}"
            ),
            CauseKind::Refused => format!(
                "nothing listens at {name}: look at `kubectl {namespace}get pods,endpoints` and at why {name} is not running"
            ),
            CauseKind::Blackholed => format!(
                "nothing answers at {name}: look at network policies, endpoints and the node of {name}: `kubectl {namespace}get endpoints,networkpolicy`"
            ),
            CauseKind::BadReplica => format!(
                "look at the pod {0}: `kubectl {namespace}describe pod {0}`; deleting it moves its traffic to the others",
                cause.workload.as_deref().unwrap_or(name)
            ),
            CauseKind::MissingTraffic => format!(
                "look at {name}: what was deployed or configured when its calls stopped: `kubectl {namespace}rollout history`, its logs and feature flags"
            ),
            CauseKind::Misroute => format!(
                "look at where {name} leads: `kubectl {namespace}get service,endpoints {name} -o yaml` and its selector"
            ),
            CauseKind::Config | CauseKind::BadRequest => format!(
                "look at what {name} was given: its time-outs, addresses and the version deployed just before the onset"
            ),
            CauseKind::Saturation => format!(
                "look at the processor time of {name}: `kubectl {namespace}top pod` and its limits (throttling)"
            ),
            CauseKind::Dns => format!("look at the DNS service {name} and at the names asked for"),
            _ => format!("look at {name} at the onset: `kubectl {namespace}logs` and what was changed or deployed just before"),
        });
    }
    if let (Some(edge), Some(secured)) = (suspect.path.last().or(suspect.edges.first()), &case.snapshot) {
        let export = if case.settings.pcap {
            ""
        } else {
            "; `--pcap` exports them for Wireshark"
        };
        next.push(format!(
            "the packets of {} to {} are in the snapshot {}{export}",
            edge.from, edge.to, secured.reference.name
        ));
    }
    next.push(format!(
        "after the fix, `rca-agent confirm {}` looks at the same path in a fresh window",
        case.id
    ));
    next
}
