//! Dissection: checked, started when missing, waited for, never assumed.

use super::{Patience, answer, ask::Ask, count, one, read, recheck::Recheck, stopped, survey::Survey};
use crate::{
    analysis::Layer,
    investigation::{
        action::{Action, Answer, Failure, FailureKind},
        case::Case,
        machine::{Plan, Seen, State, Step},
        settings::Task,
    },
    wire::{
        Operation, SnapshotRef,
        decode::{self, Dissection, DissectionStatus},
    },
};

#[derive(Clone, Debug)]
pub struct Index {
    snapshot: SnapshotRef,
    stage: Stage,
    patience: Patience,
}

#[derive(Clone, Debug)]
enum Stage {
    Check,
    Start,
    /// Started or found running; by name where it has one.
    Await(Option<String>),
}

impl Index {
    pub fn new(case: &Case) -> Self {
        let wait = &case.settings.playbook.wait;
        let snapshot = case.snapshot.as_ref().map_or_else(
            || SnapshotRef {
                id: String::new(),
                name: String::new(),
            },
            |secured| secured.reference.clone(),
        );
        Self {
            snapshot,
            stage: Stage::Check,
            patience: Patience::new(wait.first_ms, wait.longest_ms, wait.dissection_seconds),
        }
    }

    fn at(&self, stage: Stage) -> State {
        State::Index(Self {
            stage,
            ..self.clone()
        })
    }
}

impl Step for Index {
    fn plan(&self, case: &Case) -> Plan {
        let snapshot = self.snapshot.clone();
        Plan::Act(match &self.stage {
            Stage::Check => {
                let list = Operation::ListDissections {
                    snapshot: snapshot.clone(),
                };
                let status = Operation::DissectionStatus {
                    snapshot,
                    dissection: None,
                };
                one(
                    "is the snapshot dissected?",
                    if case.supports(&list) { list } else { status },
                )
            }
            Stage::Start => one(
                "dissection never starts by itself",
                Operation::StartDissection {
                    snapshot,
                    name: format!("rca-{}", case.id),
                },
            ),
            Stage::Await(dissection) => Action::Wait {
                why: "the snapshot is being dissected".to_owned(),
                after_ms: self.patience.next_ms,
                then: Operation::DissectionStatus {
                    snapshot,
                    dissection: dissection.clone(),
                },
            },
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let answer = match answer(seen) {
            Ok(answer) => answer,
            Err(failure) => return stopped("could not dissect the snapshot", failure),
        };
        match &self.stage {
            Stage::Check => self.checked(case, &answer),
            Stage::Start => match read(&answer, decode::dissection) {
                // A short one is done at once; only its status says what was found.
                Ok(done) if done.status == DissectionStatus::Completed && done.entries.is_none() => {
                    self.at(Stage::Await(done.name))
                }
                Ok(dissection) => self.progressed(case, &answer, &dissection, dissection.name.clone()),
                // Somebody started one in the meantime, or an earlier attempt of this case did.
                Err(failure) if failure.kind == FailureKind::Conflict => self.at(Stage::Await(None)),
                Err(failure) => stopped("could not start the dissection of the snapshot", failure),
            },
            Stage::Await(name) => match read(&answer, decode::dissection) {
                Ok(dissection) => self.progressed(
                    case,
                    &answer,
                    &dissection,
                    dissection.name.clone().or_else(|| name.clone()),
                ),
                Err(failure) => stopped("could not follow the dissection", failure),
            },
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not dissect the snapshot", super::malformed(why))
    }
}

impl Index {
    fn checked(&self, case: &mut Case, answer: &Answer) -> State {
        let known = match answer.value() {
            Err(failure) if failure.kind == FailureKind::NotFound => Vec::new(),
            Err(failure) => return stopped("could not check the dissection", failure.clone()),
            Ok(_) => match read(answer, decode::dissections) {
                Ok(known) => known,
                Err(failure) => return stopped("could not check the dissection", failure),
            },
        };
        let rank = |dissection: &&Dissection| match dissection.status {
            DissectionStatus::Completed => 0,
            DissectionStatus::Running | DissectionStatus::Pending => 1,
            _ => 2,
        };
        match known.iter().min_by_key(rank) {
            Some(found) if rank(&found) < 2 => self.progressed(case, answer, found, found.name.clone()),
            // A failed one may have failed for a reason that has passed: one more try, by us.
            _ => self.at(Stage::Start),
        }
    }

    fn progressed(
        &self,
        case: &mut Case,
        answer: &Answer,
        dissection: &Dissection,
        name: Option<String>,
    ) -> State {
        match &dissection.status {
            DissectionStatus::Completed => {
                case.coverage.entries = dissection.entries;
                case.layers = dissection
                    .protocols
                    .iter()
                    .filter_map(|name| Layer::of_protocol(name))
                    .filter(|layer| layer.is_request())
                    .collect();
                case.dissected = Some(name);
                case.file(
                    answer,
                    serde_json::json!({ "status": "completed", "entries": dissection.entries }),
                );
                match case.settings.task.clone() {
                    Task::Count(_) => count::begin(case),
                    Task::Ask(order) => State::Ask(Ask::new(case, order)),
                    Task::Recheck(order) => State::Recheck(Recheck::new(case, &order)),
                    _ => State::Survey(Survey::new(case)),
                }
            }
            DissectionStatus::Failed | DissectionStatus::Cancelled => {
                let said = if dissection.errors.is_empty() {
                    "no reason given".to_owned()
                } else {
                    dissection.errors.join("; ")
                };
                stopped(
                    "the dissection of the snapshot failed",
                    Failure {
                        kind: FailureKind::Tool,
                        message: format!("`{}` says of snapshot {}: {said}", answer.tool, self.snapshot.name),
                        hints: vec![
                            "the packets are safe in the snapshot: start a dissection again, or export a PCAP for Wireshark, which needs none".to_owned(),
                        ],
                    },
                )
            }
            _ => match self.patience.waited() {
                Some(patience) => State::Index(Self {
                    patience,
                    stage: Stage::Await(name),
                    ..self.clone()
                }),
                None => stopped(
                    "the dissection of the snapshot did not end",
                    Failure {
                        kind: FailureKind::Timeout,
                        message: format!(
                            "snapshot {} stood at {} % when the playbook's patience ended",
                            self.snapshot.name,
                            dissection
                                .progress
                                .map_or_else(|| "an unknown".to_owned(), |p| format!("{p:.0}"))
                        ),
                        hints: vec![
                            "raise `wait.dissection_seconds`, or ask for a shorter window".to_owned(),
                        ],
                    },
                ),
            },
        }
    }
}
