//! Exact counts of the edges that no list showed whole, each a plan of its own.

use std::collections::BTreeMap;

use serde_json::json;

use super::{super::count::target, BATCH, Known, Which, asks, stretch as parts_of, take::stretch};
use crate::{
    analysis::EdgeKey,
    investigation::{action::Answer, case::Case, filters},
    query::{Budget, Counting, Histogram, Plan, Question, Reason, Reply},
    wire::Operation,
};

/// What one count may take: a single call where `total` is a count, some lists otherwise.
const BUDGET: Budget = Budget {
    calls: 24,
    bytes: 16 << 20,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    left: Vec<Count>,
    /// Of parts of a stretch that were counted already: the sum and how many are still to come.
    parts: BTreeMap<(EdgeKey, bool, bool), (u64, usize)>,
    counting: Counting,
}

#[derive(Clone, Debug)]
struct Count {
    key: EdgeKey,
    which: Which,
    during: bool,
    question: Question,
    /// Begun once it is known how the server counts.
    plan: Option<Histogram>,
}

impl Count {
    /// What its parts have in common.
    fn part(&self) -> (EdgeKey, bool, bool) {
        (self.key.clone(), self.during, self.which == Which::All)
    }
}

impl Counts {
    pub(super) fn new(case: &Case, known: &Known) -> Self {
        let wanted = asks::wanted(case, known);
        let left = wanted
            .into_iter()
            .flat_map(|(key, which, during)| {
                parts_of(case, during)
                    .into_iter()
                    .map(move |part| (key.clone(), which, during, part))
            })
            .map(|(key, which, during, window)| {
                let along = filters::along(&key);
                let filter = match which {
                    Which::All => along,
                    Which::Failing => filters::failing(along, key.layer),
                };
                let question = Question {
                    target: target(case, false),
                    filter,
                    window,
                };
                Count {
                    key,
                    which,
                    during,
                    question,
                    plan: None,
                }
            })
            .collect();
        let mut parts: BTreeMap<_, (u64, usize)> = BTreeMap::new();
        let left: Vec<Count> = left;
        for count in &left {
            parts.entry(count.part()).or_default().1 += 1;
        }
        let mut counts = Self {
            left,
            parts,
            counting: known.counting,
        };
        counts.begin(case);
        counts
    }

    /// Begins all counts, or only the first one where it still has to find out how the server counts.
    fn begin(&mut self, case: &Case) {
        let first = if self.counting.is_known() { usize::MAX } else { 1 };
        for count in self.left.iter_mut().take(first) {
            if count.plan.is_none() {
                count.plan = Some(Histogram::count(count.question.clone(), self.counting, BUDGET));
            }
        }
        // What was asked before is not asked again: a count cannot go on from there.
        self.left.retain(|count| {
            let asked = |plan: &Histogram| plan.asks().iter().any(|ask| case.has_asked(ask));
            !count.plan.as_ref().is_some_and(asked)
        });
    }

    /// The plans of this turn, with the number of their questions.
    fn turn(&self) -> Vec<(usize, Vec<Operation>)> {
        let mut turn = Vec::new();
        let mut calls = 0;
        for (at, count) in self.left.iter().enumerate() {
            let Some(asks) = count.plan.as_ref().map(Plan::asks) else {
                break;
            };
            calls += asks.len();
            if calls > BATCH && !turn.is_empty() {
                break;
            }
            turn.push((at, asks));
        }
        turn
    }

    pub(super) fn asks(&self) -> Vec<Operation> {
        self.turn().into_iter().flat_map(|(_, asks)| asks).collect()
    }

    /// Takes the answers to [`asks`](Self::asks).
    pub(super) fn take(&mut self, case: &mut Case, answers: &[Answer]) {
        let mut answers = answers.iter();
        for (at, asks) in self.turn() {
            let Some(count) = self.left.get_mut(at) else {
                continue;
            };
            let replies = asks
                .iter()
                .map(|ask| match answers.next() {
                    Some(answer) => file(case, count, ask, answer),
                    None => Reply::failed("there was no answer"),
                })
                .collect();
            if let Some(plan) = &mut count.plan {
                plan.take(replies);
            }
        }
        let (done, left) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|count| count.plan.as_ref().is_some_and(|plan| plan.asks().is_empty()));
        self.left = left;
        for count in done {
            self.finish(case, &count);
        }
        self.begin(case);
    }

    /// Puts a number into the picture, or the gap into the coverage.
    fn finish(&mut self, case: &mut Case, count: &Count) {
        let Some(plan) = &count.plan else { return };
        if !self.counting.is_known() {
            self.counting = plan.counting();
        }
        let counts = plan.counts();
        // Failures are in the coverage already.
        let gaps = counts
            .gaps
            .iter()
            .filter(|gap| !matches!(gap.reason, Reason::Failed(_)));
        case.coverage.truncated.extend(gaps.map(ToString::to_string));
        let Some(total) = counts.total.filter(|_| counts.gaps.is_empty()) else {
            return;
        };
        let sum = self.parts.entry(count.part()).or_default();
        sum.0 = sum.0.saturating_add(total);
        sum.1 = sum.1.saturating_sub(1);
        let (total, left) = *sum;
        if left > 0 {
            return;
        }
        let edge = case.picture.edge(count.key.clone());
        let tally = if count.during {
            &mut edge.during
        } else {
            &mut edge.before
        };
        match count.which {
            Which::Failing => tally.failing = total,
            // A whole that is smaller than its part is no count, whatever was proved of the server.
            Which::All if total < tally.failing => {
                case.coverage.unreliable = true;
                case.coverage.truncated.push(format!(
                    "the server counts fewer calls from {} to {} than it lists: its counts cannot be trusted",
                    count.key.from, count.key.to
                ));
            }
            // Asked for last: with it the tally is whole.
            Which::All => {
                tally.calls = total;
                tally.exact = true;
            }
        }
    }
}

/// Files an answer as evidence for its edge.
fn file(case: &mut Case, count: &Count, ask: &Operation, answer: &Answer) -> Reply {
    let value = match answer.value() {
        Ok(value) => value,
        Err(failure) => {
            let filter = ask.scope().map_or("", |scope| &scope.filter);
            case.coverage.unanswered(filter, failure);
            return Reply::failed(failure.message.clone());
        }
    };
    let reply = Reply::read(ask, value, answer.bytes);
    let what = match count.which {
        Which::All => "calls",
        Which::Failing => "failing",
    };
    let window = stretch(count.during);
    let facts = match (ask, reply.list()) {
        (Operation::CountCalls { .. }, Some(list)) => json!({ "window": window, what: list.total }),
        (_, Some(list)) => json!({ "window": window, "rows": list.calls.len(), "truncated": list.truncated }),
        (_, None) => json!({ "window": window }),
    };
    if let Some(id) = case.file(answer, facts) {
        case.support(&count.key, &id);
    }
    reply
}
