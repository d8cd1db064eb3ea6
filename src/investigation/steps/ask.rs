//! One question: its words as a filter, counted exactly, with rows, and a control where nothing matched.

use super::{answer, count, finished, read, stopped};
use crate::{
    investigation::{
        action::{Action, Failure, FailureKind},
        case::Case,
        machine::{Plan, Seen, State, Step},
        outcome::{Outcome, QuestionAnswer},
        settings::{AskOrder, CountOrder},
        steps::count::{Count, Counted},
    },
    query::fitting,
    question::{self, Asked, Known, NoSuchName, Proposed, Unresolved},
    time::parse_window,
    wire::{CallForm, Operation, Scope, decode},
};

/// Names, count, rows.
#[derive(Clone, Debug)]
pub struct Ask {
    order: AskOrder,
    asked: Asked,
    stage: Stage,
    /// The filters still to be tried, the one that is counted first.
    proposed: Proposed,
    tried: Vec<String>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// What the words may stand for.
    Names,
    Filter,
    Counting(Box<Count>),
    Rows(Box<Counted>),
}

const WHAT: &str = "could not answer the question";

impl Ask {
    pub fn new(case: &Case, order: AskOrder) -> Self {
        let settings = &case.settings;
        let is_time = |text: &str| parse_window(text, None, settings.now, &settings.zone).is_ok();
        let proposed = Proposed {
            filters: order.filter.iter().cloned().collect(),
            slowest: order
                .filter
                .as_ref()
                .is_some_and(|filter| filter.contains("elapsed_time")),
            ignored: Vec::new(),
            resolved: Vec::new(),
        };
        let asked = question::parse(&settings.question, is_time).unwrap_or_default();
        let names = Self::names(case);
        let look = order.filter.is_none() && asked.has_names() && case.supports(&names);
        Self {
            stage: if look { Stage::Names } else { Stage::Filter },
            order,
            asked,
            proposed,
            tried: Vec::new(),
        }
    }

    fn at(&self, stage: Stage) -> State {
        State::Ask(Self {
            stage,
            ..self.clone()
        })
    }

    fn names(case: &Case) -> Operation {
        Operation::ListWorkloads {
            snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
            namespaces: Vec::new(),
            name: None,
            name_regex: None,
            kind: None,
            labels: Vec::new(),
        }
    }

    /// From the words to a filter, then to its count.
    fn propose(&self, case: &mut Case, known: &Known) -> State {
        let mut next = self.clone();
        if next.order.filter.is_none() {
            next.proposed = match next.asked.filter(known) {
                Ok(proposed) => proposed,
                Err(error) => return stopped(WHAT, unresolved(&error)),
            };
        }
        next.count(case)
    }

    fn count(self, case: &mut Case) -> State {
        let order = CountOrder {
            filter: self.filter().to_owned(),
            by: Vec::new(),
            every_ms: case
                .window
                .map(|window| fitting(window.length(), self.order.bins)),
            budget_calls: self.order.budget_calls,
            budget_bytes: self.order.budget_bytes,
            explain: false,
        };
        // A control is for the last word: what follows a filter that was too narrow tells more.
        let last = self.proposed.filters.len() <= 1;
        let state = count::counting(case, &order, last);
        self.counted(case, state)
    }

    /// Where the counting leads, inside this phase.
    fn counted(&self, case: &mut Case, state: State) -> State {
        match state {
            State::Count(count) => self.at(Stage::Counting(Box::new(count))),
            State::Counted(counted) => {
                let none = counted.counts().total == Some(0);
                if none && self.proposed.filters.len() > 1 {
                    // Nothing was as slow as that: the next bound.
                    let mut next = self.clone();
                    next.tried.push(next.proposed.filters.remove(0));
                    return next.count(case);
                }
                if none {
                    return self.done(*counted, Vec::new(), false, None);
                }
                self.at(Stage::Rows(counted))
            }
            other => other,
        }
    }

    fn filter(&self) -> &str {
        self.proposed.filters.first().map_or("", String::as_str)
    }

    /// As many rows as are to be shown; to find the slowest, all that one list holds. The counting may have asked for a
    /// full list already: this one is another question.
    fn rows(&self, case: &Case, counted: &Counted) -> Operation {
        let most = case.settings.playbook.survey.rows.saturating_sub(1).max(1);
        let total = counted.counts().total.unwrap_or(u64::MAX);
        let wanted = if self.proposed.slowest {
            most
        } else {
            self.order.rows
        };
        Operation::ListCalls {
            scope: Scope {
                snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
                dissection: case.dissected.clone().flatten(),
                filter: self.filter().to_owned(),
                window: case.window,
            },
            limit: wanted
                .min(most)
                .min(u32::try_from(total).unwrap_or(u32::MAX))
                .max(1),
            form: CallForm::Compact,
        }
    }

    fn done(
        &self,
        counted: Counted,
        mut rows: Vec<decode::Call>,
        cut: bool,
        unlisted: Option<String>,
    ) -> State {
        if self.proposed.slowest {
            rows.sort_by_key(|call| std::cmp::Reverse(call.elapsed_us));
        }
        finished(Outcome::Answer(Box::new(QuestionAnswer {
            filter: self.filter().to_owned(),
            tried: self.tried.clone(),
            counted,
            rows,
            slowest: self.proposed.slowest,
            cut,
            ignored: self.proposed.ignored.clone(),
            resolved: self.proposed.resolved.clone(),
            unlisted,
        })))
    }
}

fn unresolved(error: &Unresolved) -> Failure {
    let hints = match error {
        Unresolved::NoSuchName(NoSuchName { known, .. }) => {
            vec![
                format!("near it or there: {}", known.join(", ")),
                "a name between quotes is taken as it is written; --kfl gives the filter itself".to_owned(),
            ]
        }
        Unresolved::Nothing(_) => vec![
            "name a protocol, a status, a latency, a path or who calls whom, as in \"errors in checkout\""
                .to_owned(),
            "or give the filter yourself with --kfl".to_owned(),
        ],
        Unresolved::Contradiction(_) => vec!["ask for less, or give the filter itself with --kfl".to_owned()],
    };
    Failure {
        kind: FailureKind::NotFound,
        message: error.to_string(),
        hints,
    }
}

/// Names of everything that the snapshot knows.
fn known(list: decode::WorkloadList) -> Known {
    let mut known = Known::default();
    for workload in list.workloads {
        let names = if workload.kind.as_deref() == Some("service") {
            &mut known.services
        } else {
            &mut known.pods
        };
        if !names.contains(&workload.name) {
            names.push(workload.name);
        }
        if let Some(namespace) = workload.namespace.filter(|one| !known.namespaces.contains(one)) {
            known.namespaces.push(namespace);
        }
    }
    known
}

impl Step for Ask {
    fn plan(&self, case: &Case) -> Plan {
        match &self.stage {
            Stage::Names => Plan::Act(super::one(
                "what the names in the question stand for",
                Self::names(case),
            )),
            Stage::Filter => Plan::Decide,
            Stage::Counting(count) => count.plan(case),
            Stage::Rows(counted) => Plan::Act(Action::Query {
                why: "the calls themselves".to_owned(),
                calls: vec![self.rows(case, counted)],
            }),
        }
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        match &self.stage {
            Stage::Names => {
                // A server that cannot list them leaves the names as they were said.
                let list = answer(seen).and_then(|answer| read(&answer, decode::workloads));
                self.propose(case, &list.map(known).unwrap_or_default())
            }
            Stage::Filter => self.propose(case, &Known::default()),
            Stage::Counting(count) => {
                let state = count.settle(case, seen);
                self.counted(case, state)
            }
            Stage::Rows(counted) => match answer(seen).and_then(|answer| read(&answer, decode::calls)) {
                Ok(list) => self.done((**counted).clone(), list.calls, list.truncated, None),
                Err(failure) => self.done((**counted).clone(), Vec::new(), false, Some(failure.to_string())),
            },
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        match &self.stage {
            Stage::Names => self.propose(case, &Known::default()),
            Stage::Filter => stopped(WHAT, super::malformed(why)),
            Stage::Counting(count) => {
                let state = count.refused(case, why);
                self.counted(case, state)
            }
            Stage::Rows(counted) => self.done((**counted).clone(), Vec::new(), false, Some(why.to_owned())),
        }
    }
}
