use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

fn clock(zone: &str, now: &str) -> Clock {
    Clock {
        zone: zone.parse().unwrap(),
        now: utc(now),
        hours: HourStyle::TwentyFour,
    }
}

const NOW: &str = "2026-03-18T14:20:00Z";

#[test]
fn a_time_has_its_date_where_it_needs_one() {
    let times = [
        "2026-03-18T13:03:22.123456Z", // today
        "2026-03-14T13:03:22Z",        // another day
        "2026-03-17T22:30:00Z",        // today here, yesterday in UTC
        "2026-03-13T22:03:22Z",        // another day, and not the same
        "2025-12-31T23:59:59Z",
    ];
    let mut lines = String::new();
    for zone in [
        "Asia/Jerusalem",
        "UTC",
        "Asia/Dubai",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "America/Caracas",
        "Europe/London",
        "Australia/Lord_Howe",
    ] {
        for time in times {
            lines.extend([clock(zone, NOW).at(utc(time)), "\n".to_owned()]);
        }
    }
    insta::assert_snapshot!(lines, @r"
    15:03:22 IST (13:03:22 UTC)
    2026-03-14 15:03:22 IST (13:03:22 UTC)
    00:30:00 IST (2026-03-17 22:30:00 UTC)
    2026-03-14 00:03:22 IST (2026-03-13 22:03:22 UTC)
    2026-01-01 01:59:59 IST (2025-12-31 23:59:59 UTC)
    13:03:22 UTC
    2026-03-14 13:03:22 UTC
    2026-03-17 22:30:00 UTC
    2026-03-13 22:03:22 UTC
    2025-12-31 23:59:59 UTC
    17:03:22 UTC+04 (13:03:22 UTC)
    2026-03-14 17:03:22 UTC+04 (13:03:22 UTC)
    02:30:00 UTC+04 (2026-03-17 22:30:00 UTC)
    2026-03-14 02:03:22 UTC+04 (2026-03-13 22:03:22 UTC)
    2026-01-01 03:59:59 UTC+04 (2025-12-31 23:59:59 UTC)
    18:33:22 IST (13:03:22 UTC)
    2026-03-14 18:33:22 IST (13:03:22 UTC)
    04:00:00 IST (2026-03-17 22:30:00 UTC)
    2026-03-14 03:33:22 IST (2026-03-13 22:03:22 UTC)
    2026-01-01 05:29:59 IST (2025-12-31 23:59:59 UTC)
    18:48:22 UTC+05:45 (13:03:22 UTC)
    2026-03-14 18:48:22 UTC+05:45 (13:03:22 UTC)
    04:15:00 UTC+05:45 (2026-03-17 22:30:00 UTC)
    2026-03-14 03:48:22 UTC+05:45 (2026-03-13 22:03:22 UTC)
    2026-01-01 05:44:59 UTC+05:45 (2025-12-31 23:59:59 UTC)
    09:03:22 UTC-04 (13:03:22 UTC)
    2026-03-14 09:03:22 UTC-04 (13:03:22 UTC)
    2026-03-17 18:30:00 UTC-04 (22:30:00 UTC)
    2026-03-13 18:03:22 UTC-04 (22:03:22 UTC)
    2025-12-31 19:59:59 UTC-04 (23:59:59 UTC)
    13:03:22 GMT (13:03:22 UTC)
    2026-03-14 13:03:22 GMT (13:03:22 UTC)
    2026-03-17 22:30:00 GMT (22:30:00 UTC)
    2026-03-13 22:03:22 GMT (22:03:22 UTC)
    2025-12-31 23:59:59 GMT (23:59:59 UTC)
    00:03:22 UTC+11 (2026-03-18 13:03:22 UTC)
    2026-03-15 00:03:22 UTC+11 (2026-03-14 13:03:22 UTC)
    2026-03-18 09:30:00 UTC+11 (2026-03-17 22:30:00 UTC)
    2026-03-14 09:03:22 UTC+11 (2026-03-13 22:03:22 UTC)
    2026-01-01 10:59:59 UTC+11 (2025-12-31 23:59:59 UTC)
    ");
}

#[test]
fn precision() {
    let clock = clock("Asia/Jerusalem", NOW);
    let at = utc("2026-03-18T13:03:22.123456Z");
    assert_eq!(clock.at(at), "15:03:22 IST (13:03:22 UTC)");
    assert_eq!(clock.at_millis(at), "15:03:22.123 IST (13:03:22.123 UTC)");
    assert_eq!(clock.day_time(at), "15:03 IST (13:03 UTC)");
    assert_eq!(clock.bare(at), "15:03:22");
    assert_eq!(clock.bare(utc("2026-03-14T13:03:22Z")), "2026-03-14 15:03:22");
}

#[test]
fn windows() {
    let cases = [
        ("Asia/Jerusalem", "2026-03-18T13:00:00Z", "2026-03-18T13:30:00Z"),
        ("Asia/Jerusalem", "2026-03-14T13:00:00Z", "2026-03-14T13:30:00Z"),
        ("Asia/Jerusalem", "2026-03-13T21:50:00Z", "2026-03-13T22:10:00Z"),
        ("Asia/Jerusalem", "2026-03-17T23:50:00Z", "2026-03-18T00:10:00Z"),
        ("America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"),
        ("America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        (
            "Australia/Lord_Howe",
            "2026-04-04T14:45:00Z",
            "2026-04-04T15:15:00Z",
        ),
        ("UTC", "2026-03-17T23:50:00Z", "2026-03-18T00:10:00Z"),
        ("Europe/London", "2026-03-17T23:50:00Z", "2026-03-18T00:10:00Z"),
    ];
    let lines: String = cases
        .map(|(zone, start, end)| {
            clock(zone, NOW).window(&Window {
                start: utc(start),
                end: utc(end),
            }) + "\n"
        })
        .concat();
    insta::assert_snapshot!(lines, @r"
    15:00:00–15:30:00 IST (13:00:00–13:30:00 UTC)
    2026-03-14 15:00:00–15:30:00 IST (13:00:00–13:30:00 UTC)
    2026-03-13 23:50:00–2026-03-14 00:10:00 IST (2026-03-13 21:50:00–22:10:00 UTC)
    01:50:00–02:10:00 IST (2026-03-17 23:50:00–2026-03-18 00:10:00 UTC)
    2026-03-08 01:30:00 EST–03:30:00 EDT (06:30:00–07:30:00 UTC)
    2026-11-01 01:30:00 EDT–01:30:00 EST (05:30:00–06:30:00 UTC)
    2026-04-05 01:45:00 UTC+11–01:45:00 UTC+10:30 (2026-04-04 14:45:00–15:15:00 UTC)
    2026-03-17 23:50:00–2026-03-18 00:10:00 UTC
    2026-03-17 23:50:00–2026-03-18 00:10:00 GMT (23:50:00–00:10:00 UTC)
    ");
}

#[test]
fn prose_counts_hours_as_the_reader_does() {
    let times = [
        "2026-03-18T13:23:00Z",
        "2026-03-17T22:05:00Z",
        "2026-03-17T10:00:00Z",
        "2026-03-14T13:23:00Z",
        "2025-03-14T13:23:00Z",
        "2026-03-19T13:23:00Z",
    ];
    let twenty_four = clock("Asia/Jerusalem", NOW);
    let twelve = Clock {
        hours: HourStyle::Twelve,
        ..twenty_four
    };
    let lines: String = times
        .map(|at| format!("{} | {}\n", twelve.prose(utc(at)), twenty_four.prose(utc(at))))
        .concat();
    insta::assert_snapshot!(lines, @r"
    3:23 PM | 15:23
    12:05 AM | 00:05
    12:00 PM yesterday | 12:00 yesterday
    3:23 PM on 14 March | 15:23 on 14 March
    3:23 PM on 14 March 2025 | 15:23 on 14 March 2025
    3:23 PM on 19 March | 15:23 on 19 March
    ");
}

#[test]
fn for_machines() {
    let clock_in = |zone| clock(zone, NOW);
    let at = utc("2026-03-18T13:03:22Z");
    assert_eq!(
        clock_in("Asia/Jerusalem").rfc3339(at),
        "2026-03-18T15:03:22+02:00"
    );
    assert_eq!(clock_in("UTC").rfc3339(at), "2026-03-18T13:03:22Z");
    assert_eq!(
        clock_in("America/St_Johns").rfc3339(utc("2026-03-18T13:03:22.120Z")),
        "2026-03-18T10:33:22.120-02:30"
    );
    assert_eq!(
        clock_in("UTC").rfc3339(utc("2026-03-18T13:03:22.123456Z")),
        "2026-03-18T13:03:22.123456Z"
    );
    // Local mean time of Jerusalem was 2:20:40 (and 54 s before); RFC 3339 cannot say so.
    assert_eq!(
        clock_in("Asia/Jerusalem").rfc3339(utc("1900-01-01T00:00:00Z")),
        "1900-01-01T00:00:00Z"
    );
}

#[test]
fn the_zone_is_named_once() {
    let winter = utc(NOW);
    let line = |zone: &str, at| {
        let clock = clock(zone, NOW);
        format!(
            "{} | {}\n",
            clock.zone_line(at),
            clock.zone_note(at).unwrap_or_default()
        )
    };
    let zones = [
        "Asia/Jerusalem",
        "Asia/Kolkata",
        "America/Chicago",
        "Asia/Shanghai",
        "America/Los_Angeles",
        "Asia/Dubai",
        "Asia/Kathmandu",
        "Europe/Berlin",
        "UTC",
        "Etc/UTC",
    ];
    let lines: String = zones.map(|zone| line(zone, winter)).concat();
    let summer = utc("2026-07-01T00:00:00Z");
    let lines = lines
        + &line("Europe/Dublin", summer)
        + &line("Europe/London", summer)
        + &line("America/Chicago", utc("2026-01-01T00:00:00Z"));
    insta::assert_snapshot!(lines, @r"
    Asia/Jerusalem (IST, UTC+02:00) | IST is UTC+02:00 here, not the IST of India or Ireland
    Asia/Kolkata (IST, UTC+05:30) | IST is UTC+05:30 here, not the IST of Israel or Ireland
    America/Chicago (CDT, UTC-05:00) | CDT is UTC-05:00 here, not the CDT of Cuba
    Asia/Shanghai (CST, UTC+08:00) | CST is UTC+08:00 here, not the CST of US Central or Cuba
    America/Los_Angeles (PDT, UTC-07:00) | 
    Asia/Dubai (UTC+04:00) | 
    Asia/Kathmandu (UTC+05:45) | 
    Europe/Berlin (CET, UTC+01:00) | 
    UTC | 
    Etc/UTC | 
    Europe/Dublin (IST, UTC+01:00) | IST is UTC+01:00 here, not the IST of India or Israel
    Europe/London (BST, UTC+01:00) | BST is UTC+01:00 here, not the BST of Bangladesh
    America/Chicago (CST, UTC-06:00) | CST is UTC-06:00 here, not the CST of China or Cuba
    ");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Times come from servers: none may panic, however far away.
    #[test]
    fn every_instant_renders(seconds in any::<i64>(), nanos in 0_u32..1_000_000_000, zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec())) {
        let near = DateTime::from_timestamp(seconds % 8_000_000_000_000, nanos).unwrap();
        let clock = clock(zone.name(), NOW);
        for at in [near, DateTime::from_timestamp_millis(seconds).unwrap_or(near), DateTime::<chrono::Utc>::MIN_UTC, DateTime::<chrono::Utc>::MAX_UTC] {
            let all = [clock.at(at), clock.at_millis(at), clock.day_time(at), clock.bare(at), clock.prose(at), clock.rfc3339(at), clock.zone_line(at),
                clock.window(&Window { start: at, end: near })];
            prop_assert!(all.iter().all(|text| !text.is_empty()));
            prop_assert!(clock.zone_note(at).is_none_or(|note| !note.is_empty()));
        }
    }
}
