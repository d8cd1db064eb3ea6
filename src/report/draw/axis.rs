//! A local time axis: marks at round local times, also where the clocks change.

use chrono::{DateTime, TimeDelta, Timelike};

use crate::time::{Clock, Utc, Window};

/// A mark on the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// From the start of the window (0) to its end (1).
    pub at: f64,
    pub label: String,
}

/// Steps between marks, seconds.
const STEPS: [i64; 17] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
];
const DAY: i64 = 86_400;

/// At most about `most` marks, at times that are round on the reader's clock. The first one names the zone, and each
/// one after a change of the clocks; the first of a day names the day where there are several.
pub(super) fn ticks(clock: &Clock, window: &Window, most: usize) -> Vec<Tick> {
    let length = window.length().num_seconds().max(1);
    let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
    let step = STEPS
        .into_iter()
        .find(|step| length / step < most)
        .unwrap_or_else(|| (length / DAY / most + 1) * DAY);
    // Offsets are multiples of a quarter of an hour: what divides both meets every round local time in UTC.
    let stride = common_divisor(step, 900);
    let (mut at, mut ticks) = (window.start.timestamp().div_euclid(stride) * stride, Vec::new());
    let mut last: Option<(String, chrono::NaiveDate)> = None;
    while at <= window.end.timestamp() {
        let Some(time) = DateTime::from_timestamp(at, 0) else {
            break;
        };
        at += stride;
        let local = clock.zone.local(time);
        let seconds = i64::from(local.num_seconds_from_midnight());
        let days = i64::from(chrono::Datelike::num_days_from_ce(&local.date()));
        let round = if step >= DAY {
            seconds == 0 && days % (step / DAY) == 0
        } else {
            seconds % step == 0
        };
        if time < window.start || !round {
            continue;
        }
        let zone = clock.zone.abbreviation(time);
        let mut label = local
            .format(if step < 60 { "%H:%M:%S" } else { "%H:%M" })
            .to_string();
        let several = clock.zone.local(window.start).date() != clock.zone.local(window.end).date();
        if several && last.as_ref().is_none_or(|(_, day)| *day != local.date()) {
            label = format!("{} {label}", local.format("%-d %b"));
        }
        if last.as_ref().is_none_or(|(known, _)| *known != zone) {
            label = format!("{label} {zone}");
        }
        last = Some((zone, local.date()));
        ticks.push(Tick {
            at: share(window, time),
            label,
        });
    }
    ticks
}

fn common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Where a time stands in a window, 0 to 1 inside.
#[expect(clippy::cast_precision_loss, reason = "windows are far shorter than 2^52 ms")]
pub(super) fn share(window: &Window, time: Utc) -> f64 {
    let length = window.length().max(TimeDelta::milliseconds(1)).num_milliseconds();
    (time - window.start).num_milliseconds() as f64 / length as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HourStyle;

    fn labels(zone: &str, start: &str, end: &str) -> Vec<String> {
        let utc = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let clock = Clock {
            zone: zone.parse().unwrap(),
            now: utc(end),
            hours: HourStyle::TwentyFour,
        };
        let window = Window {
            start: utc(start),
            end: utc(end),
        };
        ticks(&clock, &window, 6)
            .into_iter()
            .map(|tick| format!("{:.2} {}", tick.at, tick.label))
            .collect()
    }

    #[test]
    fn marks_are_round_on_the_readers_clock() {
        insta::assert_debug_snapshot!(labels("Asia/Kathmandu", "2026-11-23T01:28:10Z", "2026-11-23T01:39:00Z"), @r#"
        [
            "0.08 07:14 UTC+05:45",
            "0.26 07:16",
            "0.45 07:18",
            "0.63 07:20",
            "0.82 07:22",
            "1.00 07:24",
        ]
        "#);
    }

    #[test]
    fn an_hour_that_comes_twice_is_marked_twice_with_its_zones() {
        insta::assert_debug_snapshot!(labels("Europe/Berlin", "2026-10-24T22:30:00Z", "2026-10-25T02:30:00Z"), @r#"
        [
            "0.12 01:00 CEST",
            "0.38 02:00",
            "0.62 02:00 CET",
            "0.88 03:00",
        ]
        "#);
    }

    #[test]
    fn an_hour_that_is_left_out_has_no_mark() {
        insta::assert_debug_snapshot!(labels("America/New_York", "2026-03-08T05:30:00Z", "2026-03-08T09:30:00Z"), @r#"
        [
            "0.12 01:00 EST",
            "0.38 03:00 EDT",
            "0.62 04:00",
            "0.88 05:00",
        ]
        "#);
    }

    #[test]
    fn days_are_named_where_there_are_several() {
        insta::assert_debug_snapshot!(labels("UTC", "2026-03-08T05:30:00Z", "2026-03-11T09:30:00Z"), @r#"
        [
            "0.24 9 Mar 00:00 UTC",
            "0.56 10 Mar 00:00",
            "0.88 11 Mar 00:00",
        ]
        "#);
    }
}
