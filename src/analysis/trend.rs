//! Two stretches of time that need not follow each other, side by side: what drifted, and whether it may be chance.
//!
//! Formulas: shares of failing calls are compared by Fisher's exact test (see [`higher`]), latencies by percentiles with
//! the playbook's thresholds (see [`compare`]), volumes as two Poisson counts over stretches of known lengths, and a series of
//! more than two by Mann and Kendall's test for a monotonic trend.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{
    compare::{Change, Thresholds, compare},
    endpoint::endpoint,
    layer::Layer,
    outcome::ends,
    picture::{EdgeKey, Picture, Tally},
    statistics::{higher, percentile},
};
use crate::time::{Utc, Window};

/// What was measured of one stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub window: Window,
    pub edges: BTreeMap<EdgeKey, Tally>,
    /// Requests by edge and endpoint, where every request of the stretch was listed.
    pub endpoints: BTreeMap<(EdgeKey, String), Tally>,
    /// When an edge was first seen in the stretch.
    pub first: BTreeMap<EdgeKey, Utc>,
    /// Every request of the stretch was listed: that an edge is missing means something.
    pub whole: bool,
}

impl Measured {
    /// From what a survey saw of one stretch: its requests, and what was `counted` besides by order.
    pub fn of(picture: &Picture, window: Window, counted: &[EdgeKey]) -> Self {
        let mut first: BTreeMap<EdgeKey, Utc> = BTreeMap::new();
        let mut calls: BTreeMap<(EdgeKey, String), Vec<_>> = BTreeMap::new();
        for call in picture.calls.iter().filter(|call| window.contains(call.ts)) {
            let Some(layer) = Layer::of(call).filter(|layer| layer.is_request()) else {
                continue;
            };
            let (from, to) = ends(call);
            let key = EdgeKey { from, to, layer };
            let at = first.entry(key.clone()).or_insert(call.ts);
            *at = (*at).min(call.ts);
            if let Some(endpoint) = endpoint(call).filter(|_| picture.whole) {
                calls.entry((key, endpoint)).or_default().push(call);
            }
        }
        let edges = picture
            .edges
            .iter()
            .filter(|(key, edge)| counted.contains(key) || (key.layer.is_request() && edge.during.calls > 0))
            .map(|(key, edge)| (key.clone(), edge.during.clone()));
        Self {
            window,
            edges: edges.collect(),
            endpoints: calls
                .into_iter()
                .map(|(key, calls)| (key, Tally::of(calls, true)))
                .collect(),
            first,
            whole: picture.whole,
        }
    }

    fn length(&self) -> TimeDelta {
        self.window.length()
    }
}

/// One way in which something changed beyond what chance explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drift {
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// Shares of failing calls, 0 to 1.
    MoreFailing {
        before: f64,
        after: f64,
    },
    LessFailing {
        before: f64,
        after: f64,
    },
    /// A percentile of the latency, µs.
    Slower {
        percent: usize,
        before_us: i64,
        after_us: i64,
    },
    Faster {
        percent: usize,
        before_us: i64,
        after_us: i64,
    },
    /// How many times as many calls per second.
    Busier {
        factor: f64,
    },
    Quieter {
        factor: f64,
    },
}

impl Drift {
    /// Whether somebody should look at it.
    pub fn is_worse(&self) -> bool {
        matches!(
            self,
            Self::New | Self::Gone | Self::MoreFailing { .. } | Self::Slower { .. }
        )
    }
}

/// How a tally changed from one stretch to another.
pub fn drift(
    before: Option<&Tally>,
    after: Option<&Tally>,
    (earlier, later): (&Measured, &Measured),
    thresholds: &Thresholds,
) -> Vec<Drift> {
    let (before, after) = match (before, after) {
        // Of a sample nothing follows from what is missing; few calls may be missing by chance.
        (None, Some(after)) if earlier.whole && likely_seen(after, later, earlier) => {
            return vec![Drift::New];
        }
        (Some(before), None) if later.whole && likely_seen(before, earlier, later) => {
            return vec![Drift::Gone];
        }
        (Some(before), Some(after)) => (before, after),
        _ => return Vec::new(),
    };
    let mut drifts = Vec::new();
    for (a, b, back) in [(before, after, false), (after, before, true)] {
        let forward = |share: (f64, f64)| if back { (share.1, share.0) } else { share };
        if higher((a.failing, a.calls), (b.failing, b.calls))
            && b.share() - a.share() >= thresholds.share_rise
            && b.failing >= thresholds.failing_calls
        {
            let (before, after) = forward((a.share(), b.share()));
            drifts.push(if back {
                Drift::LessFailing { before, after }
            } else {
                Drift::MoreFailing { before, after }
            });
        }
        // Failures are told by their share: here only the latencies are looked at.
        let bare = |tally: &Tally| Tally {
            failing: 0,
            ..tally.clone()
        };
        if let Change::Slower {
            percent,
            before_us,
            during_us,
        } = compare(&bare(a), &bare(b), thresholds)
        {
            drifts.push(if back {
                Drift::Faster {
                    percent,
                    before_us: during_us,
                    after_us: before_us,
                }
            } else {
                Drift::Slower {
                    percent,
                    before_us,
                    after_us: during_us,
                }
            });
        }
    }
    if before.exact && after.exact {
        drifts.extend(volume(
            before.calls,
            earlier.length(),
            after.calls,
            later.length(),
        ));
    }
    drifts
}

/// Whether something that was there would have been seen in the other stretch too, had it gone on: at least five calls
/// expected, of which none is seen by chance once in 150 times.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds stay far below 2^52"
)]
fn likely_seen(there: &Tally, of: &Measured, missing: &Measured) -> bool {
    const EXPECTED: f64 = 5.0;
    let length = |measured: &Measured| measured.length().num_milliseconds().max(1) as f64;
    there.calls as f64 * length(missing) / length(of) >= EXPECTED
}

/// Whether two counts over two stretches are of different rates: the difference by its standard deviation, both counts
/// taken as Poisson, beyond 3.3 (once in a thousand by chance), and half as much again or a third less.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds stay far below 2^52"
)]
pub(super) fn volume(before: u64, earlier: TimeDelta, after: u64, later: TimeDelta) -> Option<Drift> {
    const Z: f64 = 3.3;
    const FACTOR: f64 = 1.5;
    let length = |length: TimeDelta| length.num_milliseconds().max(1) as f64;
    let scale = length(later) / length(earlier);
    let (expected, seen) = (before as f64 * scale, after as f64);
    let deviation = (seen + expected * scale).sqrt();
    if deviation <= 0.0 || (seen - expected).abs() / deviation < Z {
        return None;
    }
    let factor = seen / expected.max(f64::MIN_POSITIVE);
    if factor >= FACTOR {
        Some(Drift::Busier { factor })
    } else if factor <= 1.0 / FACTOR {
        Some(Drift::Quieter { factor })
    } else {
        None
    }
}

/// Which way a series goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    Rising,
    Falling,
    /// None that is beyond chance, or too few values to tell.
    None,
}

/// Mann and Kendall's test at 95 % (H. B. Mann, "Nonparametric tests against trend", Econometrica 1945), with the
/// correction for continuity. Fewer than five values show no trend.
#[expect(clippy::cast_precision_loss, reason = "a series has few values")]
pub fn trend(values: &[f64]) -> Trend {
    const Z: f64 = 1.96;
    let n = values.len() as f64;
    if values.len() < 5 {
        return Trend::None;
    }
    let mut s = 0.0;
    for (at, a) in values.iter().enumerate() {
        for b in values.iter().skip(at + 1) {
            s += match b.total_cmp(a) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Less => -1.0,
                std::cmp::Ordering::Equal => 0.0,
            };
        }
    }
    // Equal values are no evidence either way; the variance with ties is smaller, which errs towards no trend here.
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    if (s - 1.0) / deviation >= Z {
        Trend::Rising
    } else if (s + 1.0) / deviation <= -Z {
        Trend::Falling
    } else {
        Trend::None
    }
}

/// The median of a tally's latencies, µs.
pub fn median_us(tally: &Tally) -> Option<i64> {
    percentile(&tally.latencies_us, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(minutes: i64) -> Measured {
        let start = Utc::from_timestamp(1_800_000_000, 0).unwrap();
        Measured {
            window: Window {
                start,
                end: start + TimeDelta::minutes(minutes),
            },
            edges: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            first: BTreeMap::new(),
            whole: true,
        }
    }

    fn tally(calls: u64, failing: u64, latency: i64) -> Tally {
        Tally {
            calls,
            failing,
            exact: true,
            latencies_us: vec![latency; usize::try_from(calls).unwrap()],
        }
    }

    fn thresholds() -> Thresholds {
        Thresholds {
            share_rise: 0.02,
            failing_calls: 3,
            latency_factor: 2.0,
            latency_rise_us: 20_000,
            latency_calls: 8,
        }
    }

    fn of(before: &Tally, after: &Tally) -> Vec<Drift> {
        drift(
            Some(before),
            Some(after),
            (&measured(10), &measured(10)),
            &thresholds(),
        )
    }

    #[test]
    fn what_changed_is_told_and_chance_is_not() {
        assert_eq!(of(&tally(100, 2, 1000), &tally(104, 3, 1100)), []);
        assert!(matches!(
            of(&tally(100, 0, 1000), &tally(100, 40, 1000))[..],
            [Drift::MoreFailing { .. }]
        ));
        assert!(matches!(
            of(&tally(100, 40, 1000), &tally(100, 0, 1000))[..],
            [Drift::LessFailing { .. }]
        ));
        assert!(matches!(
            of(&tally(100, 0, 10_000), &tally(100, 0, 90_000))[..],
            [Drift::Slower { after_us: 90_000, .. }]
        ));
        assert!(matches!(
            of(&tally(100, 0, 90_000), &tally(100, 0, 10_000))[..],
            [Drift::Faster { after_us: 10_000, .. }]
        ));
        assert!(matches!(
            of(&tally(100, 0, 1000), &tally(300, 0, 1000))[..],
            [Drift::Busier { .. }]
        ));
        assert!(matches!(
            of(&tally(300, 0, 1000), &tally(100, 0, 1000))[..],
            [Drift::Quieter { .. }]
        ));
        // Twice as long, twice as many: the same rate.
        let (short, long) = (measured(10), measured(20));
        assert_eq!(
            drift(
                Some(&tally(100, 0, 1)),
                Some(&tally(200, 0, 1)),
                (&short, &long),
                &thresholds()
            ),
            []
        );
    }

    #[test]
    fn new_and_gone_need_calls_that_would_have_been_seen() {
        let (a, b) = (measured(10), measured(10));
        let many = tally(20, 0, 1);
        assert_eq!(drift(None, Some(&many), (&a, &b), &thresholds()), [Drift::New]);
        assert_eq!(drift(Some(&many), None, (&a, &b), &thresholds()), [Drift::Gone]);
        assert_eq!(drift(None, Some(&tally(2, 0, 1)), (&a, &b), &thresholds()), []);
        let sampled = Measured {
            whole: false,
            ..measured(10)
        };
        assert_eq!(drift(None, Some(&many), (&sampled, &b), &thresholds()), []);
    }

    #[test]
    fn a_trend_needs_five_values_that_go_one_way() {
        assert_eq!(trend(&[1.0, 2.0, 3.0, 4.0]), Trend::None);
        assert_eq!(trend(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), Trend::Rising);
        assert_eq!(trend(&[9.0, 7.0, 5.0, 4.0, 2.0, 1.0]), Trend::Falling);
        assert_eq!(trend(&[1.0, 3.0, 2.0, 4.0, 1.0, 3.0]), Trend::None);
        assert_eq!(trend(&[1.0; 8]), Trend::None);
    }
}
