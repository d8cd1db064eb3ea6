//! The service graph of a case: who called whom, what changed, and what each service has to do with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    build::{ids, protocol},
    picture::{Amounts, Graph, GraphEdge, GraphNode, Role},
};
use crate::{
    analysis::{Edge, EdgeKey, Layer, Naming, Outcome, Party, Tally, compare, ends, outcome, percentile},
    investigation::{Case, Finding},
    time::Clock,
};

/// Beyond this nobody can follow a picture, and a page grows without end.
const NODES: usize = 60;
const EDGES: usize = 200;

/// One edge of the picture before it has a place.
struct Drawn<'a> {
    key: &'a EdgeKey,
    edge: &'a Edge,
    abnormal: bool,
    on_path: bool,
}

/// The graph of everything that was seen, the most telling part of it where that is too much.
pub(super) fn graph(case: &Case, finding: &Finding, clock: &Clock) -> Graph {
    let all = edges(case, finding);
    let roles = roles(case, finding, &all);
    let mut kept: BTreeSet<&Party> = BTreeSet::new();
    let mut chosen: Vec<&Drawn<'_>> = Vec::new();
    for drawn in &all {
        let new = [&drawn.key.from, &drawn.key.to]
            .into_iter()
            .filter(|party| !kept.contains(*party))
            .count();
        if chosen.len() < EDGES && kept.len() + new <= NODES {
            kept.extend([&drawn.key.from, &drawn.key.to]);
            chosen.push(drawn);
        }
    }
    let parties: BTreeSet<&Party> = all.iter().flat_map(|d| [&d.key.from, &d.key.to]).collect();
    let place: BTreeMap<&Party, usize> = kept.iter().enumerate().map(|(at, party)| (*party, at)).collect();
    let nodes = kept.iter().map(|party| {
        let (role, workload) = roles.get(party).cloned().unwrap_or((Role::Healthy, None));
        GraphNode {
            name: party.name.clone(),
            namespace: party.namespace.clone(),
            role,
            workload,
        }
    });
    let mut edges: Vec<GraphEdge> = chosen
        .iter()
        .filter_map(|drawn| {
            let onset = drawn
                .edge
                .onset
                .as_ref()
                .filter(|_| drawn.abnormal || drawn.on_path);
            Some(GraphEdge {
                from: *place.get(&drawn.key.from)?,
                to: *place.get(&drawn.key.to)?,
                protocol: protocol(drawn.key.layer),
                before: amounts(&drawn.edge.before),
                during: amounts(&drawn.edge.during),
                abnormal: drawn.abnormal,
                on_path: drawn.on_path,
                first_abnormal: onset.map(|onset| clock.rfc3339(onset.at)),
                evidence: ids(&case.supporting(drawn.key)),
            })
        })
        .collect();
    edges.sort_by_key(|edge| (edge.from, edge.to));
    Graph {
        nodes: nodes.collect(),
        edges,
        nodes_left_out: parties.len() - kept.len(),
        edges_left_out: all.len() - chosen.len(),
    }
}

/// Of every two parties the layer that tells most; the most telling edges first.
fn edges<'a>(case: &'a Case, finding: &Finding) -> Vec<Drawn<'a>> {
    let rules = &case.settings.playbook.survey.abnormal;
    let mut best: BTreeMap<(&Party, &Party), Drawn<'_>> = BTreeMap::new();
    for (key, edge) in &case.picture.edges {
        let drawn = Drawn {
            key,
            edge,
            abnormal: compare(&edge.before, &edge.during, rules).is_abnormal(),
            on_path: finding
                .path
                .iter()
                .any(|hop| (&hop.from, &hop.to, hop.layer) == (&key.from, &key.to, key.layer)),
        };
        let seen = edge.before.calls + edge.during.calls > 0;
        let pair = (&key.from, &key.to);
        if seen
            && best
                .get(&pair)
                .is_none_or(|other| telling(other) < telling(&drawn))
        {
            best.insert(pair, drawn);
        }
    }
    let mut all: Vec<Drawn<'_>> = best.into_values().collect();
    all.sort_by(|a, b| telling(b).cmp(&telling(a)).then_with(|| a.key.cmp(b.key)));
    all
}

fn telling(drawn: &Drawn<'_>) -> (bool, bool, bool, u64) {
    (
        drawn.on_path,
        drawn.abnormal,
        drawn.key.layer.is_request(),
        drawn.edge.before.calls + drawn.edge.during.calls,
    )
}

/// What each party has to do with it, and the pod or node where the fault is local to one.
fn roles<'a>(
    case: &'a Case,
    finding: &Finding,
    all: &[Drawn<'a>],
) -> BTreeMap<&'a Party, (Role, Option<String>)> {
    let mut roles = BTreeMap::new();
    for party in case.picture.edges.keys().flat_map(|key| [&key.from, &key.to]) {
        let changed = all
            .iter()
            .any(|drawn| &drawn.key.to == party && (drawn.abnormal || drawn.on_path));
        let cause = finding.causes.iter().find(|cause| &cause.party == party);
        let at_fault = finding.causes.iter().find(|cause| {
            cause.party.naming == Naming::Node && changed && failed_on(case, party, &cause.party.name)
        });
        let role = match (cause, at_fault) {
            (Some(cause), _) => (Role::Cause, cause.workload.clone()),
            (None, Some(node)) => (Role::Cause, Some(node.party.name.clone())),
            (None, None) if party.is_outside() => (Role::Outside, None),
            (None, None) if changed => (Role::Affected, None),
            (None, None) => (Role::Healthy, None),
        };
        roles.insert(party, role);
    }
    roles
}

/// Whether a failing or unanswered call to `party` went to an instance on `node`.
fn failed_on(case: &Case, party: &Party, node: &str) -> bool {
    case.picture.calls.iter().any(|call| {
        call.dst.node.as_deref() == Some(node) && outcome(call) != Outcome::Good && &ends(call).1 == party
    })
}

fn amounts(tally: &Tally) -> Amounts {
    Amounts {
        calls: tally.calls,
        failing: tally.failing,
        exact: tally.exact,
        median_us: percentile(&tally.latencies_us, 50),
        p95_us: percentile(&tally.latencies_us, 95),
    }
}

/// Lookups and connections are listed where they fail only: their latencies and successes say nothing.
pub(super) fn only_failing(layer: Layer) -> bool {
    !layer.is_request()
}
