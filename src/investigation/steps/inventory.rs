//! What snapshots there are.

use super::{answers, finished, read, stopped};
use crate::{
    investigation::{
        action::Action,
        case::Case,
        machine::{Plan, Seen, State, Step},
        outcome::{Outcome, Shelf},
    },
    wire::{Operation, decode},
};

/// Lists snapshots, and asks for the cloud's status where there is a tool for it.
#[derive(Clone, Debug)]
pub struct Inventory {
    calls: Vec<Operation>,
}

impl Inventory {
    pub fn new(case: &Case) -> Self {
        let mut calls = vec![Operation::ListSnapshots, Operation::CloudStorageStatus];
        calls.retain(|call| case.supports(call));
        Self { calls }
    }
}

impl Step for Inventory {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(Action::Query {
            why: "what snapshots are there?".to_owned(),
            calls: self.calls.clone(),
        })
    }

    fn settle(&self, _: &mut Case, seen: Seen) -> State {
        let what = "could not list the snapshots";
        let answers = match answers(seen) {
            Ok(answers) => answers,
            Err(failure) => return stopped(what, failure),
        };
        let mut shelf = Shelf::default();
        for (call, answer) in self.calls.iter().zip(&answers) {
            if matches!(call, Operation::ListSnapshots) {
                shelf.snapshots = match read(answer, decode::snapshots) {
                    Ok(snapshots) => snapshots,
                    Err(failure) => return stopped(what, failure),
                };
            } else {
                shelf.cloud = read(answer, decode::cloud_storage).ok();
            }
        }
        finished(Outcome::Inventory(shelf))
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not list the snapshots", super::malformed(why))
    }
}
