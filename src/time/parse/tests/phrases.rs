//! The phrases of the command line's description, and those that other parsers read wrong.

use super::*;

#[test]
fn every_form_that_is_promised() {
    let (now, zone) = wednesday();
    let phrases = [
        "3pm",
        "15:04",
        "3:04:05 pm",
        "yesterday 14:05",
        "last tuesday 9am",
        "20 minutes ago",
        "2h",
        "noon",
        "2026-03-14 18:12",
        "2026-03-14T18:12:00Z",
        "18:12 America/New_York",
        "18:12+02:00",
        "3pm-3:30pm",
        "14:05..14:20",
        "last 45 min",
    ];
    insta::assert_snapshot!(windows(&phrases, now, zone), @r"
    3pm => 15:00:00–16:00:00 IST (13:00:00–14:00:00 UTC)
    15:04 => 15:04:00–16:04:00 IST (13:04:00–14:04:00 UTC)
    3:04:05 pm => 15:04:05–16:04:05 IST (13:04:05–14:04:05 UTC)
    yesterday 14:05 => 2026-03-17 14:05:00–15:05:00 IST (12:05:00–13:05:00 UTC)
    last tuesday 9am => 2026-03-17 09:00:00–10:00:00 IST (07:00:00–08:00:00 UTC)
    20 minutes ago => 16:00:00–16:20:00 IST (14:00:00–14:20:00 UTC)
    2h => 14:20:00–16:20:00 IST (12:20:00–14:20:00 UTC)
    noon => 12:00:00–13:00:00 IST (10:00:00–11:00:00 UTC)
    2026-03-14 18:12 => 2026-03-14 18:12:00–19:12:00 IST (16:12:00–17:12:00 UTC)
    2026-03-14T18:12:00Z => 2026-03-14 20:12:00–21:12:00 IST (18:12:00–19:12:00 UTC)
    18:12 America/New_York => 00:12:00–01:12:00 IST (2026-03-17 22:12:00–23:12:00 UTC)
    18:12+02:00 => 2026-03-17 18:12:00–19:12:00 IST (16:12:00–17:12:00 UTC)
    3pm-3:30pm => 15:00:00–15:30:00 IST (13:00:00–13:30:00 UTC)
    14:05..14:20 => 14:05:00–14:20:00 IST (12:05:00–12:20:00 UTC)
    last 45 min => 15:35:00–16:20:00 IST (13:35:00–14:20:00 UTC)
    ");
}

/// Of the crates tried, none reads all of these, and most read some silently wrong.
#[test]
fn phrases_that_others_misread() {
    let (now, zone) = (utc("2026-03-18T10:50:00Z"), zone("Asia/Kolkata"));
    let phrases = [
        "3pm",
        "yesterday 14:05",
        "yesterday at 2:05pm",
        "20 minutes ago",
        "1h30m ago",
        "last tuesday 9am",
        "tuesday 9am",
        "3pm-3:30pm",
        "last 2 hours",
        "between 3pm and 3:30pm",
        "last night",
        "past 30 minutes",
        "this morning",
        "from 14:00 to 15:00 yesterday",
        "the 14th at 6pm",
        "since 9am",
        "2026-03-14 18:12 IST",
        "14 Mar 18:12",
    ];
    insta::assert_snapshot!(windows(&phrases, now, zone), @r"
    3pm => 15:00:00–16:00:00 IST (09:30:00–10:30:00 UTC)
    yesterday 14:05 => 2026-03-17 14:05:00–15:05:00 IST (08:35:00–09:35:00 UTC)
    yesterday at 2:05pm => 2026-03-17 14:05:00–15:05:00 IST (08:35:00–09:35:00 UTC)
    20 minutes ago => 16:00:00–16:20:00 IST (10:30:00–10:50:00 UTC)
    1h30m ago => 14:50:00–15:50:00 IST (09:20:00–10:20:00 UTC)
    last tuesday 9am => 2026-03-17 09:00:00–10:00:00 IST (03:30:00–04:30:00 UTC)
    tuesday 9am => 2026-03-17 09:00:00–10:00:00 IST (03:30:00–04:30:00 UTC)
    3pm-3:30pm => 15:00:00–15:30:00 IST (09:30:00–10:00:00 UTC)
    last 2 hours => 14:20:00–16:20:00 IST (08:50:00–10:50:00 UTC)
    between 3pm and 3:30pm => 15:00:00–15:30:00 IST (09:30:00–10:00:00 UTC)
    last night => 2026-03-17 18:00:00–2026-03-18 06:00:00 IST (12:30:00–00:30:00 UTC)
    past 30 minutes => 15:50:00–16:20:00 IST (10:20:00–10:50:00 UTC)
    this morning => 06:00:00–12:00:00 IST (00:30:00–06:30:00 UTC)
    from 14:00 to 15:00 yesterday => 2026-03-17 14:00:00–15:00:00 IST (08:30:00–09:30:00 UTC)
    the 14th at 6pm => 2026-03-14 18:00:00–19:00:00 IST (12:30:00–13:30:00 UTC)
    since 9am => 09:00:00–16:20:00 IST (03:30:00–10:50:00 UTC)
    2026-03-14 18:12 IST => 2026-03-14 18:12:00–19:12:00 IST (12:42:00–13:42:00 UTC)
    14 Mar 18:12 => 2026-03-14 18:12:00–19:12:00 IST (12:42:00–13:42:00 UTC)
    ");
}

#[test]
fn points_in_many_forms() {
    let (now, zone) = wednesday();
    let same = |phrases: &[&str], expected: &str| {
        for text in phrases {
            let point = parse_point(text, now, &zone).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(point.at, utc(expected), "{text}");
        }
    };
    same(
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
    );
    same(
        &[
            "yesterday noon",
            "noon yesterday",
            "12pm yesterday",
            "tue 12:00",
            "last Tuesday at noon",
            "1 day ago at 12:00",
        ],
        "2026-03-17T10:00:00Z",
    );
    same(
        &["midnight", "12am", "0:00", "24:00", "today", "yesterday 24:00"],
        "2026-03-17T22:00:00Z",
    );
    same(
        &[
            "the day before yesterday 09:00",
            "2 days ago at 9am",
            "monday 9 am",
            "monday morning at 9",
        ],
        "2026-03-16T07:00:00Z",
    );
    same(
        &["last night at 11", "yesterday night at 11", "yesterday 23:00"],
        "2026-03-17T21:00:00Z",
    );
    same(&["last night at 2", "02:00", "2 am"], "2026-03-18T00:00:00Z");
    same(
        &["an hour ago", "1h", "60 minutes ago", "3600 s", "one hour ago"],
        "2026-03-18T13:20:00Z",
    );
    same(
        &[
            "half an hour ago",
            "half hour ago",
            "30 min",
            "thirty minutes ago",
        ],
        "2026-03-18T13:50:00Z",
    );
    same(
        &["2 days ago", "2d", "48h", "two days ago"],
        "2026-03-16T14:20:00Z",
    );
    same(&["a week ago", "last week", "7 days ago"], "2026-03-11T14:20:00Z");
    same(&["29 Feb 12:00"], "2024-02-29T10:00:00Z");
    same(&["the 31st 10:00"], "2026-01-31T08:00:00Z");
    same(&["19 March 10:00"], "2025-03-19T08:00:00Z");
    same(&["2026-03-18 14:05:00.250"], "2026-03-18T12:05:00.250Z");
    same(
        &["2026-03-18 14:05:00,123456789"],
        "2026-03-18T12:05:00.123456789Z",
    );
    same(&["now"], "2026-03-18T14:20:00Z");
    // A date in the future is fine for a point, such as that of --now.
    same(&["2026-12-01 10:00"], "2026-12-01T08:00:00Z");
}

#[test]
fn ranges_in_many_forms() {
    let (now, zone) = wednesday();
    let same = |phrases: &[&str], start: &str, end: &str| {
        for text in phrases {
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
    };
    same(
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
    );
    same(
        &[
            "23:50-00:10",
            "11:50pm-12:10am",
            "yesterday 23:50-00:10",
            "yesterday 23:50 || 00:10",
            "yesterday 23:50 to today 00:10",
        ],
        "2026-03-17T21:50:00Z",
        "2026-03-17T22:10:00Z",
    );
    same(
        &[
            "yesterday 14:00-15:00",
            "from 14:00 to 15:00 yesterday",
            "14:00 || yesterday 15:00",
            "tuesday 2-3pm",
            "2-3pm on tuesday",
        ],
        "2026-03-17T12:00:00Z",
        "2026-03-17T13:00:00Z",
    );
    same(
        &["11-1pm", "11am-1", "11:00-13:00"],
        "2026-03-18T09:00:00Z",
        "2026-03-18T11:00:00Z",
    );
    same(
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
    );
    same(
        &[
            "around 3pm",
            "~15:00",
            "at around 15:00",
            "about 3 pm",
            "circa 15:00",
        ],
        "2026-03-18T12:45:00Z",
        "2026-03-18T13:15:00Z",
    );
    same(
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
    );
    same(
        &["last night", "overnight", "yesterday night"],
        "2026-03-17T16:00:00Z",
        "2026-03-18T04:00:00Z",
    );
    same(
        &["2026-03-14 15:03:22-05:00"],
        "2026-03-14T20:03:22Z",
        "2026-03-14T21:03:22Z",
    );
    same(
        &["friday 23:00 to saturday 01:00"],
        "2026-03-13T21:00:00Z",
        "2026-03-13T23:00:00Z",
    );
}

#[test]
fn what_was_assumed_is_said() {
    let (now, zone) = wednesday();
    let phrases = [
        "3pm",
        "16:10",
        "around 3pm",
        "3:15",
        "this morning",
        "this evening",
        "last night",
        "2026-03-14",
        "2026-03-13..2026-03-14 12:00",
        "16:00-17:00",
        "17:00-15:00",
        "yesterday midnight",
        "2026-03-14 03:00-04:00",
        "2026-03-14T03:00-04:00",
        "3pm EST",
        "18:12 IST",
    ];
    insta::assert_snapshot!(all(&phrases, now, zone), @r"
    3pm => 15:00:00–16:00:00 IST (13:00:00–14:00:00 UTC)
        no end was given: the window ends an hour after its start, at 16:00:00 IST (14:00:00 UTC)
    16:10 => 16:10:00–16:20:00 IST (14:10:00–14:20:00 UTC)
        no end was given: the window ends now, at 16:20:00 IST (14:20:00 UTC)
    around 3pm => 14:45:00–15:15:00 IST (12:45:00–13:15:00 UTC)
        around 15:00:00 IST (13:00:00 UTC) was taken as 15 min to either side
    3:15 => 03:15:00–04:15:00 IST (01:15:00–02:15:00 UTC)
        `3:15` was read on the 24-hour clock, as 03:15; for the afternoon write `3:15pm`
        no end was given: the window ends an hour after its start, at 04:15:00 IST (02:15:00 UTC)
    this morning => 06:00:00–12:00:00 IST (04:00:00–10:00:00 UTC)
        `this morning`: the morning was taken as 06:00 to 12:00
    this evening => `this evening` is still to come: it is 18:00:00 IST (16:00:00 UTC), and now it is 16:20:00 IST (14:20:00 UTC)
    last night => 2026-03-17 18:00:00–2026-03-18 06:00:00 IST (16:00:00–04:00:00 UTC)
        `last night`: the night was taken as 18:00 to 06:00
    2026-03-14 => 2026-03-14 00:00:00–2026-03-15 00:00:00 IST (2026-03-13 22:00:00–2026-03-14 22:00:00 UTC)
        `2026-03-14` has no time of day: the whole of 2026-03-14 was taken
    2026-03-13..2026-03-14 12:00 => 2026-03-13 00:00:00–2026-03-14 12:00:00 IST (2026-03-12 22:00:00–2026-03-14 10:00:00 UTC)
        `2026-03-13` has no time of day: the beginning of 2026-03-13 was taken
    16:00-17:00 => 16:00:00–16:20:00 IST (14:00:00–14:20:00 UTC)
        the end, 17:00:00 IST (15:00:00 UTC), is still to come: the window ends now, at 16:20:00 IST (14:20:00 UTC)
    17:00-15:00 => 2026-03-17 17:00:00–2026-03-18 15:00:00 IST (15:00:00–13:00:00 UTC)
        `15:00` was taken as the day after the start: the range lasts 22 h
    yesterday midnight => 2026-03-17 00:00:00–01:00:00 IST (2026-03-16 22:00:00–23:00:00 UTC)
        `yesterday midnight` was taken as 00:00, the beginning of that day
        no end was given: the window ends an hour after its start, at 2026-03-17 01:00:00 IST (2026-03-16 23:00:00 UTC)
    2026-03-14 03:00-04:00 => 2026-03-14 03:00:00–04:00:00 IST (01:00:00–02:00:00 UTC)
        `-04:00` was read as the end of a range; an offset from UTC is written as in `18:12 UTC-04:00`
    2026-03-14T03:00-04:00 => 2026-03-14 09:00:00–10:00:00 IST (07:00:00–08:00:00 UTC)
        `-04:00` was read as an offset from UTC; a range is written with `..04:00`
        no end was given: the window ends an hour after its start, at 2026-03-14 10:00:00 IST (08:00:00 UTC)
    3pm EST => 2026-03-17 22:00:00–23:00:00 IST (20:00:00–21:00:00 UTC)
        EST was read as UTC-05:00, although America/New_York has EDT (UTC-04:00) then
        no end was given: the window ends an hour after its start, at 2026-03-17 23:00:00 IST (21:00:00 UTC)
    18:12 IST => 2026-03-17 18:12:00–19:12:00 IST (16:12:00–17:12:00 UTC)
        IST was taken as your own zone's, Asia/Jerusalem (UTC+02:00), not that of India or Ireland
        no end was given: the window ends an hour after its start, at 2026-03-17 19:12:00 IST (17:12:00 UTC)
    ");
}

#[test]
fn nothing_is_assumed_where_all_was_said() {
    let (now, zone) = wednesday();
    for text in [
        "3pm-3:30pm",
        "2h",
        "last 45 min",
        "yesterday 14:05-14:20",
        "2026-03-14T18:12:00Z/2026-03-14T18:15:00Z",
    ] {
        assert_eq!(
            parse_window(text, None, now, &zone).unwrap().assumptions,
            Vec::<String>::new(),
            "{text}"
        );
    }
}

#[test]
fn early_in_the_day() {
    let (now, zone) = (utc("2026-03-18T02:30:00Z"), zone("Asia/Jerusalem"));
    let phrases = [
        "this morning",
        "last night",
        "3pm",
        "2am",
        "23:50-00:10",
        "yesterday evening",
        "today",
    ];
    insta::assert_snapshot!(windows(&phrases, now, zone), @r"
    this morning => 00:00:00–04:30:00 IST (2026-03-17 22:00:00–2026-03-18 02:30:00 UTC)
    last night => 2026-03-17 18:00:00–2026-03-18 04:30:00 IST (16:00:00–02:30:00 UTC)
    3pm => 2026-03-17 15:00:00–16:00:00 IST (13:00:00–14:00:00 UTC)
    2am => 02:00:00–03:00:00 IST (00:00:00–01:00:00 UTC)
    23:50-00:10 => 2026-03-17 23:50:00–2026-03-18 00:10:00 IST (2026-03-17 21:50:00–22:10:00 UTC)
    yesterday evening => 2026-03-17 18:00:00–22:00:00 IST (16:00:00–20:00:00 UTC)
    today => 00:00:00–04:30:00 IST (2026-03-17 22:00:00–2026-03-18 02:30:00 UTC)
    ");
}
