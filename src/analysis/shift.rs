//! How far a distribution moved, told with few values and long tails.
//!
//! The quantile q of n ascending values lies, with the confidence of z standard deviations, between the
//! values of ranks n·q ± z·√(n·q·(1−q)): the distribution-free interval from the binomial distribution
//! (H. A. David and H. N. Nagaraja, *Order Statistics*, 3rd ed. 2003, section 7.1). Two intervals that do not
//! overlap differ; what lies between them is the least that the quantile moved.

/// Standard deviations on each side. Two intervals that do not overlap are then apart by 3.6 of their common
/// deviation: one in several thousand by chance.
const Z: f64 = 2.58;

/// Values below this are noise of schedulers and clocks, µs. Added to both sides of a ratio, so that a step from
/// 20 to 200 µs is no step.
const FLOOR_US: f64 = 1_000.0;

/// The quantiles looked at: half of the calls, a quarter of them, a tenth.
const QUANTILES: [f64; 3] = [0.5, 0.75, 0.9];

/// A step of one quantile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// Natural logarithm of the least ratio that the intervals leave; 0 where they overlap.
    pub log_ratio: f64,
    /// Which quantile, 0 to 1.
    pub quantile: f64,
    /// The quantile itself before and during, µs.
    pub before_us: i64,
    pub during_us: i64,
}

impl Shift {
    /// How much larger the quantile is now, µs.
    pub fn rise_us(&self) -> i64 {
        self.during_us.saturating_sub(self.before_us)
    }
}

/// The fewest values that a quantile is told from.
const FEWEST: usize = 5;

/// The largest step up of a quantile; `None` where one side has too few values. All ascending, µs. `blocks` are the
/// values before by stretches of time: a quantile that goes up and down by itself has to go beyond that.
pub(super) fn shift(before: &[i64], during: &[i64], blocks: &[Vec<i64>]) -> Option<Shift> {
    if before.len() < FEWEST || during.len() < FEWEST {
        return None;
    }
    let mut best = Shift {
        quantile: 0.5,
        before_us: value(before, 0.5),
        during_us: value(during, 0.5),
        log_ratio: 0.0,
    };
    for q in QUANTILES {
        // Where no value bounds the quantile from above, the largest one stands for it: it is then not known to be
        // smaller, and too few values lie above to tell. Half of the quantiles that matter have bounds with 7 values.
        let (Some(low), high) = (bound(during, q, -Z), bound(before, q, Z)) else {
            continue;
        };
        let high = match high {
            Some(high) => high,
            None if q <= 0.5 => before.last().copied().unwrap_or(0),
            None => continue,
        };
        let high = high.max(restless(blocks, q));
        #[expect(clippy::cast_precision_loss, reason = "latencies in µs stay far below 2^52")]
        let ratio = (low.max(0) as f64 + FLOOR_US) / (high.max(0) as f64 + FLOOR_US);
        let log_ratio = ratio.ln();
        if log_ratio > best.log_ratio {
            best = Shift {
                log_ratio,
                quantile: q,
                before_us: value(before, q),
                during_us: value(during, q),
            };
        }
    }
    Some(best)
}

/// What the quantile reaches in two blocks of five by itself; 0 where there are too few blocks to tell. More than that
/// is not asked for: a baseline may hold an older incident.
fn restless(blocks: &[Vec<i64>], q: f64) -> i64 {
    const FEWEST: usize = 6;
    if blocks.len() < FEWEST {
        return 0;
    }
    let mut reached: Vec<i64> = blocks.iter().map(|block| value(block, q)).collect();
    reached.sort_unstable();
    value(&reached, 0.6)
}

/// The quantile of ascending values, by the nearest rank.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks of lists of calls"
)]
fn value(values: &[i64], q: f64) -> i64 {
    let rank = ((values.len() as f64 * q).ceil() as usize).clamp(1, values.len().max(1));
    values.get(rank - 1).copied().unwrap_or(0)
}

/// The bound of the quantile's interval on the side of `z`'s sign; `None` beyond the last value.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "ranks of lists of calls"
)]
fn bound(values: &[i64], q: f64, z: f64) -> Option<i64> {
    let n = values.len() as f64;
    let rank = n * q + z * (n * q * (1.0 - q)).sqrt();
    let rank = if z < 0.0 { rank.floor() } else { rank.ceil() } as i64;
    values.get(usize::try_from(rank).ok()?).copied()
}

/// The mean of ascending values whose outermost thirtieths are drawn in, µs. `None` where there are none.
#[expect(clippy::cast_precision_loss, reason = "latencies in µs stay far below 2^52")]
pub(super) fn winsorized_mean(values: &[i64]) -> Option<f64> {
    let cut = values.len() / 30;
    let (low, high) = (values.get(cut)?, values.get(values.len() - 1 - cut)?);
    let sum: f64 = values.iter().map(|value| *value.clamp(low, high) as f64).sum();
    Some(sum / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(centre: i64, count: i64) -> Vec<i64> {
        (0..count).map(|n| centre + n * centre / 50).collect()
    }

    #[test]
    fn a_step_is_seen_and_noise_is_not() {
        let step = shift(&around(6_000, 12), &around(580_000, 19), &[]).unwrap();
        assert!(step.log_ratio > 3.0, "{step:?}");
        assert_eq!(
            shift(&around(6_000, 4), &around(580_000, 19), &[]),
            None,
            "too few"
        );
        let same = shift(&around(6_000, 40), &around(6_300, 40), &[]).unwrap();
        assert!(same.log_ratio < 0.1, "{same:?}");
        let tiny = shift(&around(20, 40), &around(200, 40), &[]).unwrap();
        assert!(tiny.log_ratio < 0.3, "{tiny:?}");
    }

    #[test]
    fn a_slow_tenth_is_seen_in_its_quantile() {
        let mut during = around(6_000, 180);
        during.extend(around(900_000, 60));
        let step = shift(&around(6_000, 200), &during, &[]).unwrap();
        assert!(step.log_ratio > 2.0 && step.quantile > 0.7, "{step:?}");
    }

    proptest! {
        /// The order of the values was lost by sorting; what is left is that more of the same is no step down.
        #[test]
        fn never_a_step_against_itself(mut values in prop::collection::vec(0_i64..10_000_000, 5..200)) {
            values.sort_unstable();
            let step = shift(&values, &values, &[]).unwrap();
            prop_assert!(step.log_ratio.abs() < f64::EPSILON);
        }

        #[test]
        fn a_mean_lies_between_the_extremes(mut values in prop::collection::vec(0_i64..10_000_000, 1..200)) {
            values.sort_unstable();
            let mean = winsorized_mean(&values).unwrap();
            let float = |value: Option<&i64>| f64::from(u32::try_from(*value.unwrap()).unwrap());
            prop_assert!(mean >= float(values.first()) - 1e-6 && mean <= float(values.last()) + 1e-6);
        }
    }
}
