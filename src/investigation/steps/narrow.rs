//! From broad to narrow: each abnormal edge on its own, from before the window to its end, so that
//! the first abnormal call is found rather than the first one asked for. Beside them good calls of the leading
//! suspect's edges, to see what sets the others apart, and connections, to see whether it is the network.

use chrono::TimeDelta;
use serde_json::json;

use super::{answers, inspect::Inspect, probe::Probe, read, stopped};
use crate::{
    analysis::{Change, EdgeKey, Layer, Onset, Outcome, Side, compare, onset_of_events, outcome, risen},
    investigation::{
        action::{Action, Answer},
        case::{Case, Event},
        filters,
        machine::{Phase, Plan, Seen, State, Step},
    },
    time::{Utc, Window},
    wire::{CallForm, Operation, decode},
};

/// Lists the abnormal calls of every abnormal edge; where a list is cut, of the earlier half again.
#[derive(Clone, Debug)]
pub struct Narrow {
    queue: Vec<Look>,
}

/// One list.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    at: What,
    window: Window,
    operation: Operation,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// The abnormal calls of an edge, in a stretch that was halved so often.
    Abnormal { key: EdgeKey, halved: u32 },
    /// Good calls of an edge.
    Good { key: EdgeKey },
    /// All connections of a stretch.
    Connections(Side),
}

/// Edges looked at; more than these are named as not seen.
const EDGES: usize = 12;

/// Suspects whose edges are looked at.
const SUSPECTS: usize = 3;

/// Halving a window of a day this often gives less than half a minute.
const HALVINGS: u32 = 12;

const BATCH: usize = 8;

impl Narrow {
    pub fn new(case: &mut Case) -> Self {
        // The edges of the leading suspect first: they are needed most if the budget ends.
        let mut keys: Vec<EdgeKey> = Vec::new();
        for suspect in case.diagnosis.suspects.iter().take(SUSPECTS) {
            for key in suspect.path.iter().chain(&suspect.edges).chain(&suspect.explains) {
                if !keys.contains(key) {
                    keys.push(key.clone());
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
        let mut queue: Vec<Look> = keys
            .into_iter()
            .filter_map(|key| look(case, key, window, 0))
            .collect();
        queue.extend(good(case));
        queue.extend(connections(case));
        queue.retain(|look| !case.has_asked(&look.operation));
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

/// How an edge changed; where it did not by itself, how the leading suspect's own step shows on it.
fn change(case: &Case, key: &EdgeKey) -> Change {
    let rules = &case.settings.playbook.survey.abnormal;
    let of_edge = case
        .picture
        .edges
        .get(key)
        .map_or(Change::None, |edge| compare(&edge.before, &edge.during, rules));
    if of_edge.is_abnormal() {
        return of_edge;
    }
    let step = case
        .diagnosis
        .suspects
        .iter()
        .filter(|suspect| suspect.edges.contains(key))
        .filter_map(|suspect| suspect.slowness.as_ref())
        .find_map(|slow| slow.own.map(|(step, _)| step).or(slow.gap));
    step.map_or(Change::None, |step| Change::Slower {
        percent: 50,
        before_us: step.before_us,
        during_us: step.during_us,
    })
}

fn look(case: &Case, key: EdgeKey, window: Window, halved: u32) -> Option<Look> {
    let rules = &case.settings.playbook.survey;
    let along = filters::along(&key);
    let mut window = window;
    let filter = match change(case, &key) {
        // Half way between what was usual and what is now: above it lies what changed.
        Change::Slower {
            before_us, during_us, ..
        } => {
            // Single slow calls come at any time: of those before the incident nothing follows.
            if let Some(during) = case.window {
                window.start = window.start.max(during.start).min(window.end);
            }
            filters::slow(along, before_us + (during_us - before_us) / 2)
        }
        _ => filters::failing_only(along, key.layer)?,
    };
    let form = if key.layer == Layer::Tcp {
        CallForm::Raw
    } else {
        form(case)
    };
    Some(Look {
        window,
        operation: Operation::ListCalls {
            scope: case.scope(&filter, Some(window)),
            limit: rules.abnormal_rows.min(rules.rows),
            form,
        },
        at: What::Abnormal { key, halved },
    })
}

/// Good calls on the edges of the leading suspect.
fn good(case: &Case) -> Vec<Look> {
    let (Some(window), Some(suspect)) = (case.window, case.diagnosis.suspects.first()) else {
        return Vec::new();
    };
    let rules = &case.settings.playbook.survey;
    let mut looks = Vec::new();
    for key in suspect.edges.iter().filter(|key| key.layer.is_request()).take(2) {
        let filter = filters::good(filters::along(key), key.layer);
        looks.push(Look {
            window,
            operation: Operation::ListCalls {
                scope: case.scope(&filter, Some(window)),
                limit: (rules.abnormal_rows / 2).clamp(1, rules.rows),
                form: form(case),
            },
            at: What::Good { key: key.clone() },
        });
    }
    looks
}

/// Connections of both stretches: it may be the network.
fn connections(case: &Case) -> Vec<Look> {
    let rules = &case.settings.playbook.survey;
    let filter = filters::all(Layer::Tcp, case.settings.namespace.as_deref());
    let during = case.window.map(|window| (Side::During, window));
    let before = case.baseline().into_iter().map(|part| (Side::Before, part));
    during
        .into_iter()
        .chain(before)
        .map(|(side, window)| Look {
            window,
            operation: Operation::ListCalls {
                scope: case.scope(&filter, Some(window)),
                limit: if case.picture.whole {
                    rules.rows
                } else {
                    rules.sampled_rows / 6
                }
                .max(1),
                form: CallForm::Raw,
            },
            at: What::Connections(side),
        })
        .collect()
}

/// On to single calls, where the playbook looks at any.
fn inspect(case: &mut Case) -> State {
    if case.settings.playbook.has(Phase::Inspect) {
        State::Inspect(Inspect::new(case))
    } else {
        Probe::next(case)
    }
}

/// Headers and bodies come with full rows; where none may be read, compact ones have to do.
fn form(case: &Case) -> CallForm {
    if case.settings.playbook.asks_for("no-payloads", Phase::Narrow) {
        CallForm::Compact
    } else {
        CallForm::Full
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
            return inspect(case);
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
            inspect(case)
        } else {
            State::Narrow(Self { queue })
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage.cut_short = true;
        case.coverage
            .truncated
            .push(format!("narrowing ended early: {why}"));
        Probe::next(case)
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
    match &look.at {
        What::Abnormal { key, halved } => take_abnormal(case, look, key, *halved, answer, list),
        What::Good { key } => {
            let id = case.file(
                answer,
                json!({ "from": key.from.to_string(), "to": key.to.to_string(), "good_listed": list.calls.len(), "truncated": list.truncated }),
            );
            if let Some(id) = id {
                case.support(key, &id);
            }
            let edge = case.picture.edge(key.clone());
            edge.good = list.calls;
            edge.good.retain(|call| outcome(call) == Outcome::Good);
            None
        }
        What::Connections(side) => {
            let again =
                |call: &&decode::Call| call.tcp.as_ref().and_then(|tcp| tcp.retransmissions).unwrap_or(0) > 0;
            let id = case.file(
                answer,
                json!({
                    "window": if *side == Side::During { "during" } else { "before" },
                    "connections_listed": list.calls.len(),
                    "with_retransmissions": list.calls.iter().filter(again).count(),
                    "truncated": list.truncated,
                }),
            );
            case.connections.evidence.extend(id);
            case.connections.calls.extend(list.calls);
            None
        }
    }
}

fn take_abnormal(
    case: &mut Case,
    look: &Look,
    key: &EdgeKey,
    halved: u32,
    answer: &Answer,
    list: decode::CallList,
) -> Option<Look> {
    let mut calls = list.calls;
    let oldest_first = calls.is_sorted_by_key(|call| call.ts);
    calls.sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.id.cmp(&b.id)));
    let found = calls.len();
    let earliest = calls.first().map(|call| call.ts);
    if found == 0
        && halved > 0
        && case.picture.edges.get(key).is_some_and(|edge| {
            edge.onset
                .as_ref()
                .is_some_and(|onset| onset.at == look.window.end)
        })
    {
        // Nothing before the first one that was listed: it is the first.
        if let Some(onset) = &mut case.picture.edge(key.clone()).onset {
            onset.exact = true;
        }
        return None;
    }
    if found == 0 && halved > 0 {
        // Nothing in the earlier half: the first one is later than its end.
        return look_later(case, look, key, halved);
    }
    if let Some(asked) = case.window {
        calls = risen(calls, look.window.start, &asked);
    }
    let times: Vec<Utc> = calls.iter().map(|call| call.ts).collect();
    // Of slow calls the window begins with the incident already: the first one is the first.
    let slow = matches!(change(case, key), Change::Slower { .. });
    let onset = if slow {
        Some(0)
    } else {
        onset_of_events(&times, look.window.start)
    };
    let first = onset.and_then(|at| calls.get(at)).cloned();
    let id = case.file(
        answer,
        json!({
            "from": key.from.to_string(),
            "to": key.to.to_string(),
            "abnormal_listed": found,
            "abnormal": list.total,
            "truncated": list.truncated,
            "onset": first.as_ref().map(|call| call.ts),
            "first_call": first.as_ref().map(|call| call.id.clone()),
        }),
    );
    if let Some(id) = &id {
        case.support(key, id);
    }
    let first = first?;
    let exact = !list.truncated && halved == 0;
    let edge = case.picture.edge(key.clone());
    edge.onset = Some(Onset {
        at: first.ts,
        ended: first.ts + TimeDelta::microseconds(first.elapsed_us.unwrap_or(0).max(0)),
        call: first.id.clone(),
        exact: !list.truncated,
    });
    edge.cut |= list.truncated;
    if edge.failing.is_empty() || exact {
        calls.retain(|call| call.ts >= first.ts);
        edge.failing = calls;
    }
    if let Some(id) = id {
        let noun = if key.layer == Layer::Tcp {
            "connection"
        } else {
            "call"
        };
        let what = format!("first abnormal {noun} from {} to {}", key.from, key.to);
        case.events.retain(|event| event.what != what);
        case.events.push(Event {
            at: first.ts,
            what,
            evidence: vec![id],
        });
    }
    if list.truncated && halved < HALVINGS {
        // A list that begins with the oldest leaves nothing before its first, which one more look shows.
        let end = match earliest {
            Some(earliest) if oldest_first && first.ts == earliest => earliest,
            _ => look.window.start + look.window.length() / 2,
        };
        let earlier = Window {
            start: look.window.start,
            end,
        };
        if earlier.start >= earlier.end {
            return None;
        }
        return self::look(case, key.clone(), earlier, halved + 1);
    }
    None
}

/// The half that follows an empty one.
fn look_later(case: &Case, empty: &Look, key: &EdgeKey, halved: u32) -> Option<Look> {
    if halved >= HALVINGS {
        return None;
    }
    let start = empty.window.end;
    let end = start + empty.window.length() / 2;
    (start < end)
        .then(|| look(case, key.clone(), Window { start, end }, halved + 1))
        .flatten()
}
