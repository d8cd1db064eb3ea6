//! What holds for every time and every text.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 9] = [
    "America/New_York",
    "Europe/Berlin",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/St_Johns",
    "Pacific/Chatham",
    "UTC",
];

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(ZONES.as_slice()).prop_map(zone)
}

/// Milliseconds from 2000 to 2099.
fn any_instant() -> impl Strategy<Value = Utc> {
    (946_684_800_000_i64..4_102_444_800_000)
        .prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
}

/// Half of them within a day of a change of the clocks in most of the zones.
fn any_wall() -> impl Strategy<Value = NaiveDateTime> {
    let near = [
        "2026-03-08",
        "2026-03-27",
        "2026-03-29",
        "2026-04-05",
        "2026-04-24",
        "2026-10-04",
        "2026-10-25",
        "2026-10-29",
        "2026-11-01",
    ];
    let near = (prop::sample::select(near.to_vec()), -1440_i64..2880).prop_map(|(day, minutes)| {
        format!("{day}T00:00:00").parse::<NaiveDateTime>().unwrap() + TimeDelta::minutes(minutes)
    });
    prop_oneof![near, any_instant().prop_map(|at| at.naive_utc())]
}

/// Texts made of words of times, in any order: nearer to what parses than random characters are.
fn any_words() -> impl Strategy<Value = String> {
    let words = [
        "3pm",
        "14:05",
        "yesterday",
        "tuesday",
        "last",
        "this",
        "morning",
        "night",
        "the",
        "14th",
        "Mar",
        "2026-03-14",
        "T",
        "-",
        "..",
        "to",
        "and",
        "between",
        "from",
        "ago",
        "2",
        "45",
        "min",
        "h",
        "d",
        "+",
        "02:00",
        "IST",
        "UTC",
        "(",
        ")",
        "America/New_York",
        "around",
        "since",
        "half",
        "an",
        "for",
        ":",
        ".",
        ",",
        "/",
        "@",
        "1773835500",
        "99999999999999999999",
        "24:00",
        "midnight",
        "now",
        "am",
        "31",
        "feb",
        "week",
        "０",
        "é",
    ];
    prop::collection::vec((prop::sample::select(words.to_vec()), any::<bool>()), 0..9).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(word, space)| {
                if space {
                    format!("{word} ")
                } else {
                    word.to_owned()
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_rendered_for_machines_reads_back(at in any_instant(), zone in any_zone(), now in any_instant()) {
        let written = clock(now, zone).rfc3339(at);
        let point = parse_point(&written, now, &zone).unwrap();
        prop_assert_eq!((point.at, point.ambiguities.len()), (at, 0), "{}", written);
    }

    /// `15:03:22 IST (13:03:22 UTC)` typed back is the same second, in whatever zone the reader is.
    #[test]
    fn what_is_rendered_for_people_reads_back(before in 0_i64..80_000_000, zone in any_zone(), reader in any_zone(), now in any_instant()) {
        let at = now - TimeDelta::seconds(before);
        let at = at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()));
        let written = clock(now, zone).at(at);
        // Without a date it is the writer's today, which need not be the reader's; its last occurrence is the same.
        let point = parse_point(&written, now, &reader).unwrap();
        prop_assert_eq!(point.at, at, "{}", written);
    }

    #[test]
    fn a_wall_time_is_that_wall_time(wall in any_wall(), zone in any_zone(), now in any_instant()) {
        let text = wall.format("%Y-%m-%d %H:%M:%S%.f").to_string();
        let point = parse_point(&text, now, &zone).unwrap();
        let shows = |at: Utc| zone.local(at);
        match point.ambiguities.as_slice() {
            [] => prop_assert_eq!(shows(point.at), wall),
            [one] if one.question.contains("twice") => {
                prop_assert_eq!(one.choices.len(), 2);
                for choice in &one.choices {
                    prop_assert_eq!(shows(choice.window.start), wall);
                }
                prop_assert!(one.choices[0].window.start < one.choices[1].window.start);
            }
            [one] => {
                prop_assert!((2..=3).contains(&one.choices.len()));
                prop_assert!(one.choices.iter().all(|choice| shows(choice.window.start) != wall));
                prop_assert!(shows(point.at) > wall);
            }
            _ => prop_assert!(false, "{} raised {} questions", text, point.ambiguities.len()),
        }
    }

    #[test]
    fn a_time_of_day_is_its_last_occurrence(minute in 0_u32..1440, zone in any_zone(), wall in any_wall()) {
        let now = wall.and_utc();
        let text = format!("{:02}:{:02}", minute / 60, minute % 60);
        let at = parse_point(&text, now, &zone).unwrap().at;
        prop_assert!(at <= now && at > now - TimeDelta::hours(25), "{} was {}, now is {}", text, at, now);
    }

    #[test]
    fn a_window_is_never_empty_and_never_in_the_future(text in any_words(), zone in any_zone(), now in any_instant()) {
        if let Ok(reading) = parse_window(&text, None, now, &zone) {
            prop_assert!(reading.window.start < reading.window.end && reading.window.end <= now, "{}: {:?}", text, reading);
            for ambiguity in &reading.ambiguities {
                prop_assert!(ambiguity.choices.len() > 1 && ambiguity.chosen < ambiguity.choices.len());
                prop_assert_eq!(ambiguity.choices[ambiguity.chosen].window, reading.window);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", until in ".{0,30}", zone in any_zone(), now in any_instant()) {
        let _ = parse_window(&text, Some(&until), now, &zone);
        let _ = parse_point(&text, now, &zone);
        let _ = text.parse::<Zone>();
    }

    #[test]
    fn no_order_of_words_panics(since in any_words(), until in any_words(), zone in any_zone()) {
        for now in [DateTime::<chrono::Utc>::MIN_UTC, DateTime::UNIX_EPOCH, DateTime::<chrono::Utc>::MAX_UTC] {
            let _ = parse_window(&since, Some(&until), now, &zone).map_err(|error| error.to_string());
            let _ = parse_point(&since, now, &zone);
        }
    }
}
