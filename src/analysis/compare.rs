//! Whether an edge behaves otherwise than before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    outcome::{Outcome, outcome},
    picture::Tally,
    statistics::{percentile, rose},
};
use crate::{
    time::{Utc, Window},
    wire::decode::Call,
};

/// What counts as abnormal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// A share of failing calls has risen when it grew by at least this much, 0 to 1 …
    pub share_rise: f64,
    /// … over at least this many failing calls, and the confidence intervals of before and during do not overlap.
    pub failing_calls: u64,
    /// Latency has risen when the median or the 95th percentile grew by this factor …
    pub latency_factor: f64,
    /// … and by at least this much, µs.
    pub latency_rise_us: i64,
    /// Calls needed on both sides before latencies are compared.
    pub latency_calls: usize,
}

/// How an edge changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Like before, as far as the calls can tell.
    None,
    /// The share of failing calls rose, both 0 to 1.
    Failing { before: f64, during: f64 },
    /// The same where nothing was recorded before.
    FailingWithoutBaseline { during: f64 },
    /// Latency rose, µs; which percentile it was.
    Slower {
        percent: usize,
        before_us: i64,
        during_us: i64,
    },
}

impl Change {
    pub fn is_abnormal(&self) -> bool {
        *self != Self::None
    }

    pub fn is_failing(&self) -> bool {
        matches!(self, Self::Failing { .. } | Self::FailingWithoutBaseline { .. })
    }
}

/// A share of failing calls that is no background, whatever was before: nearly everything has a few.
const BROKEN: f64 = 0.5;

/// Compares an edge with itself before the window. Failing goes before slow: a call that fails late is failing.
#[expect(clippy::cast_precision_loss, reason = "latencies in µs stay far below 2^52")]
pub fn compare(before: &Tally, during: &Tally, thresholds: &Thresholds) -> Change {
    let rise = during.share() - before.share();
    if during.failing >= thresholds.failing_calls && rise >= thresholds.share_rise {
        if before.calls == 0 && during.share() >= BROKEN {
            return Change::FailingWithoutBaseline {
                during: during.share(),
            };
        }
        if rose((before.failing, before.calls), (during.failing, during.calls)) {
            return Change::Failing {
                before: before.share(),
                during: during.share(),
            };
        }
    }
    // A 95th percentile is the slowest call or two of a short list: it needs more of them to mean anything.
    for (percent, enough) in [
        (50, thresholds.latency_calls),
        (95, thresholds.latency_calls.saturating_mul(5)),
    ] {
        if before.latencies_us.len() >= enough
            && during.latencies_us.len() >= enough
            && let Some(was) = percentile(&before.latencies_us, percent)
            && let Some(is) = percentile(&during.latencies_us, percent)
            && is - was >= thresholds.latency_rise_us
            && is as f64 >= was as f64 * thresholds.latency_factor
        {
            return Change::Slower {
                percent,
                before_us: was,
                during_us: is,
            };
        }
    }
    Change::None
}

/// The calls whose outcome became more frequent with the window: errors that were always there say
/// nothing about when a fault began. `calls` begin at `since`, before the window or with it.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds of a window stay far below 2^52"
)]
pub fn risen(calls: Vec<Call>, since: Utc, window: &Window) -> Vec<Call> {
    /// More than twice as often, per second.
    const FACTOR: f64 = 2.0;
    let quiet = (window.start - since).num_milliseconds().max(0) as f64;
    let loud = window.length().num_milliseconds().max(1) as f64;
    let mut counts: BTreeMap<Outcome, (u64, u64)> = BTreeMap::new();
    for call in &calls {
        let (before, during) = counts.entry(outcome(call)).or_default();
        *(if call.ts < window.start { before } else { during }) += 1;
    }
    let rose = |outcome: Outcome| {
        let (before, during) = counts.get(&outcome).copied().unwrap_or_default();
        quiet <= 0.0 || during as f64 / loud > FACTOR * before as f64 / quiet
    };
    if !counts.keys().any(|outcome| rose(*outcome)) {
        return calls;
    }
    calls.into_iter().filter(|call| rose(outcome(call))).collect()
}
