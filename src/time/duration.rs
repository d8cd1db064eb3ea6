//! How long something took, for people.

use chrono::TimeDelta;

/// A length of time in at most two units: `850 µs`, `12 ms`, `1.5 s`, `41 s`, `3 min 20 s`, `1 h 05 min`,
/// `2 d 3 h`. Cut off, never rounded up, so that nothing reads as longer than it was.
pub fn duration(length: TimeDelta) -> String {
    let sign = if length < TimeDelta::zero() { "-" } else { "" };
    let length = length.abs();
    let seconds = length.num_seconds();
    let nanos = i64::from(length.subsec_nanos());
    let text = match (seconds, nanos) {
        (0, 0) => "0 s".to_owned(),
        (0, ..1_000) => "under 1 µs".to_owned(),
        (0, ..1_000_000) => format!("{} µs", nanos / 1_000),
        (0, _) => format!("{} ms", nanos / 1_000_000),
        (..10, _) if nanos >= 100_000_000 => format!("{seconds}.{} s", nanos / 100_000_000),
        (..60, _) => format!("{seconds} s"),
        (..3_600, _) => two(seconds / 60, "min", seconds % 60, "s"),
        (..86_400, _) => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => {
            let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3_600);
            if hours == 0 {
                format!("{days} d")
            } else {
                format!("{days} d {hours} h")
            }
        }
    };
    format!("{sign}{text}")
}

fn two(large: i64, unit: &str, small: i64, smaller: &str) -> String {
    if small == 0 {
        format!("{large} {unit}")
    } else {
        format!("{large} {unit} {small:02} {smaller}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_say_them() {
        let cases = [
            (0, "0 s"),
            (500, "under 1 µs"),
            (850_000, "850 µs"),
            (12_000_000, "12 ms"),
            (999_999_999, "999 ms"),
            (1_000_000_000, "1 s"),
            (1_500_000_000, "1.5 s"),
            (9_990_000_000, "9.9 s"),
            (41_900_000_000, "41 s"),
            (60_000_000_000, "1 min"),
            (200_000_000_000, "3 min 20 s"),
            (3_900_000_000_000, "1 h 05 min"),
            (7_200_000_000_000, "2 h"),
            (86_400_000_000_000, "1 d"),
            (183_600_000_000_000, "2 d 3 h"),
            (-41_000_000_000, "-41 s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(TimeDelta::nanoseconds(nanos)), text);
        }
        assert_eq!(duration(TimeDelta::MAX), "106751991167 d 7 h");
        assert_eq!(duration(TimeDelta::MIN), "-106751991167 d 7 h");
    }
}
