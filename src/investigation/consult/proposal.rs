//! From what a model proposes to what could be asked, and from what came back to what the model is told.
//!
//! Nothing is checked here that a guard checks: filters, windows, tools and repetition are ruled on when the action is
//! planned, and the refusal goes back in the guard's words.

use serde_json::{Value, json};

use super::{answers::Query, digest::line, equivalent, skeleton::skeleton};
use crate::{
    analysis::{Layer, Party},
    investigation::{action::Answer, case::Case, evidence::EvidenceId, filters, steps::read, words},
    kfl::Filter,
    time::{Utc, Window},
    wire::{
        CallForm, Operation,
        decode::{self, Call},
    },
};

/// Rows of a list that a model asks for, and of these the ones it is shown.
const ROWS: u32 = 20;
const SHOWN: usize = 8;

/// Bytes of a body that a model asks for.
const PAYLOAD_BYTES: u32 = 2048;

/// What a proposal comes to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::investigation) enum Proposed {
    /// To be asked, if the guards let it pass.
    Ask {
        /// The proposal on a line, for the log that the model sees.
        shown: String,
        calls: Vec<Operation>,
    },
    /// The same was asked before, with this result.
    Known { shown: String, told: String },
    /// It has no meaning here.
    Not(String),
}

/// What a proposed query would ask, with the proposal on a line; or why it has no meaning here.
fn operations(case: &Case, query: &Query) -> Result<(String, Vec<Operation>), String> {
    let filter = query.filter.clone().unwrap_or_default();
    let window = stretch(case, query.window.as_deref())?;
    let scope = |filter: &str, window: Option<Window>| crate::wire::Scope {
        filter: filter.to_owned(),
        ..case.scope(&Filter::everything(), window)
    };
    let party = || -> Result<&Party, String> {
        let name = query.party.as_deref().unwrap_or_default();
        party_of(case, name).ok_or_else(|| {
            format!(
                "there is no party `{}`; they are numbered in the facts, as in P1",
                line(name, 20)
            )
        })
    };
    let word = query.window.as_deref().unwrap_or("during");
    let asked = match query.action.as_str() {
        "count" | "list" | "compare" if filter.trim().is_empty() => {
            return Err(format!("`{}` needs a filter", query.action));
        }
        "count" => (
            format!("count {} ({word})", line(&filter, 200)),
            vec![Operation::CountCalls {
                scope: scope(&filter, window),
            }],
        ),
        "compare" => {
            let stretches = case.baseline().into_iter().next().into_iter().chain(case.window);
            let calls: Vec<Operation> = stretches
                .map(|stretch| Operation::CountCalls {
                    scope: scope(&filter, Some(stretch)),
                })
                .collect();
            (format!("compare {}", line(&filter, 200)), calls)
        }
        "list" => (
            format!("list {} ({word})", line(&filter, 200)),
            vec![Operation::ListCalls {
                scope: scope(&filter, window),
                limit: ROWS,
                form: CallForm::Compact,
            }],
        ),
        "detail" => {
            let Some(call) = query.call.clone().filter(|call| !call.is_empty()) else {
                return Err("`detail` needs the id of a call that a list showed".to_owned());
            };
            (
                format!("detail {}", line(&call, 60)),
                vec![Operation::CallDetail {
                    scope: scope("", None),
                    node_id: node_of(case, &call),
                    call,
                    max_payload_bytes: PAYLOAD_BYTES,
                }],
            )
        }
        "flows" => {
            let party = party()?;
            (
                format!("flows of {} ({word})", query.party.as_deref().unwrap_or_default()),
                vec![Operation::ListCalls {
                    scope: scope(&filters::to(Layer::Tcp, party).to_string(), window),
                    limit: ROWS,
                    form: CallForm::Raw,
                }],
            )
        }
        "workload" => {
            let party = party()?;
            (
                format!("workload {}", query.party.as_deref().unwrap_or_default()),
                vec![Operation::ListWorkloads {
                    snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
                    namespaces: party.namespace.iter().cloned().collect(),
                    name: None,
                    name_regex: Some(format!("^{}", regex_of(&party.name))),
                    labels: Vec::new(),
                    kind: None,
                }],
            )
        }
        other => {
            return Err(format!(
                "`{}` is nothing that you may ask for; the actions are count, list, compare, detail, flows, workload and conclude",
                line(other, 40)
            ));
        }
    };
    if asked.1.is_empty() {
        return Err("there is nothing recorded to compare".to_owned());
    }
    Ok(asked)
}

/// Makes operations of a proposed query, or finds what was answered to the same before.
pub(in crate::investigation) fn propose(case: &Case, query: &Query) -> Proposed {
    let (shown, calls) = match operations(case, query) {
        Ok(asked) => asked,
        Err(why) => return Proposed::Not(why),
    };
    // All parts of it are known: the recorded answer is the answer.
    let known: Vec<EvidenceId> = calls
        .iter()
        .filter_map(|call| equivalent::answered(case, call))
        .collect();
    if known.len() == calls.len() {
        let told: Vec<String> = known
            .iter()
            .filter_map(|id| case.evidence.get(id))
            .map(|evidence| {
                let facts = Value::Object(evidence.facts.clone()).to_string();
                format!("{}: {}", evidence.id, line(&facts, 300))
            })
            .collect();
        return Proposed::Known {
            shown,
            told: format!("asked before; the recorded answer is {}", told.join("; ")),
        };
    }
    Proposed::Ask { shown, calls }
}

/// The party a model means by `P3`.
pub(super) fn party_of<'a>(case: &'a Case, handle: &str) -> Option<&'a Party> {
    let number: usize = handle.trim().strip_prefix(['P', 'p'])?.parse().ok()?;
    case.opinion.parties.get(number.checked_sub(1)?)
}

fn node_of(case: &Case, id: &str) -> Option<String> {
    let known = case.picture.edges.values();
    let node = known
        .flat_map(|edge| edge.failing.iter().chain(&edge.good))
        .chain(&case.picture.calls)
        .find(|call| call.id == id)
        .and_then(|call| call.node_id.clone());
    // Ids of calls begin with the node that recorded them.
    node.or_else(|| id.split('/').next().map(str::to_owned))
}

/// A name as a regular expression that matches it alone.
fn regex_of(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            let special = !c.is_alphanumeric() && c != '-' && c != '_';
            special.then_some('\\').into_iter().chain(Some(c))
        })
        .collect()
}

/// The stretch of time that a model names; without a name the incident.
fn stretch(case: &Case, word: Option<&str>) -> Result<Option<Window>, String> {
    match word.map(str::trim).filter(|word| !word.is_empty()) {
        None | Some("during") => Ok(case.window),
        Some("before") => case
            .baseline()
            .into_iter()
            .next()
            .map(Some)
            .ok_or_else(|| "nothing is recorded from before".to_owned()),
        Some("snapshot") => Ok(case.snapshot.as_ref().map(|secured| secured.window)),
        Some(range) => {
            let wrong = || {
                format!(
                    "`{}` is no window: say before, during, snapshot, or FROM..TO in RFC 3339",
                    line(range, 60)
                )
            };
            let (start, end) = range.split_once("..").ok_or_else(wrong)?;
            let at = |text: &str| text.trim().parse::<Utc>().map_err(|_| wrong());
            let window = Window {
                start: at(start)?,
                end: at(end)?,
            };
            if window.start < window.end {
                Ok(Some(window))
            } else {
                Err(format!("the window `{}` ends before it begins", line(range, 60)))
            }
        }
    }
}

/// Files what came back, and says it on a few lines for the model.
pub(in crate::investigation) fn result_of(
    case: &mut Case,
    calls: &[Operation],
    answers: &[Answer],
) -> String {
    let told: Vec<String> = calls
        .iter()
        .zip(answers)
        .map(|(call, answer)| one(case, call, answer))
        .collect();
    told.join("; ")
}

fn one(case: &mut Case, call: &Operation, answer: &Answer) -> String {
    let during = call.scope().and_then(|scope| scope.window);
    let when = match during {
        Some(window) if Some(window) == case.window => "during",
        Some(window) if case.baseline().first() == Some(&window) => "before",
        _ => "elsewhen",
    };
    let failed =
        |failure: crate::investigation::Failure| format!("not answered: {}", line(&failure.message, 160));
    match call {
        Operation::CountCalls { .. } => match read(answer, decode::calls) {
            Ok(list) => {
                let matching = list.total.unwrap_or(list.calls.len() as u64);
                let id = case.file(
                    answer,
                    json!({ "asked_by": "model", "matching": matching, "window": when }),
                );
                format!("{}{} match {when}", cited(id), words::number(matching))
            }
            Err(failure) => failed(failure),
        },
        Operation::ListCalls { .. } => match read(answer, decode::calls) {
            Ok(list) => {
                case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
                let id = case.file(
                    answer,
                    json!({ "asked_by": "model", "listed": list.calls.len(), "matching": list.total, "truncated": list.truncated, "window": when }),
                );
                let rows: Vec<String> = list
                    .calls
                    .iter()
                    .take(SHOWN)
                    .map(|call| row(case, call))
                    .collect();
                let all = list.total.unwrap_or(list.calls.len() as u64);
                format!(
                    "{}{} match {when}\n{}",
                    cited(id),
                    words::number(all),
                    rows.join("\n")
                )
            }
            Err(failure) => failed(failure),
        },
        Operation::CallDetail { .. } => match read(answer, decode::call_detail) {
            Ok(detail) => {
                let call = detail.call;
                let said = call.response_body.as_deref().map(|body| skeleton(body, None));
                let asked = call.request_body.as_deref().map(|body| skeleton(body, None));
                let id = case.file(
                    answer,
                    json!({ "asked_by": "model", "call": call.id, "status": call.status, "elapsed_us": call.elapsed_us, "said": said }),
                );
                if let (Some(id), Some(body)) = (&id, &call.response_body) {
                    case.opinion.texts.insert(id.clone(), body.clone());
                }
                format!(
                    "{}{}\nrequest body: {}\nresponse body: {}",
                    cited(id),
                    row(case, &call),
                    asked.unwrap_or_else(|| "none".to_owned()),
                    said.unwrap_or_else(|| "none".to_owned())
                )
            }
            Err(failure) => failed(failure),
        },
        Operation::ListWorkloads { .. } => match read(answer, decode::workloads) {
            Ok(found) => {
                let id = case.file(
                    answer,
                    json!({ "asked_by": "model", "workloads": found.workloads.len() }),
                );
                let names: Vec<String> = found
                    .workloads
                    .iter()
                    .take(SHOWN)
                    .map(|workload| {
                        format!(
                            "{} {}",
                            workload.kind.as_deref().unwrap_or("workload"),
                            line(&workload.name, 63)
                        )
                    })
                    .collect();
                format!(
                    "{}{} found: {}",
                    cited(id),
                    found.workloads.len(),
                    names.join(", ")
                )
            }
            Err(failure) => failed(failure),
        },
        _ => "nothing that can be told".to_owned(),
    }
}

fn cited(id: Option<EvidenceId>) -> String {
    id.map(|id| format!("{id}: ")).unwrap_or_default()
}

/// A call on a line.
fn row(case: &Case, call: &Call) -> String {
    let end = |peer: &decode::Peer| {
        let name = peer
            .service
            .as_deref()
            .or(peer.pod.as_deref())
            .or(peer.ip.as_deref());
        line(name.unwrap_or("?"), 63)
    };
    let took = call
        .elapsed_us
        .map(|us| format!(" {}", words::latency(us)))
        .unwrap_or_default();
    let status = call.status.map(|status| format!(" {status}")).unwrap_or_default();
    let again = call
        .tcp
        .as_ref()
        .and_then(|tcp| tcp.retransmissions)
        .filter(|count| *count > 0)
        .map(|count| format!(" {count} sent again"))
        .unwrap_or_default();
    format!(
        "{} {} {} > {} {} {}{status}{took}{again}",
        line(&call.id, 40),
        case.settings.clock().bare(call.ts),
        end(&call.src),
        end(&call.dst),
        line(call.method.as_deref().unwrap_or(&call.protocol), 12),
        line(call.path.as_deref().unwrap_or(""), 80),
    )
}
