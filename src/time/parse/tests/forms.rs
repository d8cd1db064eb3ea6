//! Many ways to write the same time.

use super::*;

/// Said on Wednesday 18 March 2026 at 16:20 in Israel.
const POINTS: &[(&[&str], &str)] = &[
    (
        &[
            "14:05",
            "2:05pm",
            "2:05 PM",
            "2:05 p.m.",
            "2.05pm",
            "2:05P",
            "14:05:00",
            "at 14:05",
            "today 14:05",
            "14:05 today",
            "２:０５pm",
            "2:05\u{a0}pm",
            "\u{200e}14:05\u{200f}",
            "  14:05\t",
            "wed 14:05",
            "12:05 UTC",
            "12:05Z",
            "12:05 z",
            "14:05 local",
            "14:05 Israel",
            "14:05 IST",
            "17:35 utc+5:30",
            "17:35 +0530",
            "8:05 EDT",
            "08:05 ET",
            "12:05 (UTC)",
            "2:05 in the afternoon",
            "1773835500",
            "1773835500000",
            "@1773835500",
            "2026-03-18T14:05:00+02:00",
            "2026-03-18 12:05:00Z",
            "20260318T120500Z",
            "2026/03/18 14:05",
            "18 Mar 2026, 14:05",
            "Wed, 18 Mar 2026 14:05:00 +0200",
            "March 18th at 2:05pm",
            "the 18th at 14:05",
            "135 minutes ago",
            "2h15m ago",
            "2h15 ago",
            "2.25h ago",
            "14:05:00 IST (12:05:00 UTC)",
        ],
        "2026-03-18T12:05:00Z",
    ),
    (
        &[
            "yesterday noon",
            "noon yesterday",
            "12pm yesterday",
            "tue 12:00",
            "last Tuesday at noon",
            "1 day ago at 12:00",
        ],
        "2026-03-17T10:00:00Z",
    ),
    (
        &["midnight", "12am", "0:00", "24:00", "today", "yesterday 24:00"],
        "2026-03-17T22:00:00Z",
    ),
    (
        &[
            "the day before yesterday 09:00",
            "2 days ago at 9am",
            "monday 9 am",
            "monday morning at 9",
        ],
        "2026-03-16T07:00:00Z",
    ),
    (
        &["last night at 11", "yesterday night at 11", "yesterday 23:00"],
        "2026-03-17T21:00:00Z",
    ),
    (&["last night at 2", "02:00", "2 am"], "2026-03-18T00:00:00Z"),
    (
        &["an hour ago", "1h", "60 minutes ago", "3600 s", "one hour ago"],
        "2026-03-18T13:20:00Z",
    ),
    (
        &[
            "half an hour ago",
            "half hour ago",
            "30 min",
            "thirty minutes ago",
        ],
        "2026-03-18T13:50:00Z",
    ),
    (
        &["2 days ago", "2d", "48h", "two days ago"],
        "2026-03-16T14:20:00Z",
    ),
    (&["a week ago", "last week", "7 days ago"], "2026-03-11T14:20:00Z"),
    (&["29 Feb 12:00"], "2024-02-29T10:00:00Z"),
    (&["the 31st 10:00"], "2026-01-31T08:00:00Z"),
    (&["19 March 10:00"], "2025-03-19T08:00:00Z"),
    (&["2026-03-18 14:05:00.250"], "2026-03-18T12:05:00.250Z"),
    (
        &["2026-03-18 14:05:00,123456789"],
        "2026-03-18T12:05:00.123456789Z",
    ),
    (&["now"], "2026-03-18T14:20:00Z"),
    // A date in the future is fine for a point, such as that of --now.
    (&["2026-12-01 10:00"], "2026-12-01T08:00:00Z"),
];

const RANGES: &[(&[&str], &str, &str)] = &[
    (
        &[
            "3pm-3:30pm",
            "3-3:30pm",
            "3pm-3:30",
            "15:00-15:30",
            "15:00–15:30",
            "15:00—15:30",
            "15:00 − 15:30",
            "15:00..15:30",
            "15:00…15:30",
            "15:00 → 15:30",
            "15:00->15:30",
            "15:00 to 15:30",
            "from 3pm until 3:30pm",
            "between 3 and 3:30 pm",
            "3 p.m. - 3.30 p.m.",
            "15-15:30",
            "13:00-13:30 UTC",
            "13:00 UTC-13:30",
            "13:00 UTC - 13:30 UTC",
            "3pm for 30 min",
            "3pm +30m",
            "3pm || 3:30pm",
            "3pm || 3:30",
            "3:00 || 3:30pm",
            "3pm || for 30 minutes",
            "3pm || +30m",
            "15:00 || until 15:30",
            "15:00:00–15:30:00 IST (13:00:00–13:30:00 UTC)",
            "2026-03-18T13:00:00Z/2026-03-18T13:30:00Z",
            "80 min ago to 50 min ago",
            "80m || 50m",
        ],
        "2026-03-18T13:00:00Z",
        "2026-03-18T13:30:00Z",
    ),
    (
        &[
            "23:50-00:10",
            "11:50pm-12:10am",
            "yesterday 23:50-00:10",
            "yesterday 23:50 || 00:10",
            "yesterday 23:50 to today 00:10",
        ],
        "2026-03-17T21:50:00Z",
        "2026-03-17T22:10:00Z",
    ),
    (
        &[
            "yesterday 14:00-15:00",
            "from 14:00 to 15:00 yesterday",
            "14:00 || yesterday 15:00",
            "tuesday 2-3pm",
            "2-3pm on tuesday",
        ],
        "2026-03-17T12:00:00Z",
        "2026-03-17T13:00:00Z",
    ),
    (
        &["11-1pm", "11am-1", "11:00-13:00"],
        "2026-03-18T09:00:00Z",
        "2026-03-18T11:00:00Z",
    ),
    (
        &[
            "last 2 hours",
            "past 2h",
            "in the last 2 hours",
            "2h",
            "2h || now",
            "120 minutes ago to now",
            "since 14:20",
            "2h ago || now",
            "over the past couple of hours",
            "from 14:20 to now",
        ],
        "2026-03-18T12:20:00Z",
        "2026-03-18T14:20:00Z",
    ),
    (
        &[
            "around 3pm",
            "~15:00",
            "at around 15:00",
            "about 3 pm",
            "circa 15:00",
        ],
        "2026-03-18T12:45:00Z",
        "2026-03-18T13:15:00Z",
    ),
    (
        &[
            "yesterday",
            "2026-03-17",
            "the 17th",
            "last tuesday",
            "17 Mar",
            "from yesterday to yesterday",
        ],
        "2026-03-16T22:00:00Z",
        "2026-03-17T22:00:00Z",
    ),
    (
        &["last night", "overnight", "yesterday night"],
        "2026-03-17T16:00:00Z",
        "2026-03-18T04:00:00Z",
    ),
    (
        &["2026-03-14 15:03:22-05:00"],
        "2026-03-14T20:03:22Z",
        "2026-03-14T21:03:22Z",
    ),
    (
        &["friday 23:00 to saturday 01:00"],
        "2026-03-13T21:00:00Z",
        "2026-03-13T23:00:00Z",
    ),
];

#[test]
fn points_in_many_forms() {
    let (now, zone) = wednesday();
    for (phrases, expected) in POINTS {
        for text in *phrases {
            let point = parse_point(text, now, &zone).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(point.at, utc(expected), "{text}");
        }
    }
}

#[test]
fn ranges_in_many_forms() {
    let (now, zone) = wednesday();
    for (phrases, start, end) in RANGES {
        for text in *phrases {
            let (since, until) = text
                .split_once(" || ")
                .map_or((*text, None), |(since, until)| (since, Some(until)));
            let reading =
                parse_window(since, until, now, &zone).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                reading.window,
                Window {
                    start: utc(start),
                    end: utc(end)
                },
                "{text}"
            );
        }
    }
}
