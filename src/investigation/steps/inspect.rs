//! Single calls in full: the first abnormal one of each edge on the path, and a good one to compare with.

use serde_json::json;

use super::{answers, read, reading::ReadBodies, stopped};
use crate::{
    analysis::{EdgeKey, Layer, Outcome, outcome},
    investigation::{
        action::Action,
        case::{Case, Reading},
        machine::{Phase, Plan, Seen, State, Step},
        words,
    },
    kfl::Filter,
    wire::{
        Operation,
        decode::{self, Call, CallDetail},
    },
};

#[derive(Clone, Debug)]
pub struct Inspect {
    looks: Vec<Look>,
}

#[derive(Clone, Debug, PartialEq)]
struct Look {
    key: EdgeKey,
    failing: bool,
    operation: Operation,
}

/// Calls looked at in all.
const LOOKS: usize = 8;

/// Bytes of each body asked for: an error message is short, and a page of data says no more.
const PAYLOAD_BYTES: u32 = 4096;

impl Inspect {
    pub fn new(case: &Case) -> Self {
        let mut looks = Vec::new();
        if case.settings.playbook.asks_for("no-payloads", Phase::Inspect) {
            return Self { looks };
        }
        for suspect in case.diagnosis.suspects.iter().take(2) {
            for key in suspect.path.iter().chain(&suspect.edges).rev() {
                let Some(edge) = case.picture.edges.get(key) else {
                    continue;
                };
                let first = edge
                    .onset
                    .as_ref()
                    .and_then(|onset| edge.failing.iter().find(|call| call.id == onset.call));
                looks.extend(
                    first
                        .or(edge.failing.first())
                        .map(|call| look(case, key, call, true)),
                );
                if key.to == suspect.party && key.layer == Layer::Http {
                    looks.extend(edge.good.first().map(|call| look(case, key, call, false)));
                }
            }
        }
        let mut seen = Vec::new();
        looks.retain(|look: &Look| {
            let new = !seen.contains(&look.operation);
            seen.push(look.operation.clone());
            new && case.supports(&look.operation) && !case.has_asked(&look.operation)
        });
        looks.truncate(if case.picture.whole { LOOKS } else { LOOKS / 2 });
        Self { looks }
    }
}

fn look(case: &Case, key: &EdgeKey, call: &Call, failing: bool) -> Look {
    let scope = case.scope(&Filter::everything(), None);
    let operation = Operation::CallDetail {
        scope,
        call: call.id.clone(),
        node_id: call.node_id.clone(),
        max_payload_bytes: PAYLOAD_BYTES,
    };
    Look {
        key: key.clone(),
        failing,
        operation,
    }
}

impl Step for Inspect {
    fn plan(&self, _: &Case) -> Plan {
        if self.looks.is_empty() {
            return Plan::Decide;
        }
        let calls = self.looks.iter().map(|look| look.operation.clone()).collect();
        Plan::Act(Action::Query {
            why: "the first abnormal calls in full, and good ones beside them".to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if self.looks.is_empty() {
            return ReadBodies::next(case);
        }
        let answers = match answers(seen) {
            Ok(answers) => answers,
            Err(failure) => return stopped("could not look at single calls", failure),
        };
        for (look, answer) in self.looks.iter().zip(&answers) {
            let detail = match read(answer, decode::call_detail) {
                Ok(detail) => detail,
                Err(failure) => {
                    let what = format!("a call from {} to {}", look.key.from, look.key.to);
                    case.coverage.unanswered(&what, &failure);
                    continue;
                }
            };
            take(case, look, answer, &detail);
        }
        ReadBodies::next(case)
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage
            .not_seen
            .push(format!("no single calls were looked at: {why}"));
        ReadBodies::next(case)
    }
}

fn take(case: &mut Case, look: &Look, answer: &crate::investigation::action::Answer, detail: &CallDetail) {
    let call = &detail.call;
    let said = call.response_body.as_deref().and_then(excerpt);
    let outcome = in_words(call);
    let id = case.file(
        answer,
        json!({
            "call": call.id,
            "from": look.key.from.to_string(),
            "to": look.key.to.to_string(),
            "at": call.ts,
            "method": call.method,
            "path": call.path,
            "status": call.status,
            "elapsed_us": call.elapsed_us,
            "pod": call.dst.pod,
            "outcome": outcome,
            "said": if look.failing { said.clone() } else { None },
        }),
    );
    let Some(id) = id else { return };
    if let Some(body) = call.response_body.as_ref().filter(|body| !body.trim().is_empty()) {
        if look.failing {
            case.opinion.texts.insert(id.clone(), body.clone());
        } else {
            case.opinion.good.get_or_insert_with(|| body.clone());
        }
    }
    if look.failing {
        case.support(&look.key, &id);
        let reading = Reading {
            call: call.id.clone(),
            outcome,
            said,
            evidence: id,
        };
        case.readings.entry(look.key.clone()).or_insert(reading);
    }
}

/// How a call ended, for a sentence that begins with the call.
fn in_words(call: &Call) -> String {
    match outcome(call) {
        Outcome::Refused => "was refused".to_owned(),
        Outcome::Unanswered => "was never answered".to_owned(),
        Outcome::Reset => "was reset".to_owned(),
        Outcome::NoAnswer => "got no response".to_owned(),
        Outcome::Cut => "was cut short in the middle of its answer".to_owned(),
        Outcome::ErrorBody => "succeeded by its status and said in its body that it failed".to_owned(),
        Outcome::DnsFailure => match call.status {
            Some(rcode) => format!("was answered with {}", words::rcode(rcode)),
            None => "got no answer".to_owned(),
        },
        _ => match call.status {
            Some(status) => format!("was answered {status}"),
            None => "ended without a status".to_owned(),
        },
    }
}

/// The beginning of a body as one line of printable text; `None` where there is nothing to read.
fn excerpt(body: &str) -> Option<String> {
    const LENGTH: usize = 200;
    let words: Vec<&str> = body.split_whitespace().collect();
    let line: String = words
        .join(" ")
        .replace('`', "'")
        .chars()
        .filter(|c| !c.is_control())
        .take(LENGTH + 1)
        .collect();
    if line.is_empty() {
        return None;
    }
    if line.chars().count() > LENGTH {
        let cut: String = line.chars().take(LENGTH).collect();
        return Some(format!("{cut}…"));
    }
    Some(line)
}
