//! When it began and when it was over, from the calls themselves: people round times, and a window that holds
//! healthy minutes hides what a short one shows.
//!
//! Every edge and way to fail, and every endpoint's slow calls, are a series of zeros and ones in the order of time.
//! The stretch in which ones are more frequent is the one whose log likelihood ratio against the background is
//! largest: the scan statistic for an interval (M. Kulldorff, "A spatial scan statistic", Communications in
//! Statistics 1997, in one dimension), found in one pass as the maximal sum of the calls' own log ratios (J. Bentley,
//! "Programming Pearls: algorithm design techniques", CACM 1984).

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use super::{
    layer::Layer,
    nesting::TOLERANCE_US,
    outcome::Outcome,
    statistics::percentile,
    traffic::{Item, Side, Traffic},
};
use crate::time::{Utc, Window};

/// A stretch in which something happened more often than before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// The first call of it.
    pub onset: Utc,
    /// The end of the last one; `None` where it went on to the end of the window.
    pub ended: Option<Utc>,
}

/// One call of a series: when it began and ended, and whether it is abnormal. Unix µs.
#[derive(Clone, Copy, Debug)]
struct Point {
    start_us: i64,
    end_us: i64,
    abnormal: bool,
}

impl Point {
    fn of(item: &Item, abnormal: bool) -> Self {
        Self {
            start_us: item.start_us,
            end_us: item.end_us(),
            abnormal,
        }
    }
}

/// Weaker series are noise: there are hundreds of series and thousands of stretches in each, and e^13 is more than
/// all of them together.
const LEAST: f64 = 13.0;

/// Abnormal calls without which there is no incident.
const FEWEST: usize = 4;

/// The incident that overlaps the window, from all calls before and during it; `None` where nothing stands out.
pub(super) fn incident(traffic: &Traffic, window: &Window) -> Option<Incident> {
    let first = traffic.items.first()?.start_us;
    let overlaps = |(strength, start, end): &(f64, i64, i64)| {
        *strength >= LEAST
            && *end > window.start.timestamp_micros()
            && *start < window.end.timestamp_micros()
            // What goes back to the first call recorded has no time before it.
            && *start > first
    };
    let strong = |all: Vec<Vec<Point>>| -> Vec<(f64, i64, i64)> {
        all.iter()
            .filter_map(|points| strongest(points))
            .filter(overlaps)
            .collect()
    };
    let mut stretches = strong(series(traffic));
    stretches.extend(surges(traffic).into_iter().filter(overlaps));
    if stretches.is_empty() {
        // Who fails does not get to call others: only where nothing fails do calls that are missing tell.
        stretches = strong(left_out(traffic));
    }
    let strength = stretches
        .iter()
        .map(|(strength, ..)| *strength)
        .reduce(f64::max)?;
    // Weak series may begin anywhere; those that are nearly as strong as the strongest tell when it began.
    let telling = || stretches.iter().filter(|(own, ..)| *own * 2.0 >= strength);
    let onset = telling().map(|(_, start, _)| *start).min()?;
    let ended = telling().map(|(_, _, end)| *end).max()?;
    let onset = with_first_failures(traffic, onset);
    let at = |us: i64| DateTime::from_timestamp_micros(us);
    // Where no more calls came than would have been abnormal anyway, nobody knows whether it was over.
    let last = window.end.timestamp_micros();
    let over = last - ended > ((ended - onset) / 8).max(8_000_000);
    Some(Incident {
        onset: at(onset)?,
        ended: if over { at(ended + 1) } else { None },
    })
}

/// An onset moved back over the failures just before it: single lookups and connections are no series, and fail first.
fn with_first_failures(traffic: &Traffic, onset_us: i64) -> i64 {
    const JUST_US: i64 = 2_000_000;
    let mut first = onset_us;
    for item in traffic.items.iter().rev() {
        if item.start_us < first - JUST_US {
            break;
        }
        if item.start_us < first && item.outcome.is_hard() {
            first = item.start_us;
        }
    }
    first
}

/// Every series: of each edge by its ways to fail, and of each edge's endpoints by what is slow for them.
fn series(traffic: &Traffic) -> Vec<Vec<Point>> {
    let mut series = Vec::new();
    let mut edges: BTreeMap<(usize, usize, Layer), Vec<&Item>> = BTreeMap::new();
    for item in &traffic.items {
        edges
            .entry((item.from, item.to, item.layer))
            .or_default()
            .push(item);
    }
    for ((_, _, layer), items) in edges {
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
            let points = items.iter().map(|item| Point::of(item, item.outcome == way));
            series.push(points.collect());
        }
        let mut endpoints: BTreeMap<usize, Vec<&Item>> = BTreeMap::new();
        for item in items {
            endpoints.entry(item.endpoint).or_default().push(item);
        }
        for items in endpoints.into_values() {
            if let Some(slow) = slow_from(&items) {
                let abnormal = |item: &Item| item.elapsed_us.is_some_and(|us| us >= slow);
                let points = items.iter().map(|item| Point::of(item, abnormal(item)));
                series.push(points.collect());
            }
        }
    }
    series
}

/// From which latency on a call of these is slow, µs: well above nine of ten of the quieter side's calls. Where there is
/// no time before at all, above those of the quietest third, as for what fails.
fn slow_from(items: &[&Item]) -> Option<i64> {
    const FEWEST: usize = 8;
    let usual = |items: &mut dyn Iterator<Item = &&Item>| {
        let mut values: Vec<i64> = items.filter_map(|item| item.elapsed_us).collect();
        values.sort_unstable();
        (values.len() >= FEWEST)
            .then(|| percentile(&values, 90))
            .flatten()
    };
    let least = if items.iter().any(|item| item.side == Side::Before) {
        let of = |side: Side| usual(&mut items.iter().filter(|item| item.side == side));
        of(Side::Before)?.min(of(Side::During)?)
    } else {
        let thirds = items.chunks(items.len().div_ceil(3).max(1));
        thirds.filter_map(|third| usual(&mut third.iter())).min()?
    };
    Some(least.saturating_mul(2) + 20_000)
}

/// The stretch of values whose sum is largest: (sum, first, last); `None` of no values.
fn largest_sum(values: impl Iterator<Item = f64>) -> Option<(f64, usize, usize)> {
    let (mut sum, mut begin) = (0.0, 0);
    let mut best: Option<(f64, usize, usize)> = None;
    for (at, value) in values.enumerate() {
        if sum <= 0.0 {
            (sum, begin) = (0.0, at);
        }
        sum += value;
        if best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, begin, at));
        }
    }
    best
}

/// The stretch of a series with the largest log likelihood ratio: (ratio, first call's start, last abnormal call's end).
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn strongest(points: &[Point]) -> Option<(f64, i64, i64)> {
    const RATES: [f64; 7] = [0.03, 0.08, 0.2, 0.4, 0.65, 0.9, ALL];
    /// All of them but for a mistake: stands out from any background that is not most of them as well.
    const ALL: f64 = 0.985;
    let count = points.iter().filter(|point| point.abnormal).count();
    if count < FEWEST {
        return None;
    }
    // The background is the quietest third: where the fault fills the rest, the mean would hide it.
    let third = points.len().div_ceil(3).max(1);
    let quiet = points
        .chunks(third)
        .filter(|part| part.len() * 2 >= third)
        .map(|part| part.iter().filter(|point| point.abnormal).count() as f64 / part.len() as f64)
        .fold(1.0, f64::min);
    let background = (quiet + 0.5 / third as f64).min(0.7);
    let mut best: Option<(f64, usize, usize)> = None;
    for rate in RATES
        .into_iter()
        .filter(|rate| *rate >= 2.5 * background || *rate >= ALL)
    {
        let (yes, no) = ((rate / background).ln(), ((1.0 - rate) / (1.0 - background)).ln());
        let found = largest_sum(points.iter().map(|point| if point.abnormal { yes } else { no }));
        if let Some(found) = found
            && best.is_none_or(|(most, ..)| found.0 > most)
        {
            best = Some(found);
        }
    }
    let (strength, begin, end) = best?;
    let inside = points
        .get(begin..=end)?
        .iter()
        .filter(|point| point.abnormal)
        .count();
    if inside < FEWEST {
        return None;
    }
    Some((strength, points.get(begin)?.start_us, points.get(end)?.end_us))
}

/// Good calls that were answered without a call in turn which such calls mostly take, by endpoint and who would have
/// been called. Some are made after the answer: a mail, an entry in a log.
fn left_out(traffic: &Traffic) -> Vec<Vec<Point>> {
    const MOSTLY: f64 = 0.35;
    let mut endpoints: BTreeMap<(usize, Layer, usize), Vec<&Item>> = BTreeMap::new();
    // Calls out by instance and callee, and who is called by a party at all.
    let mut made: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
    let mut callees: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for item in traffic.items.iter().filter(|item| item.layer.is_request()) {
        if !item.failing() {
            endpoints
                .entry((item.to, item.layer, item.endpoint))
                .or_default()
                .push(item);
        }
        made.entry((item.from_instance, item.to))
            .or_default()
            .push(item.start_us);
        callees.entry(item.from).or_default().insert(item.to);
    }
    let mut series = Vec::new();
    for ((party, _, _), calls) in endpoints {
        for whom in callees.get(&party).into_iter().flatten() {
            let points = followed(&calls, *whom, &made);
            // Where there is no time before at all, its beginning stands for it.
            let apart = calls.iter().any(|item| item.side == Side::Before);
            let third = points.len() / 3;
            let before = || {
                let numbered = points.iter().zip(&calls).enumerate();
                numbered
                    .filter(|(at, (_, item))| {
                        if apart {
                            item.side == Side::Before
                        } else {
                            *at < third
                        }
                    })
                    .map(|(_, (point, _))| point)
            };
            let asked = before().filter(|point| !point.abnormal).count();
            if before().count() >= 2 * FEWEST && ratio(asked, before().count()) >= MOSTLY {
                series.push(points);
            }
        }
    }
    series
}

/// For each call whether its callee then called `whom`; each call out belongs to the first it may belong to.
fn followed(calls: &[&Item], whom: usize, made: &BTreeMap<(usize, usize), Vec<i64>>) -> Vec<Point> {
    const AFTER_US: i64 = 2_000_000;
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    calls
        .iter()
        .map(|item| {
            let out = made
                .get(&(item.to_instance, whom))
                .map_or(&[] as &[i64], Vec::as_slice);
            let at = next.entry(item.to_instance).or_default();
            while out
                .get(*at)
                .is_some_and(|start| *start + TOLERANCE_US < item.start_us)
            {
                *at += 1;
            }
            let found = out
                .get(*at)
                .is_some_and(|start| *start <= item.end_us() + AFTER_US);
            *at += usize::from(found);
            Point::of(item, !found)
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The upper median; 0 of no values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Stretches in which callers that nobody calls ask several times as often as on the whole, by edge and endpoint: the
/// same scan over counts in bins, Poisson against the median bin.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn surges(traffic: &Traffic) -> Vec<(f64, i64, i64)> {
    const BIN_US: i64 = 5_000_000;
    const FACTOR: f64 = 2.5;
    const BINS: usize = 6;
    let called: BTreeSet<usize> = traffic
        .items
        .iter()
        .filter(|item| item.layer.is_request())
        .map(|item| item.to)
        .collect();
    let mut counts: BTreeMap<(usize, usize, Option<usize>), BTreeMap<i64, u64>> = BTreeMap::new();
    let mut active: BTreeSet<i64> = BTreeSet::new();
    for item in traffic.items.iter().filter(|item| item.layer.is_request()) {
        let bin = item.start_us.div_euclid(BIN_US);
        active.insert(bin);
        if !called.contains(&item.from) {
            for endpoint in [None, Some(item.endpoint)] {
                *counts
                    .entry((item.from, item.to, endpoint))
                    .or_default()
                    .entry(bin)
                    .or_default() += 1;
            }
        }
    }
    let mut stretches = Vec::new();
    for bins in counts.into_values() {
        // Bins of which nothing at all was recorded are no time.
        let series: Vec<(i64, f64)> = active
            .iter()
            .map(|bin| (*bin, bins.get(bin).copied().unwrap_or(0) as f64))
            .collect();
        if series.len() < 2 * BINS {
            continue;
        }
        let usual = median(series.iter().map(|(_, count)| *count)).max(0.5);
        // Bursts that come by themselves belong to the background.
        let spread = median(series.iter().map(|(_, count)| (count - usual).abs()));
        let restless = (spread / usual.sqrt()).max(1.0);
        let excess = |count: f64| (count * FACTOR.ln() - (FACTOR - 1.0) * usual) / restless;
        let Some((strength, begin, end)) = largest_sum(series.iter().map(|(_, count)| excess(*count))) else {
            continue;
        };
        let inside: f64 = series
            .iter()
            .take(end + 1)
            .skip(begin)
            .map(|(_, count)| *count)
            .sum();
        let length = (end + 1 - begin) as f64;
        if end + 1 - begin >= BINS && inside / length >= FACTOR * usual {
            let at = |index: usize| series.get(index).map_or(0, |(bin, _)| bin * BIN_US);
            stretches.push((strength, at(begin), at(end) + BIN_US));
        }
    }
    stretches
}
