//! One module per phase. Each is pure: it plans, is told what came of it, and says where to go.

pub mod ask;
pub mod challenge;
pub mod conclude;
pub mod count;
pub mod handoff;
pub mod hypothesise;
pub mod index;
pub mod inspect;
pub mod intake;
pub mod inventory;
pub mod live;
pub mod narrow;
pub mod packets;
pub mod preflight;
pub mod probe;
pub mod reading;
pub mod recheck;
pub mod secure;
pub mod survey;
pub mod transfer;
pub(super) mod verdict;
pub mod weigh;
pub mod window;
pub mod write;

use super::{
    action::{Action, Answer, Failure, FailureKind, Observation},
    finding::Problem,
    machine::{Seen, State},
    outcome::Outcome,
};
use crate::wire::{Operation, decode::DecodeError};

/// The answers of a query, or the failure that kept it from being made.
fn answers(seen: Seen) -> Result<Vec<Answer>, Failure> {
    match seen {
        Seen::Observed(Observation::Answers { answers }) => Ok(answers),
        Seen::Observed(Observation::Unavailable { failure }) => Err(failure),
        Seen::Observed(
            Observation::Connected { .. } | Observation::Chosen { .. } | Observation::Replied { .. },
        )
        | Seen::Nothing => Err(malformed("the answer does not belong to what was asked")),
    }
}

/// The one answer of a query of one call.
fn answer(seen: Seen) -> Result<Answer, Failure> {
    answers(seen)?
        .into_iter()
        .next()
        .ok_or_else(|| malformed("there was no answer"))
}

fn malformed(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Malformed,
        message: message.to_owned(),
        hints: Vec::new(),
    }
}

/// Reads an answer with a decoder of the wire; what cannot be read is a failure that names the tool.
pub(super) fn read<T>(
    answer: &Answer,
    decode: impl FnOnce(&serde_json::Value) -> Result<T, DecodeError>,
) -> Result<T, Failure> {
    let value = answer.value().map_err(Clone::clone)?;
    decode(value).map_err(|error| {
        malformed(&format!(
            "`{}` answered something that cannot be read: {error}",
            answer.tool
        ))
    })
}

/// What is wrong with the first of a model's items, where none of them stands; nothing to say where there is none.
fn one_stands<T, U>(items: &[T], check: impl Fn(&T) -> Result<U, String>) -> Result<(), String> {
    let mut first = None;
    for item in items {
        match check(item) {
            Ok(_) => return Ok(()),
            Err(why) => first = first.or(Some(why)),
        }
    }
    first.map_or(Ok(()), Err)
}

/// Ends the run because the environment has to be mended first.
fn stopped(what: &str, failure: Failure) -> State {
    State::Stopped(Problem {
        what: what.to_owned(),
        because: vec![failure.message],
        hints: failure.hints,
    })
}

/// Ends the run with what was ordered.
fn finished(outcome: Outcome) -> State {
    State::Finished(Box::new(outcome))
}

/// A query of one call.
fn one(why: &str, call: Operation) -> Action {
    Action::Query {
        why: why.to_owned(),
        calls: vec![call],
    }
}

/// Waiting for a job of the server: a pause that grows threefold, and an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
struct Patience {
    next_ms: u64,
    longest_ms: u64,
    left_ms: u64,
}

impl Patience {
    fn new(first_ms: u64, longest_ms: u64, seconds: u64) -> Self {
        Self {
            next_ms: first_ms.max(1),
            longest_ms: longest_ms.max(1),
            left_ms: seconds.saturating_mul(1000),
        }
    }

    /// After one more pause; `None` when it is used up.
    fn waited(self) -> Option<Self> {
        let left_ms = self.left_ms.checked_sub(self.next_ms)?;
        Some(Self {
            next_ms: self.next_ms.saturating_mul(3).min(self.longest_ms),
            left_ms,
            ..self
        })
    }
}
