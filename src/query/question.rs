//! What is asked about, and the operations that ask it.

use chrono::{DurationRound, TimeDelta};

use super::MAX_ROWS;
use super::dimension::{Dimension, Hold, group_terms};
use crate::kfl::{self, Filter};
use crate::time::{Utc, Window};
use crate::wire::{CallForm, Operation, Scope, SnapshotRef};

/// Where the calls are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `None` asks live traffic.
    pub snapshot: Option<SnapshotRef>,
    pub dissection: Option<String>,
    /// Whether the server has statistics: they count many services with one call, once proven.
    pub statistics: bool,
}

/// The calls of a filter that began in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub target: Target,
    pub filter: Filter,
    pub window: Window,
}

impl Question {
    /// Windows travel as whole milliseconds: a question between two of them would be asked wider than meant.
    pub(super) fn aligned(mut self) -> Self {
        self.window = Window {
            start: millis(self.window.start),
            end: millis(self.window.end),
        };
        self
    }

    fn scope(&self, window: Window, dimensions: &[Dimension], group: &[Hold]) -> Scope {
        let filter = group_terms(dimensions, group)
            .into_iter()
            .fold(self.filter.clone(), Filter::and);
        Scope {
            snapshot: self.target.snapshot.clone(),
            dissection: self.target.dissection.clone(),
            filter: filter.to_string(),
            window: Some(window),
        }
    }

    pub(super) fn count(&self, window: Window, dimensions: &[Dimension], group: &[Hold]) -> Operation {
        Operation::CountCalls {
            scope: self.scope(window, dimensions, group),
        }
    }

    pub(super) fn statistics(&self, window: Window, dimensions: &[Dimension], group: &[Hold]) -> Operation {
        Operation::ApiStats {
            scope: self.scope(window, dimensions, group),
        }
    }

    pub(super) fn list(
        &self,
        window: Window,
        dimensions: &[Dimension],
        group: &[Hold],
        limit: u32,
    ) -> Operation {
        Operation::ListCalls {
            scope: self.scope(window, dimensions, group),
            limit: limit.clamp(1, MAX_ROWS),
            form: CallForm::Compact,
        }
    }
}

/// What the checker makes of an operation's filter before it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    Yes,
    /// No call can match: that is an answer.
    Contradiction,
    /// It is no filter that can be sent.
    No(String),
}

/// Checks the filter that an operation would send.
pub(super) fn sound(operation: &Operation) -> Sound {
    match kfl::check(&filter_of(operation)) {
        Ok(_) => Sound::Yes,
        Err(found) if found.iter().any(|one| one.code == kfl::Code::AlwaysFalse) => Sound::Contradiction,
        Err(found) => Sound::No(found.first().map(|one| one.message.clone()).unwrap_or_default()),
    }
}

/// The whole millisecond at or after `at`.
fn millis(at: Utc) -> Utc {
    at.duration_round_up(TimeDelta::milliseconds(1)).unwrap_or(at)
}

/// The millisecond in the middle, or `None` where there is none inside.
pub(super) fn middle(window: &Window) -> Option<Utc> {
    let half = window.length().num_milliseconds() / 2;
    let middle = window.start.checked_add_signed(TimeDelta::milliseconds(half))?;
    (half > 0).then_some(middle)
}

/// The filter's text of an operation, for gaps.
pub(super) fn filter_of(operation: &Operation) -> String {
    operation
        .scope()
        .map(|scope| scope.filter.clone())
        .unwrap_or_default()
}
