//! From broad to narrow: each abnormal edge on its own, from before the window to its end, so that
//! the first abnormal call is found rather than the first one asked for.

use chrono::TimeDelta;
use serde_json::json;

use super::{answers, inspect::Inspect, read, stopped, weigh::Weigh};
use crate::{
    analysis::{Change, EdgeKey, Layer, Onset, compare, onset_of_events, risen, suspects},
    investigation::{
        action::{Action, Answer},
        case::{Case, Event},
        filters,
        machine::{Plan, Seen, State, Step},
    },
    time::{Utc, Window},
    wire::{CallForm, Operation, Scope, decode},
};

/// Lists the abnormal calls of every abnormal edge; where a list is cut, of the earlier half again.
#[derive(Clone, Debug)]
pub struct Narrow {
    queue: Vec<Look>,
}

/// One stretch of one edge.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    key: EdgeKey,
    window: Window,
    /// How often the stretch was halved already.
    halved: u32,
    operation: Operation,
}

/// Edges looked at; more than these are named as not seen.
const EDGES: usize = 16;

/// Halving a window of a day this often gives less than half a minute.
const HALVINGS: u32 = 12;

const BATCH: usize = 8;

impl Narrow {
    pub fn new(case: &mut Case) -> Self {
        let rules = &case.settings.playbook.survey.abnormal;
        // The edges of the leading suspect first: they are needed most if the budget ends.
        let mut keys: Vec<EdgeKey> = Vec::new();
        for suspect in suspects(&case.picture, rules) {
            for key in suspect
                .path
                .into_iter()
                .chain(suspect.edges)
                .chain(suspect.explains)
            {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        if keys.len() > EDGES {
            let rest: Vec<String> = keys
                .iter()
                .skip(EDGES)
                .map(|key| format!("{} to {}", key.from, key.to))
                .collect();
            case.coverage.not_seen.push(format!(
                "abnormal edges that were not looked at one by one: {}",
                rest.join(", ")
            ));
            keys.truncate(EDGES);
        }
        let Some(window) = whole(case) else {
            return Self { queue: Vec::new() };
        };
        let queue = keys.into_iter().map(|key| look(case, key, window, 0)).collect();
        Self { queue }
    }
}

/// From the snapshot's start to the window's end.
fn whole(case: &Case) -> Option<Window> {
    let (window, secured) = (case.window?, case.snapshot.as_ref()?);
    Some(Window {
        start: secured.window.start.min(window.start),
        end: window.end,
    })
}

fn look(case: &Case, key: EdgeKey, window: Window, halved: u32) -> Look {
    let rules = &case.settings.playbook.survey;
    let change = case.picture.edges.get(&key).map_or(Change::None, |edge| {
        compare(&edge.before, &edge.during, &rules.abnormal)
    });
    let along = filters::along(&key);
    let filter = match change {
        // Half way between what was usual and what is now: above it lies what changed.
        Change::Slower {
            before_us, during_us, ..
        } => filters::slow(along, before_us + (during_us - before_us) / 2),
        _ => filters::failing(along, key.layer),
    };
    let scope = Scope {
        snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
        dissection: case.dissected.clone().flatten(),
        filter: filter.to_string(),
        window: Some(window),
    };
    let form = if key.layer == Layer::Tcp {
        CallForm::Raw
    } else {
        CallForm::Full
    };
    Look {
        key,
        window,
        halved,
        operation: Operation::ListCalls {
            scope,
            limit: rules.rows,
            form,
        },
    }
}

impl Step for Narrow {
    fn plan(&self, _: &Case) -> Plan {
        let calls: Vec<Operation> = self
            .queue
            .iter()
            .take(BATCH)
            .map(|look| look.operation.clone())
            .collect();
        if calls.is_empty() {
            return Plan::Decide;
        }
        Plan::Act(Action::Query {
            why: "the abnormal calls of each edge, from the first".to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if self.queue.is_empty() {
            return State::Inspect(Inspect::new(case));
        }
        let answers = match answers(seen) {
            Ok(answers) => answers,
            Err(failure) => return stopped("could not narrow the search", failure),
        };
        let mut queue = self.queue.clone();
        let asked: Vec<Look> = queue.drain(..queue.len().min(BATCH)).collect();
        for (look, answer) in asked.iter().zip(&answers) {
            queue.extend(take(case, look, answer));
        }
        queue.retain(|look| !case.has_asked(&look.operation));
        if queue.is_empty() {
            State::Inspect(Inspect::new(case))
        } else {
            State::Narrow(Self { queue })
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage.cut_short = true;
        case.coverage
            .truncated
            .push(format!("narrowing ended early: {why}"));
        State::Weigh(Weigh::new())
    }
}

/// Takes a list; returns the earlier part to look at where the list was cut.
fn take(case: &mut Case, look: &Look, answer: &Answer) -> Option<Look> {
    let list = match read(answer, decode::calls) {
        Ok(list) => list,
        Err(failure) => {
            let what = look.operation.scope().map_or("", |scope| &scope.filter);
            case.coverage.unanswered(what, &failure);
            return None;
        }
    };
    case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    let mut calls = list.calls;
    calls.sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.id.cmp(&b.id)));
    let found = calls.len();
    if found == 0 && look.halved > 0 {
        // Nothing in the earlier half: the first one is later than its end.
        return look_later(case, look);
    }
    if let Some(asked) = case.window {
        calls = risen(calls, look.window.start, &asked);
    }
    let times: Vec<Utc> = calls.iter().map(|call| call.ts).collect();
    let first = onset_of_events(&times, look.window.start)
        .and_then(|at| calls.get(at))
        .cloned();
    let id = case.file(
        answer,
        json!({
            "from": look.key.from.to_string(),
            "to": look.key.to.to_string(),
            "abnormal_listed": found,
            "abnormal": list.total,
            "truncated": list.truncated,
            "onset": first.as_ref().map(|call| call.ts),
            "first_call": first.as_ref().map(|call| call.id.clone()),
        }),
    );
    if let Some(id) = &id {
        case.support(&look.key, id);
    }
    let first = first?;
    let exact = !list.truncated && look.halved == 0;
    let edge = case.picture.edge(look.key.clone());
    edge.onset = Some(Onset {
        at: first.ts,
        ended: first.ts + TimeDelta::microseconds(first.elapsed_us.unwrap_or(0).max(0)),
        call: first.id.clone(),
        exact: !list.truncated,
    });
    if edge.failing.is_empty() || exact {
        calls.retain(|call| call.ts >= first.ts);
        edge.failing = calls;
    }
    if let Some(id) = id {
        let noun = if look.key.layer == Layer::Tcp {
            "connection"
        } else {
            "call"
        };
        let what = format!("first abnormal {noun} from {} to {}", look.key.from, look.key.to);
        case.events.retain(|event| event.what != what);
        case.events.push(Event {
            at: first.ts,
            what,
            evidence: vec![id],
        });
    }
    if list.truncated && look.halved < HALVINGS {
        let middle = look.window.start + look.window.length() / 2;
        return Some(look_again(
            case,
            look,
            Window {
                start: look.window.start,
                end: middle,
            },
        ));
    }
    None
}

fn look_again(case: &Case, look_before: &Look, window: Window) -> Look {
    look(case, look_before.key.clone(), window, look_before.halved + 1)
}

/// The half that follows an empty one.
fn look_later(case: &Case, empty: &Look) -> Option<Look> {
    if empty.halved >= HALVINGS {
        return None;
    }
    let start = empty.window.end;
    let end = start + empty.window.length() / 2;
    (start < end).then(|| look_again(case, empty, Window { start, end }))
}
