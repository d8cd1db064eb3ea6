//! A snapshot to cloud storage, or from it: a job of the server's that is waited for. What is there already is refused.

use super::{Patience, answer, answers, finished, malformed, read, stopped};
use crate::{
    investigation::{
        action::{Action, Answer, Failure, FailureKind},
        case::Case,
        machine::{Plan, Seen, State, Step},
        outcome::{Outcome, Transferred},
        settings::{Direction, TransferOrder},
    },
    wire::{
        Operation, SnapshotRef,
        decode::{self, CloudJobStatus, CloudStorage, Snapshot, SnapshotStatus},
    },
};

/// Looks, starts, waits, looks again.
#[derive(Clone, Debug)]
pub struct Transfer {
    order: TransferOrder,
    stage: Stage,
    patience: Patience,
    provider: Option<String>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Is there cloud storage, and which snapshots are where?
    Look,
    Start(SnapshotRef),
    Await {
        snapshot: SnapshotRef,
        job: String,
    },
    /// It is said to be done: is it there?
    Confirm {
        snapshot: SnapshotRef,
        job: String,
    },
}

/// Names shown to somebody who named none that is there.
const NAMES: usize = 12;

impl Transfer {
    pub fn new(case: &Case, order: TransferOrder) -> Self {
        let wait = &case.settings.playbook.wait;
        Self {
            order,
            stage: Stage::Look,
            patience: Patience::new(wait.first_ms, wait.longest_ms, wait.dissection_seconds),
            provider: None,
        }
    }

    fn at(&self, stage: Stage) -> State {
        State::Transfer(Self {
            stage,
            ..self.clone()
        })
    }

    fn what(&self) -> &'static str {
        match self.order.direction {
            Direction::Upload => "could not keep the snapshot in cloud storage",
            Direction::Download => "could not bring the snapshot here",
        }
    }

    fn cannot(&self, message: String, hints: Vec<String>) -> State {
        let failure = Failure {
            kind: FailureKind::Tool,
            message,
            hints,
        };
        stopped(self.what(), failure)
    }

    fn failed(&self, mut failure: Failure) -> State {
        if failure.kind == FailureKind::Forbidden {
            failure
                .hints
                .push("uploads and downloads need the role `snapshot` or `admin` on the Hub".to_owned());
        }
        if failure.kind == FailureKind::Conflict {
            let name = &self.order.snapshot;
            failure.hints = match self.order.direction {
                Direction::Upload => vec![format!(
                    "where it is kept already nothing is overwritten; any Hub with this storage brings it by `rca-agent restore {name} --yes`"
                )],
                Direction::Download => vec![format!(
                    "where it is here already nothing is overwritten: `rca-agent investigate --snapshot {name}`"
                )],
            };
        }
        stopped(self.what(), failure)
    }

    fn looked(&self, answers: &[Answer]) -> State {
        let [cloud, list, ..] = answers else {
            return self.failed(malformed("there was no answer"));
        };
        let cloud: CloudStorage = match read(cloud, decode::cloud_storage) {
            Ok(cloud) => cloud,
            Err(failure) => return self.failed(failure),
        };
        if !cloud.enabled {
            return self.cannot(
                "cloud storage is not configured".to_owned(),
                vec![
                    "set `tap.snapshots.cloud.provider` (s3, azblob or gcs) and its credentials in Kubeshark's Helm values".to_owned(),
                    "until then `rca-agent preserve CASE --no-upload --out DIR` keeps the packets and the case here".to_owned(),
                ],
            );
        }
        if cloud.connected == Some(false) {
            return self.cannot(
                "cloud storage is configured and cannot be reached".to_owned(),
                vec!["check the bucket's name and region, and the Hub's credentials for it; the Hub's log says more".to_owned()],
            );
        }
        let snapshots = match read(list, decode::snapshots) {
            Ok(snapshots) => snapshots,
            Err(failure) => return self.failed(failure),
        };
        let found = snapshots.iter().find(|snapshot| {
            snapshot.reference.name == self.order.snapshot || snapshot.reference.id == self.order.snapshot
        });
        let next = Self {
            provider: cloud.provider,
            ..self.clone()
        };
        next.chosen(found, &snapshots)
    }

    /// Whether it can be moved from where it is.
    fn chosen(&self, found: Option<&Snapshot>, all: &[Snapshot]) -> State {
        let name = &self.order.snapshot;
        match (
            self.order.direction,
            found.map(|snapshot| (snapshot, &snapshot.status)),
        ) {
            (Direction::Upload, Some((snapshot, SnapshotStatus::Completed)))
            | (Direction::Download, Some((snapshot, SnapshotStatus::CloudOnly))) => {
                self.at(Stage::Start(snapshot.reference.clone()))
            }
            (Direction::Upload, Some((_, SnapshotStatus::CloudOnly))) => self.cannot(
                format!("the snapshot `{name}` is in cloud storage already, and only there"),
                vec![format!("`rca-agent restore {name} --yes` brings it here")],
            ),
            (Direction::Download, Some((_, SnapshotStatus::Completed))) => self.cannot(
                format!("there is a snapshot `{name}` here already; nothing is overwritten"),
                vec![format!("`rca-agent investigate --snapshot {name}` works on it")],
            ),
            (_, Some((_, status))) => self.cannot(
                format!("the snapshot `{name}` is not completed ({status:?})"),
                vec!["wait until it is: `rca-agent snapshots`".to_owned()],
            ),
            // A Hub need not list what is only in the cloud: it says so itself where there is none.
            (Direction::Download, None) => self.at(Stage::Start(SnapshotRef {
                id: name.clone(),
                name: name.clone(),
            })),
            (Direction::Upload, None) => {
                let names: Vec<&str> = all
                    .iter()
                    .take(NAMES)
                    .map(|snapshot| snapshot.reference.name.as_str())
                    .collect();
                let hint = if names.is_empty() {
                    "there are no snapshots on this server".to_owned()
                } else {
                    format!("there are {}; `rca-agent snapshots` says more", names.join(", "))
                };
                self.cannot(
                    format!("there is no snapshot `{name}` on this server"),
                    vec![hint],
                )
            }
        }
    }

    fn operation(&self, snapshot: &SnapshotRef) -> Operation {
        let snapshot = snapshot.clone();
        match self.order.direction {
            Direction::Upload => Operation::UploadSnapshot { snapshot },
            Direction::Download => Operation::DownloadSnapshot { snapshot },
        }
    }

    /// The server's job, as it was begun or as it is.
    fn job(&self, snapshot: &SnapshotRef, job: decode::CloudJob) -> State {
        match job.status {
            CloudJobStatus::Completed => self.at(Stage::Confirm {
                snapshot: snapshot.clone(),
                job: job.id,
            }),
            CloudJobStatus::Failed => self.cannot(
                job.error
                    .unwrap_or_else(|| "the server's job failed, and it does not say why".to_owned()),
                vec!["the Hub's log says more; the same may be tried again".to_owned()],
            ),
            CloudJobStatus::InProgress | CloudJobStatus::Other(_) => match self.patience.waited() {
                Some(patience) => State::Transfer(Self {
                    patience,
                    stage: Stage::Await {
                        snapshot: snapshot.clone(),
                        job: job.id,
                    },
                    ..self.clone()
                }),
                None => self.cannot(
                    format!("the job {} took longer than the playbook waits", job.id),
                    vec!["it goes on in the Hub; `rca-agent snapshots` shows when it is there".to_owned()],
                ),
            },
        }
    }
}

impl Step for Transfer {
    fn plan(&self, _: &Case) -> Plan {
        let query = |why: &str, calls: Vec<Operation>| {
            Plan::Act(Action::Query {
                why: why.to_owned(),
                calls,
            })
        };
        match &self.stage {
            Stage::Look => query(
                "is there cloud storage, and which snapshots are where?",
                vec![Operation::CloudStorageStatus, Operation::ListSnapshots],
            ),
            Stage::Start(snapshot) => query("start the transfer", vec![self.operation(snapshot)]),
            Stage::Await { job, .. } => Plan::Act(Action::Wait {
                why: "the snapshot is being transferred".to_owned(),
                after_ms: self.patience.next_ms,
                then: Operation::CloudJobStatus { job: job.clone() },
            }),
            Stage::Confirm { .. } => query("is it there?", vec![Operation::ListSnapshots]),
        }
    }

    fn settle(&self, _: &mut Case, seen: Seen) -> State {
        match &self.stage {
            Stage::Look => match answers(seen) {
                Ok(answers) => self.looked(&answers),
                Err(failure) => self.failed(failure),
            },
            Stage::Start(snapshot) | Stage::Await { snapshot, .. } => {
                match answer(seen).and_then(|answer| read(&answer, decode::cloud_job)) {
                    Ok(job) => self.job(snapshot, job),
                    Err(failure) => self.failed(failure),
                }
            }
            Stage::Confirm { snapshot, job } => {
                let listed = answer(seen).and_then(|answer| read(&answer, decode::snapshots));
                let here = listed.ok().and_then(|snapshots| {
                    snapshots
                        .into_iter()
                        .find(|one| one.reference.name == snapshot.name || one.reference.id == snapshot.id)
                });
                match here {
                    Some(here) if here.status == SnapshotStatus::Completed => {
                        finished(Outcome::Transferred(Box::new(Transferred {
                            direction: self.order.direction,
                            snapshot: here,
                            provider: self.provider.clone(),
                            job: job.clone(),
                        })))
                    }
                    _ => self.cannot(
                        format!(
                            "the job {job} is completed, and no completed snapshot `{}` is listed",
                            snapshot.name
                        ),
                        vec!["look at the Hub's log".to_owned()],
                    ),
                }
            }
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped(self.what(), malformed(why))
    }
}
