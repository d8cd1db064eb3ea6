//! What people are told.

use super::*;

#[test]
fn messages_say_what_where_why_and_what_else() {
    let (now, zone) = wednesday();
    let phrases = [
        "",
        "   ",
        "banana",
        "teusday 9am",
        "yesteday 14:05",
        "20 mintues ago",
        "3pm Asia/Jeruslem",
        "3pm XYZ",
        "3pm ISD",
        "3pm 4pm",
        "3",
        "3-4",
        "25:00",
        "14:61",
        "14:05:99",
        "13pm",
        "0am",
        "2026-02-30 14:00",
        "1969-07-20 20:17",
        "30 Feb",
        "99999999999999999999",
        "9999999999999",
        "3/14 18:12",
        "next tuesday",
        "last month",
        "between 3pm",
        "3pm-",
        "3pm (13:00 UTC",
        "ago",
        "10000 days ago",
        "tomorrow 9am",
        "today 18:00",
        "2026-03-14 15:00 to 2026-03-14 14:00",
        "3pm-4pm || 5pm",
        "now",
        "tue, 18 Mar 2026 10:00",
    ];
    insta::assert_snapshot!(all(&phrases, now, zone), @r"
     => no time was given; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
        => no time was given; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    banana => could not read `banana` as a time: it is no word of a time; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    teusday 9am => could not read `teusday 9am` as a time: `teusday` (character 1) is no word of a time; did you mean `tuesday`? times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    yesteday 14:05 => could not read `yesteday 14:05` as a time: `yesteday` (character 1) is no word of a time; did you mean `yesterday`? times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    20 mintues ago => could not read `20 mintues ago` as a time: `mintues` (character 4) is no word of a time; did you mean `minutes`? times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3pm Asia/Jeruslem => could not read `3pm Asia/Jeruslem` as a time: `Asia/Jeruslem` (character 5) is no time zone; did you mean `Asia/Jerusalem`? times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3pm XYZ => `XYZ` is no abbreviation of a time zone that is known here; write the zone as in `18:12 Asia/Tokyo` or its offset as in `18:12+09:00`
    3pm ISD => `ISD` is no abbreviation of a time zone that is known here (did you mean `IST`?); write the zone as in `18:12 Asia/Tokyo` or its offset as in `18:12+09:00`
    3pm 4pm => could not read `3pm 4pm` as a time: `4` (character 5) is a second time of day; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3 => `3` has an hour that could be before or after noon; write it as `3pm`, `3am`, `03:00` or `15:00`
    3-4 => `3` has an hour that could be before or after noon; write it as `3pm`, `3am`, `03:00` or `15:00`
    25:00 => could not read `25:00` as a time: `25` (character 1) should be an hour from 0 to 23; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    14:61 => could not read `14:61` as a time: `61` (character 4) should be minutes from 00 to 59; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    14:05:99 => could not read `14:05:99` as a time: `99` (character 7) should be seconds from 00 to 59; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    13pm => could not read `13pm` as a time: `13` (character 1) is an hour that has no am or pm, those go from 1 to 12; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    0am => could not read `0am` as a time: `0` (character 1) is an hour that has no am or pm, those go from 1 to 12; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    2026-02-30 14:00 => could not read `2026-02-30 14:00` as a time: `2026-02-30` (character 1) is no date from 1970 to 2199; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    1969-07-20 20:17 => could not read `1969-07-20 20:17` as a time: `1969-07-20` (character 1) is no date from 1970 to 2199; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    30 Feb => could not read `30 Feb` as a time: `Feb` (character 4) belongs to a day that this month does not have; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    99999999999999999999 => could not read `99999999999999999999` as a time: it is a number that fits no time; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    9999999999999 => could not read `9999999999999` as a time: it is Unix time beyond the year 2199; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3/14 18:12 => could not read `3/14 18:12` as a time: `3` (character 1) begins a date that could be read in two ways, write it as `14 Mar` or `2026-03-14`; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    next tuesday => could not read `next tuesday` as a time: `next` (character 1) lies ahead, and only what was recorded can be investigated; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    last month => could not read `last month` as a time: `month` (character 6) should be a day, a part of the day or a length of time; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    between 3pm => could not read `between 3pm` as a time: what is missing at the end should be `and` with a second time, after `between`; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3pm- => could not read `3pm-` as a time: what is missing at the end should be a time; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    3pm (13:00 UTC => could not read `3pm (13:00 UTC` as a time: what is missing at the end should be `)`; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    ago => could not read `ago` as a time: it should be a time; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    10000 days ago => could not read `10000 days ago` as a time: `days` (character 7) is more than 20 years; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    tomorrow 9am => `tomorrow 9am` is still to come: it is 2026-03-19 09:00:00 IST (07:00:00 UTC), and now it is 16:20:00 IST (14:20:00 UTC)
    today 18:00 => `today 18:00` is still to come: it is 18:00:00 IST (16:00:00 UTC), and now it is 16:20:00 IST (14:20:00 UTC)
    2026-03-14 15:00 to 2026-03-14 14:00 => the end does not come after the start: the start is 2026-03-14 15:00:00 IST (13:00:00 UTC), the end 2026-03-14 14:00:00 IST (12:00:00 UTC)
    3pm-4pm || 5pm => two ends were given: `3pm-4pm` already says when the window ends
    now => the end does not come after the start: the start is 16:20:00 IST (14:20:00 UTC), the end 16:20:00 IST (14:20:00 UTC)
    tue, 18 Mar 2026 10:00 => could not read `tue, 18 Mar 2026 10:00` as a time: `2026` (character 13) begins a date that is a Wednesday; times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`
    ");
}

#[test]
fn the_place_is_pointed_at() {
    let (now, zone) = wednesday();
    let error = parse_window("yesterday 14:05 Erope/Berlin", None, now, &zone).unwrap_err();
    let TimeError::Unreadable(unreadable) = error else {
        panic!("{error}")
    };
    insta::assert_snapshot!(unreadable.pointer(), @r"
    yesterday 14:05 Erope/Berlin
                    ^^^^^^^^^^^^
    ");
}

#[test]
fn a_text_that_is_too_long_is_not_read() {
    let (now, zone) = wednesday();
    let error = parse_window(&"3".repeat(100_000), None, now, &zone).unwrap_err();
    assert_eq!(
        error,
        TimeError::TooLong {
            length: 100_000,
            limit: 160
        }
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let (now, zone) = wednesday();
    let message = parse_window("3pm\u{7}\u{1b}[31m", None, now, &zone)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`3pm\u{fffd}\u{fffd}[31m`") && !message.contains('\u{1b}'),
        "{message}"
    );
}

#[test]
fn a_range_is_no_point() {
    let (now, zone) = wednesday();
    for text in ["3pm-4pm", "around 3pm"] {
        assert_eq!(
            parse_point(text, now, &zone),
            Err(TimeError::NotOne {
                text: text.to_owned()
            })
        );
    }
}

#[test]
fn an_offset_of_absurd_minutes_is_no_offset() {
    let (now, zone) = wednesday();
    for text in [
        "14:05+02:18446744073709551600",
        "14:05-02:18446744073709551615",
        "14:05+02:60",
    ] {
        assert!(parse_point(text, now, &zone).is_err(), "{text}");
    }
    assert!(parse_point("14:05+05:45", now, &zone).is_ok());
}
