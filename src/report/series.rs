//! Calls over time, and what each node recorded, from the calls that lists showed.

use std::collections::BTreeSet;

use chrono::{DurationRound, TimeDelta};

use super::{
    build::{protocol, stretch},
    graph::only_failing,
    picture::{NodeCoverage, OverTime, Series},
};
use crate::{
    analysis::{Layer, Naming, Party, ends, over_time},
    investigation::{Case, Finding},
    time::{Clock, Utc, Window},
    wire::decode::Call,
};

/// Points of a curve, curves, and minutes of a strip: what a picture can show.
const BINS: usize = 60;
const CURVES: usize = 8;
const MINUTES: usize = 180;
const STRIPS: usize = 24;

/// Everything that was looked at: the baseline and the window asked about.
fn looked_at(case: &Case) -> Option<Window> {
    let window = case.asked_window?;
    let compared = case.window.map_or(window, |compared| window.hull(&compared));
    Some(
        case.baseline()
            .iter()
            .fold(compared, |whole, part| whole.hull(part)),
    )
}

/// Whose calls are shown: everybody on the path from where it was noticed, then who else is suspected.
fn shown(case: &Case, finding: &Finding) -> Vec<(Party, Layer, Option<Utc>)> {
    let mut shown: Vec<(Party, Layer, Option<Utc>)> = Vec::new();
    let mut put = |party: &Party, layer: Layer, onset: Option<Utc>| {
        if shown.len() < CURVES && !shown.iter().any(|(known, ..)| known == party) {
            shown.push((party.clone(), layer, onset));
        }
    };
    for hop in &finding.path {
        put(&hop.to, hop.layer, Some(hop.first_abnormal));
    }
    let causes = finding.causes.iter().map(|cause| (&cause.party, cause.onset));
    for (party, onset) in causes.chain(finding.suspects.iter().map(|named| (&named.party, None))) {
        let layer = case
            .picture
            .edges
            .keys()
            .filter(|key| &key.to == party || &key.from == party)
            .map(|key| key.layer)
            .min_by_key(|layer| !layer.is_request());
        if let Some(layer) = layer.filter(|_| party.naming != Naming::Node) {
            put(party, layer, onset);
        }
    }
    shown
}

/// Errors and latencies over time; `None` where no call was seen.
pub(super) fn series(case: &Case, finding: &Finding, clock: &Clock) -> Option<OverTime> {
    let whole = looked_at(case)?;
    let series: Vec<Series> = shown(case, finding)
        .into_iter()
        .filter_map(|(party, layer, onset)| {
            let of = |made: bool| calls_of(case, &party, layer, made);
            let into = of(false);
            let (made, calls) = if into.is_empty() {
                (true, of(true))
            } else {
                (false, into)
            };
            if calls.is_empty() {
                return None;
            }
            let bins = over_time(calls, &whole, BINS);
            Some(Series {
                service: party.name,
                namespace: party.namespace,
                made,
                protocol: protocol(layer),
                calls: bins.iter().map(|bin| bin.calls).collect(),
                failing: bins.iter().map(|bin| bin.failing).collect(),
                median_us: bins.iter().map(|bin| bin.median_us).collect(),
                p95_us: bins.iter().map(|bin| bin.p95_us).collect(),
                onset: onset.map(|onset| clock.rfc3339(onset)),
            })
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    Some(OverTime {
        start: clock.rfc3339(whole.start),
        end: clock.rfc3339(whole.end),
        bins: BINS,
        baseline: case.baseline().iter().map(|part| stretch(part, clock)).collect(),
        incident: stretch(&case.window.unwrap_or(whole), clock),
        sampled: !case.picture.whole,
        series,
    })
}

/// The listed calls to a party, or those it made, each once.
fn calls_of<'a>(case: &'a Case, party: &Party, layer: Layer, made: bool) -> Vec<&'a Call> {
    let wanted = |call: &&Call| {
        let (from, to) = ends(call);
        Layer::of(call) == Some(layer) && if made { &from == party } else { &to == party }
    };
    let mut calls: Vec<&Call> = case.picture.calls.iter().filter(wanted).collect();
    if only_failing(layer) {
        // Connections are listed once more, all of an edge, when it is narrowed to.
        let known: BTreeSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        let narrowed = case.picture.edges.values().flat_map(|edge| &edge.failing);
        let more: Vec<&Call> = narrowed
            .filter(|call| !known.contains(call.id.as_str()))
            .filter(wanted)
            .collect();
        calls.extend(more);
    }
    calls
}

/// What each node recorded, with the calls that touched it by minute, and when the first minute begins.
pub(super) fn nodes(case: &Case, clock: &Clock) -> (Vec<NodeCoverage>, Option<String>) {
    let (Some(boundaries), Some(whole)) = (&case.boundaries, looked_at(case)) else {
        return (Vec::new(), None);
    };
    let minute = TimeDelta::minutes(1);
    let start = whole.start.duration_trunc(minute).unwrap_or(whole.start);
    let count = usize::try_from(
        (whole.end - start)
            .num_seconds()
            .max(0)
            .unsigned_abs()
            .div_ceil(60),
    )
    .unwrap_or(usize::MAX);
    let strip = Window {
        start,
        end: start + minute * i32::try_from(count.min(MINUTES)).unwrap_or(0),
    };
    let touched = |node: &str| -> Vec<&Call> {
        let at = |name: &Option<String>| name.as_deref() == Some(node);
        let calls = case.picture.calls.iter();
        calls
            .filter(|call| at(&call.src.node) || at(&call.dst.node) || at(&call.node_id))
            .collect()
    };
    let dissected = case.coverage.secured.filter(|_| case.dissected.is_some());
    let nodes = boundaries.nodes.iter().take(STRIPS).map(|node| {
        let calls = touched(&node.name);
        NodeCoverage {
            node: node.name.clone(),
            captured: node.window.map(|held| stretch(&held, clock)),
            dissected: node
                .window
                .and_then(|held| held.overlap(&dissected?))
                .map(|part| stretch(&part, clock)),
            calls: if calls.is_empty() || count > MINUTES {
                Vec::new()
            } else {
                over_time(calls, &strip, count)
                    .iter()
                    .map(|bin| bin.calls)
                    .collect()
            },
        }
    });
    (nodes.collect(), Some(clock.rfc3339(start)))
}
