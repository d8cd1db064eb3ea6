//! Tries to refute: is the traffic asked about there at all, does a cause precede its effects, does
//! anything else explain as much? What survives is the finding; where nothing does, it says so.

use serde_json::json;

use super::{answers, challenge::Challenge, conclude::Conclude, read, verdict};
use crate::{
    analysis::{Layer, Naming, Party, Side, likely, lossy, side_of},
    investigation::{
        account,
        action::{Action, Answer},
        case::Case,
        evidence::EvidenceId,
        filters,
        finding::{Confidence, Finding, Verdict},
        machine::{Phase, Plan, Seen, State, Step},
        words,
    },
    kfl::Filter,
    time::Window,
    wire::{CallForm, Operation, Scope, decode},
};

/// Makes the control query for the workload asked about and what the playbook always asks, then weighs.
#[derive(Clone, Debug, Default)]
pub struct Weigh {
    control: Vec<Operation>,
    /// Some calls of any kind, where nothing of the namespace asked about was seen: there are others.
    others: Option<Operation>,
    always: Vec<Always>,
}

/// A question of the playbook, of the window or of the time before it.
#[derive(Clone, Debug)]
struct Always {
    why: String,
    during: bool,
    operation: Operation,
}

impl Weigh {
    pub fn new(case: &Case) -> Self {
        Self {
            control: control(case),
            others: others(case),
            always: always(case),
        }
    }
}

fn count(case: &Case, filter: &str, window: Window) -> Option<Operation> {
    let secured = case.snapshot.as_ref()?;
    let operation = Operation::CountCalls {
        scope: Scope {
            snapshot: Some(secured.reference.clone()),
            dissection: case.dissected.clone().flatten(),
            filter: filter.to_owned(),
            window: Some(window),
        },
    };
    (case.supports(&operation) && !case.has_asked(&operation)).then_some(operation)
}

/// Was the workload the user named captured at all, whatever it spoke? And where no request was
/// seen: is there anything? A count without the condition tells.
fn control(case: &Case) -> Vec<Operation> {
    let Some(secured) = &case.snapshot else {
        return Vec::new();
    };
    let asked = if let Some(service) = &case.settings.service {
        let party = Party {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
            naming: Naming::Word,
        };
        // Connections that were open for hours began long before the window.
        count(case, &filters::anything_to(&party).to_string(), secured.window)
    } else if let (true, Some(namespace)) = (saw_nothing(case), &case.settings.namespace) {
        let filter = filters::touching(namespace);
        filter.and_then(|filter| count(case, &filter.to_string(), secured.window))
    } else if let (true, Some(window)) = (saw_nothing(case), case.window) {
        count(case, &Filter::everything().to_string(), window)
    } else {
        None
    };
    asked.into_iter().collect()
}

/// Calls that say which namespaces there are, for somebody who may have mistyped one.
fn others(case: &Case) -> Option<Operation> {
    const ROWS: u32 = 200;
    let forbidden = case.settings.playbook.asks_for("one-namespace", Phase::Weigh);
    if forbidden || case.settings.namespace.is_none() || case.settings.service.is_some() || !saw_nothing(case)
    {
        return None;
    }
    let window = case.snapshot.as_ref()?.window;
    let operation = Operation::ListCalls {
        scope: case.scope(&Filter::everything(), Some(window)),
        limit: ROWS,
        form: CallForm::Compact,
    };
    (case.supports(&operation) && !case.has_asked(&operation)).then_some(operation)
}

/// What the playbook always asks, of the window and of the time before it.
fn always(case: &Case) -> Vec<Always> {
    let mut asked: Vec<Always> = Vec::new();
    let during = case.window.into_iter().map(|window| (true, window));
    let stretches: Vec<_> = during
        .chain(case.baseline().into_iter().map(|part| (false, part)))
        .collect();
    for question in &case.settings.playbook.always {
        for (during, window) in &stretches {
            let Some(operation) = count(case, &question.filter, *window) else {
                continue;
            };
            if asked.iter().all(|other| other.operation != operation) {
                asked.push(Always {
                    why: question.why.clone(),
                    during: *during,
                    operation,
                });
            }
        }
    }
    asked
}

/// No edge has a call in the window.
fn saw_nothing(case: &Case) -> bool {
    case.picture.edges.values().all(|edge| edge.during.calls == 0)
}

impl Step for Weigh {
    fn plan(&self, _: &Case) -> Plan {
        let always = self.always.iter().map(|asked| asked.operation.clone());
        let others = self.others.iter().cloned();
        let calls: Vec<Operation> = self.control.iter().cloned().chain(others).chain(always).collect();
        if calls.is_empty() {
            return Plan::Decide;
        }
        let why = if self.control.is_empty() {
            "what the playbook always asks"
        } else {
            "was it captured at all?"
        };
        Plan::Act(Action::Query {
            why: why.to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let Seen::Observed(_) = seen else {
            return weigh(case, None, &[]);
        };
        let Ok(answers) = answers(seen) else {
            return weigh(case, None, &[]);
        };
        let mut calls = 0;
        let mut evidence = Vec::new();
        let (control, rest) = answers.split_at(answers.len().min(self.control.len()));
        let (others, always) = rest.split_at(rest.len().min(usize::from(self.others.is_some())));
        for (asked, answer) in self.always.iter().zip(always) {
            take_always(case, asked, answer);
        }
        for answer in control {
            match read(answer, decode::calls) {
                Ok(list) => {
                    let total = list.total.unwrap_or(list.calls.len() as u64);
                    calls += total;
                    evidence.extend(case.file(answer, json!({ "matching": total, "window": "during" })));
                }
                Err(failure) => case.coverage.unanswered("the control query", &failure),
            }
        }
        let mut namespaces = Vec::new();
        for list in others
            .iter()
            .filter_map(|answer| read(answer, decode::calls).ok())
        {
            let ends = list.calls.into_iter().flat_map(|call| [call.src, call.dst]);
            namespaces.extend(
                ends.filter_map(|end| end.namespace)
                    .filter(|name| !name.is_empty()),
            );
        }
        namespaces.sort();
        namespaces.dedup();
        let control = (!self.control.is_empty()).then_some((calls, evidence));
        weigh(case, control.as_ref(), &namespaces)
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage
            .not_seen
            .push(format!("the control query was not made: {why}"));
        weigh(case, None, &[])
    }
}

/// A list of one row: what its total says is what the server counts, which is not proven here.
fn take_always(case: &mut Case, asked: &Always, answer: &Answer) {
    match read(answer, decode::calls) {
        Ok(list) => {
            let window = if asked.during { "during" } else { "before" };
            let matching = list.total.unwrap_or(list.calls.len() as u64);
            case.file(
                answer,
                json!({ "asked_by_the_playbook": asked.why, "matching": matching, "window": window }),
            );
        }
        Err(failure) => case.coverage.unanswered(&asked.why, &failure),
    }
}

fn weigh(case: &mut Case, control: Option<&(u64, Vec<EvidenceId>)>, namespaces: &[String]) -> State {
    super::survey::rank(case);
    case.lossy = case.window.and_then(|window| {
        // Where nothing else is abnormal, what was lost has to have been lost in the window: of a connection that
        // outlives it nobody can tell.
        let alone = case.diagnosis.suspects.is_empty();
        let connections: Vec<_> = case
            .connections
            .calls
            .iter()
            .filter(|call| !alone || side_of(call, window.end) == Side::Before)
            .map(|call| (side_of(call, window.start), call))
            .collect();
        lossy(&connections)
    });
    let gaps = case.coverage.gaps();
    let matching = control.map(|(calls, _)| *calls);
    case.coverage.control = matching;
    if let (Some(service), Some((0, evidence))) = (case.settings.service.clone(), control) {
        let cited: Vec<String> = evidence.iter().map(ToString::to_string).collect();
        let because = format!("nothing to {service} is in the snapshot ({})", cited.join(", "));
        let mut next = vec![format!(
            "check the name, and whether Kubeshark captures {service} (targeting rules, namespace scope)"
        )];
        let mut known: Vec<String> = case
            .picture
            .called()
            .into_iter()
            .map(ToString::to_string)
            .collect();
        known.dedup();
        if !known.is_empty() {
            known.truncate(NAMES);
            next.push(format!("seen in the window: {}", known.join(", ")));
        }
        return State::Conclude(Conclude::no_data(because, next));
    }
    if let (None, Some(namespace), Some((0, evidence))) =
        (&case.settings.service, case.settings.namespace.clone(), control)
    {
        return no_such_namespace(&namespace, evidence, namespaces);
    }
    if saw_nothing(case) && gaps.is_empty() && matching.is_none_or(|calls| calls == 0) {
        let because = "the dissected snapshot holds no call and no connection in the window".to_owned();
        let next = vec![
            "check which workloads Kubeshark captures (its targeting rules and namespace scope), and the time asked about".to_owned(),
        ];
        return State::Conclude(Conclude::no_data(because, next));
    }
    let ranked = verdict::ranked(case);
    let Some(leading) = ranked.first() else {
        let finding = Finding {
            about: account::about(case),
            ..nothing(case, &gaps)
        };
        return Challenge::next(case, finding);
    };
    let finding = Finding {
        about: account::about(case),
        ..verdict::found(case, leading, &ranked, &gaps)
    };
    Challenge::next(case, finding)
}

/// Nothing of the namespace is in the snapshot; others may be.
fn no_such_namespace(namespace: &str, evidence: &[EvidenceId], namespaces: &[String]) -> State {
    let cited: Vec<String> = evidence.iter().map(ToString::to_string).collect();
    let because = format!(
        "nothing to or from the namespace {namespace} is in the snapshot ({})",
        cited.join(", ")
    );
    let mut next = vec![format!(
        "check the name, and whether Kubeshark captures {namespace} (targeting rules, namespace scope)"
    )];
    if !namespaces.is_empty() {
        let shown = namespaces.iter().take(NAMES).map(String::as_str);
        let shown: Vec<&str> = shown.collect();
        next.push(format!("namespaces that were seen: {}", shown.join(", ")));
    }
    State::Conclude(Conclude::no_data(because, next))
}

/// Nothing behaves otherwise than before, or not enough was seen to say so.
fn nothing(case: &Case, gaps: &[String]) -> Finding {
    let compared = case.picture.has_baseline;
    let mut because = Vec::new();
    if saw_nothing(case) && gaps.is_empty() {
        because
            .push("no HTTP request was seen, only lookups and connections, none of which failed".to_owned());
    }
    because.extend(gaps.iter().take(2).map(|gap| not_looked_at(gap)));
    if !compared {
        because.push(NO_BASELINE.to_owned());
    }
    because.extend(missing(case));
    because.extend(unknown_ends(case));
    let few = few(case);
    if !few.is_empty() {
        return inconclusive(because, few);
    }
    let all_along = all_along(case);
    if !all_along.is_empty() {
        because.splice(0..0, all_along);
        return Finding {
            next: vec![
                "would decide: a time when all was well to compare with (--baseline RANGE, or a window that begins later)".to_owned(),
            ],
            ..Finding::bare(Verdict::Inconclusive, Confidence::Low, because)
        };
    }
    let (verdict, confidence) = match (gaps.is_empty(), because.len()) {
        (true, 0) => (Verdict::NoAnomaly, Confidence::High),
        (true, 1) if case.coverage.missing < MUCH && unknown_ends(case).is_none() => {
            (Verdict::NoAnomaly, Confidence::Medium)
        }
        _ => (Verdict::Inconclusive, Confidence::Low),
    };
    let next = if gaps.is_empty() {
        "if something is broken all the same, it may not show in this traffic: name the service (--service NAMESPACE/NAME) or a wider window (--since, --until)"
    } else {
        "mend what kept queries from being answered (`rca-agent doctor` checks each part), or raise the budget, and ask again"
    };
    Finding {
        ruled_out: account::unchanged(case, None),
        next: vec![next.to_owned()],
        ..Finding::bare(verdict, confidence, because)
    }
}

/// Fewer calls without a failure say little about how many there would be.
const ENOUGH_BEFORE: u64 = 5;

/// Edges on which failures are new, but too few to be told from chance.
fn few(case: &Case) -> Vec<String> {
    let rules = &case.settings.playbook.survey.abnormal;
    case.picture
        .edges
        .iter()
        .filter(|(_, edge)| {
            edge.hard >= 2
                && edge.before.failing == 0
                && edge.before.calls >= ENOUGH_BEFORE
                && edge.during.share() >= rules.share_rise
                && likely(
                    (edge.before.failing, edge.before.calls),
                    (edge.hard, edge.during.calls),
                )
        })
        .map(|(key, edge)| {
            format!(
                "new, but too few to tell: {} from {} to {} failed, {} before",
                words::failing_of(&edge.during),
                key.from,
                key.to,
                words::failing_of(&edge.before)
            )
        })
        .collect()
}

/// Edges that failed much, and as much at all times that were recorded: whether that is new nobody can tell.
fn all_along(case: &Case) -> Vec<String> {
    const MUCH: f64 = 0.1;
    const ENOUGH: u64 = 10;
    if case.picture.has_baseline {
        return Vec::new();
    }
    let edges = case.picture.edges.iter();
    let mut edges: Vec<_> = edges
        .filter(|(key, edge)| {
            key.layer.is_request() && edge.during.failing >= ENOUGH && edge.during.share() >= MUCH
        })
        .collect();
    edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.during.failing));
    let told = edges.into_iter().take(3).map(|(key, edge)| {
        format!(
            "from {} to {} {} calls failed, at all times that were recorded",
            key.from,
            key.to,
            words::failing_of(&edge.during)
        )
    });
    told.collect()
}

fn inconclusive(mut because: Vec<String>, reasons: Vec<String>) -> Finding {
    because.splice(0..0, reasons);
    Finding {
        next: vec![
            "would decide: a window that reaches further past the first failures (--until)".to_owned(),
        ],
        ..Finding::bare(Verdict::Inconclusive, Confidence::Low, because)
    }
}

/// A doubt, where most requests were recorded without how they ended: failures among them cannot be seen.
fn unknown_ends(case: &Case) -> Option<String> {
    let requests = || {
        case.picture.calls.iter().filter(|call| {
            Layer::of(call).is_some_and(|layer| matches!(layer, Layer::Http | Layer::Grpc | Layer::Graphql))
        })
    };
    let unknown = requests()
        .filter(|call| call.status.is_none() && call.grpc_status.is_none() && call.elapsed_us.is_some())
        .count();
    (unknown > 0 && unknown * 2 > requests().count()).then(|| {
        format!(
            "how {} of {} requests ended is not in the recorded data: failures among them cannot be seen",
            words::number(unknown as u64),
            words::number(requests().count() as u64)
        )
    })
}

/// A doubt, where more of the time asked about is missing from the data than its very ends.
pub(in crate::investigation) fn missing(case: &Case) -> Option<String> {
    const LITTLE: f64 = 0.02;
    let percent = (case.coverage.missing * 100.0).round();
    let share = if percent < 100.0 {
        format!("{percent} %")
    } else {
        // There is something, however little.
        "more than 99 %".to_owned()
    };
    (case.coverage.missing > LITTLE)
        .then(|| format!("{share} of the time asked about is not in the recorded data"))
}

/// From this share on, what is missing may hold all that matters.
const MUCH: f64 = 0.25;

/// Names listed to somebody who may have mistyped one.
const NAMES: usize = 30;

pub(super) const NO_BASELINE: &str = "nothing was recorded before the window to compare with";

pub(super) fn not_looked_at(gap: &str) -> String {
    format!("part of the window was not looked at: {gap}")
}
