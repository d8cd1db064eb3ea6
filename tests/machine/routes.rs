//! Where a run goes, by what a server answers: fed observation by observation.

use rca_agent::{
    investigation::{
        Action, Answer, Body, Failure, FailureKind, Machine, Observation, Phase, Plan, Seen, Settings, State,
        Verdict, guard, settings::NamedSnapshot,
    },
    wire::Operation,
};
use serde_json::{Value, json};

use crate::support::{CASE, settings};

/// What a server says to an operation; `Err` is a failure of this kind.
type Answers<'a> = &'a dyn Fn(&Operation) -> Result<Value, FailureKind>;

fn observed(action: &Action, answers: Answers<'_>) -> Observation {
    match action {
        Action::Connect => Observation::Connected {
            server: "told".to_owned(),
            protocol: "2024-11-05".to_owned(),
            tools: Vec::new(),
            schemas: body(json!([])),
            supported: Operation::examples()
                .iter()
                .map(|one| one.name().to_owned())
                .collect(),
            took_ms: 0,
        },
        Action::AskUser { default, .. } => Observation::Chosen { choice: *default },
        action => Observation::Answers {
            answers: action
                .calls()
                .iter()
                .map(|call| answer(call, answers(call)))
                .collect(),
        },
    }
}

fn body(value: Value) -> Body {
    Body {
        sha256: rca_agent::journal::body_hash(&value),
        value,
    }
}

fn answer(call: &Operation, said: Result<Value, FailureKind>) -> Answer {
    Answer {
        tool: call.name().to_owned(),
        arguments: Value::Null,
        took_ms: 0,
        bytes: 1,
        result: said.map(body).map_err(|kind| Failure {
            kind,
            message: "told so".to_owned(),
            hints: Vec::new(),
        }),
    }
}

/// Runs until the machine ends or comes to `until`; says what was asked on the way.
fn run(settings: Settings, until: Phase, answers: Answers<'_>) -> (Machine, Vec<Operation>) {
    let mut machine = Machine::new(CASE, settings);
    let mut asked = Vec::new();
    while machine.state().phase() != until {
        let Some((plan, rulings)) = machine.plan() else {
            break;
        };
        match plan {
            Plan::Decide => machine.settle(None, Seen::Nothing).unwrap(),
            Plan::Act(action) => {
                if let Some(refusal) = guard::refusal(&rulings) {
                    machine.refuse(&refusal).unwrap()
                } else {
                    asked.extend(action.calls().iter().cloned());
                    let seen = Seen::Observed(observed(&action, answers));
                    machine.settle(Some(&action), seen).unwrap()
                }
            }
        };
    }
    (machine, asked)
}

/// Unix ms of the window of the settings, moved by minutes.
fn at(minutes: i64) -> i64 {
    let start = settings().reading.window.start.timestamp_millis();
    start + minutes * 60_000
}

fn boundaries(from: i64, to: i64) -> Value {
    json!({ "cluster": { "oldest_ts": at(from), "newest_ts": at(to) }, "nodes": [] })
}

fn snapshot(name: &str, status: &str, from: i64, to: i64) -> Value {
    json!({ "id": name, "name": name, "status": status, "start_ts": at(from), "end_ts": at(to) })
}

#[test]
fn a_window_that_is_gone_is_looked_for_among_the_snapshots() {
    let server = |snapshots: Value| {
        move |call: &Operation| match call {
            Operation::DataBoundaries => Ok(boundaries(60, 120)),
            Operation::ListSnapshots => Ok(json!({ "snapshots": snapshots })),
            _ => Ok(json!({})),
        }
    };
    let found = server(json!([snapshot("kept", "completed", -10, 10)]));
    let (machine, asked) = run(settings(), Phase::Index, &found);
    assert_eq!(machine.case().snapshot.as_ref().unwrap().reference.name, "kept");
    assert!(
        asked
            .iter()
            .all(|call| !matches!(call, Operation::CreateSnapshot { .. }))
    );

    let cloud = server(json!([snapshot("kept", "cloud-only", -10, 10)]));
    let (machine, _) = run(settings(), Phase::Index, &cloud);
    let State::Concluded(finding) = machine.state() else {
        panic!("{:?}", machine.state())
    };
    assert_eq!(finding.verdict, Verdict::NoData);
    assert!(
        finding.next[0].contains("rca-agent restore kept --yes"),
        "{:?}",
        finding.next
    );

    let none = server(json!([snapshot("other", "completed", 30, 40)]));
    let (machine, _) = run(settings(), Phase::Index, &none);
    let State::Concluded(finding) = machine.state() else {
        panic!("{:?}", machine.state())
    };
    assert!(
        finding.because[0].contains("rotated out"),
        "{:?}",
        finding.because
    );
}

#[test]
fn a_named_snapshot_is_worked_on_whatever_is_recorded() {
    let mut named = settings();
    named.snapshot = Some(NamedSnapshot {
        name: "kept".to_owned(),
        retake: None,
    });
    let cases = [
        ("completed", "kept", None),
        ("cloud-only", "kept", Some("in cloud storage only")),
        ("failed", "kept", Some("failed")),
        ("completed", "other", Some("there is no snapshot `kept`")),
        ("hibernating", "kept", Some("not known here")),
    ];
    for (status, name, problem) in cases {
        let server = |call: &Operation| match call {
            // No raw capture at all: as on a cluster that only investigates.
            Operation::DataBoundaries => Err(FailureKind::RawCaptureOff),
            Operation::ListSnapshots => Ok(json!({ "snapshots": [snapshot(name, status, -10, 10)] })),
            _ => Ok(json!({})),
        };
        let (machine, _) = run(named.clone(), Phase::Index, &server);
        match (machine.state(), problem) {
            (State::Index(_), None) => {}
            (State::Stopped(stopped), Some(problem)) => {
                assert!(stopped.because[0].contains(problem), "{stopped:?}");
                assert!(!stopped.hints.is_empty());
            }
            (state, _) => panic!("{status} {name}: {state:?}"),
        }
    }
}

#[test]
fn only_one_snapshot_is_taken_at_a_time() {
    let looks = std::cell::Cell::new(0);
    let server = |call: &Operation| match call {
        Operation::DataBoundaries => Ok(boundaries(-60, 120)),
        Operation::ListSnapshots => {
            looks.set(looks.get() + 1);
            let status = if looks.get() < 4 {
                "in_progress"
            } else {
                "completed"
            };
            Ok(json!({ "snapshots": [snapshot("somebody-elses", status, 90, 95)] }))
        }
        Operation::CreateSnapshot { name, .. } => {
            assert_eq!(looks.get(), 4, "it waited until the other one was completed");
            Ok(snapshot(name, "completed", -60, 60))
        }
        _ => Ok(json!({})),
    };
    let (machine, _) = run(settings(), Phase::Index, &server);
    assert!(!machine.case().snapshot.as_ref().unwrap().reused);
}
