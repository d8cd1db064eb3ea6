//! Times that the clocks skipped or had twice.

use super::*;

#[test]
fn skipped_in_spring() {
    insta::assert_snapshot!(all(&["2:30am", "01:30-02:30", "02:30-03:15"], utc("2026-03-08T16:00:00Z"), zone("America/New_York")), @r"
    2:30am => 03:30:00–04:30:00 EDT (07:30:00–08:30:00 UTC)
        02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it; taken as the start of the window: 03:30 EDT, where a clock that was not set forward shows it
        no end was given: the window ends an hour after its start, at 04:30:00 EDT (08:30:00 UTC)
      ? 02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it: what is the start of the window?
      * 03:30 EDT, where a clock that was not set forward shows it: 03:30:00–04:30:00 EDT (07:30:00–08:30:00 UTC)
        03:00 EDT, the moment the clocks were set forward: 03:00:00–04:00:00 EDT (07:00:00–08:00:00 UTC)
        01:30 EST, where a clock that was set forward too early shows it: 01:30:00 EST–03:30:00 EDT (06:30:00–07:30:00 UTC)
    01:30-02:30 => 01:30:00 EST–03:30:00 EDT (06:30:00–07:30:00 UTC)
        02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it; taken as the end of the window: 03:30 EDT, where a clock that was not set forward shows it
      ? 02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it: what is the end of the window?
      * 03:30 EDT, where a clock that was not set forward shows it: 01:30:00 EST–03:30:00 EDT (06:30:00–07:30:00 UTC)
        03:00 EDT, the moment the clocks were set forward: 01:30:00 EST–03:00:00 EDT (06:30:00–07:00:00 UTC)
    02:30-03:15 => 03:00:00–03:15:00 EDT (07:00:00–07:15:00 UTC)
        02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it; taken as the start of the window: 03:00 EDT, the moment the clocks were set forward
      ? 02:30 did not exist on 2026-03-08 in America/New_York, the clocks were set forward over it: what is the start of the window?
      * 03:00 EDT, the moment the clocks were set forward: 03:00:00–03:15:00 EDT (07:00:00–07:15:00 UTC)
        01:30 EST, where a clock that was set forward too early shows it: 01:30:00 EST–03:15:00 EDT (06:30:00–07:15:00 UTC)
    ");
}

#[test]
fn twice_in_autumn() {
    insta::assert_snapshot!(all(&["1:30am", "01:10-01:40", "00:30-02:30"], utc("2026-11-01T16:00:00Z"), zone("America/New_York")), @r"
    1:30am => 01:30:00 EDT–02:30:00 EST (05:30:00–07:30:00 UTC)
        01:30 came twice on 2026-11-01 in America/New_York, when the clocks were set back; taken as the start of the window: either of them, the window reaches over both
        no end was given: the window ends an hour after its start, at 02:30:00 EST (07:30:00 UTC)
      ? 01:30 came twice on 2026-11-01 in America/New_York, when the clocks were set back: which one is the start of the window?
      * either of them, the window reaches over both: 01:30:00 EDT–02:30:00 EST (05:30:00–07:30:00 UTC)
        the first, 01:30 EDT: 01:30:00 EDT–01:30:00 EST (05:30:00–06:30:00 UTC)
        the second, 01:30 EST: 01:30:00–02:30:00 EST (06:30:00–07:30:00 UTC)
    01:10-01:40 => 01:10:00 EDT–01:40:00 EST (05:10:00–06:40:00 UTC)
        01:10 came twice on 2026-11-01 in America/New_York, when the clocks were set back; taken as the start of the window: the first, 01:10 EDT
        01:40 came twice on 2026-11-01 in America/New_York, when the clocks were set back; taken as the end of the window: the second, 01:40 EST
      ? 01:10 came twice on 2026-11-01 in America/New_York, when the clocks were set back: which one is the start of the window?
      * the first, 01:10 EDT: 01:10:00 EDT–01:40:00 EST (05:10:00–06:40:00 UTC)
        the second, 01:10 EST: 01:10:00–01:40:00 EST (06:10:00–06:40:00 UTC)
      ? 01:40 came twice on 2026-11-01 in America/New_York, when the clocks were set back: which one is the end of the window?
        the first, 01:40 EDT: 01:10:00–01:40:00 EDT (05:10:00–05:40:00 UTC)
      * the second, 01:40 EST: 01:10:00 EDT–01:40:00 EST (05:10:00–06:40:00 UTC)
    00:30-02:30 => 00:30:00 EDT–02:30:00 EST (04:30:00–07:30:00 UTC)
    ");
}

#[test]
fn gaps_and_folds_of_many_zones() {
    let changes = [
        // name, skipped wall time, where it is taken, wall time that came twice, first, second
        (
            "America/New_York",
            "2026-03-08 02:30",
            "2026-03-08T07:30:00Z",
            "2026-11-01 01:30",
            "2026-11-01T05:30:00Z",
            "2026-11-01T06:30:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29 02:30",
            "2026-03-29T01:30:00Z",
            "2026-10-25 02:30",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "Asia/Jerusalem",
            "2026-03-27 02:30",
            "2026-03-27T00:30:00Z",
            "2026-10-25 01:30",
            "2026-10-24T22:30:00Z",
            "2026-10-24T23:30:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04 02:15",
            "2026-10-03T15:45:00Z",
            "2026-04-05 01:45",
            "2026-04-04T14:45:00Z",
            "2026-04-04T15:15:00Z",
        ),
        (
            "Africa/Cairo",
            "2026-04-24 00:30",
            "2026-04-23T22:30:00Z",
            "2026-10-29 23:30",
            "2026-10-29T20:30:00Z",
            "2026-10-29T21:30:00Z",
        ),
        (
            "America/St_Johns",
            "2026-03-08 02:30",
            "2026-03-08T06:00:00Z",
            "2026-11-01 01:30",
            "2026-11-01T04:00:00Z",
            "2026-11-01T05:00:00Z",
        ),
    ];
    let now = utc("2026-12-01T00:00:00Z");
    for (name, skipped, forward, twice, first, second) in changes {
        let zone = zone(name);
        let point = parse_point(skipped, now, &zone).unwrap();
        assert_eq!((point.at, point.ambiguities.len()), (utc(forward), 1), "{name}");
        assert!(
            point.assumptions[0].contains("did not exist"),
            "{name}: {:?}",
            point.assumptions
        );
        let point = parse_point(twice, now, &zone).unwrap();
        let starts: Vec<Utc> = point.ambiguities[0]
            .choices
            .iter()
            .map(|choice| choice.window.start)
            .collect();
        assert_eq!(
            (point.at, starts),
            (utc(first), vec![utc(first), utc(second)]),
            "{name}"
        );
        assert!(
            point.assumptions[0].contains("came twice"),
            "{name}: {:?}",
            point.assumptions
        );
        // As the end of a window, the later one.
        let date = &twice[..10];
        let reading = parse_window(&format!("{date} 00:15"), Some(twice), now, &zone).unwrap();
        assert_eq!(reading.window.end, utc(second), "{name}");
    }
}

/// The first second of a gap and the last of a fold, where off-by-one errors live.
#[test]
fn the_edges_of_gaps_and_folds() {
    let now = utc("2026-12-01T00:00:00Z");
    let new_york = zone("America/New_York");
    let read = |text| {
        let point = parse_point(text, now, &new_york).unwrap();
        let choices = point
            .ambiguities
            .first()
            .map_or(0, |question| question.choices.len());
        (point.at, choices)
    };
    assert_eq!(read("2026-03-08 01:59:59"), (utc("2026-03-08T06:59:59Z"), 0));
    assert_eq!(read("2026-03-08 02:00:00"), (utc("2026-03-08T07:00:00Z"), 2));
    assert_eq!(read("2026-03-08 02:00:00.5"), (utc("2026-03-08T07:00:00.5Z"), 3));
    assert_eq!(read("2026-03-08 02:59:59"), (utc("2026-03-08T07:59:59Z"), 3));
    assert_eq!(read("2026-03-08 03:00:00"), (utc("2026-03-08T07:00:00Z"), 0));
    assert_eq!(read("2026-11-01 00:59:59"), (utc("2026-11-01T04:59:59Z"), 0));
    assert_eq!(read("2026-11-01 01:00:00"), (utc("2026-11-01T05:00:00Z"), 2));
    assert_eq!(read("2026-11-01 01:59:59.5"), (utc("2026-11-01T05:59:59.5Z"), 2));
    assert_eq!(read("2026-11-01 02:00:00"), (utc("2026-11-01T07:00:00Z"), 0));
}

#[test]
fn a_zone_without_changes_has_no_questions() {
    let now = utc("2026-12-01T00:00:00Z");
    for month in 1..=11 {
        let text = format!("2026-{month:02}-01 02:30");
        assert_eq!(
            parse_point(&text, now, &zone("Asia/Kolkata"))
                .unwrap()
                .ambiguities,
            []
        );
    }
}

#[test]
fn between_the_two_passes_only_the_first_is_past() {
    // 01:45 EDT: 01:30 EST is still to come.
    let (now, new_york) = (utc("2026-11-01T05:45:00Z"), zone("America/New_York"));
    let reading = parse_window("1:30am", None, now, &new_york).unwrap();
    assert_eq!(
        (reading.window.start, reading.ambiguities.len()),
        (utc("2026-11-01T05:30:00Z"), 0)
    );
    // Named by its abbreviation, one of the two is meant.
    let later = utc("2026-11-01T16:00:00Z");
    assert_eq!(
        parse_point("1:30am EST", later, &new_york).unwrap().at,
        utc("2026-11-01T06:30:00Z")
    );
    assert_eq!(
        parse_point("1:30am EDT", later, &new_york).unwrap().at,
        utc("2026-11-01T05:30:00Z")
    );
}

#[test]
fn days_are_those_of_the_calendar() {
    // 24 hours before Monday noon, New York had 11:00: the clocks were set forward.
    let (now, new_york) = (utc("2026-03-09T16:00:00Z"), zone("America/New_York"));
    assert_eq!(
        parse_point("1 day ago", now, &new_york).unwrap().at,
        utc("2026-03-08T16:00:00Z")
    );
    assert_eq!(
        parse_point("2 days ago", now, &new_york).unwrap().at,
        utc("2026-03-07T17:00:00Z")
    );
    assert_eq!(
        parse_point("48h ago", now, &new_york).unwrap().at,
        utc("2026-03-07T16:00:00Z")
    );
    let yesterday = parse_window("yesterday", None, now, &new_york).unwrap().window;
    assert_eq!(yesterday.length(), chrono::TimeDelta::hours(23));
}

#[test]
fn a_day_whose_midnight_was_skipped_begins_at_the_change() {
    // Cairo, 24 April 2026: from 00:00 to 01:00.
    let (now, cairo) = (utc("2026-04-25T12:00:00Z"), zone("Africa/Cairo"));
    let reading = parse_window("yesterday", None, now, &cairo).unwrap();
    assert_eq!(
        reading.window,
        Window {
            start: utc("2026-04-23T22:00:00Z"),
            end: utc("2026-04-24T21:00:00Z")
        }
    );
}
