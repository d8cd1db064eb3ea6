//! What the survey's answers tell.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{super::read, About, Ask, Group, Known, SHORTEST_BASELINE, asks, length, stretch as parts_of};
use crate::{
    analysis::{EdgeKey, Layer, Naming, Outcome, Tally, ends, outcome},
    investigation::{action::Answer, case::Case, evidence::EvidenceId},
    query::Counting,
    time::Window,
    wire::decode::{self, Call, CallList},
};

/// Good calls kept of an edge, to compare failing ones with.
const GOOD_KEPT: usize = 20;

/// Takes what an answer tells into the picture, and files it as evidence. Gives what is to be asked for it.
pub(super) fn take(case: &mut Case, known: &mut Known, ask: &Ask, answer: &Answer) -> Vec<Ask> {
    if ask.about == About::Statistics {
        if let Ok(value) = answer.value() {
            let stats = decode::stats(value);
            for service in &stats.services {
                let sizes = known.sizes.entry(ask.during).or_default();
                let size = sizes.entry(service.service.clone()).or_default();
                *size = size.saturating_add(service.calls.unwrap_or(0));
            }
            case.file(
                answer,
                json!({ "window": stretch(ask.during), "total_calls": stats.total_calls, "error_rate": stats.error_rate }),
            );
        }
        return Vec::new();
    }
    let list = match read(answer, decode::calls) {
        Ok(list) => list,
        Err(failure) => {
            let what = ask.operation.scope().map_or("", |scope| &scope.filter);
            case.coverage.unanswered(what, &failure);
            if let About::Rows(_) = ask.about {
                known.cut.insert(ask.during);
            }
            return Vec::new();
        }
    };
    if list.unreadable > 0 {
        case.coverage.truncated.push(format!(
            "{} rows of `{}` could not be read",
            list.unreadable, answer.tool
        ));
    }
    let shorter = known
        .sample
        .as_ref()
        .is_none_or(|(_, sample)| sample.calls.len() > list.calls.len());
    if !list.truncated && list.unreadable == 0 && list.calls.len() >= 2 && shorter {
        known.sample = ask.operation.scope().cloned().map(|scope| (scope, list.clone()));
    }
    match &ask.about {
        About::Statistics => Vec::new(),
        About::Rows(slice) => take_rows(case, known, *slice, ask, answer, list),
        About::Quiet(names) => {
            let id = file_rows(case, ask, answer, &list);
            support(case, id.as_ref(), &list.calls);
            if !list.truncated {
                let names = names.iter().map(|name| (name.clone(), ask.during));
                known.quiet.extend(names);
            }
            keep(case, list.calls);
            Vec::new()
        }
        About::Failing(group) => {
            take_failing(case, known, *group, ask, answer, list);
            Vec::new()
        }
        About::Bodies(of) => take_bodies(case, ask, of.as_ref(), answer, list),
        About::Sample => {
            file_rows(case, ask, answer, &list);
            Vec::new()
        }
        About::Proof => {
            case.file(answer, json!({ "matching": list.total }));
            if let Some((_, complete)) = &known.sample {
                known.counting = Counting::proven(complete, &list);
            }
            Vec::new()
        }
    }
}

/// How a stretch of time is named in facts.
pub(super) fn stretch(during: bool) -> &'static str {
    if during { "during" } else { "before" }
}

/// Adds calls to the picture, each once.
pub(super) fn keep(case: &mut Case, calls: Vec<Call>) {
    for call in calls {
        if case.listed.insert(call.id.clone()) {
            case.picture.calls.push(call);
        }
    }
}

fn edge_of(call: &Call) -> Option<EdgeKey> {
    let layer = Layer::of(call)?;
    let (from, to) = ends(call);
    Some(EdgeKey { from, to, layer })
}

/// Takes note that a list supports what is said of the edges it shows.
fn support(case: &mut Case, id: Option<&EvidenceId>, calls: &[Call]) {
    let Some(id) = id else { return };
    let edges: BTreeSet<EdgeKey> = calls.iter().filter_map(edge_of).collect();
    for key in edges {
        case.support(&key, id);
    }
}

fn file_rows(case: &mut Case, ask: &Ask, answer: &Answer, list: &CallList) -> Option<EvidenceId> {
    let failing = list
        .calls
        .iter()
        .filter(|call| outcome(call) != Outcome::Good)
        .count();
    case.file(
        answer,
        json!({
            "window": stretch(ask.during),
            "rows": list.calls.len(),
            "total": list.total,
            "failing_rows": failing,
            "truncated": list.truncated,
        }),
    )
}

/// Short answers in full. Those that say they failed replace their rows, and where one is found all of its edge are
/// asked for: a share is only told from all of them.
fn take_bodies(
    case: &mut Case,
    ask: &Ask,
    of: Option<&EdgeKey>,
    answer: &Answer,
    list: CallList,
) -> Vec<Ask> {
    let failed: Vec<Call> = list
        .calls
        .into_iter()
        .filter(|call| outcome(call) == Outcome::ErrorBody)
        .collect();
    let id = case.file(
        answer,
        json!({
            "window": stretch(ask.during),
            "total": list.total,
            "failing_by_their_bodies": failed.len(),
            "truncated": list.truncated,
        }),
    );
    support(case, id.as_ref().filter(|_| !failed.is_empty()), &failed);
    let edges: BTreeSet<EdgeKey> = failed.iter().filter_map(edge_of).collect();
    let mut known: BTreeMap<String, Call> = failed.into_iter().map(|call| (call.id.clone(), call)).collect();
    for row in &mut case.picture.calls {
        if let Some(full) = known.remove(&row.id) {
            *row = full;
        }
    }
    keep(case, known.into_values().collect());
    if of.is_some() {
        return Vec::new();
    }
    let asks = edges.iter().flat_map(|key| asks::bodies_of(case, key));
    asks.collect()
}

/// A list of all requests of a slice. One that was cut is asked for again in shorter slices, as long as that leads to
/// the whole; where it does not, a sample is taken instead.
fn take_rows(
    case: &mut Case,
    known: &mut Known,
    slice: Window,
    ask: &Ask,
    answer: &Answer,
    list: CallList,
) -> Vec<Ask> {
    let id = file_rows(case, ask, answer, &list);
    let lists = known.lists.entry(ask.during).or_default();
    *lists += 1;
    let asked = *lists;
    if !list.truncated {
        support(case, id.as_ref(), &list.calls);
        keep(case, list.calls);
        return Vec::new();
    }
    if known.sampled.contains(&ask.during) {
        // A slice of a sample: what it shows is a run of calls from its beginning.
        support(case, id.as_ref(), &list.calls);
        keep(case, list.calls);
        return Vec::new();
    }
    let rules = &case.settings.playbook.survey;
    let slices = asks::shorter(slice, list.total, rules.rows);
    let whole = parts_of(case, ask.during).contains(&slice);
    let too_many = list.total.is_some_and(|total| total > asks::most(case));
    if whole && too_many {
        // Sizes for a sample, as many as there are in all in the proportions of the list.
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for call in &list.calls {
            let (_, to) = ends(call);
            if to.naming == Naming::Service {
                *seen.entry(to.name).or_default() += 1;
            }
        }
        let rows = u64::try_from(list.calls.len()).unwrap_or(u64::MAX).max(1);
        let all = list.total.unwrap_or(rows).max(rows);
        for size in seen.values_mut() {
            *size = size.saturating_mul(all) / rows;
        }
        known.sizes.entry(ask.during).or_insert(seen);
        known.sampled.insert(ask.during);
        return Vec::new();
    }
    // Uneven traffic takes more slices than its total says: as many again, and half.
    if asked + slices.len() > rules.lists * 5 / 2 || slice.length().num_milliseconds() < 4 {
        known.cut.insert(ask.during);
        case.coverage.truncated.push(format!(
            "{} requests {} the window lie too close together to be listed whole",
            list.total.unwrap_or(list.calls.len() as u64),
            if ask.during { "in" } else { "before" },
        ));
        support(case, id.as_ref(), &list.calls);
        keep(case, list.calls);
        return Vec::new();
    }
    let limit = rules.rows;
    slices
        .into_iter()
        .map(|slice| asks::of_slice(case, ask.during, slice, limit))
        .collect()
}

/// The failing calls of a group: edges that fail rarely are missing from a sample of all calls.
fn take_failing(
    case: &mut Case,
    known: &mut Known,
    group: Group,
    ask: &Ask,
    answer: &Answer,
    list: CallList,
) {
    let id = case.file(
        answer,
        json!({
            "window": stretch(ask.during),
            "of": asks::words(group),
            "rows": list.calls.len(),
            "failing": list.total,
            "truncated": list.truncated,
        }),
    );
    let mut edges: BTreeMap<EdgeKey, Vec<&Call>> = BTreeMap::new();
    for call in list.calls.iter().filter(|call| outcome(call) != Outcome::Good) {
        if let Some(key) = edge_of(call) {
            edges.entry(key).or_default().push(call);
        }
    }
    for (key, calls) in edges {
        let count = calls.len() as u64;
        *known.counts.entry((key.clone(), ask.during)).or_default() += count;
        let hard: Vec<_> = calls
            .iter()
            .filter(|call| outcome(call).is_hard())
            .map(|call| call.ts)
            .collect();
        // Present from now on; how many calls there were in all is told later.
        case.picture.edge(key.clone());
        if !list.truncated {
            known.failures.entry(key.clone()).or_default().extend(hard);
            if let Some(id) = &id {
                case.support(&key, id);
            }
        }
    }
    *known.failing.entry((group, ask.during)).or_default() |= list.truncated;
    keep(case, list.calls);
}

/// Tallies every edge from the calls that lists showed: exact where all requests of a stretch were listed, also
/// where there was no call at all.
pub(super) fn tally(case: &mut Case, known: &Known) {
    let before = case.baseline();
    let mut calls: BTreeMap<(EdgeKey, bool), Vec<&Call>> = BTreeMap::new();
    for call in &case.picture.calls {
        let during = case.window.is_some_and(|window| window.contains(call.ts));
        if !during && !before.iter().any(|part| part.contains(call.ts)) {
            continue;
        }
        if let Some(key) = edge_of(call) {
            calls.entry((key, during)).or_default().push(call);
        }
    }
    let mut edges = std::mem::take(&mut case.picture.edges);
    for (key, _) in calls.keys() {
        edges.entry(key.clone()).or_default();
    }
    for (key, edge) in &mut edges {
        for during in [true, false] {
            let listed = calls
                .get(&(key.clone(), during))
                .map_or(&[] as &[&Call], Vec::as_slice);
            let quiet =
                key.to.naming == Naming::Service && known.quiet.contains(&(key.to.name.clone(), during));
            let failing = listed
                .iter()
                .filter(|call| outcome(call) != Outcome::Good)
                .count() as u64;
            // Of lookups and connections only the failing ones were listed: without one there is nothing to count.
            let exact = if key.layer.is_request() {
                known.whole(during) || quiet
            } else {
                during && known.failing(key, during).is_some() && failing == 0
            } || (!during && before.is_empty());
            let mut tally = Tally::of(listed.iter().copied(), exact);
            if !key.layer.is_request() && known.failing(key, during).is_some() {
                tally.failing = failing;
            }
            if during {
                edge.hard = listed.iter().filter(|call| outcome(call).is_hard()).count() as u64;
                let good = listed.iter().filter(|call| outcome(call) == Outcome::Good);
                edge.good = good.take(GOOD_KEPT).map(|call| (*call).clone()).collect();
                edge.during = tally;
            } else {
                edge.before = tally;
            }
        }
    }
    let long = length(&before) >= SHORTEST_BASELINE;
    case.picture.has_baseline = long
        && calls
            .keys()
            .any(|(key, during)| !during && key.layer.is_request());
    case.picture.whole = known.whole(true) && (before.is_empty() || known.whole(false));
    case.picture.edges = edges;
}
