//! What the survey's answers tell.

use std::collections::BTreeMap;

use serde_json::json;

use super::{super::read, About, Ask, Known, SHORTEST_BASELINE, Whose, baseline};
use crate::{
    analysis::{EdgeKey, Layer, Naming, Outcome, Tally, ends, outcome},
    investigation::{action::Answer, case::Case},
    query::Counting,
    wire::decode::{self, Call, CallList},
};

/// Good calls kept of an edge, to compare failing ones with.
const GOOD_KEPT: usize = 20;

/// Takes what an answer tells into the picture, and files it as evidence.
pub(super) fn take(case: &mut Case, known: &mut Known, ask: &Ask, answer: &Answer) {
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
        return;
    }
    let list = match read(answer, decode::calls) {
        Ok(list) => list,
        Err(failure) => {
            let what = ask.operation.scope().map_or("", |scope| &scope.filter);
            case.coverage.unanswered(what, &failure);
            return;
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
        About::Statistics => {}
        About::Layer(layer) => take_list(case, known, (*layer, &Whose::All), ask, answer, &list),
        About::Services(layer, whose) => take_list(case, known, (*layer, whose), ask, answer, &list),
        About::FailingOf(layer) => take_failing(case, known, *layer, ask, answer, &list),
        About::Proof => {
            case.file(answer, json!({ "matching": list.total }));
            if let Some((_, complete)) = &known.sample {
                known.counting = Counting::proven(complete, &list);
            }
        }
    }
}

/// How a stretch of time is named in facts.
pub(super) fn stretch(during: bool) -> &'static str {
    if during { "during" } else { "before" }
}

fn by_edge(layer: Layer, calls: &[Call]) -> BTreeMap<EdgeKey, Vec<&Call>> {
    let mut edges: BTreeMap<EdgeKey, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        let (from, to) = ends(call);
        edges.entry(EdgeKey { from, to, layer }).or_default().push(call);
    }
    edges
}

/// A list of a layer or of a service: tallies of its edges, exact where it was complete.
fn take_list(
    case: &mut Case,
    known: &mut Known,
    (layer, whose): (Layer, &Whose),
    ask: &Ask,
    answer: &Answer,
    list: &CallList,
) {
    case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    let failing = list
        .calls
        .iter()
        .filter(|call| outcome(call) != Outcome::Good)
        .count();
    let id = case.file(
        answer,
        json!({
            "window": stretch(ask.during),
            "rows": list.calls.len(),
            "total": list.total,
            "failing_rows": failing,
            "truncated": list.truncated,
        }),
    );
    let long = baseline(case).is_some_and(|before| before.length() >= SHORTEST_BASELINE);
    if !ask.during && long && !list.calls.is_empty() {
        case.picture.has_baseline = true;
    }
    for (key, calls) in by_edge(layer, &list.calls) {
        if !whose.holds(&key.to) {
            continue;
        }
        let tally = Tally::of(calls.iter().copied(), !list.truncated);
        if let (Some(id), false) = (&id, list.truncated) {
            case.support(&key, id);
        }
        let edge = case.picture.edge(key);
        if ask.during {
            edge.during = tally;
            let good = calls.iter().filter(|call| outcome(call) == Outcome::Good);
            edge.good = good.take(GOOD_KEPT).map(|call| (*call).clone()).collect();
        } else {
            edge.before = tally;
        }
    }
    if !list.truncated {
        known.lists.push((layer, whose.clone(), ask.during));
        return;
    }
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for call in &list.calls {
        let (_, to) = ends(call);
        if to.naming == Naming::Service {
            *seen.entry(to.name).or_default() += 1;
        }
    }
    match whose {
        // As many as there are in all, in the proportions of the list.
        Whose::All => {
            let rows = u64::try_from(list.calls.len()).unwrap_or(u64::MAX).max(1);
            let all = list.total.unwrap_or(rows).max(rows);
            for size in seen.values_mut() {
                *size = size.saturating_mul(all) / rows;
            }
            known.sizes.insert(ask.during, seen);
        }
        Whose::To(names) if names.len() > 1 => {
            let each = names.iter().map(|name| Whose::To([name.clone()].into()));
            known.cut.extend(each.map(|one| (layer, one, ask.during)));
        }
        Whose::To(_) => {}
        Whose::ToOthers(names) => {
            seen.retain(|name, _| !names.contains(name));
            let each = seen.keys().map(|name| Whose::To([name.clone()].into()));
            known.cut.extend(each.map(|one| (layer, one, ask.during)));
            if !seen.is_empty() {
                let others = names.iter().chain(seen.keys()).cloned().collect();
                known.cut.push((layer, Whose::ToOthers(others), ask.during));
            }
        }
    }
}

/// The failing calls of a layer: edges that fail rarely are missing from a truncated list of all calls.
fn take_failing(
    case: &mut Case,
    known: &mut Known,
    layer: Layer,
    ask: &Ask,
    answer: &Answer,
    list: &CallList,
) {
    case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    let id = case.file(
        answer,
        json!({
            "window": stretch(ask.during),
            "rows": list.calls.len(),
            "failing": list.total,
            "truncated": list.truncated,
        }),
    );
    for (key, calls) in by_edge(layer, &list.calls) {
        if !list.truncated {
            let hard = calls
                .iter()
                .filter(|call| outcome(call).is_hard())
                .map(|call| call.ts);
            known.failures.entry(key.clone()).or_default().extend(hard);
            known.counts.insert((key.clone(), ask.during), calls.len() as u64);
            if let Some(id) = &id {
                case.support(&key, id);
            }
        }
        // Present from now on; how many calls there were in all is asked later.
        let hard = calls.iter().filter(|call| outcome(call).is_hard()).count();
        let edge = case.picture.edge(key);
        if ask.during {
            edge.hard = u64::try_from(hard).unwrap_or(u64::MAX);
        }
    }
    if !list.truncated {
        known.failing.push((layer, ask.during));
    }
}
