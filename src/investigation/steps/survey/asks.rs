//! What the survey asks, stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Ask, Known, Which, baseline};
use crate::{
    analysis::{EdgeKey, Layer, Party},
    investigation::{case::Case, filters},
    kfl::Filter,
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

fn count(case: &Case, filter: &Filter, during: bool) -> Operation {
    Operation::CountCalls {
        scope: scope(case, filter, during),
    }
}

/// Both stretches of time, where there is something before the window.
fn stretches(case: &Case) -> impl Iterator<Item = bool> + use<> {
    [Some(true), baseline(case).map(|_| false)].into_iter().flatten()
}

/// The server's own statistics, where it has any.
pub(super) fn statistics(case: &Case) -> Vec<Ask> {
    let operation = Operation::ApiStats {
        scope: scope(case, &Filter::everything(), true),
    };
    let asked = case.supports(&operation).then_some(Ask {
        about: About::Statistics,
        during: true,
        operation,
    });
    asked.into_iter().collect()
}

/// Requests before and during the window; failing calls of every layer.
pub(super) fn broad(case: &Case) -> Vec<Ask> {
    let namespace = case.settings.namespace.as_deref();
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
            if layer == Layer::Http {
                asks.push(Ask {
                    about: About::Layer(layer),
                    during,
                    operation: list(case, layer, &all, during),
                });
            } else {
                asks.push(Ask {
                    about: About::LayerCount(layer),
                    during,
                    operation: count(case, &all, during),
                });
            }
        }
    }
    asks
}

/// One list a service and stretch, where the list of all requests was cut.
pub(super) fn services(case: &mut Case) -> Vec<Ask> {
    let mut busy: BTreeMap<(Layer, Party), u64> = BTreeMap::new();
    for (key, edge) in case
        .picture
        .edges
        .iter()
        .filter(|(key, _)| key.layer == Layer::Http)
    {
        if !(edge.before.exact && edge.during.exact) {
            *busy.entry((key.layer, key.to.clone())).or_default() += edge.before.calls + edge.during.calls;
        }
    }
    let mut ranked: Vec<_> = busy.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let limit = case.settings.playbook.survey.services;
    let left_out: BTreeSet<String> = ranked
        .iter()
        .skip(limit)
        .map(|((_, party), _)| party.to_string())
        .collect();
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.into_iter().collect();
        case.coverage.not_seen.push(format!(
            "services with little traffic were not looked at one by one: {}",
            names.join(", ")
        ));
    }
    let mut asks = Vec::new();
    for ((layer, party), _) in ranked.into_iter().take(limit) {
        for during in stretches(case) {
            let operation = list(case, layer, &filters::to(layer, &party), during);
            asks.push(Ask {
                about: About::Service(layer, party.clone()),
                during,
                operation,
            });
        }
    }
    asks
}

/// Counting queries for every edge that no list showed whole; where the failing ones are known, of all calls only.
pub(super) fn edges(case: &Case, known: &Known) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (key, edge) in &case.picture.edges {
        for during in stretches(case) {
            let tally = if during { &edge.during } else { &edge.before };
            if tally.exact {
                continue;
            }
            let mut ask = |which: Which, filter: &Filter| {
                let about = About::Count(EdgeKey::clone(key), which);
                asks.push(Ask {
                    about,
                    during,
                    operation: count(case, filter, during),
                });
            };
            let all = filters::along(key);
            if known.failing(key, during).is_none() {
                ask(Which::Failing, &filters::failing(all.clone(), key.layer));
            }
            ask(Which::All, &all);
        }
    }
    asks
}
