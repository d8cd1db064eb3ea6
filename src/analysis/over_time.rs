//! Calls over time: what a picture of errors and latencies is drawn from.

use super::{
    outcome::{Outcome, outcome},
    statistics::percentile,
};
use crate::{time::Window, wire::decode::Call};

/// The calls that began in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    pub calls: u64,
    pub failing: u64,
    /// Of the calls that were answered, µs.
    pub median_us: Option<i64>,
    pub p95_us: Option<i64>,
}

/// Counts calls in `bins` equal stretches of `window`. Calls outside of it are left out.
pub fn over_time<'a>(calls: impl IntoIterator<Item = &'a Call>, window: &Window, bins: usize) -> Vec<Bin> {
    let mut counted = vec![Bin::default(); bins];
    let mut latencies = vec![Vec::new(); bins];
    let length = window.length().num_microseconds().unwrap_or(i64::MAX).max(1);
    for call in calls.into_iter().filter(|call| window.contains(call.ts)) {
        let after = (call.ts - window.start).num_microseconds().unwrap_or(0);
        let place = i128::from(after) * i128::try_from(bins).unwrap_or(0) / i128::from(length);
        let at = usize::try_from(place).unwrap_or(0);
        if let (Some(bin), Some(values)) = (counted.get_mut(at), latencies.get_mut(at)) {
            bin.calls += 1;
            bin.failing += u64::from(outcome(call) != Outcome::Good);
            values.extend(call.elapsed_us);
        }
    }
    for (bin, mut values) in counted.iter_mut().zip(latencies) {
        values.sort_unstable();
        bin.median_us = percentile(&values, 50);
        bin.p95_us = percentile(&values, 95);
    }
    counted
}
