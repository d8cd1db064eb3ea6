//! Statistics first: every edge of the service graph before and during the window.
//!
//! The turns: the server's own statistics; broad lists with their totals, over all layers; where
//! those were truncated, one list a service; where even that was, counting queries an edge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{answers, narrow::Narrow, read, stopped, weigh::Weigh};
use crate::{
    analysis::{EdgeKey, Layer, Outcome, Party, Tally, compare, outcome, party},
    investigation::{
        action::{Action, Answer},
        case::{Case, Event},
        filters,
        machine::{Plan, Seen, State, Step},
    },
    time::Window,
    wire::{
        CallForm, Operation, Scope,
        decode::{self, Call, CallList},
    },
};

#[derive(Clone, Debug)]
pub struct Survey {
    stage: Stage,
    /// What is still to be asked in this stage, a query each.
    queue: Vec<Ask>,
    /// Lists that were not cut: an edge they do not show had no calls.
    complete: Vec<Complete>,
}

#[derive(Clone, Debug, PartialEq)]
struct Complete {
    layer: Layer,
    /// `None` for a list of the whole layer.
    to: Option<Party>,
    during: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Statistics,
    Broad,
    Services,
    Edges,
}

/// One question of the survey, and where its answer belongs.
#[derive(Clone, Debug, PartialEq)]
struct Ask {
    about: About,
    during: bool,
    operation: Operation,
}

#[derive(Clone, Debug, PartialEq)]
enum About {
    Statistics,
    /// A list of a whole layer.
    Layer(Layer),
    /// The failing calls of a layer.
    FailingOf(Layer),
    /// A list of the calls to a service.
    Service(Layer, Party),
    /// The number of calls, or of failing calls, along an edge.
    Count(EdgeKey, Which),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Failing,
}

/// Queries put into one action: enough to keep several connections busy, few enough to show progress.
const BATCH: usize = 8;

impl Survey {
    pub fn new(case: &Case) -> Self {
        let mut survey = Self {
            stage: Stage::Statistics,
            queue: Vec::new(),
            complete: Vec::new(),
        };
        let operation = Operation::ApiStats {
            scope: scope(case, String::new(), true),
        };
        if case.supports(&operation) {
            survey.queue.push(Ask {
                about: About::Statistics,
                during: true,
                operation,
            });
        }
        survey
    }
}

/// A scope over the window, or over the time before it.
fn scope(case: &Case, filter: String, during: bool) -> Scope {
    let window = if during { case.window } else { baseline(case) };
    Scope {
        snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
        dissection: case.dissected.clone().flatten(),
        filter,
        window,
    }
}

/// The time before the window that the snapshot holds.
pub(super) fn baseline(case: &Case) -> Option<Window> {
    let (window, secured) = (case.window?, case.snapshot.as_ref()?);
    let before = Window {
        start: secured.window.start,
        end: window.start,
    };
    (before.start < before.end).then_some(before)
}

impl Step for Survey {
    fn plan(&self, _: &Case) -> Plan {
        let calls: Vec<Operation> = self
            .queue
            .iter()
            .take(BATCH)
            .map(|ask| ask.operation.clone())
            .collect();
        if calls.is_empty() {
            return Plan::Decide;
        }
        let why = match self.stage {
            Stage::Statistics => "the overall picture",
            Stage::Broad => "who calls whom, and what fails",
            Stage::Services => "each service before and during the window",
            Stage::Edges => "exact counts where a list was cut",
        };
        Plan::Act(Action::Query {
            why: why.to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let mut next = self.clone();
        if !self.queue.is_empty() {
            let answers = match answers(seen) {
                Ok(answers) => answers,
                Err(failure) => return stopped("could not survey the window", failure),
            };
            let asked: Vec<Ask> = next.queue.drain(..next.queue.len().min(BATCH)).collect();
            for (ask, answer) in asked.iter().zip(&answers) {
                next.complete.extend(take(case, ask, answer));
            }
        }
        if !next.queue.is_empty() {
            return State::Survey(next);
        }
        next.advance(case)
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        for ask in &self.queue {
            if let About::Service(_, party) = &ask.about {
                case.coverage
                    .not_seen
                    .push(format!("the calls to {party} were not listed: {why}"));
            }
        }
        case.coverage
            .truncated
            .push(format!("the survey ended early: {why}"));
        State::Weigh(Weigh::new())
    }
}

impl Survey {
    /// Fills the next stage's queue; stages without questions are passed over.
    fn advance(mut self, case: &mut Case) -> State {
        self.settle_complete(case);
        loop {
            self.stage = match self.stage {
                Stage::Statistics => {
                    case.surveyed = true;
                    Stage::Broad
                }
                Stage::Broad => Stage::Services,
                Stage::Services => Stage::Edges,
                Stage::Edges => return onward(case),
            };
            self.queue = match self.stage {
                Stage::Statistics => Vec::new(),
                Stage::Broad => broad(case),
                Stage::Services => services(case),
                Stage::Edges => edges(case),
            };
            self.queue.retain(|ask| !case.has_asked(&ask.operation));
            if !self.queue.is_empty() {
                return State::Survey(self);
            }
        }
    }
}

impl Survey {
    /// Counts are exact on every edge that a list showed whole, also where it showed no call at all.
    fn settle_complete(&self, case: &mut Case) {
        for list in &self.complete {
            for (key, edge) in &mut case.picture.edges {
                if key.layer == list.layer && list.to.as_ref().is_none_or(|party| party == &key.to) {
                    let tally = if list.during {
                        &mut edge.during
                    } else {
                        &mut edge.before
                    };
                    tally.exact = true;
                }
            }
        }
        if baseline(case).is_none() {
            for edge in case.picture.edges.values_mut() {
                edge.before.exact = true;
            }
        }
    }
}

fn onward(case: &mut Case) -> State {
    let rules = &case.settings.playbook.survey.abnormal;
    let abnormal = case
        .picture
        .edges
        .values()
        .any(|edge| compare(&edge.before, &edge.during, rules).is_abnormal());
    if abnormal {
        State::Narrow(Narrow::new(case))
    } else {
        State::Weigh(Weigh::new())
    }
}

fn list(case: &Case, filter: String, during: bool, form: CallForm) -> Operation {
    Operation::ListCalls {
        scope: scope(case, filter, during),
        limit: case.settings.playbook.survey.rows,
        form,
    }
}

fn form(layer: Layer) -> CallForm {
    if layer == Layer::Tcp {
        CallForm::Raw
    } else {
        CallForm::Compact
    }
}

/// Both stretches of time, where there is something before the window.
fn stretches(case: &Case) -> impl Iterator<Item = bool> + use<> {
    [Some(true), baseline(case).map(|_| false)].into_iter().flatten()
}

fn broad(case: &Case) -> Vec<Ask> {
    let namespace = case.settings.namespace.as_deref();
    let mut asks = Vec::new();
    for during in stretches(case) {
        for layer in [Layer::Http, Layer::Dns, Layer::Tcp] {
            let all = filters::all(layer, namespace);
            let failing = filters::and(&all, filters::failing(layer));
            asks.push(Ask {
                about: About::Layer(layer),
                during,
                operation: list(case, all, during, form(layer)),
            });
            asks.push(Ask {
                about: About::FailingOf(layer),
                during,
                operation: list(case, failing, during, form(layer)),
            });
        }
    }
    asks
}

/// One list a service and stretch, where the list of the whole layer was cut.
fn services(case: &mut Case) -> Vec<Ask> {
    let mut busy: BTreeMap<(Layer, Party), u64> = BTreeMap::new();
    for (key, edge) in &case.picture.edges {
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
            let operation = list(case, filters::to(layer, &party), during, form(layer));
            asks.push(Ask {
                about: About::Service(layer, party.clone()),
                during,
                operation,
            });
        }
    }
    asks
}

/// Counting queries for every edge whose list was cut.
fn edges(case: &Case) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (key, edge) in &case.picture.edges {
        for during in stretches(case) {
            let tally = if during { &edge.during } else { &edge.before };
            if tally.exact {
                continue;
            }
            let all = filters::along(key);
            let failing = filters::and(&all, filters::failing(key.layer));
            for (which, filter) in [(Which::All, all), (Which::Failing, failing)] {
                let operation = Operation::CountCalls {
                    scope: scope(case, filter, during),
                };
                asks.push(Ask {
                    about: About::Count(key.clone(), which),
                    during,
                    operation,
                });
            }
        }
    }
    asks
}

/// Takes what an answer tells; returns the list it was, if that was not cut.
fn take(case: &mut Case, ask: &Ask, answer: &Answer) -> Option<Complete> {
    if ask.about == About::Statistics {
        let stats = decode::stats(answer.value().ok()?);
        case.file(
            answer,
            json!({ "total_calls": stats.total_calls, "error_rate": stats.error_rate }),
        );
        return None;
    }
    let list = match read(answer, decode::calls) {
        Ok(list) => list,
        Err(failure) => {
            let what = ask.operation.scope().map_or("", |scope| &scope.filter);
            case.coverage
                .truncated
                .push(format!("`{what}` was not answered: {}", failure.message));
            return None;
        }
    };
    let complete = |layer: Layer, to: Option<&Party>| {
        (!list.truncated).then(|| Complete {
            layer,
            to: to.cloned(),
            during: ask.during,
        })
    };
    match &ask.about {
        About::Statistics => None,
        About::Layer(layer) => {
            take_list(case, *layer, None, ask, answer, &list);
            complete(*layer, None)
        }
        About::Service(layer, party) => {
            take_list(case, *layer, Some(party), ask, answer, &list);
            complete(*layer, Some(party))
        }
        About::FailingOf(layer) => {
            take_failing(case, *layer, ask, answer, &list);
            None
        }
        About::Count(key, which) => {
            take_count(case, key, *which, ask.during, answer, list.total);
            None
        }
    }
}

fn take_count(
    case: &mut Case,
    key: &EdgeKey,
    which: Which,
    during: bool,
    answer: &Answer,
    total: Option<u64>,
) {
    let Some(total) = total else {
        case.coverage.truncated.push(format!(
            "the server does not count the calls from {} to {}",
            key.from, key.to
        ));
        return;
    };
    if let Some(id) = case.file(
        answer,
        json!({ "matching": total, "window": if during { "during" } else { "before" } }),
    ) {
        case.support(key, &id);
    }
    let edge = case.picture.edge(key.clone());
    let tally = if during {
        &mut edge.during
    } else {
        &mut edge.before
    };
    match which {
        Which::All => tally.calls = total,
        Which::Failing => {
            tally.failing = total;
            tally.exact = true;
        }
    }
}

fn by_edge(layer: Layer, calls: &[Call]) -> BTreeMap<EdgeKey, Vec<&Call>> {
    let mut edges: BTreeMap<EdgeKey, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        let key = EdgeKey {
            from: party(&call.src),
            to: party(&call.dst),
            layer,
        };
        edges.entry(key).or_default().push(call);
    }
    edges
}

/// A list of a layer or of a service: tallies of its edges, exact where it was complete.
fn take_list(case: &mut Case, layer: Layer, of: Option<&Party>, ask: &Ask, answer: &Answer, list: &CallList) {
    case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    let failing = list
        .calls
        .iter()
        .filter(|call| outcome(call) != Outcome::Good)
        .count();
    let id = case.file(
        answer,
        json!({
            "window": if ask.during { "during" } else { "before" },
            "rows": list.calls.len(),
            "total": list.total,
            "failing_rows": failing,
            "truncated": list.truncated,
        }),
    );
    if !ask.during && !list.calls.is_empty() {
        case.picture.has_baseline = true;
    }
    for (key, calls) in by_edge(layer, &list.calls) {
        if of.is_some_and(|party| party != &key.to) {
            continue;
        }
        let tally = Tally::of(calls.iter().copied(), !list.truncated);
        if let (Some(id), false) = (&id, list.truncated) {
            case.support(&key, id);
        }
        let edge = case.picture.edge(key);
        if ask.during {
            edge.during = tally;
            edge.good = calls
                .iter()
                .filter(|call| outcome(call) == Outcome::Good)
                .take(20)
                .map(|call| (*call).clone())
                .collect();
        } else {
            edge.before = tally;
        }
    }
}

/// The failing calls of a layer: edges that fail rarely are missing from a truncated list of all calls.
fn take_failing(case: &mut Case, layer: Layer, ask: &Ask, answer: &Answer, list: &CallList) {
    case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    let first = list.calls.iter().min_by_key(|call| call.ts);
    let id = case.file(
        answer,
        json!({
            "window": if ask.during { "during" } else { "before" },
            "rows": list.calls.len(),
            "failing": list.total,
            "truncated": list.truncated,
            "first": first.map(|call| call.ts),
        }),
    );
    for key in by_edge(layer, &list.calls).into_keys() {
        // Present, but not counted yet: the next stage does that.
        case.picture.edges.entry(key).or_default();
    }
    if let (true, Some(first), Some(id), Layer::Http) = (ask.during, first, id, layer) {
        let what = format!(
            "the first failing request in the window, to {}",
            party(&first.dst)
        );
        case.events.push(Event {
            at: first.ts,
            what,
            evidence: vec![id],
        });
    }
}
