//! What the survey asks, stage by stage.

use std::collections::BTreeSet;

use super::{About, Ask, Group, Known, Which, length, stretch};
use crate::{
    analysis::{EdgeKey, Layer},
    investigation::{case::Case, filters, machine::Phase},
    kfl::{self, Filter},
    query::pack,
    time::Window,
    wire::{CallForm, Operation},
};

/// Both stretches of time, where there is something before the window.
fn stretches(case: &Case) -> impl Iterator<Item = bool> + use<> {
    let before = !case.baseline().is_empty();
    [true, false].into_iter().filter(move |during| *during || before)
}

fn list(case: &Case, group: Group, filter: &Filter, window: Window, limit: u32) -> Operation {
    let form = if group == Group::Connections {
        CallForm::Raw
    } else {
        CallForm::Compact
    };
    Operation::ListCalls {
        scope: case.scope(filter, Some(window)),
        limit,
        form,
    }
}

fn requests(case: &Case) -> Filter {
    filters::any_of(&Group::Requests.layers(case), case.settings.namespace.as_deref())
}

/// The server's own statistics of requests, where it has any.
pub(super) fn statistics(case: &Case) -> Vec<Ask> {
    let requests = requests(case);
    let mut asks = Vec::new();
    for during in stretches(case) {
        asks.extend(stretch(case, during).into_iter().map(|part| Ask {
            about: About::Statistics,
            during,
            operation: Operation::ApiStats {
                scope: case.scope(&requests, Some(part)),
            },
        }));
    }
    asks.retain(|ask| case.supports(&ask.operation));
    asks
}

/// Most requests of a stretch that are listed whole.
pub(super) fn most(case: &Case) -> u64 {
    let rules = &case.settings.playbook.survey;
    u64::from(rules.rows) * rules.lists as u64
}

/// Failing calls of every group in both stretches, and as many requests as one list shows.
pub(super) fn broad(case: &Case, known: &Known) -> Vec<Ask> {
    let namespace = case.settings.namespace.as_deref();
    let rules = &case.settings.playbook.survey;
    let mut asks = Vec::new();
    for during in stretches(case) {
        // Of very many calls very many may fail: their beginnings will do, and counts follow.
        let many = known.size(during).is_some_and(|size| size > most(case));
        let limit = if many {
            rules.sampled_rows.min(rules.rows)
        } else {
            rules.rows
        };
        for group in Group::ALL {
            let Some(failing) = filters::failing_of_any(&group.layers(case), namespace) else {
                continue;
            };
            // A connection in raw form is as long as four requests.
            let limit = if group == Group::Connections && many {
                limit / 4
            } else {
                limit
            };
            asks.extend(stretch(case, during).into_iter().map(|part| Ask {
                about: About::Failing(group),
                during,
                operation: list(case, group, &failing, part, limit.max(1)),
            }));
        }
        if !many {
            let parts = stretch(case, during).into_iter();
            asks.extend(parts.map(|part| of_slice(case, during, part, rules.rows)));
        }
    }
    asks
}

/// A list of all requests of a slice of a stretch.
pub(super) fn of_slice(case: &Case, during: bool, slice: Window, limit: u32) -> Ask {
    Ask {
        about: About::Rows(slice),
        during,
        operation: list(case, Group::Requests, &requests(case), slice, limit),
    }
}

/// A sample of each stretch that has too many requests: slices spread over it, and the services of few calls.
pub(super) fn rows(case: &Case, known: &mut Known) -> Vec<Ask> {
    let rules = case.settings.playbook.survey.clone();
    let mut asks = Vec::new();
    for during in stretches(case) {
        let many = known.size(during).is_some_and(|size| size > most(case));
        if !many && !known.sampled.contains(&during) {
            continue;
        }
        known.sampled.insert(during);
        let parts = stretch(case, during);
        let whole = length(&parts).num_milliseconds().max(1);
        for part in &parts {
            // In proportion to their lengths.
            let share = part
                .length()
                .num_milliseconds()
                .saturating_mul(i64::try_from(rules.sampled_lists).unwrap_or(1))
                / whole;
            for slice in evenly(*part, usize::try_from(share).unwrap_or(1).max(1)) {
                asks.push(of_slice(case, during, slice, rules.sampled_rows.min(rules.rows)));
            }
        }
        // Those that would be missed: of few calls, the fewest first.
        let sizes = known.sizes.get(&during).cloned().unwrap_or_default();
        let few = sizes
            .into_iter()
            .filter(|(_, size)| *size <= u64::from(rules.sampled_rows) / 2);
        for names in pack(few, rules.sampled_rows).groups.into_iter().take(QUIET_LISTS) {
            let names: BTreeSet<String> = names.into_iter().collect();
            let filter = filters::to_services(requests(case), &names);
            if kfl::check(&filter.to_string()).is_ok() {
                asks.extend(parts.iter().map(|part| Ask {
                    about: About::Quiet(names.clone()),
                    during,
                    operation: list(case, Group::Requests, &filter, *part, rules.sampled_rows),
                }));
            }
        }
    }
    asks
}

/// Samples of short answers of both stretches in full form, spread over them: some say in their bodies that they failed.
pub(super) fn bodies(case: &Case, known: &Known) -> Vec<Ask> {
    const LISTS: usize = 4;
    let forbidden = case.settings.playbook.asks_for("no-payloads", Phase::Survey);
    if forbidden || !Group::Requests.layers(case).contains(&Layer::Http) {
        return Vec::new();
    }
    let rules = &case.settings.playbook.survey;
    let (lists, rows) = if known.sampled.is_empty() {
        (LISTS, rules.abnormal_rows / 2)
    } else {
        (1, rules.abnormal_rows / 5)
    };
    let all = filters::all(Layer::Http, case.settings.namespace.as_deref());
    let filter = filters::short_answers(all);
    let mut asks = Vec::new();
    for during in stretches(case) {
        for part in stretch(case, during) {
            for slice in evenly(part, lists) {
                asks.push(in_full(case, during, slice, &filter, rows.max(1), None));
            }
        }
    }
    asks
}

/// All short answers of an edge on which one said that it failed, of both stretches.
pub(super) fn bodies_of(case: &Case, key: &EdgeKey) -> Vec<Ask> {
    let rules = &case.settings.playbook.survey;
    let filter = filters::short_answers(filters::along(key));
    let mut asks = Vec::new();
    for during in stretches(case) {
        for part in stretch(case, during) {
            asks.push(in_full(
                case,
                during,
                part,
                &filter,
                rules.rows,
                Some(key.clone()),
            ));
        }
    }
    asks
}

fn in_full(case: &Case, during: bool, slice: Window, filter: &Filter, rows: u32, of: Option<EdgeKey>) -> Ask {
    Ask {
        about: About::Bodies(of),
        during,
        operation: Operation::ListCalls {
            scope: case.scope(filter, Some(slice)),
            limit: rows,
            form: CallForm::Full,
        },
    }
}

/// Lists of quiet services, of each stretch.
const QUIET_LISTS: usize = 2;

/// The beginnings of so many equal parts.
fn evenly(window: Window, parts: usize) -> Vec<Window> {
    let count = i32::try_from(parts.max(1)).unwrap_or(1);
    let part = window.length() / count;
    (0..count)
        .map(|n| Window {
            start: window.start + part * n,
            end: if n + 1 == count {
                window.end
            } else {
                window.start + part * (n + 1)
            },
        })
        .filter(|slice| slice.start < slice.end)
        .collect()
}

/// The slices that a cut list is asked for again in: as many as its total needs, or four where there is none.
pub(super) fn shorter(slice: Window, total: Option<u64>, rows: u32) -> Vec<Window> {
    const SPARE: u64 = 4;
    let parts = total
        .filter(|total| *total > u64::from(rows))
        .map_or(SPARE, |total| (total * 4).div_ceil(u64::from(rows) * 3).max(2));
    evenly(slice, usize::try_from(parts).unwrap_or(usize::MAX).min(64))
}

/// The first few requests that were listed, asked for by their time alone: a list that is not cut.
pub(super) fn sample(case: &Case, known: &Known) -> Vec<Ask> {
    const FEW: usize = 20;
    if known.sample.is_some() || wanted(case, known).is_empty() {
        return Vec::new();
    }
    let mut times: Vec<_> = case
        .picture
        .calls
        .iter()
        .filter(|call| Layer::of(call).is_some_and(Layer::is_request))
        .map(|call| call.ts)
        .filter(|ts| case.window.is_some_and(|window| window.contains(*ts)))
        .collect();
    times.sort_unstable();
    let slice = times.first().and_then(|start| {
        let end = times.iter().skip(FEW).find(|end| *end > start)?;
        Some(Window {
            start: *start,
            end: *end,
        })
    });
    let limit = case.settings.playbook.survey.rows;
    slice
        .map(|slice| Ask {
            about: About::Sample,
            ..of_slice(case, true, slice, limit)
        })
        .into_iter()
        .collect()
}

/// How many calls the server counts where a complete list showed them all; only where something is to be counted.
pub(super) fn proof(case: &Case, known: &Known) -> Vec<Ask> {
    let Some((scope, _)) = known.sample.as_ref().filter(|_| !wanted(case, known).is_empty()) else {
        return Vec::new();
    };
    vec![Ask {
        about: About::Proof,
        during: true,
        operation: Operation::CountCalls { scope: scope.clone() },
    }]
}

/// What has to be counted: what the order says, and edges with failing calls that no list showed whole, those with most
/// of them first.
pub(super) fn wanted(case: &Case, known: &Known) -> Vec<(EdgeKey, Which, bool)> {
    let mut edges: Vec<(u64, &EdgeKey)> = case
        .picture
        .edges
        .iter()
        .filter(|(_, edge)| !edge.during.exact || !edge.before.exact)
        .map(|(key, _)| {
            let failing = known.counts.get(&(key.clone(), true)).copied().unwrap_or(0);
            (failing, key)
        })
        .filter(|(failing, _)| *failing > 0)
        .collect();
    edges.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut wanted = Vec::new();
    let ordered = case.settings.task.counted_edges();
    for key in ordered {
        // Of lookups and connections the survey lists only those that fail.
        let whole =
            key.layer.is_request() && case.picture.edges.get(key).is_some_and(|edge| edge.during.exact);
        if whole {
            continue;
        }
        if known.failing(key, true).is_none() {
            wanted.push((key.clone(), Which::Failing, true));
        }
        wanted.push((key.clone(), Which::All, true));
    }
    edges.retain(|(_, key)| !ordered.contains(key));
    for (_, key) in edges
        .into_iter()
        .take(case.settings.playbook.survey.counted_edges)
    {
        let Some(edge) = case.picture.edges.get(key) else {
            continue;
        };
        for during in stretches(case) {
            let tally = if during { &edge.during } else { &edge.before };
            if tally.exact {
                continue;
            }
            if known.failing(key, during).is_none() {
                wanted.push((key.clone(), Which::Failing, during));
            }
            wanted.push((key.clone(), Which::All, during));
        }
    }
    wanted
}

/// The layer of requests that stands for a list of all of them in facts.
pub(super) fn words(group: Group) -> &'static str {
    match group {
        Group::Requests => "requests",
        Group::Lookups => "lookups",
        Group::Connections => Layer::Tcp.noun(),
    }
}
