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
