//! Recorded queries again, on the snapshot that they were asked of: an immutable snapshot answers as it did.

use super::{answers, finished, read};
use crate::{
    investigation::{
        action::{Action, Answer},
        case::Case,
        machine::{Plan, Seen, State, Step},
        outcome::{Difference, Outcome, Rechecked},
        settings::{RecheckOrder, RecordedQuery},
    },
    wire::{Operation, Scope, decode},
};

/// Asks in the recorded order, several of a kind at once.
#[derive(Clone, Debug)]
pub struct Recheck {
    queue: Vec<RecordedQuery>,
    done: Rechecked,
}

/// Queries put into one action.
const BATCH: usize = 8;

impl Recheck {
    pub fn new(case: &mut Case, order: &RecheckOrder) -> Self {
        let mut queue: Vec<RecordedQuery> = Vec::new();
        for query in &order.queries {
            let query = RecordedQuery {
                operation: moved(case, &query.operation),
                ..query.clone()
            };
            // What was asked twice is asked once.
            if queue.iter().all(|other| other.operation != query.operation) {
                queue.push(query);
            }
        }
        // Servers without statistics were asked for none.
        let statistics = |query: &RecordedQuery| matches!(query.operation, Operation::ApiStats { .. });
        case.surveyed |= !queue.iter().any(statistics);
        let secured = case.snapshot.as_ref();
        Self {
            queue,
            done: Rechecked {
                snapshot: secured.map_or_else(String::new, |secured| secured.reference.name.clone()),
                found: secured.is_some_and(|secured| secured.reused),
                ..Rechecked::default()
            },
        }
    }

    /// The next queries of one kind: a call is read only after lists that show it.
    fn batch(&self) -> &[RecordedQuery] {
        let kind = |query: &RecordedQuery| query.operation.name();
        let Some(first) = self.queue.first() else {
            return &[];
        };
        let alike = self
            .queue
            .iter()
            .take(BATCH)
            .take_while(|query| kind(query) == kind(first));
        let length = alike.count();
        self.queue.get(..length).unwrap_or_default()
    }

    fn onward(mut self) -> State {
        if self.queue.is_empty() {
            let done = std::mem::take(&mut self.done);
            return finished(Outcome::Rechecked(done));
        }
        State::Recheck(self)
    }
}

/// The same query of the snapshot and the dissection of this run.
fn moved(case: &Case, operation: &Operation) -> Operation {
    let mut operation = operation.clone();
    let here = |scope: &mut Scope| {
        scope.snapshot = case.snapshot.as_ref().map(|secured| secured.reference.clone());
        scope.dissection = case.dissected.clone().flatten();
    };
    match &mut operation {
        Operation::ApiStats { scope }
        | Operation::CountCalls { scope }
        | Operation::ListCalls { scope, .. }
        | Operation::CallDetail { scope, .. } => here(scope),
        _ => {}
    }
    operation
}

fn difference(query: &RecordedQuery, tool: &str, what: String) -> Difference {
    let scope = query.operation.scope();
    Difference {
        tool: tool.to_owned(),
        filter: scope.map_or_else(String::new, |scope| scope.filter.clone()),
        window: scope.and_then(|scope| scope.window),
        what,
    }
}

impl Step for Recheck {
    fn plan(&self, _: &Case) -> Plan {
        let calls: Vec<Operation> = self.batch().iter().map(|query| query.operation.clone()).collect();
        if calls.is_empty() {
            return Plan::Decide;
        }
        Plan::Act(Action::Query {
            why: format!("the recorded queries again, {} left", self.queue.len()),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let mut next = self.clone();
        let asked: Vec<RecordedQuery> = next.queue.drain(..self.batch().len()).collect();
        if asked.is_empty() {
            return next.onward();
        }
        match answers(seen) {
            Ok(answers) => {
                for (query, answer) in asked.iter().zip(&answers) {
                    compare(case, &mut next.done, query, answer);
                }
            }
            Err(failure) => {
                let unanswered = asked
                    .iter()
                    .map(|query| difference(query, query.operation.name(), failure.to_string()));
                next.done.unanswered.extend(unanswered);
            }
        }
        next.onward()
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        let mut next = self.clone();
        let asked: Vec<RecordedQuery> = next.queue.drain(..self.batch().len()).collect();
        let unanswered = asked.iter().map(|query| {
            difference(
                query,
                query.operation.name(),
                format!("a guard refused it: {why}"),
            )
        });
        next.done.unanswered.extend(unanswered);
        next.onward()
    }
}

fn compare(case: &mut Case, done: &mut Rechecked, query: &RecordedQuery, answer: &Answer) {
    case.surveyed |= matches!(query.operation, Operation::ApiStats { .. });
    let body = match &answer.result {
        Ok(body) => body,
        Err(failure) => {
            done.unanswered
                .push(difference(query, &answer.tool, failure.to_string()));
            return;
        }
    };
    let lists = matches!(
        query.operation,
        Operation::CountCalls { .. } | Operation::ListCalls { .. }
    );
    let list = lists.then(|| read(answer, decode::calls).ok()).flatten();
    if let Some(list) = &list {
        case.listed.extend(list.calls.iter().map(|call| call.id.clone()));
    }
    if body.sha256 == query.sha256 {
        done.agreed = done.agreed.saturating_add(1);
        return;
    }
    let (total, rows) = (
        list.as_ref().and_then(|list| list.total),
        list.as_ref().map(|list| list.calls.len() as u64),
    );
    let number =
        |number: Option<u64>| number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
    let what = if total != query.total {
        format!("{} matches now, {} recorded", number(total), number(query.total))
    } else if rows != query.rows {
        format!("{} rows now, {} recorded", number(rows), number(query.rows))
    } else {
        format!(
            "the same counts, another content: SHA-256 {} now, {} recorded",
            body.sha256, query.sha256
        )
    };
    done.differing.push(difference(query, &answer.tool, what));
}
