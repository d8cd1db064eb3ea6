//! Freezes the window before anything else: the ring buffer overwrites evidence while one thinks.

use chrono::TimeDelta;

use super::{
    Patience, answer, conclude::Conclude, finished, index::Index, one, packets::Packets, read, stopped,
    window::next_time,
};
use crate::{
    investigation::{
        action::{Action, Answer, Failure, FailureKind},
        case::{Case, Secured},
        machine::{Plan, Seen, State, Step},
        outcome::Outcome,
        settings::Task,
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
    /// Nothing is recorded of the window any more, and why: only a snapshot that is there already helps.
    gone: Option<String>,
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
        let asked = case.window.unwrap_or(case.when.window);
        let mut wide = asked.widened(buffer);
        if let Some(baseline) = case.settings.baseline {
            wide = wide.hull(&baseline);
        }
        let retaken = case.settings.snapshot.as_ref().and_then(|named| named.retake);
        let target = case
            .coverage
            .captured
            .and_then(|captured| wide.overlap(&captured))
            .unwrap_or(asked);
        let target = retaken.unwrap_or(target);
        let patience = Patience::new(
            rules.wait.first_ms,
            rules.wait.longest_ms,
            rules.wait.snapshot_seconds,
        );
        Self {
            target,
            stage: Stage::Look,
            patience,
            gone: None,
        }
    }

    /// Looks for a snapshot of a window that is not recorded any more.
    pub fn only_existing(case: &Case, gone: String) -> Self {
        Self {
            target: case.window.unwrap_or(case.settings.reading.window),
            gone: Some(gone),
            ..Self::new(case)
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

/// The name under which a case takes its snapshot: by rule, or the one that was told.
fn name(case: &Case) -> String {
    match (&case.settings.snapshot, &case.settings.task) {
        (Some(named), _) => named.name.clone(),
        (None, Task::Keep { name: Some(name) }) => name.clone(),
        _ => format!("rca-{}", case.id),
    }
}

/// A snapshot of the name that was wanted holds something else.
fn name_taken(case: &Case, taken: &Snapshot) -> State {
    let name = &taken.reference.name;
    let holds = taken.window.map_or_else(
        || "another window".to_owned(),
        |window| case.settings.clock().window(&window),
    );
    stopped(
        "could not take a snapshot",
        Failure {
            kind: FailureKind::Conflict,
            message: format!("there is a snapshot `{name}` already, and it holds {holds}"),
            hints: vec![
                "choose another --name; a snapshot is never overwritten or deleted".to_owned(),
                format!("to work on the one that is there: `--snapshot {name}`"),
            ],
        },
    )
}

/// Only packets need no dissection.
fn onward(case: &Case) -> State {
    match &case.settings.task {
        Task::Packets(order) => State::Packets(Packets::new(order.clone())),
        _ => State::Index(Index::new(case)),
    }
}

/// Names shown to somebody who may have mistyped one.
const NAMES: usize = 20;

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
        if case.settings.snapshot.is_some() {
            return self.named(case, answer, &existing);
        }
        let covers = |snapshot: &Snapshot| snapshot.window.is_some_and(|window| window.covers(&self.target));
        // Never one that holds something else, whatever it is called. What this run asked for itself may hold a little less.
        let told = matches!(&case.settings.task, Task::Keep { name: Some(_) });
        let mostly = |window: Window| {
            let shared = window.overlap(&self.target).map(|part| part.length());
            shared.is_some_and(|length| length * 2 >= self.target.length())
        };
        if let Some(taken) = existing.iter().find(|one| one.reference.name == ours)
            && taken
                .window
                .is_some_and(|window| !mostly(window) || (told && !covers(taken)))
        {
            return name_taken(case, taken);
        }
        let usable = |snapshot: &&Snapshot| snapshot.reference.name == ours || covers(snapshot);
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
            found if self.gone.is_some() => self.gone(case, found),
            _ if existing
                .iter()
                .any(|snapshot| snapshot.status == SnapshotStatus::InProgress) =>
            {
                self.waited(Stage::Queue, "another snapshot was in progress")
            }
            _ => self.at(Stage::Create),
        }
    }

    /// Nothing is recorded of the window, and there is no snapshot of it, or one in cloud storage only.
    fn gone(&self, case: &mut Case, found: Option<&Snapshot>) -> State {
        let reason = self.gone.clone().unwrap_or_default();
        case.coverage.not_seen.push(reason.clone());
        let mut next = next_time(true);
        match found {
            Some(snapshot) if snapshot.status == SnapshotStatus::CloudOnly => next.insert(
                0,
                format!(
                    "the snapshot {name} in cloud storage covers the window: `rca-agent restore {name} --yes` brings it here",
                    name = snapshot.reference.name
                ),
            ),
            _ => next.push("no snapshot that is there covers the window (`rca-agent snapshots` lists them)".to_owned()),
        }
        State::Conclude(Conclude::no_data(reason, next))
    }

    /// The snapshot that was named, and no other.
    fn named(&self, case: &mut Case, answer: &Answer, existing: &[Snapshot]) -> State {
        let name = name(case);
        let cannot = |message: String, hints: Vec<String>| {
            stopped(
                "could not work on the snapshot",
                Failure {
                    kind: FailureKind::NotFound,
                    message,
                    hints,
                },
            )
        };
        let is_named =
            |snapshot: &&Snapshot| snapshot.reference.name == name || snapshot.reference.id == name;
        let Some(snapshot) = existing.iter().find(is_named) else {
            let retake = case.settings.snapshot.as_ref().and_then(|named| named.retake);
            let recorded = case.coverage.captured.zip(retake);
            let mut hints = Vec::new();
            return match recorded {
                Some((captured, retake)) if captured.covers(&retake) => self.at(Stage::Create),
                _ => {
                    if retake.is_some() {
                        hints
                            .push("it cannot be taken again: its window is not recorded any more".to_owned());
                    }
                    let names: Vec<&str> = existing
                        .iter()
                        .map(|snapshot| snapshot.reference.name.as_str())
                        .take(NAMES)
                        .collect();
                    hints.push(if names.is_empty() {
                        "there are no snapshots on this server".to_owned()
                    } else {
                        format!("there are {}; `rca-agent snapshots` says more", names.join(", "))
                    });
                    cannot(format!("there is no snapshot `{name}` on this server"), hints)
                }
            };
        };
        match &snapshot.status {
            SnapshotStatus::Completed => {
                let window = snapshot.window.unwrap_or(self.target);
                let asked = case.window.unwrap_or(self.target);
                if window.overlap(&asked).is_none() {
                    let clock = case.settings.clock();
                    let message = format!(
                        "the snapshot `{name}` holds {}, and nothing of {}",
                        clock.window(&window),
                        clock.window(&asked)
                    );
                    return cannot(message, vec!["leave --since out to look at all of it".to_owned()]);
                }
                self.secured(case, answer, snapshot, window, true)
            }
            SnapshotStatus::InProgress => self.at(Stage::Await {
                snapshot: snapshot.reference.clone(),
            }),
            SnapshotStatus::CloudOnly => cannot(
                format!("the snapshot `{name}` is in cloud storage only"),
                vec![format!("`rca-agent restore {name} --yes` brings it here")],
            ),
            SnapshotStatus::Failed => cannot(
                format!(
                    "the snapshot `{name}` failed: {}",
                    snapshot.error.as_deref().unwrap_or("no reason given")
                ),
                vec!["take another one".to_owned()],
            ),
            SnapshotStatus::Other(word) => cannot(
                format!("the snapshot `{name}` has the status `{word}`, which is not known here"),
                vec!["wait until it is completed".to_owned()],
            ),
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
        if matches!(case.settings.task, Task::Keep { .. }) {
            return finished(Outcome::Kept {
                snapshot: Box::new(snapshot.clone()),
                window,
                reused,
            });
        }
        if let Some(inside) = asked.overlap(&window)
            && inside != asked
        {
            let clock = case.settings.clock();
            // Who names no time means all of the snapshot.
            if case.settings.since.is_empty() {
                case.asked_window = Some(inside);
                case.window = Some(inside);
                return onward(case);
            }
            case.coverage.not_seen.push(format!(
                "the snapshot holds only {} of the window {}",
                clock.window(&inside),
                clock.window(&asked)
            ));
            case.asked_window = Some(inside);
            case.window = Some(inside);
        }
        onward(case)
    }
}
