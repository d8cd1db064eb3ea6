//! The few statistics that the comparison stands on.

use chrono::TimeDelta;

use crate::time::{Utc, Window};

/// The Wilson score interval of a share at 95 %: (low, high), each 0 to 1.
///
/// It holds with few calls and with shares near 0, where the normal approximation does not
/// (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927).
/// No calls give (0, 1): nothing is known.
pub fn wilson(failing: u64, calls: u64) -> (f64, f64) {
    interval(failing, calls, 1.96)
}

/// Whether a share rose: the intervals of before and during, each (failing, calls), do not overlap. The intervals are
/// wider than 95 %, since hundreds of edges and endpoints are compared at once: by chance it happens once in ten thousand.
pub fn rose(before: (u64, u64), during: (u64, u64)) -> bool {
    const Z: f64 = 2.58;
    interval(during.0, during.1, Z).0 > interval(before.0, before.1, Z).1
}

/// Whether a share rose more likely than not, though it may be chance: the same with intervals of 80 %.
pub fn likely(before: (u64, u64), during: (u64, u64)) -> bool {
    const Z: f64 = 1.28;
    interval(during.0, during.1, Z).0 > interval(before.0, before.1, Z).1
}

/// Whether a share is higher in one of two stretches that somebody chose to compare, each (failing, calls): what was
/// seen, or more, happens by chance less than once in a thousand.
///
/// By Fisher's exact test, one-sided (R. A. Fisher, *The Design of Experiments*, 1935, chapter II): of all failing
/// calls so many fell on the later stretch as if they had been dealt out. It tells few calls apart, where the
/// intervals of [`rose`] overlap; of many calls the two say the same, and [`rose`] is asked.
pub fn higher(before: (u64, u64), after: (u64, u64)) -> bool {
    const CHANCE: f64 = 0.001;
    const MANY: u64 = 5_000;
    let (calls, failing) = (before.1.saturating_add(after.1), before.0.saturating_add(after.0));
    if calls > MANY || before.0 > before.1 || after.0 > after.1 {
        return rose(before, after);
    }
    let log_factorials: Vec<f64> = std::iter::once(0.0)
        .chain((1..=calls).scan(0.0, |sum, n| {
            *sum += f64::from(u32::try_from(n).unwrap_or(u32::MAX)).ln();
            Some(*sum)
        }))
        .collect();
    let log = |n: u64| {
        let at = usize::try_from(n).ok();
        at.and_then(|at| log_factorials.get(at)).copied().unwrap_or(0.0)
    };
    let log_choose = |n: u64, k: u64| log(n) - log(k) - log(n.saturating_sub(k));
    let most = failing.min(after.1);
    let tail: f64 = (after.0..=most)
        .filter(|fell| failing - fell <= before.1)
        .map(|fell| {
            let ways = log_choose(after.1, fell) + log_choose(before.1, failing - fell);
            (ways - log_choose(calls, failing)).exp()
        })
        .sum();
    tail < CHANCE
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^52")]
#[expect(non_snake_case, reason = "as the formula has it")]
fn interval(failing: u64, calls: u64, Z: f64) -> (f64, f64) {
    if calls == 0 {
        return (0.0, 1.0);
    }
    let n = calls as f64;
    let p = failing.min(calls) as f64 / n;
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((centre - spread) / scale).max(0.0),
        ((centre + spread) / scale).min(1.0),
    )
}

/// The value below which `percent` of the ascending `values` lie (nearest rank); `None` when empty.
pub fn percentile(values: &[i64], percent: usize) -> Option<i64> {
    let rank = (values.len() * percent.min(100)).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

/// When the errors of a window began, where the time before the window is no baseline: since it holds the
/// fault, or since there is none. `events` (ascending) begin at `start` or later; `baseline` says
/// whether the time before the window would do.
///
/// The rate since the onset has to be four times what it was before, over at least eight errors, and
/// the window itself has to show errors more often than the time before the onset did: what was over
/// before the window is not its story.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds of a window stay far below 2^52"
)]
pub fn onset_apart(events: &[Utc], start: Utc, window: &Window, baseline: bool) -> Option<Utc> {
    const FACTOR: f64 = 4.0;
    const ERRORS: usize = 8;
    let index = onset_of_events(events, start)?;
    let onset = *events.get(index)?;
    let after = events.len() - index;
    let inside = events.iter().filter(|at| window.contains(**at)).count();
    let early = onset < window.start - TimeDelta::seconds(2);
    if (baseline && !early) || after < ERRORS || inside == 0 {
        return None;
    }
    let rate = |count: usize, length: TimeDelta| count as f64 / length.num_milliseconds().max(1) as f64;
    let last = *events.last()?;
    let quiet = rate(index + 1, onset - start);
    let loud = rate(after, last - onset);
    let asked = rate(inside, window.length());
    (loud >= quiet * FACTOR && asked >= quiet * 2.0).then_some(onset)
}

/// The index of the event at which the rate of `events` (ascending, inside start to end) rose most:
/// the maximum of the likelihood ratio of two Poisson rates against one, over every split at an
/// event. `None` without events.
///
/// Errors that were always there thus do not count as the onset.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds of a window stay far below 2^52"
)]
pub fn onset_of_events(events: &[Utc], start: Utc) -> Option<usize> {
    let last = *events.last()?;
    let total = (last - start).num_milliseconds().max(1) as f64;
    let all = events.len() as f64;
    let overall = all * (all / total).ln();
    let mut best = (0.0_f64, 0);
    for (index, at) in events.iter().enumerate() {
        let (before, after) = (index as f64, (events.len() - index) as f64);
        let quiet = (*at - start).num_milliseconds() as f64;
        let loud = (total - quiet).max(1.0);
        let log = |count: f64, time: f64| {
            if count > 0.0 && time > 0.0 {
                count * (count / time).ln()
            } else {
                0.0
            }
        };
        let risen = quiet <= 0.0 || before / quiet.max(1.0) < after / loud;
        let gain = log(before, quiet) + log(after, loud) - overall;
        if risen && gain > best.0 {
            best = (gain, index);
        }
    }
    Some(best.1)
}
