//! Questions for a server that shows a thousand rows and has no cursor: exact numbers for few calls.
//!
//! A planner is a value: [`Plan::asks`] are the operations of the next turn, to be performed in any order and
//! several at once, [`Plan::take`] is told what came of them. Nothing here acts, so a plan that is part of a step
//! is replayed with it.
//!
//! - [`Counting`]: which of the server's numbers can be relied on, proven once a session on a list that is known
//!   to be complete: does `total` count every match, do the statistics, are lists cut at their younger end;
//! - [`Histogram`]: exact counts over time and [`Dimension`]s; [`Histogram::count`] is the one with a single cell;
//! - [`pack`]: small lists put together to large ones;
//! - [`Samples`]: the first calls, the slowest, or some at random, rather than the first thousand.
//!
//! What stays unknown because the budget ended or the server failed is a [`Gap`], never left out.

mod budget;
mod counting;
mod dimension;
mod gap;
mod histogram;
mod pack;
mod proof;
mod question;
mod reply;
mod sample;

pub use budget::Budget;
pub use counting::Counting;
pub use dimension::{Dimension, Value};
pub use gap::{Gap, Reason};
pub use histogram::{Cell, Counts, Histogram};
pub use pack::{Packed, pack};
pub use question::{Question, Target};
pub use reply::{Reply, Told};
pub use sample::{Samples, Wanted};

use chrono::TimeDelta;

use crate::time::Clock;
use crate::wire::Operation;

/// Widths that people read easily, seconds.
const WIDTHS: [u64; 12] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600];

/// ms of the shortest width that people read easily of which so long a stretch has so many bins at most.
pub fn fitting(length: TimeDelta, bins: u64) -> u64 {
    let (seconds, bins) = (length.num_seconds().unsigned_abs(), bins.max(1));
    let width = WIDTHS.iter().find(|width| seconds <= *width * bins);
    width.copied().unwrap_or(seconds / bins + 1) * 1000
}

/// Most rows of one list, whatever is asked for.
pub const MAX_ROWS: u32 = 1000;

/// Operations of one turn at most: enough to keep several connections busy, few enough to learn between them.
pub const TURN: usize = 8;

/// Something that asks in turns until it knows.
pub trait Plan {
    /// What to ask next; empty once there is nothing more to ask. Called twice, it answers the same.
    fn asks(&self) -> Vec<Operation>;

    /// Takes what came of [`asks`](Self::asks), one reply each and in that order. Missing ones count as failed.
    fn take(&mut self, replies: Vec<Reply>);

    /// What was found out so far and what is asked next and why, a line each.
    fn explain(&self, clock: &Clock) -> Vec<String>;
}
