//! Freezes the window before anything else: the ring buffer overwrites evidence while one thinks.

use chrono::TimeDelta;

use super::{Patience, answer, index::Index, one, read, stopped};
use crate::{
    investigation::{
        action::{Action, Answer, Failure, FailureKind},
        case::{Case, Secured},
        machine::{Plan, Seen, State, Step},
    },
    time::Window,
    wire::{
        Operation, SnapshotRef,
        decode::{self, Snapshot, SnapshotStatus},
    },
};

/// Looks for a snapshot that covers the window, else takes one and waits for it.
#[derive(Clone, Debug)]
pub struct Secure {
    /// What the snapshot is to hold: the window and its buffer, inside the data.
    target: Window,
    stage: Stage,
    patience: Patience,
}

#[derive(Clone, Debug)]
enum Stage {
    Look,
    Create,
    /// Another snapshot is being taken: only one at a time.
    Queue,
    Await {
        snapshot: SnapshotRef,
    },
}

impl Secure {
    pub fn new(case: &Case) -> Self {
        let rules = &case.settings.playbook;
        let buffer = TimeDelta::minutes(i64::from(rules.window.buffer_minutes));
        let asked = case.window.unwrap_or(case.settings.reading.window);
        let mut wide = asked.widened(buffer);
        if let Some(baseline) = case.settings.baseline {
            wide = wide.hull(&baseline);
        }
        let target = case
            .coverage
            .captured
            .and_then(|captured| wide.overlap(&captured))
            .unwrap_or(asked);
        let patience = Patience::new(
            rules.wait.first_ms,
            rules.wait.longest_ms,
            rules.wait.snapshot_seconds,
        );
        Self {
            target,
            stage: Stage::Look,
            patience,
        }
    }

    fn at(&self, stage: Stage) -> State {
        State::Secure(Self {
            stage,
            ..self.clone()
        })
    }

    /// One more pause, or the end of patience.
    fn waited(&self, stage: Stage, what: &str) -> State {
        match self.patience.waited() {
            Some(patience) => State::Secure(Self {
                stage,
                patience,
                ..self.clone()
            }),
            None => stopped(
                "could not take a snapshot",
                Failure {
                    kind: FailureKind::Timeout,
                    message: format!("{what} for longer than the playbook waits"),
                    hints: vec![
                        "look at the Hub's log; raise `wait.snapshot_seconds` for very large windows"
                            .to_owned(),
                    ],
                },
            ),
        }
    }
}

/// The name under which a case takes its snapshot.
fn name(case: &Case) -> String {
    format!("rca-{}", case.id)
}

impl Step for Secure {
    fn plan(&self, case: &Case) -> Plan {
        Plan::Act(match &self.stage {
            Stage::Look => one(
                "is there a snapshot of the window already?",
                Operation::ListSnapshots,
            ),
            Stage::Create => one(
                "freeze the window before the buffers overwrite it",
                Operation::CreateSnapshot {
                    name: name(case),
                    window: self.target,
                    nodes: Vec::new(),
                },
            ),
            Stage::Queue => Action::Wait {
                why: "another snapshot is being taken".to_owned(),
                after_ms: self.patience.next_ms,
                then: Operation::ListSnapshots,
            },
            Stage::Await { snapshot } => Action::Wait {
                why: format!("snapshot {} is being assembled", snapshot.name),
                after_ms: self.patience.next_ms,
                then: Operation::GetSnapshot {
                    snapshot: snapshot.clone(),
                },
            },
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let answer = match answer(seen) {
            Ok(answer) => answer,
            Err(failure) => return stopped("could not take a snapshot", failure),
        };
        match &self.stage {
            Stage::Look | Stage::Queue => self.looked(case, &answer),
            Stage::Create => self.created(case, &answer),
            Stage::Await { snapshot } => match read(&answer, decode::snapshot) {
                Ok(seen) => self.progressed(case, &answer, snapshot, &seen),
                Err(failure) => stopped("could not follow the snapshot", failure),
            },
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not take a snapshot", super::malformed(why))
    }
}

impl Secure {
    fn looked(&self, case: &mut Case, answer: &Answer) -> State {
        let existing = match read(answer, decode::snapshots) {
            Ok(existing) => existing,
            Err(failure) => return stopped("could not list the snapshots", failure),
        };
        let ours = name(case);
        let usable = |snapshot: &&Snapshot| {
            snapshot.reference.name == ours
                || snapshot.window.is_some_and(|window| window.covers(&self.target))
        };
        let found = existing
            .iter()
            .filter(usable)
            .min_by_key(|snapshot| snapshot.status != SnapshotStatus::Completed);
        match found {
            Some(snapshot) if snapshot.status == SnapshotStatus::Completed => {
                let reused = snapshot.reference.name != ours;
                self.secured(
                    case,
                    answer,
                    snapshot,
                    snapshot.window.unwrap_or(self.target),
                    reused,
                )
            }
            Some(snapshot) if snapshot.status == SnapshotStatus::InProgress => self.at(Stage::Await {
                snapshot: snapshot.reference.clone(),
            }),
            _ if existing
                .iter()
                .any(|snapshot| snapshot.status == SnapshotStatus::InProgress) =>
            {
                self.waited(Stage::Queue, "another snapshot was in progress")
            }
            _ => self.at(Stage::Create),
        }
    }

    fn created(&self, case: &mut Case, answer: &Answer) -> State {
        match read(answer, decode::snapshot) {
            Ok(snapshot) => {
                let reference = snapshot.reference.clone();
                self.progressed(case, answer, &reference, &snapshot)
            }
            // Somebody else is faster, or an earlier attempt of this very case got through after all.
            Err(failure) if matches!(failure.kind, FailureKind::Conflict | FailureKind::Timeout) => {
                self.waited(Stage::Queue, "another snapshot was in progress")
            }
            Err(failure) => stopped("could not take a snapshot of the window", failure),
        }
    }

    fn progressed(
        &self,
        case: &mut Case,
        answer: &Answer,
        reference: &SnapshotRef,
        seen: &Snapshot,
    ) -> State {
        match &seen.status {
            SnapshotStatus::Completed => {
                let mut done = seen.clone();
                done.reference = reference.clone();
                self.secured(case, answer, &done, seen.window.unwrap_or(self.target), false)
            }
            SnapshotStatus::Failed => stopped(
                "the snapshot failed",
                Failure {
                    kind: FailureKind::Tool,
                    message: format!(
                        "`{}` says of snapshot {}: {}",
                        answer.tool,
                        reference.name,
                        seen.error.as_deref().unwrap_or("failed")
                    ),
                    hints: vec![
                        "snapshots are assembled on the Hub's storage: `tap.snapshots.local.storageSize` may be too small".to_owned(),
                        "the packets stay in the nodes' buffers only so long: try again soon, or with a shorter window".to_owned(),
                    ],
                },
            ),
            _ => self.waited(Stage::Await { snapshot: reference.clone() }, "the snapshot was not completed"),
        }
    }

    fn secured(
        &self,
        case: &mut Case,
        answer: &Answer,
        snapshot: &Snapshot,
        window: Window,
        reused: bool,
    ) -> State {
        case.coverage.secured = Some(window);
        case.file(
            answer,
            serde_json::json!({
                "snapshot": snapshot.reference.name,
                "start": window.start,
                "end": window.end,
                "nodes": snapshot.node_count,
                "size_bytes": snapshot.size_bytes,
            }),
        );
        let asked = case.window.unwrap_or(self.target);
        let secured = Secured {
            reference: snapshot.reference.clone(),
            window,
            completed: true,
            reused,
        };
        case.snapshot = Some(secured);
        if let Some(inside) = asked.overlap(&window)
            && inside != asked
        {
            let clock = case.settings.clock();
            case.coverage.not_seen.push(format!(
                "the snapshot holds only {} of the window {}",
                clock.window(&inside),
                clock.window(&asked)
            ));
            case.asked_window = Some(inside);
            case.window = Some(inside);
        }
        State::Index(Index::new(case))
    }
}
