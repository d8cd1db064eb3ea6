//! Points and stretches of time as a filter writes them, in microseconds, and as people read them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Why a text is no point in time, with the text that probably was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadTime {
    pub(super) reason: &'static str,
    pub(super) meant: Option<String>,
}

/// Unix µs of an RFC 3339 text as strict as the server's: with `T`, with a zone, with seconds.
pub(super) fn parse_timestamp(text: &str) -> Result<i64, BadTime> {
    let bad = |reason, meant| Err(BadTime { reason, meant });
    let Ok(time) = DateTime::parse_from_rfc3339(text) else {
        return Err(explain_bad_timestamp(text));
    };
    if !text.is_ascii() || text.as_bytes().get(10) != Some(&b'T') || text.contains('z') {
        return bad(
            "date and time are joined by a capital T, and UTC is a capital Z",
            Some(text.to_ascii_uppercase().replacen(' ', "T", 1)),
        );
    }
    if text.get(17..19) == Some("60") {
        return bad(
            "servers know no leap second",
            Some(text.replacen(":60", ":59", 1)),
        );
    }
    if time.timestamp_subsec_nanos() % 1000 != 0 {
        let cut = time
            .with_timezone(&Utc)
            .to_rfc3339_opts(SecondsFormat::Micros, true);
        return bad("entries carry whole microseconds", Some(cut));
    }
    Ok(time.timestamp_micros())
}

fn explain_bad_timestamp(text: &str) -> BadTime {
    let trimmed = text.trim();
    let formats = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let without_zone = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(trimmed, format).ok());
    if let Some(time) = without_zone {
        return BadTime {
            reason: "a time without a zone is nowhere; filters take UTC, with a Z",
            meant: Some(time.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        };
    }
    if let Some(midnight) = NaiveDate::parse_from_str(trimmed, "%Y-%m-%d")
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
    {
        return BadTime {
            reason: "a date is no point in time; filters take UTC, with a Z",
            meant: Some(midnight.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        };
    }
    if let Some(meant) = trimmed.parse().ok().and_then(unix_number) {
        return BadTime {
            reason: "a number is no RFC 3339 time",
            meant: Some(meant),
        };
    }
    BadTime {
        reason: "it is no RFC 3339 time such as 2026-03-14T16:12:34Z",
        meant: None,
    }
}

/// A Unix time in s, ms, µs or ns, told apart by size, as RFC 3339; `None` where it is none of this century.
pub(super) fn unix_number(number: i64) -> Option<String> {
    const CENTURY_US: std::ops::Range<i64> = 946_684_800_000_000..4_102_444_800_000_000;
    let micros = [
        number.checked_mul(1_000_000),
        number.checked_mul(1_000),
        Some(number),
        Some(number / 1_000),
    ]
    .into_iter()
    .flatten()
    .find(|micros| CENTURY_US.contains(micros))?;
    Some(rfc3339(micros))
}

/// RFC 3339 in UTC with `Z`; outside of what a calendar has, the nearest it has.
pub(super) fn rfc3339(micros: i64) -> String {
    let outside = if micros < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_micros(micros)
        .unwrap_or(outside)
        .to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Units of a duration, each in ns. As Go's `time.ParseDuration`, which KFL's `duration()` is.
const UNITS: [(&str, i128); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// µs of a text such as `5m`, `1h30m`, `1.5s`, `-2ms`.
///
/// # Errors
/// What the text should be.
pub fn parse_duration(text: &str) -> Result<i64, &'static str> {
    const SHAPE: &str = "a duration is numbers with the units h, m, s, ms, us: \"1h30m\"";
    const RANGE: &str = "the duration is too long";
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() || text.len() > 64 {
        return Err(SHAPE);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| c != '.' && !c.is_ascii_digit())
            .ok_or(SHAPE)?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SHAPE)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) || fraction.len() > 12 {
            return Err(SHAPE);
        }
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| RANGE)?
        };
        let mut nanos = whole.checked_mul(*scale).ok_or(RANGE)?;
        if !fraction.is_empty() {
            let power = 10_i128.pow(u32::try_from(fraction.len()).map_err(|_| SHAPE)?);
            let part = fraction.parse::<i128>().map_err(|_| SHAPE)?;
            nanos = nanos
                .checked_add(part.checked_mul(*scale).ok_or(RANGE)? / power)
                .ok_or(RANGE)?;
        }
        total = total.checked_add(nanos).ok_or(RANGE)?;
        rest = after;
    }
    if total % 1000 != 0 {
        return Err("entries carry whole microseconds");
    }
    let micros = i64::try_from(total / 1000).map_err(|_| RANGE)?;
    // Servers count durations in ns of 64 bits.
    if micros > i64::MAX / 1000 {
        return Err(RANGE);
    }
    Ok(if negative { -micros } else { micros })
}

/// What a text such as `5 minutes`, `2d` or `90 sec` would be as a KFL duration.
pub(super) fn parse_loose_duration(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text.get(..digits)?.parse().ok()?;
    let (scale, unit) = match text.get(digits..)?.trim() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => (1, "s"),
        "m" | "min" | "mins" | "minute" | "minutes" => (1, "m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => (1, "h"),
        "d" | "day" | "days" => (24, "h"),
        "w" | "week" | "weeks" => (168, "h"),
        "ms" | "msec" | "millis" | "milliseconds" => (1, "ms"),
        _ => return None,
    };
    let meant = format!("{}{unit}", number.checked_mul(scale)?);
    parse_duration(&meant).is_ok().then_some(meant)
}

/// µs as people say it: `250 µs`, `1.5 ms`, `5 s`, `1 h 30 min`.
pub(super) fn spoken(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let all = micros.unsigned_abs();
    let text = match all {
        0..1_000 => format!("{all} µs"),
        1_000..1_000_000 => format!("{} ms", decimal(all, 1_000)),
        1_000_000..60_000_000 => format!("{} s", decimal(all, 1_000_000)),
        _ => {
            let (hours, rest) = (all / 3_600_000_000, all % 3_600_000_000);
            let (minutes, rest) = (rest / 60_000_000, rest % 60_000_000);
            let parts = [
                (hours > 0).then(|| format!("{} h", grouped_unsigned(hours))),
                (minutes > 0).then(|| format!("{minutes} min")),
                (rest > 0).then(|| format!("{} s", decimal(rest, 1_000_000))),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    };
    format!("{sign}{text}")
}

/// `value / scale` with the decimals it needs; `scale` is a power of ten.
fn decimal(value: u64, scale: u64) -> String {
    let digits = scale.to_string().len() - 1;
    let fraction = format!("{:0digits$}", value % scale);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", value / scale)
}

/// Digits in groups of three: 5,000,000.
pub(super) fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped_unsigned(number.unsigned_abs()))
}

fn grouped_unsigned(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_as_strict_as_the_servers() {
        assert_eq!(parse_timestamp("2026-03-14T16:12:34Z"), Ok(1_773_504_754_000_000));
        assert_eq!(
            parse_timestamp("2026-03-14T18:12:34.5+02:00"),
            Ok(1_773_504_754_500_000)
        );
        for (text, meant) in [
            ("2026-03-14 16:12:34Z", "2026-03-14T16:12:34Z"),
            ("2026-03-14t16:12:34z", "2026-03-14T16:12:34Z"),
            ("2026-03-14T16:12:34", "2026-03-14T16:12:34Z"),
            ("2026-03-14 16:12", "2026-03-14T16:12:00Z"),
            ("2026-03-14", "2026-03-14T00:00:00Z"),
            ("2026-06-30T23:59:60Z", "2026-06-30T23:59:59Z"),
            ("1773504754", "2026-03-14T16:12:34Z"),
            ("1773504754000", "2026-03-14T16:12:34Z"),
            ("2026-03-14T16:12:34.000000001Z", "2026-03-14T16:12:34.000000Z"),
        ] {
            let bad = parse_timestamp(text).unwrap_err();
            assert_eq!(bad.meant.as_deref(), Some(meant), "{text}");
        }
        assert_eq!(parse_timestamp("yesterday").unwrap_err().meant, None);
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, micros) in [
            ("5m", 300_000_000),
            ("1h30m", 5_400_000_000),
            ("1.5s", 1_500_000),
            ("-2ms", -2_000),
            ("0", 0),
            (".5s", 500_000),
            ("7us", 7),
            ("7µs", 7),
            ("3000ns", 3),
        ] {
            assert_eq!(parse_duration(text), Ok(micros), "{text}");
        }
        for text in [
            "",
            "5",
            "5d",
            "5 m",
            "m",
            "1.2.3s",
            "s5",
            "5m3",
            "1ns",
            "99999999999h",
            "-",
            "．5s",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_said_with_their_units() {
        let said: Vec<_> = [
            250,
            1_500,
            5_000_000,
            1_500_000,
            60_000_000,
            5_400_000_000,
            -90_000_000,
            3_600_000_001,
        ]
        .into_iter()
        .map(spoken)
        .collect();
        assert_eq!(
            said,
            [
                "250 µs",
                "1.5 ms",
                "5 s",
                "1.5 s",
                "1 min",
                "1 h 30 min",
                "-1 min 30 s",
                "1 h 0.000001 s"
            ]
        );
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(100), "100");
    }

    #[test]
    fn loose_durations_are_understood() {
        for (text, meant) in [
            ("5 minutes", Some("5m")),
            ("2d", Some("48h")),
            ("90 sec", Some("90s")),
            ("30", Some("30s")),
            ("soon", None),
            ("9223372036854775807 weeks", None),
        ] {
            assert_eq!(parse_loose_duration(text).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn extremes_neither_overflow_nor_panic() {
        assert_eq!(rfc3339(i64::MIN), "-262143-01-01T00:00:00Z");
        assert!(spoken(i64::MIN).starts_with('-'));
        assert_eq!(unix_number(i64::MIN), None);
        assert_eq!(unix_number(i64::MAX), None);
    }
}
