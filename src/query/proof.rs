//! How it is found out which of the server's numbers can be relied on.
//!
//! A short stretch is looked for whose list is complete, with at least two rows. Then the same stretch is counted
//! in each way: a way that gives the same number counts every match.

use std::collections::BTreeMap;

use super::counting::Counting;
use super::dimension::{Dimension, Hold, Value, counted};
use super::question::{Question, Sound, sound};
use super::reply::Reply;
use crate::time::{Utc, Window};
use crate::wire::Operation;
use crate::wire::decode::CallList;
use chrono::TimeDelta;

/// Rows of a list that is to be complete: enough to compare, few enough to be cheap.
pub(super) const ROWS: u32 = 60;

/// Rows that the stretch looked for had best have.
const WANTED: u64 = 25;

/// Stretches that are tried.
const TRIES: u32 = 6;

#[derive(Clone, Debug)]
pub(super) struct Proof {
    stage: Stage,
    /// What was claimed for the whole window: `total`, and what statistics count.
    pub(super) total: Option<u64>,
    pub(super) by: Option<(u64, BTreeMap<Value, u64>)>,
    /// Whether calls were seen that no service answers; `None` where nobody asked.
    pub(super) nameless: Option<bool>,
    tries: u32,
}

#[derive(Clone, Debug)]
enum Stage {
    /// How the server counts is known from before: only the numbers of this question are asked.
    Roots {
        by_service: bool,
    },
    /// Counts of the whole window, and a first stretch.
    Whole(Window),
    /// Another stretch.
    Stretch(Window),
    /// A complete list of a stretch, to be compared.
    Compare(Window, CallList),
    Done(Outcome),
}

/// What the looking ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is known how the server counts.
    Known,
    /// There is no such call at all.
    Nothing,
}

/// What is to be counted by service as well.
const BY_SERVICE: &[Dimension] = &[Dimension::DstService];

impl Proof {
    pub(super) fn new(question: &Question) -> Self {
        let length = question.window.length().num_milliseconds();
        let first = stretch(&question.window, question.window.start, length / 2, length / 32);
        Self {
            stage: Stage::Whole(first),
            total: None,
            by: None,
            nameless: None,
            tries: 0,
        }
    }

    /// For a session whose ways of counting are known. `by_service` says whether services are told apart.
    pub(super) fn known(counting: &Counting, by_service: bool) -> Self {
        let nothing = !counting.by_totals() && !counting.by_statistics();
        Self {
            stage: if nothing {
                Stage::Done(Outcome::Known)
            } else {
                Stage::Roots { by_service }
            },
            total: None,
            by: None,
            nameless: None,
            tries: 0,
        }
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self.stage {
            Stage::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub(super) fn asks(&self, question: &Question, counting: &Counting) -> Vec<Operation> {
        let nameless = || {
            let asked = question.count(question.window, BY_SERVICE, &[Hold::Is(Value::no_service())]);
            // Where the filter names a service there is no such call.
            (sound(&asked) == Sound::Yes).then_some(asked)
        };
        let list = |window: Window| question.list(window, &[], &[], ROWS);
        let statistics = |window: Window| {
            question
                .target
                .statistics
                .then(|| question.statistics(window, &[], &[]))
        };
        match &self.stage {
            Stage::Roots { by_service } => {
                let mut asks = Vec::new();
                if counting.by_totals() {
                    asks.push(question.count(question.window, &[], &[]));
                }
                if counting.by_statistics() && (*by_service || asks.is_empty()) {
                    asks.push(question.statistics(question.window, &[], &[]));
                    asks.extend(nameless());
                }
                asks
            }
            Stage::Whole(first) => [question.count(question.window, &[], &[]), list(*first)]
                .into_iter()
                .chain(statistics(question.window))
                .collect(),
            Stage::Stretch(window) => vec![list(*window)],
            Stage::Compare(window, _) => {
                let mut asks = vec![question.count(*window, &[], &[])];
                if let Some(statistics) = statistics(*window) {
                    asks.push(statistics);
                    asks.extend(nameless());
                }
                asks
            }
            Stage::Done(_) => Vec::new(),
        }
    }

    pub(super) fn take(&mut self, question: &Question, counting: &mut Counting, replies: &[Reply]) {
        let asked = self.asks(question, counting).len();
        match std::mem::replace(&mut self.stage, Stage::Done(Outcome::Known)) {
            Stage::Roots { .. } => {
                let mut replies = replies.iter();
                if counting.by_totals() {
                    let list = replies.next().and_then(|reply| reply.calls().ok());
                    self.total = list.and_then(|list| list.total);
                    if self.total == Some(0) {
                        self.stage = Stage::Done(Outcome::Nothing);
                        return;
                    }
                }
                if let Some(reply) = replies.next() {
                    counting.saw_statistics(reply.bytes);
                    self.by = reply.statistics().and_then(counted);
                }
                self.nameless = match replies.next() {
                    Some(reply) => shows_any(reply),
                    None => Some(false),
                };
            }
            Stage::Whole(first) => {
                if let Some(Ok(list)) = replies.first().map(Reply::calls) {
                    if list.calls.is_empty() && list.unreadable == 0 && !list.truncated {
                        self.stage = Stage::Done(Outcome::Nothing);
                        return;
                    }
                    self.total = list.total;
                }
                if let Some(reply) = replies.get(2) {
                    counting.saw_statistics(reply.bytes);
                    self.by = reply.statistics().and_then(counted);
                }
                self.listed(question, counting, first, replies.get(1));
            }
            Stage::Stretch(window) => self.listed(question, counting, window, replies.first()),
            Stage::Compare(_, complete) => {
                let counted_one = replies.first().and_then(|reply| reply.calls().ok());
                let proven = counted_one.map(|single| Counting::proven(&complete, single));
                counting.totals = Some(proven.is_some_and(|proven| proven.by_totals()));
                counting.oldest_first = Some(proven.is_some_and(|proven| proven.in_order()));
                let by_service = replies.get(1).and_then(Reply::statistics).and_then(counted);
                counting.statistics = Some(by_service.is_some_and(|(_, by)| by == by_rows(&complete)));
                self.nameless = match replies.get(2) {
                    Some(reply) => shows_any(reply),
                    None => (asked == 2).then_some(false),
                };
            }
            done @ Stage::Done(_) => self.stage = done,
        }
    }

    /// A list of a stretch came: compare, or look for a better stretch.
    fn listed(&mut self, question: &Question, counting: &mut Counting, tried: Window, reply: Option<&Reply>) {
        self.tries += 1;
        let whole = question.window;
        let length = tried.length().num_milliseconds().max(1);
        let Some(Ok(list)) = reply.map(Reply::calls) else {
            return self.give_up(counting);
        };
        counting.saw_rows(list.calls.len(), reply.map_or(0, |reply| reply.bytes));
        let rows = u64::try_from(list.calls.len()).unwrap_or(u64::MAX);
        let complete = !list.truncated && list.unreadable == 0 && rows < u64::from(ROWS);
        if complete && rows >= 2 {
            self.stage = Stage::Compare(tried, list.clone());
            return;
        }
        if self.tries >= TRIES || (complete && tried == whole) || (!complete && length <= 1) {
            return self.give_up(counting);
        }
        // What is claimed is not relied on, only used to guess how long a stretch has some rows.
        let next = if complete {
            let everywhere = self
                .total
                .into_iter()
                .chain(self.by.iter().map(|(total, _)| *total))
                .max();
            let guess = everywhere
                .filter(|total| *total > 1)
                .and_then(|total| i64::try_from(total).ok())
                .map(|total| whole.length().num_milliseconds() / total.max(1) * 2 * i64::from(ROWS) / 3);
            guess
                .unwrap_or(0)
                .max(length.saturating_mul(4))
                .min(whole.length().num_milliseconds())
        } else {
            let inside = list.total.unwrap_or(0).max(rows).saturating_mul(4);
            let share = i64::try_from(inside / WANTED).unwrap_or(i64::MAX).max(4);
            length / share
        };
        let from = (tried.start - whole.start).num_milliseconds();
        self.stage = Stage::Stretch(stretch(&whole, whole.start, from, next));
    }

    /// Nothing could be compared: then nothing is relied on.
    fn give_up(&mut self, counting: &mut Counting) {
        counting.totals = Some(false);
        counting.statistics = Some(false);
        counting.oldest_first = Some(false);
        self.stage = Stage::Done(Outcome::Known);
    }
}

/// Whether an answer shows that there is such a call, however it counts.
fn shows_any(reply: &Reply) -> Option<bool> {
    let list = reply.calls().ok()?;
    Some(!list.calls.is_empty() || list.truncated || list.unreadable > 0)
}

/// A stretch of `length` ms that begins `from` ms after `start`, moved and cut so that it lies inside.
fn stretch(whole: &Window, start: Utc, from: i64, length: i64) -> Window {
    let all = whole.length().num_milliseconds();
    let length = length.clamp(1, all.max(1));
    let from = from.clamp(0, (all - length).max(0));
    let begin = start
        .checked_add_signed(TimeDelta::milliseconds(from))
        .unwrap_or(start);
    let end = begin
        .checked_add_signed(TimeDelta::milliseconds(length))
        .unwrap_or(whole.end);
    Window {
        start: begin,
        end: end.min(whole.end),
    }
}

fn by_rows(list: &CallList) -> BTreeMap<Value, u64> {
    let mut by = BTreeMap::new();
    for call in &list.calls {
        *by.entry(Dimension::DstService.of(call)).or_default() += 1;
    }
    by
}
