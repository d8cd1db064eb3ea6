//! What the survey asks, stage by stage.

use std::collections::BTreeSet;

use super::{About, Ask, Known, Which, Whose, baseline};
use crate::{
    analysis::{EdgeKey, Layer},
    investigation::{case::Case, filters},
    kfl::{self, Filter},
    query::pack,
    wire::{CallForm, Operation, Scope},
};

/// A scope over the window, or over the time before it.
fn scope(case: &Case, filter: &Filter, during: bool) -> Scope {
    let window = if during { case.window } else { baseline(case) };
    Scope {
        snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
        dissection: case.dissected.clone().flatten(),
        filter: filter.to_string(),
        window,
    }
}

fn list(case: &Case, layer: Layer, filter: &Filter, during: bool) -> Operation {
    let form = if layer == Layer::Tcp {
        CallForm::Raw
    } else {
        CallForm::Compact
    };
    Operation::ListCalls {
        scope: scope(case, filter, during),
        limit: case.settings.playbook.survey.rows,
        form,
    }
}

/// Both stretches of time, where there is something before the window.
fn stretches(case: &Case) -> impl Iterator<Item = bool> + use<> {
    [Some(true), baseline(case).map(|_| false)].into_iter().flatten()
}

/// The server's own statistics of requests, where it has any.
pub(super) fn statistics(case: &Case) -> Vec<Ask> {
    let requests = filters::all(Layer::Http, case.settings.namespace.as_deref());
    let asked = stretches(case).map(|during| Ask {
        about: About::Statistics,
        during,
        operation: Operation::ApiStats {
            scope: scope(case, &requests, during),
        },
    });
    asked.filter(|ask| case.supports(&ask.operation)).collect()
}

/// Requests before and during the window, where one list shows them; failing calls of every layer.
pub(super) fn broad(case: &Case, known: &Known) -> Vec<Ask> {
    let namespace = case.settings.namespace.as_deref();
    let rows = u64::from(case.settings.playbook.survey.rows);
    let mut asks = Vec::new();
    for during in stretches(case) {
        for layer in [Layer::Http, Layer::Dns, Layer::Tcp] {
            let all = filters::all(layer, namespace);
            let failing = filters::failing(all.clone(), layer);
            let operation = list(case, layer, &failing, during);
            asks.push(Ask {
                about: About::FailingOf(layer),
                during,
                operation,
            });
            if layer == Layer::Http && known.size(during).is_none_or(|size| size <= rows) {
                asks.push(Ask {
                    about: About::Layer(layer),
                    during,
                    operation: list(case, layer, &all, during),
                });
            }
        }
    }
    asks
}

/// Lists of all requests by the service called, where one list does not show them: of busy services each, of
/// quiet ones together, and one of everybody else.
pub(super) fn services(case: &mut Case, known: &Known) -> Vec<Ask> {
    let rules = &case.settings.playbook.survey;
    let (rows, limit) = (rules.rows, rules.services);
    let (mut asks, mut left_out) = (Vec::new(), BTreeSet::new());
    for during in stretches(case) {
        if known.whole(Layer::Http, during) {
            continue;
        }
        let sizes = known.sizes.get(&during).cloned().unwrap_or_default();
        let packed = pack(sizes, rows);
        left_out.extend(packed.groups.iter().skip(limit).flatten().cloned());
        let mut lists: Vec<Whose> = packed
            .groups
            .into_iter()
            .take(limit)
            .map(|names| Whose::To(names.into_iter().collect()))
            .collect();
        lists.push(Whose::ToOthers(packed.listed.into_iter().collect()));
        asks.extend(
            lists
                .into_iter()
                .map(|whose| of_services(case, Layer::Http, whose, during)),
        );
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.into_iter().collect();
        case.coverage.not_seen.push(format!(
            "services with little traffic were not looked at one by one: {}",
            names.join(", ")
        ));
    }
    asks
}

/// A list of the calls to some services.
fn of_services(case: &Case, layer: Layer, whose: Whose, during: bool) -> Ask {
    let all = filters::all(layer, case.settings.namespace.as_deref());
    let filter = match &whose {
        Whose::All => all,
        Whose::To(names) => filters::to_services(all, names),
        Whose::ToOthers(names) => filters::to_others(all, names),
    };
    Ask {
        operation: list(case, layer, &filter, during),
        about: About::Services(layer, whose),
        during,
    }
}

/// Lists of these, each. With thousands of services a filter that names them all is too long: then that list is
/// not made, and said to be missing.
pub(super) fn one_by_one(case: &mut Case, lists: &[(Layer, Whose, bool)]) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (layer, whose, during) in lists {
        let ask = of_services(case, *layer, whose.clone(), *during);
        let filter = ask.operation.scope().map(|scope| scope.filter.as_str());
        if kfl::check(filter.unwrap_or_default()).is_ok() {
            asks.push(ask);
        } else {
            let missing =
                "the calls to services beyond those that one filter can name were not listed".to_owned();
            if !case.coverage.not_seen.contains(&missing) {
                case.coverage.not_seen.push(missing);
            }
        }
    }
    asks
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

/// What has to be counted: every edge that no list showed whole, and its failing calls where they are not known.
pub(super) fn wanted(case: &Case, known: &Known) -> Vec<(EdgeKey, Which, bool)> {
    let mut wanted = Vec::new();
    for (key, edge) in &case.picture.edges {
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
