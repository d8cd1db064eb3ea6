//! Whether an edge that was abnormal during an incident is as it was before.

use chrono::TimeDelta;

use super::{
    compare::{Change, Thresholds, compare},
    picture::Tally,
    shift::shift,
    statistics::{higher, likely},
    trend::{Drift, volume},
};

/// How an edge is after the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// As it was before the incident.
    Mended,
    Abnormal,
    /// Too few calls to tell.
    Unknown,
}

/// What was counted of an edge over a stretch of this length.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    pub tally: &'a Tally,
    pub length: TimeDelta,
}

/// Fewer calls without a failure say little.
const ENOUGH: u64 = 5;

/// Failures that would have been seen had the incident gone on: with as many expected, none is seen by chance once in
/// 150 times (e^-5, the counts taken as Poisson).
const EXPECTED: f64 = 5.0;

impl Stretch<'_> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts and milliseconds stay far below 2^52"
    )]
    fn failing_within(&self, length: TimeDelta) -> f64 {
        let milliseconds = |length: TimeDelta| length.num_milliseconds().max(1) as f64;
        self.tally.failing as f64 * milliseconds(length) / milliseconds(self.length)
    }

    /// The change of the volume from this stretch to another; `None` where a count is not exact, or there was none.
    fn volume(&self, to: &Stretch<'_>) -> Option<Drift> {
        if !self.tally.exact || !to.tally.exact || self.tally.calls == 0 {
            return None;
        }
        volume(self.tally.calls, self.length, to.tally.calls, to.length)
    }
}

/// How an edge is `after` its incident. `callers_mended` says that whoever makes these calls is answered again, from
/// calls enough: connections that live long are then few, and that none of them fails means something.
pub fn recovery(
    before: Stretch<'_>,
    during: Stretch<'_>,
    after: Stretch<'_>,
    callers_mended: bool,
    thresholds: &Thresholds,
) -> Recovery {
    let counts = |stretch: &Stretch<'_>| (stretch.tally.failing, stretch.tally.calls);
    match compare(before.tally, after.tally, thresholds) {
        // The 95th percentile of a hundred calls is five of them: where the incident was none of latency, being slower
        // after it takes more than that.
        Change::Slower { .. }
            if !matches!(
                compare(before.tally, during.tally, thresholds),
                Change::Slower { .. }
            ) && !shifted(before.tally, after.tally, thresholds) => {}
        change if after.tally.calls > 0 && change.is_abnormal() => return Recovery::Abnormal,
        _ => {}
    }
    let rise = after.tally.share() - before.tally.share();
    if after.tally.failing >= thresholds.failing_calls
        && rise >= thresholds.share_rise
        && higher(counts(&before), counts(&after))
    {
        return Recovery::Abnormal;
    }
    // Where there was too little before to compare with, the incident itself is: it goes on as it was.
    if after.tally.failing >= thresholds.failing_calls
        && likely(counts(&before), counts(&during))
        && !likely(counts(&after), counts(&during))
    {
        return Recovery::Abnormal;
    }
    // An incident of calls that came too often, or not at all, goes on as long as they do. Of failing calls the volume
    // says nothing: callers may have gone home.
    if !compare(before.tally, during.tally, thresholds).is_abnormal()
        && let (Some(was), Some(is)) = (before.volume(&during), before.volume(&after))
        && std::mem::discriminant(&was) == std::mem::discriminant(&is)
    {
        return Recovery::Abnormal;
    }
    if after.tally.calls < ENOUGH {
        let gone = after.tally.exact && after.tally.failing == 0;
        return if callers_mended && gone && during.failing_within(after.length) >= EXPECTED {
            Recovery::Mended
        } else {
            Recovery::Unknown
        };
    }
    // That nothing is shown to be wrong does not show that it is mended; nor does it say "as before" where nobody saw that.
    if before.tally.calls == 0 && !higher(counts(&after), counts(&during)) {
        return Recovery::Unknown;
    }
    if likely(counts(&before), counts(&after)) {
        return Recovery::Unknown;
    }
    Recovery::Mended
}

/// Whether the latencies as a whole are longer by the playbook's factor, told with few values and long tails.
fn shifted(before: &Tally, after: &Tally, thresholds: &Thresholds) -> bool {
    shift(&before.latencies_us, &after.latencies_us, &[])
        .is_some_and(|shift| shift.log_ratio >= thresholds.latency_factor.ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(failing: u64, calls: u64) -> Tally {
        Tally {
            calls,
            failing,
            exact: true,
            latencies_us: Vec::new(),
        }
    }

    /// Two minutes before, one of the incident, one after it.
    fn judged(before: (u64, u64), during: (u64, u64), after: (u64, u64), callers_mended: bool) -> Recovery {
        let tallies = [before, during, after].map(|(failing, calls)| tally(failing, calls));
        let [before, during, after] = &tallies;
        let over = |tally, minutes| Stretch {
            tally,
            length: TimeDelta::minutes(minutes),
        };
        recovery(
            over(before, 2),
            over(during, 1),
            over(after, 1),
            callers_mended,
            &Thresholds {
                share_rise: 0.02,
                failing_calls: 3,
                latency_factor: 2.0,
                latency_rise_us: 20_000,
                latency_calls: 8,
            },
        )
    }

    #[test]
    fn failing_calls_are_as_before_or_not() {
        assert_eq!(judged((1, 200), (90, 100), (1, 100), false), Recovery::Mended);
        assert_eq!(judged((1, 200), (90, 100), (60, 100), false), Recovery::Abnormal);
        assert_eq!(judged((0, 200), (90, 100), (0, 3), true), Recovery::Mended);
        assert_eq!(judged((0, 200), (90, 100), (0, 3), false), Recovery::Unknown);
        assert_eq!(judged((0, 200), (90, 100), (1, 12), false), Recovery::Unknown);
        assert_eq!(judged((1, 11), (9, 9), (9, 13), false), Recovery::Unknown);
        assert_eq!(judged((0, 11), (9, 9), (9, 13), false), Recovery::Abnormal);
    }

    #[test]
    fn without_connections_only_their_callers_tell() {
        assert_eq!(judged((0, 1), (84, 84), (0, 0), true), Recovery::Mended);
        assert_eq!(judged((0, 1), (84, 84), (0, 0), false), Recovery::Unknown);
        assert_eq!(judged((0, 1), (84, 84), (34, 34), false), Recovery::Abnormal);
        // So few failures may be missing by chance.
        assert_eq!(judged((0, 1), (3, 3), (0, 1), true), Recovery::Unknown);
    }

    #[test]
    fn a_surge_is_over_when_the_calls_are() {
        assert_eq!(judged((0, 200), (0, 900), (0, 900), false), Recovery::Abnormal);
        assert_eq!(judged((0, 200), (0, 900), (0, 104), false), Recovery::Mended);
        assert_eq!(judged((0, 200), (0, 0), (0, 0), false), Recovery::Abnormal);
        assert_eq!(judged((0, 200), (0, 0), (0, 97), false), Recovery::Mended);
        // Nobody knows what is usual.
        assert_eq!(judged((0, 0), (0, 300), (0, 100), false), Recovery::Unknown);
        assert_eq!(judged((0, 0), (90, 100), (0, 100), false), Recovery::Mended);
        // Those who failed may ask less than before, after it.
        assert_eq!(judged((0, 900), (90, 100), (0, 60), false), Recovery::Mended);
    }
}
