//! When it began and when it was over, from the calls themselves: people round times, and a window that holds
//! healthy minutes hides what a short one shows.
//!
//! Every edge and way to fail, and every endpoint's slow calls, are a series of zeros and ones in the order of time.
//! The stretch in which ones are more frequent is the one whose log likelihood ratio against the background is
//! largest: the scan statistic for an interval (M. Kulldorff, "A spatial scan statistic", Communications in
//! Statistics 1997, in one dimension), found in one pass as the maximal sum of the calls' own log ratios (J. Bentley,
//! "Programming Pearls: algorithm design techniques", CACM 1984).

use std::collections::BTreeMap;

use chrono::DateTime;

use super::{
    layer::Layer,
    outcome::Outcome,
    statistics::percentile,
    traffic::{Side, Traffic},
};
use crate::time::{Utc, Window};

/// A stretch in which something happened more often than before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// The first call of it.
    pub onset: Utc,
    /// The end of the last one; `None` where it went on to the end of the window.
    pub ended: Option<Utc>,
    /// Log likelihood ratio of the strongest series: evidence that there is anything at all.
    pub strength: f64,
}

/// One call of a series: when it began and ended, and whether it is abnormal. Unix µs.
#[derive(Clone, Copy, Debug)]
struct Point {
    start_us: i64,
    end_us: i64,
    abnormal: bool,
}

/// Weaker series are noise: e^9 to one, over hundreds of series and every stretch of each.
const LEAST: f64 = 9.0;

/// The incident that overlaps the window, from all calls before and during it; `None` where nothing stands out.
pub(super) fn incident(traffic: &Traffic, window: &Window) -> Option<Incident> {
    let first = traffic.items.first()?.start_us;
    let stretches: Vec<(f64, i64, i64)> = series(traffic)
        .into_values()
        .filter_map(|points| strongest(&points))
        .filter(|(strength, start, end)| {
            *strength >= LEAST
                && *end > window.start.timestamp_micros()
                && *start < window.end.timestamp_micros()
                // What goes back to the first call recorded has no time before it.
                && *start > first
        })
        .collect();
    let strength = stretches.iter().map(|(strength, ..)| *strength).reduce(f64::max)?;
    // Weak series may begin anywhere; those that are nearly as strong as the strongest tell when it began.
    let telling = || stretches.iter().filter(|(own, ..)| *own * 3.0 >= strength);
    let onset = telling().map(|(_, start, _)| *start).min()?;
    let ended = telling().map(|(_, _, end)| *end).max()?;
    let at = |us: i64| DateTime::from_timestamp_micros(us);
    // Where no more calls came than would have been abnormal anyway, nobody knows whether it was over.
    let last = window.end.timestamp_micros();
    let over = last - ended > ((ended - onset) / 8).max(8_000_000);
    Some(Incident {
        onset: at(onset)?,
        ended: if over { at(ended + 1) } else { None },
        strength,
    })
}

type Key = (usize, usize, Layer, Option<Outcome>, Option<usize>);

/// Every series: of each edge by its ways to fail, and of each edge's endpoints by what is slow for them.
fn series(traffic: &Traffic) -> BTreeMap<Key, Vec<Point>> {
    let mut series: BTreeMap<Key, Vec<Point>> = BTreeMap::new();
    let mut edges: BTreeMap<(usize, usize, Layer), Vec<&super::traffic::Item>> = BTreeMap::new();
    for item in &traffic.items {
        edges.entry((item.from, item.to, item.layer)).or_default().push(item);
    }
    for ((from, to, layer), items) in edges {
        if !layer.is_request() {
            // Only failing ones were listed: nothing to compare their number with.
            continue;
        }
        let mut ways: Vec<Outcome> = items
            .iter()
            .map(|item| item.outcome)
            .filter(|outcome| *outcome != Outcome::Good)
            .collect();
        ways.sort_unstable();
        ways.dedup();
        for way in ways {
            let points = items.iter().map(|item| Point {
                start_us: item.start_us,
                end_us: item.end_us(),
                abnormal: item.outcome == way,
            });
            series.insert((from, to, layer, Some(way), None), points.collect());
        }
        let mut endpoints: BTreeMap<usize, Vec<&super::traffic::Item>> = BTreeMap::new();
        for item in items {
            endpoints.entry(item.endpoint).or_default().push(item);
        }
        for (endpoint, items) in endpoints {
            if let Some(slow) = slow_from(&items) {
                let points = items.iter().map(|item| Point {
                    start_us: item.start_us,
                    end_us: item.end_us(),
                    abnormal: item.elapsed_us.is_some_and(|us| us >= slow),
                });
                series.insert((from, to, layer, None, Some(endpoint)), points.collect());
            }
        }
    }
    series
}

/// From which latency on a call of these is slow, µs: well above nine of ten of the quieter side's calls.
fn slow_from(items: &[&super::traffic::Item]) -> Option<i64> {
    const FEWEST: usize = 8;
    let of = |side: Side| {
        let mut values: Vec<i64> = items
            .iter()
            .filter(|item| item.side == side)
            .filter_map(|item| item.elapsed_us)
            .collect();
        values.sort_unstable();
        (values.len() >= FEWEST).then_some(values)
    };
    let usual = |values: &[i64]| percentile(values, 90);
    let least = match (of(Side::Before), of(Side::During)) {
        (Some(before), Some(during)) => usual(&before)?.min(usual(&during)?),
        (Some(values), None) | (None, Some(values)) => percentile(&values, 50)?,
        (None, None) => return None,
    };
    Some(least.saturating_mul(3) / 2 + 5_000)
}

/// The stretch of a series with the largest log likelihood ratio: (ratio, first call's start, last abnormal call's end).
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn strongest(points: &[Point]) -> Option<(f64, i64, i64)> {
    const RATES: [f64; 6] = [0.03, 0.08, 0.2, 0.4, 0.65, 0.9];
    let count = points.iter().filter(|point| point.abnormal).count();
    if count < 3 {
        return None;
    }
    // The background is the quietest third: where the fault fills the rest, the mean would hide it.
    let third = points.len().div_ceil(3).max(1);
    let quiet = points
        .chunks(third)
        .filter(|part| part.len() * 2 >= third)
        .map(|part| part.iter().filter(|point| point.abnormal).count() as f64 / part.len() as f64)
        .fold(1.0, f64::min);
    let background = (quiet + 0.5 / third as f64).min(0.5);
    let mut best: Option<(f64, usize, usize)> = None;
    for rate in RATES.into_iter().filter(|rate| *rate >= 2.5 * background) {
        let (yes, no) = ((rate / background).ln(), ((1.0 - rate) / (1.0 - background)).ln());
        let (mut sum, mut begin) = (0.0, 0);
        for (at, point) in points.iter().enumerate() {
            if sum <= 0.0 {
                (sum, begin) = (0.0, at);
            }
            sum += if point.abnormal { yes } else { no };
            if best.is_none_or(|(most, ..)| sum > most) {
                best = Some((sum, begin, at));
            }
        }
    }
    let (strength, begin, end) = best?;
    Some((strength, points.get(begin)?.start_us, points.get(end)?.end_us))
}
